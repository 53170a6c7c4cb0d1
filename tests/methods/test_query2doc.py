"""The text of the new query is the paper's; what was written is kept; a query without a passage is searched as it
is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import ModelError, SettingError, Unavailable
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.generators.extractive import Extractive
from harness.methods import Searcher, fit, index
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.doc2query import Doc2Query
from harness.methods.hybrid import Hybrid
from harness.methods.query2doc import Query2Doc
from harness.methods.rerank import Rerank
from harness.rows import parse_method, row_name
from harness.runtime.context import Context

pytestmark = pytest.mark.usefixtures("reference_engine")

Rank = Callable[..., TopK]


def answer(text: str | None) -> tuple[int, dict[str, str], bytes]:
    told = {"choices": [{"message": {"content": text}}], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}
    return 200, {}, json.dumps(told).encode()


def asked(body: dict[str, Any]) -> str:
    """The query of a request."""
    content: str = body["messages"][0]["content"]
    return content.removeprefix("Write a passage that answers the given query:\n\nQuery: ").removesuffix("\nPassage:")


def searcher(method: Query2Doc, corpus: Corpus, context: Context) -> Searcher:
    return index(method, fit(method, TrainView(corpus), context), corpus, context)


# The text


def test_the_new_query_is_the_papers() -> None:
    method = Query2Doc()
    assert method.expanded("red pear", ["A pear is a fruit."], "sparse") == (
        "red pear red pear red pear red pear red pear A pear is a fruit."
    )
    assert method.expanded("red pear", ["A pear is a fruit."], "dense") == "red pear [SEP] A pear is a fruit."
    assert Query2Doc(repeats=2).expanded("q", ["p"], "sparse") == "q q p"
    assert Query2Doc(separator="</s>").expanded("q", ["p"], "dense") == "q </s> p"
    assert Query2Doc(separator="").expanded("q", ["p"], "dense") == "q p"


@given(st.text(), st.text(min_size=1), st.integers(1, 9), st.sampled_from(["sparse", "dense"]))
def test_the_words_are_counted(query: str, passage: str, repeats: int, form: Any) -> None:
    words = Query2Doc(repeats=repeats).expanded(query, [passage], form).split()
    due = (
        query.split() * (repeats if form == "sparse" else 1) + (["[SEP]"] if form == "dense" else []) + passage.split()
    )
    assert words == due
    assert Query2Doc(repeats=repeats).expanded(query, [], form) == query


@pytest.mark.parametrize(
    ("first", "form"),
    [("bm25", "sparse"), ("doc2query", "sparse"), ("dense", "dense"), ("rerank", "dense"), ("told", "sparse")],
)
def test_the_form_is_that_of_the_first_stage(
    first: str,
    form: str,
    judge: Any,
    tiny_encoder: Path,
    tiny_cross_encoder: Path,
    corpus: Corpus,
    queries: Queries,
    rank: Rank,
    context: Context,
) -> None:
    judge.reply = lambda n, body: answer(f"about {asked(body)} and heat")
    dense = Dense(model=str(tiny_encoder))
    stages: dict[str, Any] = {
        "bm25": BM25(),
        "doc2query": Doc2Query(BM25(), Extractive(), filter=CrossEncoder(model=str(tiny_cross_encoder))),
        "dense": dense,
        "rerank": Rerank(BM25(), CrossEncoder(model=str(tiny_cross_encoder))),
        "told": dense,
    }
    method = Query2Doc(stages[first], "m", judge.url, form="sparse" if first == "told" else None)
    made = searcher(method, corpus, context)
    found = made.search(queries, 10)
    new = Queries(queries.ids, [method.expanded(text, [f"about {text} and heat"], form) for text in queries.texts])  # type: ignore[arg-type]
    due = rank(stages[first], corpus, new, 10)
    assert np.array_equal(found.indices, due.indices)
    assert np.array_equal(found.scores, due.scores)
    assert made.report(queries).resolved["form"] == form
    assert made.live is False


def test_what_is_sent(writer: Any, corpus: Corpus, rank: Rank) -> None:
    rank(Query2Doc(BM25(), "m", writer.url), corpus, Queries(["q"], ["is {query} it"]), 5)
    [body] = writer.bodies
    assert body["messages"] == [
        {"role": "user", "content": "Write a passage that answers the given query:\n\nQuery: is {query} it\nPassage:"}
    ]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 1.0, 128)


def test_words_that_only_the_passage_has_are_found(judge: Any, rank: Rank) -> None:
    corpus = Corpus.of([("a", "", "red apple"), ("b", "", "green pear"), ("c", "", "blue sky")])
    queries = Queries(["q"], ["unripe fruit"])
    assert rank(BM25(), corpus, queries, 3).indices.tolist() == [[-1, -1, -1]]
    judge.reply = lambda n, body: answer("An unripe pear\nis green.")
    assert rank(Query2Doc(BM25(), "m", judge.url), corpus, queries, 3).indices.tolist() == [[1, -1, -1]]


# Empty passages, faults, money


def test_a_query_without_a_passage_is_searched_as_it_is_and_counted(
    writer: Any, corpus: Corpus, queries: Queries, rank: Rank, context: Context
) -> None:
    usual = writer.reply
    writer.reply = lambda n, body: answer([None, "", " \n"][n % 3]) if "wing" in asked(body) else usual(n, body)
    with context.ledger.tracked("row") as row:
        found = rank(Query2Doc(BM25(), "m", writer.url), corpus, queries, 10)
    plain = rank(BM25(), corpus, queries, 10)
    for i, text in enumerate(queries.texts):
        assert np.array_equal(found.scores[i], plain.scores[i]) == ("wing" in text)
    [note] = [note for step in row.all() for note in step.notes]
    assert (
        note == "2 of 6 passages of m are empty, as refusals are; 2 of 6 queries have none and are searched as they are"
    )


def test_a_second_run_replays_offline_byte_for_byte(writer: Any, small_folder: Path, tmp_path: Path) -> None:
    method = parse_method(f'query2doc(bm25(k1=1.2), model="m", url="{writer.url}")')
    assert parse_method(row_name(method)) == method
    runs = []
    for name in ("one", "two"):
        store = Store(tmp_path / name)
        bench = Bench([method], [str(small_folder)], Context(cache=Cache(tmp_path / "cache")), store, ["nDCG@10"])
        record = bench.run(str(small_folder), method).record
        assert record.status == "ok", record.problem
        runs.append((record, [path.read_bytes() for path in sorted((tmp_path / name).rglob("*.run*"))]))
        if name == "one":
            writer.close()
    (one, raw), (two, again) = runs
    assert raw
    assert raw == again
    assert one.run_sha256 == two.run_sha256
    assert one.resolved["form"] == "sparse"
    assert one.latency is None
    assert one.resolved["first"]["k1"] == 1.2
    assert len(writer.bodies) == 20  # the test queries, and no query of training
    assert not [body for body in writer.bodies if asked(body).startswith("train")]


def test_rows_share_what_was_written(
    writer: Any, tiny_encoder: Path, corpus: Corpus, queries: Queries, rank: Rank, context: Context
) -> None:
    both = Hybrid((Query2Doc(BM25(), "m", writer.url), Query2Doc(Dense(model=str(tiny_encoder)), "m", writer.url)))
    rank(both, corpus, queries, 10)
    rank(Query2Doc(BM25(b=0.7), "m", writer.url, repeats=3), corpus, queries, 10)
    assert len(writer.bodies) == len(queries)


def test_it_is_a_first_stage_of_others_whose_scorer_sees_the_query_as_it_is(
    judge: Any, tiny_cross_encoder: Path, corpus: Corpus, rank: Rank
) -> None:
    judge.reply = lambda n, body: answer("heat heat heat")
    scorer = CrossEncoder(model=str(tiny_cross_encoder))
    found = rank(Rerank(Query2Doc(BM25(), "m", judge.url), scorer, depth=5), corpus, Queries(["q"], ["wing"]), 5)
    due = rank(scorer, corpus, Queries(["q"], ["wing"]), len(corpus))
    scores = dict(zip(due.indices[0].tolist(), due.scores[0].tolist(), strict=True))
    assert [scores[row] for row in found.indices[0].tolist()] == pytest.approx(found.scores[0].tolist(), abs=1e-5)


def test_a_fault_is_an_error_that_names_the_row_and_what_was_answered_stays(
    writer: Any, corpus: Corpus, queries: Queries, rank: Rank, context: Context
) -> None:
    usual = writer.reply
    method = Query2Doc(BM25(), "m", writer.url, concurrency=1)
    writer.reply = lambda n, body: usual(n, body) if n < 2 else (401, {}, b'{"error": {"message": "no such key"}}')
    with pytest.raises(ModelError, match=r"^query2doc: .*HTTP 401"):
        rank(method, corpus, queries, 5)
    writer.reply = usual
    rank(method, corpus, queries, 5, within=Context(cache=context.cache))
    assert len(writer.bodies) == 3 + len(queries) - 2


def test_without_a_server_it_is_unavailable(writer: Any, corpus: Corpus, queries: Queries, rank: Rank) -> None:
    writer.close()
    with pytest.raises(Unavailable, match="query2doc: there is no server"):
        rank(Query2Doc(BM25(), "m", writer.url), corpus, queries, 5)


def test_the_cap_refuses_before_anything_is_asked(writer: Any, corpus: Corpus, queries: Queries, rank: Rank) -> None:
    with pytest.raises(SettingError, match=r"query2doc m: 6 requests.*at most 768 out.*cap of 100 tokens"):
        rank(Query2Doc(BM25(), "m", writer.url, cap_tokens=100), corpus, queries, 5)
    assert writer.bodies == []


def test_the_first_stage_is_not_searched_with_the_queries_as_they_are(
    writer: Any, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    method = Query2Doc(Rerank(BM25(), Dense(), depth=7), "m", writer.url)
    assert method.depth_of(method.first, 100) == 0
    assert method.reach(100) == 7
    assert method.paid


@pytest.mark.parametrize(
    "settings",
    [{"model": ""}, {"prompt": "write"}, {"repeats": 0}, {"form": "both"}, {"max_tokens": 0}, {"temperature": -1.0}],
)
def test_settings_out_of_range_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=rf"query2doc: .*{next(iter(settings))}"):
        Query2Doc(**settings)
