from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Labelled, Queries
from harness.methods import fit, index, search
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.models.encoder import Encoder
from harness.runtime.context import Context
from harness.training.dev import DEEP, EncoderProbe, PairProbe, autocast, interleaved, pool
from harness.training.schedule import Schedule

Scored = Callable[..., Any]


def slow_ndcg(grades: dict[str, int], ranked: list[str]) -> float:
    """Linear gain, at 10."""
    gained = [max(grades.get(d, 0), 0) / np.log2(place + 2) for place, d in enumerate(ranked[:10])]
    best = [g / np.log2(place + 2) for place, g in enumerate(sorted(grades.values(), reverse=True)[:10])]
    return float(sum(gained) / sum(best))


@pytest.mark.parametrize("cap", [25, 30, 41, 59])
def test_the_pool_holds_every_relevant_document_and_no_more_than_its_cap(
    view: TrainView, context: Context, cap: int
) -> None:
    assert view.dev is not None
    three = Labelled(view.dev.queries.only(["name1", "asked1", "name4"]), view.dev.qrels)
    held = pool(TrainView(view.corpus, dev=three), [BM25()], Schedule(dev_pool=cap), context)
    assert held is not None
    relevant = {int(r) for q in held.split.queries.ids for r in view.corpus.rows(list(view.dev.qrels[q]))}
    assert relevant <= set(held.rows.tolist())
    assert len(held.rows) <= cap
    assert held.rows.tolist() == sorted(set(held.rows.tolist()))
    assert held.describe() == {"queries": 3, "documents": len(held.rows), "whole_corpus": False}


def test_the_pool_is_filled_rank_by_rank_from_every_query(context: Context, scored: Scored) -> None:
    corpus = Corpus.of([(f"{i:03}", "", f"text {i}") for i in range(200)])
    tables = {t: random.Random(i).sample(range(200), 200) for i, t in enumerate(["one", "two", "three"])}
    queries = Queries(["a", "b", "c"], ["one", "two", "three"])
    judged = {"a": {"150": 1, "x": 1}, "b": {"007": 2, "009": 0}, "c": {"150": 1, "151": 1}}
    first = scored("first", lambda t, r: -tables[t].index(r))
    second = scored("second", lambda t, r: r if r < 3 else -np.inf)
    held = pool(TrainView(corpus, dev=Labelled(queries, judged)), [first, second], Schedule(dev_pool=30), context)
    assert held is not None
    united = []
    for text in queries.texts:
        turns = []
        for rank in range(DEEP):
            for row in (tables[text][rank], 2 - rank if rank < 3 else -1):
                if row >= 0 and row not in turns:
                    turns.append(row)
        united.append(turns)
    assert [c.tolist() for c in held.candidates] == united
    expected = [7, 150, 151]
    for rank in range(200):
        for turns in united:
            if rank < len(turns) and turns[rank] not in expected and len(expected) < 30:
                expected.append(turns[rank])
    assert held.rows.tolist() == sorted(expected)


def test_relevant_documents_stay_even_where_they_alone_are_more_than_the_cap(view: TrainView, context: Context) -> None:
    held = pool(view, [BM25()], Schedule(dev_pool=10), context)
    assert held is not None
    assert held.rows.tolist() == list(range(60))  # every document answers some dev query


def test_a_small_corpus_is_ranked_whole(view: TrainView, context: Context) -> None:
    held = pool(view, [BM25()], Schedule(dev_pool=60), context)
    assert held is not None
    assert held.whole
    assert held.rows.tolist() == list(range(60))
    assert held.describe() == {"queries": 20, "documents": 60, "whole_corpus": True}


def test_queries_are_drawn_by_the_seed_and_keep_their_judgements(view: TrainView, context: Context) -> None:
    assert view.dev is not None
    drawn = {}
    for seed in (0, 1):
        within = Context(seed=seed, cache=context.cache)
        held = pool(view, [BM25()], Schedule(dev_queries=7), within)
        assert held is not None
        drawn[seed] = held.split.queries.ids
        assert len(drawn[seed]) == 7 == len(held.candidates)
        assert drawn[seed] == [q for q in view.dev.queries.ids if q in drawn[seed]]
        assert held.split.qrels == {q: view.dev.qrels[q] for q in drawn[seed]}
    assert drawn[0] != drawn[1]


def test_without_dev_queries_there_is_no_pool(view: TrainView, context: Context) -> None:
    assert pool(TrainView(view.corpus, view.train), [BM25()], Schedule(), context) is None


def test_without_first_stages_the_pool_is_what_is_relevant(context: Context) -> None:
    corpus = Corpus.of([(f"{i:03}", "", f"text {i}") for i in range(50)])
    held = pool(
        TrainView(corpus, dev=Labelled(Queries(["a"], ["?"]), {"a": {"030": 1}})), [], Schedule(dev_pool=20), context
    )
    assert held is not None
    assert held.rows.tolist() == [30]
    assert [c.tolist() for c in held.candidates] == [[]]


def test_rankings_are_taken_in_turn_and_padding_is_left_out() -> None:
    assert interleaved([np.array([4, 2, 9, -1]), np.array([2, 5, -1, -1])]).tolist() == [4, 2, 5, 9]
    assert interleaved([np.array([-1, -1])]).tolist() == []


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_on_the_whole_corpus_the_probe_is_the_ndcg_of_the_full_dense_run(
    view: TrainView, tiny_encoder: Path, context: Context, fresh: Callable[[], Any], similarity: str
) -> None:
    assert view.dev is not None
    method = Dense(model=str(tiny_encoder), similarity=similarity, query_prompt="ask ", document_prompt="")  # type: ignore[arg-type]
    fitted = fit(method, view, context)
    top = search(method, index(method, fitted, view.corpus, context), view.dev.queries, 60, context)
    run = {
        q: dict(zip(view.corpus.ids(rows), map(float, scores), strict=True))
        for q, (rows, scores) in zip(view.dev.queries.ids, top.rows(), strict=True)
    }
    expected = ir_measures.calc_aggregate([ir_measures.nDCG @ 10], view.dev.qrels, run)[ir_measures.nDCG @ 10]
    held = pool(view, [BM25()], Schedule(), context)
    assert held is not None
    probe = EncoderProbe(held, fitted.encoder, context, bf16=False)
    assert probe(fresh()) == pytest.approx(expected, abs=1e-9)
    assert 0.1 < expected < 0.9
    probe.prompts = {"query": "", "document": "ask "}
    assert probe(fresh()) != pytest.approx(expected, abs=1e-6), "a lesson may change the prompts"


def test_on_a_part_of_the_corpus_the_probe_ranks_that_part(
    view: TrainView, encoder: Encoder, context: Context, fresh: Callable[[], Any]
) -> None:
    assert view.dev is not None
    chosen = ["name1", "asked1", "name4"]
    some = Labelled(view.dev.queries.only(chosen), {q: view.dev.qrels[q] for q in chosen})
    held = pool(TrainView(view.corpus, dev=some), [BM25()], Schedule(dev_pool=20), context)
    assert held is not None
    vectors = {i: encoder.encode([view.corpus.texts[i]], "document")[0] for i in held.rows.tolist()}
    values = []
    for query, text in zip(some.queries.ids, some.queries.texts, strict=True):
        own = encoder.encode([text], "query")[0]
        ranked = sorted(vectors, key=lambda row: -float(vectors[row] @ own))
        values.append(slow_ndcg(dict(some.qrels[query]), view.corpus.ids(np.array(ranked))))
    assert EncoderProbe(held, encoder, context, bf16=False)(fresh()) == pytest.approx(float(np.mean(values)), abs=1e-6)


@pytest.mark.parametrize("depth", [3, 20, 1000])
def test_a_cross_encoder_is_measured_by_the_candidates_it_puts_in_order(
    view: TrainView, tiny_cross_encoder: Path, context: Context, depth: int
) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    assert view.dev is not None
    held = pool(view, [BM25()], Schedule(), context)
    assert held is not None
    assert min(map(len, held.candidates)) == 0, "some queries share no word with any document"
    model = CrossEncoder(str(tiny_cross_encoder), device="cpu")
    values = []
    for query, text, rows in zip(held.split.queries.ids, held.split.queries.texts, held.candidates, strict=True):
        pairs = {int(r): (text, view.corpus.texts[int(r)]) for r in rows[:depth]}
        scores = {r: float(model.predict([p], activation_fn=torch.nn.Identity())[0]) for r, p in pairs.items()}
        ranked = sorted(scores, key=lambda row: -scores[row])
        values.append(slow_ndcg(dict(view.dev.qrels[query]), view.corpus.ids(np.array(ranked, np.int64))))
    probe = PairProbe(held, depth, context, bf16=False)
    assert probe(model) == pytest.approx(float(np.mean(values)), abs=1e-6)
    assert 0 < np.mean(values) < 1


def test_queries_without_any_candidate_count_nothing(
    view: TrainView, tiny_cross_encoder: Path, context: Context
) -> None:
    from sentence_transformers import CrossEncoder

    assert view.dev is not None
    asked = Labelled(view.dev.queries.only(["asked1", "asked2"]), view.dev.qrels)
    held = pool(TrainView(view.corpus, dev=asked), [BM25()], Schedule(), context)
    assert held is not None
    if any(map(len, held.candidates)):
        pytest.fail("the language's asked queries should share no word with a document")
    assert PairProbe(held, 5, context, bf16=False)(CrossEncoder(str(tiny_cross_encoder), device="cpu")) == 0.0


@pytest.mark.parametrize("bf16", [False, True])
def test_probes_leave_the_weights_and_the_random_states_alone(
    view: TrainView,
    encoder: Encoder,
    tiny_cross_encoder: Path,
    context: Context,
    fresh: Callable[[], Any],
    tools: Any,
    bf16: bool,
) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    held = pool(view, [BM25()], Schedule(), context)
    assert held is not None
    for probe, model in (
        (EncoderProbe(held, encoder, context, bf16=bf16), fresh()),
        (PairProbe(held, 5, context, bf16=bf16), CrossEncoder(str(tiny_cross_encoder), device="cpu")),
    ):
        before, state = tools.weights(model), torch.get_rng_state()
        value = probe(model)
        assert 0 <= value <= 1
        assert probe(model) == value
        assert tools.same(tools.weights(model), before)
        assert torch.equal(torch.get_rng_state(), state)


def test_bf16_is_on_only_where_asked() -> None:
    import torch

    for on in (True, False):
        with autocast("cpu", on=on):
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == (torch.bfloat16 if on else torch.float32)


def test_what_a_checkpoint_is_chosen_on_is_the_queries_of_the_pool(view: TrainView, context: Context) -> None:
    assert view.dev is not None
    two = Labelled(view.dev.queries.only(["name1", "asked1"]), {"name1": {"d10": 2, "d11": 0}, "asked1": {"d12": 1}})
    held = pool(TrainView(view.corpus, dev=two), [BM25()], Schedule(dev_pool=100), context)
    assert held is not None
    assert [(one.kind, one.documents) for one in held.trained_queries()] == [("dev", ("d10",)), ("dev", ("d12",))]
    assert [one.text for one in held.trained_queries()] == two.queries.texts


def documents_ask() -> TrainView:
    """Twenty documents; dev asks with documents 03 and 05 themselves, and with one query that is none."""
    corpus = Corpus.of([(f"{i:02}", "", f"text {i}") for i in range(20)])
    queries = Queries(["03", "05", "q"], ["text 3", "text 5", "text 7"])
    judged = {"03": {"04": 1}, "05": {"06": 1}, "q": {"08": 1}}
    return TrainView(corpus, dev=Labelled(queries, judged, frozenset({"03", "05"})))


def near(text: str, row: int) -> float:
    """The query's own number first, then those that follow, in turn."""
    return -float((row - int(text.split()[1])) % 20)


def test_dev_is_measured_without_the_documents_that_are_its_queries(scored: Scored, context: Context) -> None:
    held = pool(documents_ask(), [scored("near", near)], Schedule(), context)
    assert held is not None
    every = [np.array([near(text, row) for row in range(20)], np.float32) for text in held.split.queries.texts]
    # 04 and 06 are the best other documents; 08 comes after 07, which is a document like any other.
    assert held.measure((held.rows, scores) for scores in every) == pytest.approx((1 + 1 + 1 / np.log2(3)) / 3)


def test_ten_documents_are_measured_besides_the_query_itself(scored: Scored, context: Context) -> None:
    held = pool(documents_ask(), [scored("near", near)], Schedule(), context)
    assert held is not None
    ranked = [3, *range(11, 20), 4]  # itself, nine others, the relevant one
    scores = np.array([-ranked.index(row) if row in ranked else -50 for row in range(20)], np.float32)
    one = dataclasses.replace(held, split=held.split.only(["03"]))
    assert one.measure([(held.rows, scores)]) == pytest.approx(1 / np.log2(11))


def test_candidates_are_not_the_query_itself(scored: Scored, context: Context) -> None:
    held = pool(documents_ask(), [scored("near", near)], Schedule(dev_pool=8), context)
    assert held is not None
    assert [rows[:2].tolist() for rows in held.candidates] == [[4, 5], [6, 7], [7, 8]]
    assert all(len(rows) == size for rows, size in zip(held.candidates, (19, 19, 20), strict=True))


def test_an_encoder_is_measured_without_the_documents_that_are_the_queries(encoder: Encoder, context: Context) -> None:
    view = documents_ask()
    held = pool(view, [], Schedule(), context)
    assert held is not None
    value = EncoderProbe(held, encoder, context, bf16=False)(encoder.model)
    texts = view.corpus.texts[:]
    documents, queries = (
        v.block(0, len(v)) for v in (encoder.vectors(texts, "document"), encoder.vectors(texts, "query"))
    )
    gained = []
    for own, relevant in ((3, 4), (5, 6), (7, 8)):
        scores = documents @ queries[own]
        order = sorted(range(20), key=lambda row: (-scores[row], -row))
        others = [row for row in order if row != own or own == 7][:10]
        gained.append(1 / np.log2(others.index(relevant) + 2) if relevant in others else 0.0)
    assert value == pytest.approx(np.mean(gained), abs=1e-6)
    assert value > 0
