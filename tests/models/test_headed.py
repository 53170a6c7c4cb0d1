"""A frozen encoder with a head: what is read agrees with the saved model, and no text is encoded for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ModelError
from harness.cache.folders import Cache
from harness.data.dataset import TrainView
from harness.engines.openvino import Openvino
from harness.methods import fit, index
from harness.methods.dense import Dense
from harness.models.encoder import Encoder
from harness.models.headed import HeadedEncoder, open_headed
from harness.recipes.frozen_head import FrozenHead
from harness.runtime.context import Context
from harness.training.trained import with_recipes


@pytest.fixture
def view(small: Any) -> TrainView:
    return small.train


def row(model: Path, **settings: Any) -> Dense:
    recipe = FrozenHead(budget="smoke", **settings)
    return with_recipes(Dense(str(model)), (recipe,))


@pytest.mark.parametrize("settings", [{}, {"activation": "tanh", "out": 8}, {"out": 40}])
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_what_is_read_is_what_the_saved_model_gives(
    settings: dict[str, Any], similarity: Any, view: TrainView, context: Context, tiny_encoder: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    method = with_recipes(Dense(str(tiny_encoder), similarity=similarity), row(tiny_encoder, **settings).recipes)
    encoder: Any = fit(method, view, context).encoder  # type: ignore[attr-defined]
    assert isinstance(encoder, HeadedEncoder)
    texts = view.corpus.texts[:]
    made = encoder.vectors(texts, "document")
    plain = SentenceTransformer(str(encoder.folder.path), device="cpu").encode(texts, show_progress_bar=False)
    assert (len(made), made.dimension) == plain.shape
    assert made.block(0, len(made)) == pytest.approx(plain, abs=1e-6)
    some = np.array([5, 0, 5])
    assert made.take(some) == pytest.approx(plain[some], abs=1e-6)
    assert encoder.encode_uncached(texts[:3], "document") == pytest.approx(plain[:3], abs=1e-6)


def test_nothing_is_encoded_for_a_second_head(
    view: TrainView, context: Context, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(Dense(str(tiny_encoder)), fit(Dense(str(tiny_encoder)), view, context), view.corpus, context)
    first = row(tiny_encoder)
    index(first, fit(first, view, context), view.corpus, context)
    monkeypatch.setattr(Encoder, "run", lambda *_: pytest.fail("encoded again"))
    fresh = Context(cache=Cache(context.cache.root))
    second = row(tiny_encoder, learning_rate=1e-2, queries=5)
    searcher: Any = index(second, fit(second, view, fresh), view.corpus, fresh)
    assert searcher.size.dimensions == 32


def test_dimensions_are_cut_from_the_heads_vectors(view: TrainView, context: Context, tiny_encoder: Path) -> None:
    encoder: Any = fit(row(tiny_encoder), view, context).encoder  # type: ignore[attr-defined]
    few = encoder.with_dimensions(5)
    assert isinstance(few, HeadedEncoder)
    assert few.with_dimensions(None) is encoder
    whole = encoder.vectors(["wing"], "query").block(0, 1)[:, :5]
    assert few.vectors(["wing"], "query").block(0, 1) == pytest.approx(whole / np.linalg.norm(whole), abs=1e-6)


def test_in_half_precision_the_cached_vectors_go_through_the_head_too(
    view: TrainView, context: Context, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = with_recipes(Dense(str(tiny_encoder), precision="bf16"), row(tiny_encoder).recipes)
    encoder: Any = fit(method, view, context).encoder  # type: ignore[attr-defined]
    text = view.train.queries.texts[0]  # type: ignore[union-attr]
    whole = encoder.encode([text], "query")
    monkeypatch.setattr(Encoder, "run", lambda *_: pytest.fail("encoded again"))
    assert encoder.vectors([text], "query").block(0, 1) == pytest.approx(whole, abs=0.02)


def test_an_empty_corpus_has_no_dimension(view: TrainView, context: Context, tiny_encoder: Path) -> None:
    encoder: Any = fit(row(tiny_encoder), view, context).encoder  # type: ignore[attr-defined]
    assert encoder.vectors([], "document").dimension == 0


def test_a_folder_without_a_head_is_refused(view: TrainView, context: Context, tiny_encoder: Path) -> None:
    base: Any = fit(Dense(str(tiny_encoder)), view, context).encoder  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="does not end with a dense layer"):
        open_headed(base, tiny_encoder, context).vectors(["wing"], "query")


def test_another_engine_computes_the_encoder_behind_the_head(
    view: TrainView, context: Context, tiny_encoder: Path
) -> None:
    pytest.importorskip("openvino")
    recipes = (FrozenHead(budget="smoke"),)
    methods = (
        Dense(str(tiny_encoder), precision="fp32"),
        Dense(str(tiny_encoder), precision="fp32", engine=Openvino()),
    )
    usual, fast = (
        fit(with_recipes(method, recipes), view, context).encoder  # type: ignore[attr-defined]
        for method in methods
    )
    assert isinstance(usual, HeadedEncoder)
    assert isinstance(fast, HeadedEncoder)
    assert fast.folder.path == usual.folder.path, "nothing was trained anew"
    assert fast.fingerprint != usual.fingerprint
    texts = view.corpus.texts[:]
    one, other = (encoder.vectors(texts, "document").block(0, len(texts)) for encoder in (usual, fast))
    assert 0 < np.abs(one - other).max() < 1e-5
