"""The query's vector and those of made-up passages, averaged; every passage is paid for once, and an empty one is
none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ModelError, SettingError, Unavailable
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK, select
from harness.generators.extractive import Extractive
from harness.methods import Searcher, fit, index
from harness.methods.api import API
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.methods.doc2query import Doc2Query
from harness.methods.hybrid import Hybrid
from harness.methods.hyde import HyDE, mean
from harness.methods.query2doc import Query2Doc
from harness.rows import parse_method
from harness.runtime.context import Context

Rank = Callable[..., TopK]
KEY = "sk-secret-1234567890"


def said(body: dict[str, Any]) -> str:
    """What the writer of the conftest makes up for a request."""
    import random

    words = ["wing", "drag", "flow", "heat", "shock", "plate", "layer", "jet", "filler"]
    return " ".join(random.Random(f"{body['messages'][0]['content']} {body['seed']}").choices(words, k=5))


def answer(text: str | None) -> tuple[int, dict[str, str], bytes]:
    told = {"choices": [{"message": {"content": text}}], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}
    return 200, {}, json.dumps(told).encode()


def asked(body: dict[str, Any]) -> str:
    """The query of a request."""
    content: str = body["messages"][0]["content"]
    return content.removeprefix("Please write a passage to answer the question.\nQuestion: ").removesuffix("\nPassage:")


@pytest.fixture
def dense(tiny_encoder: Path) -> Dense:
    return Dense(model=str(tiny_encoder))


def searcher(method: HyDE, corpus: Corpus, context: Context) -> Searcher:
    return index(method, fit(method, TrainView(corpus), context), corpus, context)


# The mean


def test_the_mean_is_equation_8() -> None:
    rng = np.random.default_rng(0)
    query, passages = rng.normal(size=7).astype(np.float32), rng.normal(size=(8, 7)).astype(np.float32)
    for n in (1, 3, 8):
        due = [(sum(float(p[i]) for p in passages[:n]) + float(query[i])) / (n + 1) for i in range(7)]
        assert mean(query, passages[:n]).tolist() == pytest.approx(due, rel=1e-6)
    assert np.array_equal(mean(query, passages[:0]), query)


@pytest.mark.parametrize("n", [1, 3])
def test_the_ranking_is_that_of_the_mean_by_a_peer(
    n: int, writer: Any, tiny_encoder: Path, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    from sentence_transformers import SentenceTransformer

    prompts = {"query_prompt": "ask: ", "document_prompt": "text: "}
    found = rank(HyDE(Dense(model=str(tiny_encoder), **prompts), "m", writer.url, passages=n), corpus, queries, 10)
    model = SentenceTransformer(str(tiny_encoder), device="cpu")

    def encoded(text: str, prompt: str) -> Any:
        return model.encode([prompt + text], normalize_embeddings=True)[0].astype(np.float64)

    documents = np.array([encoded(text, "text: ") for text in corpus.texts])
    for row, text in enumerate(queries.texts):
        own = [body for body in writer.bodies if asked(body) == text]
        assert len({body["seed"] for body in own}) == len(own) == n
        vector = np.mean([*(encoded(said(body), "text: ") for body in own), encoded(text, "ask: ")], axis=0)
        scores = (documents @ vector).astype(np.float32)
        assert found.scores[row].tolist() == pytest.approx(np.sort(scores)[::-1][:10].tolist(), abs=1e-5)
        assert scores[found.indices[row]].tolist() == pytest.approx(found.scores[row].tolist(), abs=1e-5)
    assert len(writer.bodies) == n * len(queries)


def test_passages_that_are_the_document_lead_to_it(judge: Any, dense: Dense, rank: Rank) -> None:
    corpus = Corpus.of(
        [("a", "", "basalt is a volcanic rock"), ("b", "", "comets are balls of ice"), ("c", "", "zz yy xx")]
    )
    queries = Queries(["q"], ["zz yy"])
    assert rank(dense, corpus, queries, 1).indices[0, 0] == 2
    judge.reply = lambda n, body: answer("comets are balls of ice")
    assert rank(HyDE(dense, "m", judge.url), corpus, queries, 1).indices[0, 0] == 1


def test_many_queries_are_averaged_block_by_block(
    writer: Any,
    dense: Dense,
    corpus: Corpus,
    queries: Queries,
    rank: Rank,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer.reply = lambda n, body: answer(None if "filler" in asked(body) else said(body))
    method = HyDE(dense, "m", writer.url, passages=3)
    whole = rank(method, corpus, queries, 10)
    for size in (1, 2, 5):
        monkeypatch.setattr("harness.methods.hyde.BLOCK", size)
        parts = rank(method, corpus, queries, 10, within=Context(cache=context.cache))
        assert np.array_equal(whole.indices, parts.indices)
        assert np.array_equal(whole.scores, parts.scores)


def test_what_is_sent(writer: Any, dense: Dense, corpus: Corpus, rank: Rank) -> None:
    prompt = "Claim: {query}. Again: {query}"
    rank(HyDE(dense, "m", writer.url, prompt, passages=2), corpus, Queries(["q"], ["is {query} it"]), 5)
    assert [body["messages"] for body in writer.bodies] == [
        [{"role": "user", "content": "Claim: is {query} it. Again: is {query} it"}]
    ] * 2
    assert {(body["model"], body["temperature"], body["max_tokens"]) for body in writer.bodies} == {("m", 0.7, 512)}


# First stages


@pytest.mark.parametrize("first", ["doc2query", "api", "hnsw"])
def test_any_first_stage_of_one_vector_a_query_will_do(
    first: str, writer: Any, dense: Dense, corpus: Corpus, queries: Queries, rank: Rank, request: pytest.FixtureRequest
) -> None:
    if first == "api":
        pytest.importorskip("openai", reason="the client openai is not installed")
        embed = request.getfixturevalue("hosted").reply
        writer.reply = lambda n, body: embed(n, body) if "input" in body else answer(said(body))
        stage: Any = API(model="tiny", url=writer.url)
    elif first == "hnsw":
        pytest.importorskip("faiss", reason="faiss is not installed")
        stage = parse_method(f'dense(model="{dense.model}", index=hnsw)')
    else:
        stage = Doc2Query(dense, Extractive())
    plain = rank(stage, corpus, queries, 10)
    found = rank(HyDE(stage, "m", writer.url, passages=2), corpus, queries, 10)
    assert (found.indices[:, 0] >= 0).all()
    assert not np.array_equal(found.indices, plain.indices)


def test_an_approximate_index_is_judged_by_the_means(
    writer: Any, dense: Dense, corpus: Corpus, queries: Queries, context: Context
) -> None:
    pytest.importorskip("faiss", reason="faiss is not installed")
    stage: Any = parse_method(f'dense(model="{dense.model}", index=hnsw)')
    made = searcher(HyDE(stage, "m", writer.url, passages=2), corpus, context)
    made.search(queries, 5)
    sent = len(writer.bodies)
    [note] = made.notes(queries)
    assert "is approximate" in note
    assert len(writer.bodies) == sent
    assert searcher(HyDE(dense, "m", writer.url, passages=2), corpus, context).notes(queries) == ()


@pytest.mark.parametrize("first", ["bm25", "hybrid"])
def test_one_without_is_refused_before_anything_is_asked(
    first: str, writer: Any, dense: Dense, corpus: Corpus, context: Context
) -> None:
    stage = BM25() if first == "bm25" else Hybrid((BM25(), dense))
    with pytest.raises(SettingError, match=r"hyde: .*no mean to take.*hybrid\(methods=\(bm25, hyde\(dense\)\)\)"):
        searcher(HyDE(stage, "m", writer.url), corpus, context)
    assert writer.bodies == []


def test_it_fuses_with_others_and_shares_no_passage_with_another_prompt(
    writer: Any, dense: Dense, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    both = Hybrid((Query2Doc(BM25(), "m", writer.url), HyDE(dense, "m", writer.url, passages=1)))
    rank(both, corpus, queries, 10)
    assert len(writer.bodies) == 2 * len(queries)


# What is kept, and money


def test_a_second_run_replays_offline_and_more_passages_ask_for_the_further_ones_alone(
    writer: Any, dense: Dense, corpus: Corpus, queries: Queries, rank: Rank, context: Context
) -> None:
    first = rank(HyDE(dense, "m", writer.url, passages=2), corpus, queries, 100)
    assert len(writer.bodies) == 2 * len(queries)
    rank(HyDE(dense, "m", writer.url, passages=3), corpus, queries, 100, within=Context(cache=context.cache))
    assert len(writer.bodies) == 3 * len(queries)
    assert len({json.dumps(body, sort_keys=True) for body in writer.bodies}) == 3 * len(queries)
    writer.close()
    again = rank(HyDE(dense, "m", writer.url, passages=2), corpus, queries, 100, within=Context(cache=context.cache))
    assert np.array_equal(first.indices, again.indices)
    assert np.array_equal(first.scores, again.scores)
    with pytest.raises(Unavailable, match="no server"):
        rank(HyDE(dense, "m", writer.url), corpus, Queries(["new"], ["new"]), 5, within=Context(cache=context.cache))


def test_another_seed_model_or_temperature_is_another_passage(
    writer: Any, dense: Dense, corpus: Corpus, rank: Rank, context: Context
) -> None:
    query = Queries(["q"], ["wing"])
    for settings, seed in (({}, 0), ({}, 1), ({"temperature": 0.5}, 0), ({"model": "n"}, 0), ({"max_tokens": 9}, 0)):
        method = HyDE(**{"first": dense, "model": "m", "url": writer.url, "passages": 1, **settings})
        rank(method, corpus, query, 5, within=Context(seed=seed, cache=context.cache))
    assert len(writer.bodies) == 5


def test_queries_of_one_text_share_their_passages(writer: Any, dense: Dense, corpus: Corpus, rank: Rank) -> None:
    top = rank(HyDE(dense, "m", writer.url, passages=2), corpus, Queries(["a", "b"], ["wing", "wing"]), 5)
    assert len(writer.bodies) == 2
    assert np.array_equal(top.indices[0], top.indices[1])


def test_a_stopped_run_pays_nothing_twice(
    writer: Any, dense: Dense, corpus: Corpus, queries: Queries, rank: Rank, context: Context
) -> None:
    method = HyDE(dense, "m", writer.url, passages=2, concurrency=1)
    writer.reply = lambda n, body: answer(said(body)) if n < 5 else (400, {}, b'{"error": {"message": "no"}}')
    with pytest.raises(ModelError, match=r"^hyde: .*HTTP 400"):
        rank(method, corpus, queries, 5)
    assert len(writer.bodies) == 6
    writer.reply = lambda n, body: answer(said(body))
    stopped = rank(method, corpus, queries, 5, within=Context(cache=context.cache))
    bodies = [json.dumps(body, sort_keys=True) for n, body in enumerate(writer.bodies) if n != 5]
    assert len(bodies) == len(set(bodies)) == 2 * len(queries)
    other = rank(method, corpus, queries, 5, within=Context(cache=Cache(context.cache.root.parent / "other")))
    assert np.array_equal(stopped.indices, other.indices)
    assert np.array_equal(stopped.scores, other.scores)


def test_a_busy_server_and_a_torn_answer_are_asked_again(
    writer: Any, dense: Dense, corpus: Corpus, queries: Queries, rank: Rank, context: Context
) -> None:
    faults = {0: (429, {}, b"{}"), 2: (503, {}, b"busy"), 3: (200, {}, b'{"choices": [')}
    method = HyDE(dense, "m", writer.url, passages=2, concurrency=1)
    writer.reply = lambda n, body: faults.get(n) or answer(said(body))
    found = rank(method, corpus, queries, 5)
    assert len(writer.bodies) == 2 * len(queries) + 3
    writer.reply = lambda n, body: answer(said(body))
    due = rank(method, corpus, queries, 5, within=Context(cache=Cache(context.cache.root.parent / "other")))
    assert np.array_equal(found.scores, due.scores)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"cap_tokens": 1000}, r"hyde m: 8 requests, about [\d,]+ tokens in, at most 4,096 out.*cap of 1,000 tokens"),
        ({"price_in": 1.0, "price_out": 1.0, "cap": 0.001}, r"hyde m: 8 requests.*exceeds the cap of \$0\.001"),
    ],
)
def test_the_cap_refuses_before_anything_is_asked(
    settings: dict[str, Any], match: str, writer: Any, dense: Dense, corpus: Corpus, rank: Rank
) -> None:
    with pytest.raises(SettingError, match=match):
        rank(HyDE(dense, "m", writer.url, **settings), corpus, Queries(["q"], ["wing"]), 5)
    assert writer.bodies == []


def test_the_estimate_is_told_before(
    writer: Any, dense: Dense, corpus: Corpus, rank: Rank, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    writer.reply = lambda n, body: (told.append(caplog.text), answer(said(body)))[1]
    rank(HyDE(dense, "m", writer.url, passages=2, price_in=1.0, price_out=1.0), corpus, Queries(["q"], ["wing"]), 5)
    assert "hyde m: 2 requests" in told[0]


def test_the_key_is_shown_nowhere(
    writer: Any,
    dense: Dense,
    corpus: Corpus,
    rank: Rank,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
    caplog: Any,
) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", KEY)
    method = HyDE(dense, "m", writer.url)
    rank(method, corpus, Queries(["q"], ["wing"]), 5)
    assert writer.headers[0]["Authorization"] == f"Bearer {KEY}"
    kept = b"".join(p.read_bytes() for p in context.cache.root.rglob("*") if p.is_file())
    assert KEY not in caplog.text + method.full() + repr(context.ledger.steps)
    assert KEY.encode() not in kept


# Empty passages


def test_empty_passages_are_left_out_of_the_mean_and_without_any_the_query_stands_alone(
    writer: Any, dense: Dense, corpus: Corpus, rank: Rank, context: Context
) -> None:
    queries = Queries(["none", "some", "all"], ["wing", "shock layer", "jet"])

    def reply(n: int, body: dict[str, Any]) -> Any:
        nothing = asked(body) == "wing" or (asked(body) == "shock layer" and body["seed"] == seeds[0])
        return answer((None if n % 2 else " \n") if nothing else said(body))

    seeds = [int(context.rng(f"passage {i}").integers(2**31)) for i in range(2)]
    writer.reply = reply
    with context.ledger.tracked("row") as row:
        found = rank(HyDE(dense, "m", writer.url, passages=2), corpus, queries, 10)
    plain = rank(dense, corpus, queries, 10)
    assert np.array_equal(found.indices[0], plain.indices[0])
    assert np.array_equal(found.scores[0], plain.scores[0])
    encoder = fit(dense, TrainView(corpus), context).encoder  # type: ignore[attr-defined]
    [body] = [b for b in writer.bodies if asked(b) == "shock layer" and b["seed"] == seeds[1]]
    vector = mean(encoder.encode(["shock layer"], "query")[0], encoder.encode([said(body)], "document"))
    documents = encoder.encode(corpus.texts[:], "document")
    _, due = select(np.arange(len(corpus)), documents @ vector, corpus.id_order, 10)
    assert found.scores[1].tolist() == pytest.approx(due.tolist(), abs=1e-5)
    counts = row.counts | {k: v for step in row.all() for k, v in step.counts.items()}
    assert (counts["passages"], counts["passages empty"]) == (6, 3)
    [note] = [note for step in row.all() for note in step.notes]
    assert (
        note == "3 of 6 passages of m are empty, as refusals are; 1 of 3 queries have none and are searched as they are"
    )


def test_a_row_goes_end_to_end(writer: Any, dense: Dense, small_folder: Path, tmp_path: Path) -> None:
    method = parse_method(f'hyde(dense(model="{dense.model}"), model="m", url="{writer.url}", passages=2)')
    writer.reply = lambda n, body: answer(said(body) if n else "")
    records = []
    for name in ("one", "two"):
        bench = Bench(
            [method], [str(small_folder)], Context(cache=Cache(tmp_path / "cache")), Store(tmp_path / name), ["nDCG@10"]
        )
        records.append(bench.run(str(small_folder), method).record)
        if name == "one":
            writer.close()
    one, two = records
    assert one.status == two.status == "ok", one.problem or two.problem
    assert one.run_sha256 == two.run_sha256
    assert one.latency is None
    assert one.resolved["passages"] == 2
    assert one.resolved["first"]["model"]
    assert [n for n in one.notes if n in two.notes and n.startswith("1 of 40 passages of m are empty")]
    # Test queries were sent, those of training were not.
    texts = {line["text"] for line in map(json.loads, (small_folder / "queries.jsonl").read_text().splitlines())}
    assert {asked(body) for body in writer.bodies} < texts
    assert len({asked(body) for body in writer.bodies}) == 20


def test_without_a_key_the_row_is_skipped_by_name(
    dense: Dense, small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    method = parse_method(f'hyde(dense(model="{dense.model}"))')
    context = Context(cache=Cache(tmp_path / "cache"))
    record = (
        Bench([method], [str(small_folder)], context, Store(tmp_path / "r"), ["nDCG@10"])
        .run(str(small_folder), method)
        .record
    )
    assert record.status == "skipped"
    assert record.problem is not None
    assert "hyde: https://api.openai.com/v1 needs an API key" in record.problem["reason"]


@pytest.mark.parametrize(
    "settings",
    [
        {"model": ""},
        {"url": "x"},
        {"prompt": "write a passage"},
        {"passages": 0},
        {"max_tokens": 0},
        {"temperature": -1.0},
        {"temperature": 0.0},
        {"cap": -1.0},
        {"key_variable": "sk-oops"},
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=rf"hyde: .*{next(iter(settings))}"):
        HyDE(**settings)
