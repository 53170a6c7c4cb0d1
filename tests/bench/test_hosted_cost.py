"""The estimate is that of a slow count, it is reported before a text is sent, and refuses what is over the cap."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import SettingError
from harness.bench.hosted_cost import hosted_costs
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.queries import Labelled, Queries
from harness.datasets import load_dataset
from harness.endpoints.meter import estimated_tokens
from harness.methods import Fitted, HostedEncoding, Method, fit, index
from harness.methods.api import API
from harness.methods.bm25 import BM25
from harness.methods.rerank import Rerank
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
    [cost] = hosted_costs(parse_method(row), small, context)
    queries = sum(estimated_tokens(text) for text in set(small.test.queries.texts))
    lists = candidates(small, depth, context)
    each = {text for texts in lists for text in texts}
    assert cost.full.tokens_in == sum(estimated_tokens(text) for text in set(small.corpus.texts[:])) + queries
    assert cost.full.texts == len(set(small.corpus.texts[:])) + len(set(small.test.queries.texts))
    assert cost.candidates.tokens_in == sum(map(estimated_tokens, each)) + queries
    assert cost.uncached == sum(estimated_tokens(text) for texts in lists for text in texts) + queries
    assert cost.full.dollars == pytest.approx(cost.full.tokens_in * 2e-6)
    assert cost.uncached_dollars == pytest.approx(cost.uncached * 2e-6)
    assert hosted.bodies == []


def test_which_is_cheaper_hangs_on_the_collection(hosted: Any, small: Dataset, context: Context) -> None:
    api = f'api(model="tiny", url="{hosted.url}")'
    [shallow] = hosted_costs(parse_method(f"rerank(first=bm25, scorer={api}, depth=1)"), small, context)
    assert (shallow.cheaper, shallow.cheaper_uncached, shallow.whole) == ("candidates", "candidates", False)


def test_re_ranking_is_dearer_than_the_corpus_where_candidates_come_again_and_nothing_is_kept(
    hosted: Any, context: Context
) -> None:
    corpus = Corpus.of([(str(i), "", f"shock wave number {i}") for i in range(4)])
    queries = Queries([f"q{i}" for i in range(5)], [f"shock {i}" for i in range(5)])
    dataset = Dataset("d", corpus, Labelled(queries, {"q0": {"0": 1}}), lambda: TrainView(corpus))
    [cost] = hosted_costs(parse_method(f'api(model="tiny", url="{hosted.url}")'), dataset, context)
    assert (cost.whole, cost.first, cost.depth) == (True, "bm25", 100)
    assert (cost.cheaper, cost.cheaper_uncached) == ("neither", "whole corpus")
    assert cost.uncached - cost.full.tokens_in == 4 * (cost.full.tokens_in - sum(map(estimated_tokens, queries.texts)))
    assert "Cheaper here: neither if vectors are cached, whole corpus if not" in cost.note()
    assert cost.details()["whole_corpus"]["dollars"] is None


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
    # The first stage that was searched for the estimate counts where the row needs it, and once.
    assert [phase["label"] for phase in record.phases].count("search bm25") == 1


def test_a_row_that_needs_more_than_its_cap_is_refused_before_anything_is_sent(
    hosted: Any, small: Dataset, context: Context
) -> None:
    api = 'api(model="tiny", url="{}", cap_tokens={})'
    [cost] = hosted_costs(parse_method(f'api(model="tiny", url="{hosted.url}")'), small, context)
    enough, short = cost.full.tokens_in, cost.full.tokens_in - 1
    hosted_costs(parse_method(api.format(hosted.url, enough)), small, Context(cache=context.cache))
    with pytest.raises(SettingError, match="exceeds the cap of"):  # the corpus alone would be under it
        hosted_costs(parse_method(api.format(hosted.url, short)), small, Context(cache=context.cache))
    assert hosted.bodies == []


def test_dev_queries_count_where_a_weight_is_chosen_on_them(hosted: Any, small_folder: Path, tmp_path: Path) -> None:
    def needs(fusion: str, cap: int) -> None:
        context = Context(cache=Cache(tmp_path / "cache"))
        text = f'hybrid(methods=(bm25, api(model="tiny", url="{hosted.url}", cap_tokens={cap})), fusion={fusion})'
        hosted_costs(parse_method(text), load_dataset(str(small_folder), context), context)

    context = Context(cache=Cache(tmp_path / "cache"))
    small = load_dataset(str(small_folder), context)
    [cost] = hosted_costs(parse_method(f'api(model="tiny", url="{hosted.url}")'), small, context)
    assert small.train.dev is not None
    dev = sum(estimated_tokens(text) for text in set(small.train.dev.queries.texts))
    needs("rrf", cost.full.tokens_in)
    needs("convex", cost.full.tokens_in + dev)
    with pytest.raises(SettingError, match="exceeds the cap"):
        needs("convex", cost.full.tokens_in + dev - 1)


def test_what_is_kept_is_not_held_against_the_cap(hosted: Any, small: Dataset, context: Context) -> None:
    text = f'api(model="tiny", url="{hosted.url}")'
    method = parse_method(text)
    index(method, fit(method, small.train, context), small.corpus, context)
    [cost] = hosted_costs(method, small, context)
    left = cost.full.tokens_in - sum(estimated_tokens(t) for t in set(small.corpus.texts[:]))
    capped = parse_method(text[:-1] + f", cap_tokens={left})")
    assert [cost.full.tokens_in for cost in hosted_costs(capped, small, Context(cache=context.cache))] == [
        cost.full.tokens_in
    ]
    with pytest.raises(SettingError, match="exceeds the cap"):
        hosted_costs(
            parse_method(text[:-1] + f", cap_tokens={left - 1})"), small, Context(cache=context.cache)
        )


def test_rows_that_pay_for_nothing_have_no_estimate(small: Dataset, context: Context, tiny_encoder: Path) -> None:
    for text in ("bm25", f'bm25>>dense(model="{tiny_encoder}")'):
        assert hosted_costs(parse_method(text), small, context) == []
    assert not [step for step in context.ledger.steps.values() if step.kind == "search"]


def test_candidates_that_must_be_paid_for_are_not_asked_for(hosted: Any, small: Dataset, context: Context) -> None:
    api: Callable[[str], str] = lambda model: f'api(model="{model}", url="{hosted.url}")'  # noqa: E731
    found = hosted_costs(parse_method(f"{api('one')} >> {api('two')}"), small, context)
    assert [cost.model for cost in found] == ["one"]
    judged = f'bm25 >> listwise(model="m", url="{hosted.url}") >> {api("two")}'
    assert hosted_costs(parse_method(judged), small, context) == []
    assert hosted.bodies == []


def test_what_is_not_written_yet_has_no_estimate_before_it_is_sent(
    hosted: Any, small: Dataset, context: Context
) -> None:
    api = f'api(model="tiny", url="{hosted.url}")'
    assert hosted_costs(parse_method(f"doc2query({api})"), small, context) == []
    [cost] = hosted_costs(parse_method(f"rerank(first=doc2query(bm25), scorer={api}, depth=3)"), small, context)
    assert cost.first == "doc2query"
    paid = 'doc2query(bm25, chat(model="m", url="http://127.0.0.1:9/v1"))'
    for first in (paid, 'query2doc(bm25, url="http://127.0.0.1:9/v1")'):
        assert hosted_costs(parse_method(f"rerank(first={first}, scorer={api})"), small, context) == []
    assert hosted.bodies == []


@dataclass(frozen=True)
class PluggedIn(Method):
    """A hosted method as a plug-in brings it: no method of this package, but a hosted encoder."""

    url: str = ""
    cap_tokens: int | None = None

    @classmethod
    def name(cls) -> str:
        return "plugged_in"

    def fit(self, view: TrainView, context: Context) -> Fitted:
        return fit(self._api(), view, context)

    def hosted_encodings(self, context: Context) -> Iterable[HostedEncoding]:
        return self._api().hosted_encodings(context)

    def _api(self) -> API:
        return API(model="tiny", url=self.url, cap_tokens=self.cap_tokens)


def test_a_plug_ins_hosted_method_is_estimated_and_capped(hosted: Any, small: Dataset, context: Context) -> None:
    [cost] = hosted_costs(PluggedIn(hosted.url), small, context)
    assert (cost.model, cost.whole) == ("tiny", True)
    assert cost.full.tokens_in == sum(map(estimated_tokens, {*small.corpus.texts[:], *small.test.queries.texts}))
    [reranked] = hosted_costs(Rerank(scorer=PluggedIn(hosted.url), depth=3), small, context)
    assert (reranked.whole, reranked.first, reranked.depth) == (False, "bm25", 3)
    with pytest.raises(SettingError, match="exceeds the cap of"):
        hosted_costs(PluggedIn(hosted.url, cost.full.tokens_in - 1), small, Context(cache=context.cache))
    assert hosted.bodies == []
