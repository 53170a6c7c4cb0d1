"""Truncated vectors against sentence-transformers' own truncation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Searcher, fit
from harness.methods.dense import Dense
from harness.models.encoder import Encoder
from harness.models.truncated import Truncated, cut
from harness.runtime.context import Context
from tests.indexes.conftest import Held

Rank = Callable[..., TopK]
CORPUS = Corpus.of(
    [(f"d{i}", "", text) for i, text in enumerate(["wing drag", "heat", "a jet in a flow", "", "shock layer"])]
)
QUERIES = Queries(["q1", "q2"], ["wing", "jet flow"])


def rank(method: Dense, context: Context, queries: Queries = QUERIES, k: int = 5) -> TopK:
    return fit(method, TrainView(CORPUS), context).index(CORPUS, context).search(queries, k)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_it_ranks_as_sentence_transformers_truncated_does(
    tiny_encoder: Path, context: Context, similarity: str
) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_encoder), device="cpu", truncate_dim=12)
    options = {"normalize_embeddings": similarity == "cosine", "show_progress_bar": False}
    expected = model.encode(QUERIES.texts, **options) @ model.encode(CORPUS.texts[:], **options).T
    top = rank(Dense(model=str(tiny_encoder), similarity=similarity, dimensions=12), context)
    for row, scores in enumerate(expected):
        assert scores[top.indices[row]] == pytest.approx(top.scores[row], abs=1e-5)


def test_kept_vectors_are_whole_and_shared(
    tiny_encoder: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rank(Dense(model=str(tiny_encoder)), context)
    monkeypatch.setattr(Encoder, "run", lambda *_: pytest.fail("encoded again"))
    few = rank(Dense(model=str(tiny_encoder), dimensions=3), context)
    assert rank(Dense(model=str(tiny_encoder), dimensions=32), context).indices.tolist() == whole.indices.tolist()
    assert not np.allclose(few.scores, whole.scores)


def test_a_query_asked_afresh_and_a_candidate_are_cut_alike(tiny_encoder: Path, context: Context) -> None:
    method = Dense(model=str(tiny_encoder), dimensions=7)
    fitted = fit(method, TrainView(CORPUS), context)
    searcher: Searcher = fitted.index(CORPUS, context)
    kept = searcher.search(QUERIES, 5)
    live = searcher.search(Queries(QUERIES.ids, QUERIES.texts, cached=False), 5)
    assert live.scores == pytest.approx(kept.scores, abs=1e-5)
    scores = fitted.candidate_scorer(CORPUS, context).scores(QUERIES.texts, [np.arange(5)] * 2)  # type: ignore[attr-defined]
    for got, rows, own in zip(scores, kept.indices, kept.scores, strict=True):
        assert got[rows].tolist() == own.tolist()


def test_the_record_says_so_and_the_row_is_another(tiny_encoder: Path, context: Context) -> None:
    whole, few = (fit(Dense(model=str(tiny_encoder), dimensions=d), TrainView(CORPUS), context) for d in (None, 7))
    assert whole.key != few.key
    assert "dimensions" not in whole.resolved
    assert few.resolved["dimensions"] == 7
    searcher = few.index(CORPUS, context)
    assert (searcher.size.dimensions, searcher.size.index_bytes) == (7, 5 * 7 * 4)
    assert str(Dense(dimensions=7)) == "dense(dimensions=7)"


def test_more_dimensions_than_the_model_has_are_refused(tiny_encoder: Path, context: Context) -> None:
    with pytest.raises(SettingError, match="dimensions must be at most 32, the number that the model has, not 33"):
        rank(Dense(model=str(tiny_encoder), dimensions=33), context)
    with pytest.raises(SettingError, match="dense: dimensions must be 1 or more, not 0"):
        Dense(dimensions=0)


def test_one_model_is_loaded_for_all_dimensions(tiny_encoder: Path, context: Context) -> None:
    encoder = fit(Dense(model=str(tiny_encoder)), TrainView(CORPUS), context).encoder  # type: ignore[attr-defined]
    assert encoder.with_dimensions(5).model is encoder.model
    cut = encoder.with_dimensions(5)
    assert cut.with_dimensions(None).fingerprint == encoder.fingerprint != cut.fingerprint
    assert replace(encoder.settings, dimensions=5) == encoder.with_dimensions(5).settings


def test_blocks_and_single_vectors_are_cut_alike_and_zeros_stay_zeros() -> None:
    vectors = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    vectors[2, :2] = 0
    few = Truncated(Held(vectors), 2, normalise=True)
    assert (len(few), few.dimension) == (6, 2)
    block = few.block(1, 5)
    assert block.dtype == np.float32
    assert block.tolist() == few.take(np.arange(1, 5)).tolist() == cut(vectors[1:5], 2, True).tolist()
    assert np.linalg.norm(block, axis=1) == pytest.approx([1, 0, 1, 1])
    assert cut(vectors, 2, False).tolist() == vectors[:, :2].tolist()
