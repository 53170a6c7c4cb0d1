"""The bill is that of a slow count, it is told before a text is sent, and refuses what is over the cap."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import SettingError
from harness.bench.hosted_cost import bills
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.queries import Labelled, Queries
from harness.datasets import load_dataset
from harness.endpoints.meter import tokens
from harness.methods import fit, index
from harness.methods.bm25 import BM25
from harness.rows import parse_method
from harness.runtime.context import Context

pytest.importorskip("openai", reason="the client openai is not installed")


def candidates(dataset: Dataset, depth: int, context: Context) -> list[list[str]]:
    """BM25's best of each test query, as texts."""
    bm25 = BM25()
    searcher = index(bm25, fit(bm25, TrainView(dataset.corpus), context), dataset.corpus, context)
    top = searcher.search(dataset.test.queries, depth)
    return [[dataset.corpus.texts[int(row)] for row in rows if row >= 0] for rows in top.indices]


@pytest.mark.parametrize("depth", [3, 100])
def test_the_figures_are_those_of_a_slow_count(hosted: Any, small: Dataset, context: Context, depth: int) -> None:
    row = f'rerank(first=bm25, scorer=api(model="tiny", url="{hosted.url}", price=2.0), depth={depth})'
    [bill] = bills(parse_method(row), small, context)
    queries = sum(tokens(text) for text in set(small.test.queries.texts))
    lists = candidates(small, depth, context)
    each = {text for texts in lists for text in texts}
    assert bill.full.tokens_in == sum(tokens(text) for text in set(small.corpus.texts[:])) + queries
    assert bill.full.texts == len(set(small.corpus.texts[:])) + len(set(small.test.queries.texts))
    assert bill.candidates.tokens_in == sum(map(tokens, each)) + queries
    assert bill.unkept == sum(tokens(text) for texts in lists for text in texts) + queries
    assert bill.full.dollars == pytest.approx(bill.full.tokens_in * 2e-6)
    assert bill.unkept_dollars == pytest.approx(bill.unkept * 2e-6)
    assert hosted.bodies == []


def test_which_is_cheaper_hangs_on_the_collection(hosted: Any, small: Dataset, context: Context) -> None:
    api = f'api(model="tiny", url="{hosted.url}")'
    [shallow] = bills(parse_method(f"rerank(first=bm25, scorer={api}, depth=1)"), small, context)
    assert (shallow.cheaper, shallow.cheaper_unkept, shallow.whole) == ("candidates", "candidates", False)


def test_re_ranking_is_dearer_than_the_corpus_where_candidates_come_again_and_nothing_is_kept(
    hosted: Any, context: Context
) -> None:
    corpus = Corpus.of([(str(i), "", f"shock wave number {i}") for i in range(4)])
    queries = Queries([f"q{i}" for i in range(5)], [f"shock {i}" for i in range(5)])
    dataset = Dataset("d", corpus, Labelled(queries, {"q0": {"0": 1}}), lambda: TrainView(corpus))
    [bill] = bills(parse_method(f'api(model="tiny", url="{hosted.url}")'), dataset, context)
    assert (bill.whole, bill.first, bill.depth) == (True, "bm25", 100)
    assert (bill.cheaper, bill.cheaper_unkept) == ("neither", "whole corpus")
    assert bill.unkept - bill.full.tokens_in == 4 * (bill.full.tokens_in - sum(map(tokens, queries.texts)))
    assert "Cheaper here: neither when vectors are kept, whole corpus when they are not" in bill.note()
    assert bill.told()["whole_corpus"]["dollars"] is None


def test_it_is_told_before_a_text_is_sent_and_is_in_the_record(
    hosted: Any, small_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[int] = []

    class Watching(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "Cheaper here" in record.getMessage():
                sent.append(len(hosted.bodies))

    handler = Watching()
    logging.getLogger("harness.bench").addHandler(handler)
    try:
        method = parse_method(f'bm25 >> api(model="tiny", url="{hosted.url}")')
        context = Context(cache=Cache(tmp_path / "cache"))
        bench = Bench([method], [str(small_folder)], context, Store(tmp_path / "results"), ["nDCG@10"])
        record = bench.run(str(small_folder), method).record
    finally:
        logging.getLogger("harness.bench").removeHandler(handler)
    assert record.status == "ok", record.problem
    assert sent == [0]
    [told] = record.resolved["embedding_cost"]
    assert told["embeds"] == "candidates"
    assert told["cheaper"] in ("candidates", "neither")
    assert any("Cheaper here" in note for note in record.notes)
    # The first stage that was searched for the bill counts where the row needs it, and once.
    assert [phase["label"] for phase in record.phases].count("search bm25") == 1


def test_a_row_that_needs_more_than_its_cap_is_refused_before_anything_is_sent(
    hosted: Any, small: Dataset, context: Context
) -> None:
    api = 'api(model="tiny", url="{}", cap_tokens={})'
    [bill] = bills(parse_method(f'api(model="tiny", url="{hosted.url}")'), small, context)
    enough, short = bill.full.tokens_in, bill.full.tokens_in - 1
    bills(parse_method(api.format(hosted.url, enough)), small, Context(cache=context.cache))
    with pytest.raises(SettingError, match="over the cap of"):  # the corpus alone would be under it
        bills(parse_method(api.format(hosted.url, short)), small, Context(cache=context.cache))
    assert hosted.bodies == []


def test_dev_queries_count_where_a_weight_is_chosen_on_them(hosted: Any, small_folder: Path, tmp_path: Path) -> None:
    def needs(fusion: str, cap: int) -> None:
        context = Context(cache=Cache(tmp_path / "cache"))
        text = f'hybrid(methods=(bm25, api(model="tiny", url="{hosted.url}", cap_tokens={cap})), fusion={fusion})'
        bills(parse_method(text), load_dataset(str(small_folder), context), context)

    context = Context(cache=Cache(tmp_path / "cache"))
    small = load_dataset(str(small_folder), context)
    [bill] = bills(parse_method(f'api(model="tiny", url="{hosted.url}")'), small, context)
    assert small.train.dev is not None
    dev = sum(tokens(text) for text in set(small.train.dev.queries.texts))
    needs("rrf", bill.full.tokens_in)
    needs("convex", bill.full.tokens_in + dev)
    with pytest.raises(SettingError, match="over the cap"):
        needs("convex", bill.full.tokens_in + dev - 1)


def test_what_is_kept_is_not_held_against_the_cap(hosted: Any, small: Dataset, context: Context) -> None:
    text = f'api(model="tiny", url="{hosted.url}")'
    method = parse_method(text)
    index(method, fit(method, small.train, context), small.corpus, context)
    [bill] = bills(method, small, context)
    left = bill.full.tokens_in - sum(tokens(t) for t in set(small.corpus.texts[:]))
    bills(parse_method(text[:-1] + f", cap_tokens={left})"), small, Context(cache=context.cache))


def test_rows_that_pay_for_nothing_have_no_bill(small: Dataset, context: Context, tiny_encoder: Path) -> None:
    for text in ("bm25", f'bm25>>dense(model="{tiny_encoder}")'):
        assert bills(parse_method(text), small, context) == []
    assert not [step for step in context.ledger.steps.values() if step.kind == "search"]


def test_candidates_that_must_be_paid_for_are_not_asked_for(hosted: Any, small: Dataset, context: Context) -> None:
    api: Callable[[str], str] = lambda model: f'api(model="{model}", url="{hosted.url}")'  # noqa: E731
    found = bills(parse_method(f"{api('one')} >> {api('two')}"), small, context)
    assert [bill.model for bill in found] == ["one"]
    judged = f'bm25 >> listwise(model="m", url="{hosted.url}") >> {api("two")}'
    assert bills(parse_method(judged), small, context) == []
    assert hosted.bodies == []


def test_what_is_not_written_yet_has_no_bill_before_it_is_sent(hosted: Any, small: Dataset, context: Context) -> None:
    api = f'api(model="tiny", url="{hosted.url}")'
    assert bills(parse_method(f"doc2query({api})"), small, context) == []
    [bill] = bills(parse_method(f"rerank(first=doc2query(bm25), scorer={api}, depth=3)"), small, context)
    assert bill.first == "doc2query"
    paid = 'doc2query(bm25, chat(model="m", url="http://127.0.0.1:9/v1"))'
    for first in (paid, 'query2doc(bm25, url="http://127.0.0.1:9/v1")'):
        assert bills(parse_method(f"rerank(first={first}, scorer={api})"), small, context) == []
    assert hosted.bodies == []
