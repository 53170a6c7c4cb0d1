"""What holds for every file of the room."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from harness.choices.expression import parse
from harness.data.corpus import Corpus
from harness.data.ranking import Floats, Ints, TopK, select, stack
from harness.fusions import FUSIONS, Fusion
from harness.rows import ROOMS

CORPUS = Corpus.of([(f"d{(7 * i) % 40:02}", "", "") for i in range(40)])
QUERIES = 6


def some(seed: int, depth: int = 20) -> TopK:
    """Rankings in the documented order with many ties; the last is empty."""
    rng = np.random.default_rng(seed)
    rankings: list[tuple[Ints, Floats]] = []
    for _ in range(QUERIES - 1):
        rows = rng.permutation(40)[: rng.integers(1, depth + 1)].astype(np.int64)
        rankings.append(select(rows, rng.integers(0, 5, len(rows)).astype(np.float32), CORPUS.id_order, depth))
    return stack([*rankings, (np.zeros(0, np.int64), np.zeros(0, np.float32))], depth)


@pytest.fixture(params=FUSIONS.names())
def fusion(request: pytest.FixtureRequest) -> Fusion:
    return FUSIONS.get(request.param)()


def test_a_fusion_is_a_frozen_value_with_defaults_and_a_source(fusion: Fusion) -> None:
    assert parse(str(fusion), FUSIONS, ROOMS) == fusion
    assert parse(fusion.full(), FUSIONS, ROOMS) == fusion
    assert "Source:" in (type(fusion).__doc__ or "")
    field = dataclasses.fields(fusion)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(fusion, field, 1)


@pytest.mark.parametrize("k", [1, 7, 20, 40, 100])
def test_a_fused_ranking_holds_documents_of_the_rankings_each_once_in_the_documented_order(
    fusion: Fusion, k: int
) -> None:
    tops = [some(1), some(2)]
    fused = fusion.fuse(tops, CORPUS.id_order, k)
    assert fused.indices.shape == fused.scores.shape == (QUERIES, k)
    for (rows, scores), *parts in zip(fused.rows(), *(top.rows() for top in tops), strict=True):
        union = {row for indices, _ in parts for row in indices.tolist()}
        assert set(rows.tolist()) <= union
        assert len(set(rows.tolist())) == len(rows) == min(k, len(union))
        assert np.isfinite(scores).all()
        assert rows.tolist() == select(rows, scores, CORPUS.id_order, k)[0].tolist()


def test_a_shallower_fused_ranking_is_the_start_of_a_deeper_one(fusion: Fusion) -> None:
    tops = [some(1), some(2)]
    deepest = fusion.fuse(tops, CORPUS.id_order, 40)
    for k in (1, 5, 13):
        assert fusion.fuse(tops, CORPUS.id_order, k).indices.tolist() == deepest.indices[:, :k].tolist()


def test_a_query_that_nothing_answers_has_an_empty_ranking(fusion: Fusion) -> None:
    fused = fusion.fuse([some(1), some(2)], CORPUS.id_order, 10)
    assert (fused.indices[-1] == -1).all()
    assert (fused.scores[-1] == -np.inf).all()


def test_what_one_ranking_alone_answers_is_kept(fusion: Fusion) -> None:
    empty = stack([(np.zeros(0, np.int64), np.zeros(0, np.float32))] * QUERIES, 20)
    for tops in ([some(1), empty], [empty, some(1)]):
        fused = fusion.fuse(tops, CORPUS.id_order, 20)
        assert [set(rows.tolist()) for rows, _ in fused.rows()] == [set(rows.tolist()) for rows, _ in some(1).rows()]


def test_a_document_first_in_both_rankings_is_first(fusion: Fusion) -> None:
    one = stack([select(np.arange(9), np.arange(9).astype(np.float32), CORPUS.id_order, 9)], 9)
    two = stack([select(np.arange(9), np.array([3, 1, 4, 1, 5, 9, 2, 6, 10], np.float32), CORPUS.id_order, 9)], 9)
    assert fusion.fuse([one, two], CORPUS.id_order, 3).indices[0, 0] == 8


def test_rankings_of_different_queries_are_no_pair(fusion: Fusion) -> None:
    top = some(1)
    with pytest.raises(ValueError, match="zip"):
        fusion.fuse([top, TopK(top.indices[:2], top.scores[:2])], CORPUS.id_order, 10)


def test_the_rankings_given_are_left_as_they_are(fusion: Fusion) -> None:
    tops = [some(1), some(2)]
    fusion.fuse(tops, CORPUS.id_order, 10)
    for top, before in zip(tops, (some(1), some(2)), strict=True):
        assert top.indices.tolist() == before.indices.tolist()
        assert top.scores.tolist() == before.scores.tolist()


def test_what_is_chosen_on_dev_queries_is_itself_settled(fusion: Fusion) -> None:
    choices = fusion.candidates_for_dev(2)
    assert len(set(choices)) == len(choices)
    assert all(type(choice) is type(fusion) and not choice.candidates_for_dev(2) for choice in choices)
