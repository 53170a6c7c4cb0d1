from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, TopK
from harness.methods import Searcher, fit
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.hybrid import Hybrid
from harness.methods.rerank import Rerank
from harness.models.cross_encoder import PairScorer
from harness.models.encoder import Encoder
from harness.models.tokens import Item
from harness.rows import parse_method
from harness.runtime.context import Context

pytestmark = pytest.mark.usefixtures("reference_engine")

Rank = Callable[..., TopK]
Search = Callable[..., Searcher]


@pytest.fixture(params=["dense", "cross_encoder"])
def scorer(request: pytest.FixtureRequest, tiny_encoder: Path, tiny_cross_encoder: Path) -> Dense | CrossEncoder:
    return Dense(model=str(tiny_encoder)) if request.param == "dense" else CrossEncoder(model=str(tiny_cross_encoder))


@pytest.mark.parametrize("depth", [1, 4, 100])
def test_it_ranks_exactly_what_the_first_stage_ranks_to_its_depth(
    depth: int, scorer: Dense | CrossEncoder, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    first = rank(BM25(), corpus, queries, depth)
    again = rank(Rerank(BM25(), scorer, depth=depth), corpus, queries, 100)
    for before, after in zip(first.indices, again.indices, strict=True):
        assert set(before[before >= 0].tolist()) == set(after[after >= 0].tolist())


def test_the_scorers_own_scores_decide(
    scorer: Dense | CrossEncoder, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    every = rank(scorer, corpus, queries, len(corpus))
    again = rank(Rerank(BM25(), scorer), corpus, queries, 100)
    for row, (rows, scores) in enumerate(again.rows()):
        expected = dict(zip(every.indices[row].tolist(), every.scores[row].tolist(), strict=True))
        assert [expected[r] for r in rows.tolist()] == pytest.approx(scores.tolist(), abs=1e-4)
    assert not np.array_equal(again.indices, rank(BM25(), corpus, queries, 100).indices)


def test_a_query_the_first_stage_does_not_answer_stays_unanswered(
    scorer: Dense | CrossEncoder, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    top = rank(Rerank(BM25(), scorer), corpus, queries, 5)
    assert top.indices[-1].tolist() == [-1] * 5
    assert (rank(Rerank(BM25(), scorer), corpus, Queries(["x"], ["qqq"]), 5).indices == -1).all()


def test_with_a_bi_encoder_only_the_candidates_are_encoded(
    tiny_encoder: Path, corpus: Corpus, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[tuple[str, str]] = []
    run = Encoder.run

    def counting(self: Encoder, items: Sequence[Item[str]], side: str) -> Floats:
        encoded.extend((side, item.source) for item in items)
        return run(self, items, side)

    monkeypatch.setattr(Encoder, "run", counting)
    two = Queries(["1", "2"], ["shock", "jet plate"])
    first = rank(BM25(), corpus, two, 6)
    rank(Rerank(BM25(), Dense(model=str(tiny_encoder)), depth=6), corpus, two, 6)
    candidates = {corpus.texts[int(row)] for row in np.unique(first.indices[first.indices >= 0])}
    assert {text for side, text in encoded if side == "document"} == candidates
    assert len(candidates) < len({*corpus.texts[:]})
    assert sorted(text for side, text in encoded if side == "query") == ["jet plate", "shock"]


def test_with_a_cross_encoder_only_the_candidates_pairs_are_scored(
    tiny_cross_encoder: Path, corpus: Corpus, queries: Queries, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[tuple[str, str]] = []
    run = PairScorer.run
    monkeypatch.setattr(
        PairScorer, "run", lambda self, items: (scored.extend(i.source for i in items), run(self, items))[1]
    )
    first = rank(BM25(), corpus, queries, 3)
    rank(Rerank(BM25(), CrossEncoder(model=str(tiny_cross_encoder), precision="fp32"), depth=3), corpus, queries, 3)
    expected = {
        (queries.texts[q], corpus.texts[int(row)]) for q, rows in enumerate(first.indices) for row in rows if row >= 0
    }
    assert set(scored) == expected
    assert len(scored) == len(expected)


def test_a_scorer_that_cannot_score_candidates_is_refused(corpus: Corpus, context: Context, tiny_encoder: Path) -> None:
    for scorer in (BM25(), Hybrid(methods=(BM25(), Dense(model=str(tiny_encoder))))):
        with pytest.raises(SettingError, match="a scorer is dense, cross_encoder, late or sparse, as in bm25>>dense"):
            fit(Rerank(BM25(), scorer), TrainView(corpus), context)


def test_the_scorer_is_neither_indexed_nor_searched(
    tiny_encoder: Path, corpus: Corpus, queries: Queries, context: Context
) -> None:
    from harness.methods import index, search

    method = Rerank(BM25(), Dense(model=str(tiny_encoder)))
    searcher = index(method, fit(method, TrainView(corpus), context), corpus, context)
    search(method, searcher, queries, 5, context)
    labels = sorted(s.label for s in context.ledger.steps.values() if s.kind in ("fit", "index", "search"))
    three = ("fit", "index", "search")
    steps = [(method.first, three), (method.scorer, ("fit",)), (method, three)]
    assert labels == sorted(f"{kind} {part}" for part, kinds in steps for kind in kinds)
    assert [method.depth_of(part, 1000) for part in method.nested()] == [100, 0]


def test_chains_re_rank_what_was_re_ranked(
    tiny_encoder: Path, tiny_cross_encoder: Path, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    inner = Rerank(BM25(), Dense(model=str(tiny_encoder)), depth=10)
    outer = Rerank(inner, CrossEncoder(model=str(tiny_cross_encoder)), depth=4)
    first = rank(inner, corpus, queries, 4)
    again = rank(outer, corpus, queries, 100)
    for before, after in zip(first.indices, again.indices, strict=True):
        assert set(before[before >= 0].tolist()) == set(after[after >= 0].tolist())


def test_two_arrows_are_a_chain() -> None:
    assert parse_method("bm25 >> dense >> cross_encoder") == Rerank(Rerank(BM25(), Dense()), CrossEncoder())
    assert parse_method("bm25>>dense") == Rerank(BM25(), Dense())


def test_the_labels_used_and_the_notes_are_those_of_both_parts(
    tiny_encoder: Path, small: object, context: Context
) -> None:
    hybrid = parse_method(f'hybrid(methods=(bm25, dense(model="{tiny_encoder}")), fusion=convex)')
    method = Rerank(hybrid, Dense(model=str(tiny_encoder)))
    with_dev = fit(method, small.train, context)  # type: ignore[attr-defined]
    without = fit(method, TrainView(small.corpus), context)  # type: ignore[attr-defined]
    assert (with_dev.supervision, with_dev.notes) == ("dev labels", ())
    assert without.supervision == "none"
    assert len(without.notes) == 1


def test_its_size_is_that_of_both_parts_with_the_candidates_of_the_queries_whatever_was_searched_before(
    tiny_encoder: Path, corpus: Corpus, searcher_of: Search
) -> None:
    bm25, reranked = searcher_of(BM25(), corpus), searcher_of(Rerank(BM25(), Dense(model=str(tiny_encoder))), corpus)
    assert reranked.size.index_bytes == bm25.size.index_bytes
    queries = Queries(["q"], ["shock"])
    top = reranked.search(queries, 50)
    reranked.search(Queries(["other"], ["wing"]), 50)
    reported = reranked.report(queries).size
    assert reported.index_bytes == bm25.size.index_bytes + int((top.indices >= 0).sum()) * 32 * 4
    assert reported.dimensions == 32
    assert reranked.size.index_bytes == bm25.size.index_bytes


def test_inputs_are_those_of_both_parts(tiny_encoder: Path, tiny_cross_encoder: Path, context: Context) -> None:
    inner = Rerank(BM25(), Dense(model=str(tiny_encoder), precision="fp32"))
    outer = Rerank(inner, CrossEncoder(model=str(tiny_cross_encoder), precision="fp32"))
    assert set(outer.inputs(context)) == {str(tiny_encoder), str(tiny_cross_encoder)}


def test_a_depth_below_one_is_refused() -> None:
    with pytest.raises(SettingError, match="depth must be 1 or more, not 0"):
        Rerank(depth=0)


def test_it_reaches_no_deeper_than_its_candidates() -> None:
    assert Rerank(depth=7).reach(1000) == 7
    assert Rerank(depth=1000).reach(10) == 10
