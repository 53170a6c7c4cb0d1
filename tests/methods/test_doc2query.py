"""Every document gets its own questions and nothing else; the rest is the first stage, over a corpus of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import ModelError, SettingError, Unavailable
from harness.bench.plan import plan
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.generators import Generator, Question, every_question
from harness.generators.chat import Chat
from harness.generators.extractive import Extractive
from harness.generators.seq2seq import Seq2seq
from harness.methods import Searcher, fit, index
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.doc2query import Doc2Query, best, expanded
from harness.methods.listwise import Listwise
from harness.rows import parse_method
from harness.runtime.context import Context

pytestmark = pytest.mark.usefixtures("reference_engine")

Rank = Callable[..., TopK]
CORPUS = Corpus.of([("a", "Title", "red apple"), ("b", "", "green pear"), ("c", "", ""), ("d", "", "blue sky")])


@dataclass(frozen=True)
class Told(Generator):
    """Says what it was told, as (row, text) in JSON."""

    per_document: int = 3
    told: str = "[]"

    @classmethod
    def name(cls) -> str:
        return "told"

    def generate(self, corpus: Corpus, rows: Sequence[int], context: Context) -> Iterator[Question]:
        CALLS.append(len(rows))
        return (Question(text, row, "told") for row, text in json.loads(self.told))


CALLS: list[int] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    CALLS.clear()


def told(*pairs: tuple[int, str]) -> Told:
    return Told(told=json.dumps(pairs))


def searched(method: Doc2Query, context: Context, corpus: Corpus = CORPUS) -> Searcher:
    return index(method, fit(method, TrainView(corpus), context), corpus, context)


def kept(context: Context) -> Corpus:
    """The expanded corpus that lies in the cache."""
    [path] = context.cache.root.glob("expanded/*/corpus.arrow")
    return Corpus.open(path)


def found(searcher: Searcher, text: str, k: int = 10) -> list[int]:
    [(rows, _)] = searcher.search(Queries(["q"], [text]), k).rows()
    return rows.tolist()


# What is appended


def test_each_document_has_its_questions_at_the_end_and_no_other_changes(context: Context) -> None:
    made = told((0, " what  is red?"), (0, "what is red?"), (2, "nothing?"), (2, ""), (3, "What is red?"))
    searched(Doc2Query(generator=made), context)
    corpus = kept(context)
    assert [tuple(corpus[row]) for row in range(len(corpus))] == [
        ("a", "Title", "red apple what is red? what is red?"),
        ("b", "", "green pear"),
        ("c", "", "nothing?"),
        ("d", "", "blue sky What is red?"),
    ]
    assert corpus.revision != CORPUS.revision
    assert np.array_equal(corpus.id_order, CORPUS.id_order)


@given(st.lists(st.tuples(st.integers(0, 5), st.text("ab ?", max_size=4)), max_size=12), st.integers(1, 6))
def test_expansion_is_that_of_a_slow_loop(pairs: list[tuple[int, str]], n: int) -> None:
    corpus = Corpus.of([(str(i), "t" * (i % 2), "x" * (i % 3)) for i in range(n)])
    asked = sorted((pair for pair in pairs if pair[0] < n), key=lambda pair: pair[0])
    facts = {"questions": 0, "documents": 0}
    made = list(expanded(corpus, (Question(text, row, "told") for row, text in asked), facts))
    for row in range(n):
        own = [text for at, text in asked if at == row]
        assert made[row] == (
            str(row),
            corpus[row].title,
            " ".join([*([corpus[row].text] if corpus[row].text else []), *own]),
        )
    assert facts == {"questions": len(asked), "documents": len({row for row, _ in asked})}


@pytest.mark.parametrize("pairs", [[(1, "x"), (0, "y")], [(0, "x"), (1, "y"), (0, "z")]])
def test_a_generator_that_asks_out_of_turn_is_an_error_and_nothing_is_kept(pairs: Any, context: Context) -> None:
    with pytest.raises(ModelError, match="document 0 out of order"):
        searched(Doc2Query(generator=told(*pairs)), context)
    assert not list(context.cache.root.glob("expanded/*"))


def test_nothing_to_expand_with_is_an_error(context: Context, tiny_cross_encoder: Path) -> None:
    for judge in (None, CrossEncoder(model=str(tiny_cross_encoder))):
        with pytest.raises(ModelError, match=r"told.* made no question of any of the 4 documents.*another generator"):
            searched(Doc2Query(generator=told((0, " ?")), filter=judge), context)
    assert not list(context.cache.root.glob("expanded/*"))


def test_extractive_adds_no_word(context: Context) -> None:
    corpus = Corpus.of([("1", "On stroke", "Aspirin lowers the risk of stroke in men. It did not help women at all.")])
    [document] = expanded(
        corpus, every_question(Extractive(), corpus, context), facts := {"questions": 0, "documents": 0}
    )
    assert facts == {"questions": 3, "documents": 1}
    words = f"{corpus[0].title} {corpus[0].text}".casefold().replace(".", "").split()
    assert set(document.text.casefold().replace(".", "").split()) <= set(words)
    assert len(document.text) > len(corpus[0].text)


# What is searched


def test_words_that_only_the_questions_have_are_found(context: Context) -> None:
    made = told((0, "which fruit is crimson"), (1, "which fruit is unripe"))
    assert found(searched(Doc2Query(generator=made), context), "crimson fruit") == [0, 1]
    assert found(index(BM25(), fit(BM25(), TrainView(CORPUS), context), CORPUS, context), "crimson fruit") == []


def test_it_ranks_as_its_first_stage_ranks_the_expanded_documents(corpus: Corpus, queries: Queries, rank: Rank) -> None:
    made = told(*((row, f"wing {row}") for row in range(0, len(corpus), 2)))
    found = rank(Doc2Query(BM25(k1=1.2), made), corpus, queries, 20)
    by_row = (Question(text, row, "told") for row, text in json.loads(made.told))
    by_hand = Corpus.of(expanded(corpus, by_row, {"questions": 0, "documents": 0}))
    due = rank(BM25(k1=1.2), by_hand, queries, 20)
    assert np.array_equal(found.indices, due.indices)
    assert np.array_equal(found.scores, due.scores)


def test_an_encoder_reads_the_expanded_documents(tiny_encoder: Path, context: Context) -> None:
    corpus = Corpus.of([("a", "", "red apple"), ("b", "", "green pear"), ("c", "", "blue sky")])
    searcher = searched(Doc2Query(Dense(model=str(tiny_encoder)), told((2, "which roof is this"))), context, corpus)
    top = searcher.search(Queries(["q"], ["blue sky which roof is this"]), 1)
    assert top.indices.tolist() == [[2]]
    assert top.scores[0, 0] == pytest.approx(1, abs=1e-5)


def test_the_first_stage_is_fitted_on_the_view_as_it_is_and_its_facts_are_told(small: Any, context: Context) -> None:
    first = Dense(model="no/such")
    with pytest.raises(Unavailable):
        fit(Doc2Query(first), small.train, context)
    seen: list[TrainView] = []

    class Watching(BM25):
        @classmethod
        def name(cls) -> str:
            return "bm25"

        def fit(self, view: TrainView, context: Context) -> Any:
            seen.append(view)
            return super().fit(view, context)

    fitted = fit(Doc2Query(Watching(), told((0, "x"))), small.train, context)
    assert seen == [small.train]
    assert fitted.resolved["first"]["k1"] == 0.9
    assert fitted.resolved["generator"]["per_document"] == 3
    assert "filter" not in fitted.resolved


# A made-up collection whose queries are in other words than its documents, and a model that knows both


@pytest.fixture
def translator(tmp_path: Path) -> Path:
    """A T5 that was taught, here and now, which word people use for a document's word."""
    import torch
    from tokenizers import Tokenizer, pre_tokenizers, processors
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    pairs = [(f"said{i}", f"asked{i}") for i in range(6)]
    words = ["<pad>", "</s>", "<unk>", *(word for pair in pairs for word in pair)]
    tokens = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokens.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokens.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tokens, model_max_length=32, **names)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = T5Config(
            vocab_size=len(words),
            d_model=32,
            d_kv=8,
            d_ff=64,
            num_layers=1,
            num_heads=2,
            decoder_start_token_id=0,
            dropout_rate=0,
        )
        model = T5ForConditionalGeneration(config)
        steps = torch.optim.Adam(model.parameters(), lr=5e-3)
        given = tokenizer([f"{a} {a}" for a, _ in pairs], return_tensors="pt")
        due = tokenizer([b for _, b in pairs], return_tensors="pt").input_ids
        for _ in range(120):
            loss = model(input_ids=given["input_ids"], attention_mask=given["attention_mask"], labels=due).loss
            steps.zero_grad()
            loss.backward()
            steps.step()
    model.save_pretrained(tmp_path / "translator")
    tokenizer.save_pretrained(tmp_path / "translator")
    return tmp_path / "translator"


def test_a_model_that_knows_the_words_people_ask_with_raises_recall(translator: Path, rank: Rank) -> None:
    corpus = Corpus.of([(f"d{i}", "", f"said{i} said{i}") for i in range(6)])
    queries = Queries([f"q{i}" for i in range(6)], [f"asked{i}" for i in range(6)])

    def recall(method: Any) -> float:
        return float(np.mean(rank(method, corpus, queries, 1).indices[:, 0] == np.arange(6)))

    assert recall(BM25()) == 0
    made = Seq2seq(model=str(translator), per_document=2, temperature=0.1, max_length=4)
    assert recall(Doc2Query(BM25(), made)) == 1
    assert recall(Doc2Query(BM25(), Extractive())) == 0  # adds no word


def test_questions_of_a_chat_model_are_paid_for_once(server: Any, context: Context) -> None:
    method = Doc2Query(generator=Chat(model="m", url=server.url))
    assert method.generator.paid
    assert not method.paid  # a query costs nothing
    searched(method, context)
    sent = len(server.bodies)
    assert sent == len(set(CORPUS.texts[:]))
    server.close()
    searched(method, Context(cache=context.cache))
    assert len(server.bodies) == sent


# The filter


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=1, max_size=20), st.floats(0.01, 1))
def test_the_best_share_is_that_of_a_sorted_list(scores: list[float], share: float) -> None:
    found = best(np.array(scores, np.float32), share)
    ordered = sorted(scores, reverse=True)
    last = ordered[max(1, round(share * len(scores))) - 1]
    assert found.tolist() == [score >= last for score in scores]


def test_the_threshold_is_one_for_all_documents(tiny_cross_encoder: Path, context: Context) -> None:
    pairs = [
        (row, f"{word} {extra}")
        for row, word in enumerate(["red", "pear", "x", "sky"])
        for extra in ("zu", "wo", "sky")
    ]
    judge = CrossEncoder(model=str(tiny_cross_encoder))
    searched(Doc2Query(generator=told(*pairs), filter=judge, keep=0.5), context)
    from sentence_transformers import CrossEncoder as Peer

    model = Peer(str(tiny_cross_encoder), device="cpu")
    scores = [float(model.predict([(text, CORPUS.texts[row])], activation_fn=lambda x: x)[0]) for row, text in pairs]
    last = sorted(scores, reverse=True)[5]
    corpus = kept(context)
    for row in range(len(CORPUS)):
        own = [text for (at, text), score in zip(pairs, scores, strict=True) if at == row and score >= last]
        assert corpus[row].text == " ".join([*([CORPUS[row].text] if CORPUS[row].text else []), *own])
    assert sum(len(corpus[row].text) for row in range(4)) < sum(len(text) for _, text in pairs) + 28


def test_a_filter_must_score_a_pair_by_itself(judge: Any, context: Context) -> None:
    with pytest.raises(SettingError, match="bm25 cannot score pairs"):
        fit(Doc2Query(filter=BM25()), TrainView(CORPUS), context)
    with pytest.raises(SettingError, match=r"listwise.* compares documents with each other"):
        searched(Doc2Query(generator=told((0, "x")), filter=Listwise("m", judge.url)), context)
    assert judge.bodies == []


@pytest.mark.parametrize("keep", [0.0, -0.1, 1.1])
def test_a_share_out_of_range_is_named(keep: float) -> None:
    with pytest.raises(SettingError, match="doc2query: keep"):
        Doc2Query(keep=keep)


# What is kept


def test_the_expanded_corpus_is_written_once_and_its_key_holds_all_that_decides_it(
    context: Context, tiny_cross_encoder: Path
) -> None:
    judge = CrossEncoder(model=str(tiny_cross_encoder))
    made = told((0, "x"), (1, "y"))
    for first in (BM25(), BM25(k1=1.2)):  # the first stage does not decide it
        searched(Doc2Query(first, made), Context(cache=context.cache))
    assert len(CALLS) == 1
    others = [
        Doc2Query(generator=told((0, "z"))),
        Doc2Query(generator=made, filter=judge),
        Doc2Query(generator=made, filter=judge, keep=0.9),
    ]
    keys = {searched(method, Context(cache=context.cache)).key for method in others}
    searched(Doc2Query(generator=made), Context(seed=1, cache=context.cache))
    searched(Doc2Query(generator=made), Context(cache=context.cache), Corpus.of([("a", "", "x"), ("b", "", "y")]))
    assert len(list(context.cache.root.glob("expanded/*"))) == 6
    assert len(keys) == 3


def test_a_row_goes_end_to_end_and_its_record_tells_what_was_appended(small_folder: Path, tmp_path: Path) -> None:
    with open(small_folder / "corpus.jsonl", "a", encoding="utf-8") as file:
        file.write('{"_id": "bare", "title": "", "text": "x"}\n')
    methods = [parse_method("bm25"), parse_method("doc2query(bm25(k1=1.2), extractive(per_document=2))")]
    assert [step.kind for step in plan(methods[1:], ["x"], 10).steps] == [
        "load",
        "fit",
        "fit",
        "index",
        "search",
        "measure",
    ]
    context = Context(cache=Cache(tmp_path / "cache"))
    bench = Bench(methods, [str(small_folder)], context, Store(tmp_path / "results"), ["nDCG@10"])
    plain, row = (bench.run(str(small_folder), method).record for method in methods)
    assert (plain.status, row.status) == ("ok", "ok"), row.problem
    assert row.row == "doc2query(first=bm25(k1=1.2), generator=extractive(per_document=2))"
    [phase] = [p for p in row.phases if p["kind"] == "index" and "doc2query" in p["label"]]
    assert phase["counts"]["questions"] == 30 * 2 + 30 * 1  # without a title one of one sentence has keywords alone
    assert "1 of 61 documents got no question of extractive and stay as they are" in row.notes
    assert row.latency is not None
    assert row.supervision == "none"
    again = Bench(
        methods, [str(small_folder)], Context(cache=context.cache), Store(tmp_path / "again"), ["nDCG@10"], rerun=True
    )
    replayed = again.run(str(small_folder), methods[1]).record
    assert replayed.run_sha256 == row.run_sha256
    assert replayed.notes == row.notes
    [phase] = [p for p in replayed.phases if p["kind"] == "index" and "doc2query" in p["label"]]
    assert phase["cached_seconds"] > 0  # what the cache spared is counted
