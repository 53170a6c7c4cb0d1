"""Training of models that know their side, and of models with prompts of their own: measured, trained and opened as
they rank.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest

from harness.base.errors import ModelError
from harness.data.dataset import TrainView
from harness.methods import fit, index, search
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.recipes.cross_encoder import CrossEncoder as CE
from harness.recipes.frozen_head import FrozenHead
from harness.recipes.gist_embed import GISTEmbed
from harness.recipes.supervised import Supervised
from harness.runtime.context import Context
from harness.training.dev import EncoderProbe, pool
from harness.training.guide import Guide
from harness.training.schedule import Schedule
from harness.training.trained import with_recipes

TEXTS = ["kala bero", "a longer text of several words", "tofu"]


def library(folder: Path) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu")


def ndcg(method: Any, fitted: Any, view: TrainView, context: Context) -> float:
    assert view.dev is not None
    top = search(method, index(method, fitted, view.corpus, context), view.dev.queries, 60, context)
    run = {
        q: dict(zip(view.corpus.ids(rows), map(float, scores), strict=True))
        for q, (rows, scores) in zip(view.dev.queries.ids, top.rows(), strict=True)
    }
    return float(ir_measures.calc_aggregate([ir_measures.nDCG @ 10], view.dev.qrels, run)[ir_measures.nDCG @ 10])


@pytest.mark.parametrize("name", ["both", "static", "cut"])
def test_dev_measures_what_the_row_gets(name: str, routed: dict[str, Path], view: TrainView, context: Context) -> None:
    method = Dense(model=str(routed[name]))
    fitted = fit(method, view, context)
    held = pool(view, [BM25()], Schedule(), context)
    assert held is not None
    found = EncoderProbe(held, fitted.encoder, context, bf16=False)(library(routed[name]))
    assert found == pytest.approx(ndcg(method, fitted, view, context), abs=1e-6)


# What training changes, whether or not dev gets better by it.
TRAINED: Any = {"budget": "smoke", "choose": "last", "average": 1.0}


@pytest.mark.parametrize("recipe", [Supervised(**TRAINED), GISTEmbed(**TRAINED)], ids=str)
def test_each_column_trains_the_route_of_its_side(
    recipe: Any, routed: dict[str, Path], view: TrainView, context: Context
) -> None:
    fitted = fit(with_recipes(Dense(model=str(routed["both"])), (recipe,)), view, context)
    before, after = library(routed["both"]), library(fitted.encoder.folder.path)
    for side in ("query", "document"):
        one, other = (dict(model[0].sub_modules[side].named_parameters()) for model in (before, after))
        assert any(not np.array_equal(one[name].detach().numpy(), other[name].detach().numpy()) for name in one), side
    expected = after.encode_query(TEXTS, normalize_embeddings=True)
    assert np.abs(fitted.encoder.encode_uncached(TEXTS, "query") - expected).max() < 1e-5


def test_a_trained_head_is_behind_both_routes(routed: dict[str, Path], view: TrainView, context: Context) -> None:
    fitted = fit(with_recipes(Dense(model=str(routed["both"])), (FrozenHead(budget="smoke"),)), view, context)
    model = library(fitted.encoder.folder.path)
    for side, encode in (("query", model.encode_query), ("document", model.encode_document)):
        found = fitted.encoder.vectors(TEXTS, side)  # type: ignore[arg-type]
        assert np.abs(found.block(0, 3) - encode(TEXTS, normalize_embeddings=True)).max() < 1e-5


def test_a_guide_tells_the_sides_of_a_student_apart(routed: dict[str, Path]) -> None:
    import torch

    student = library(routed["both"])
    columns = {"anchor": ["kala"], "positive": ["kala"]}
    vectors = {"anchor": np.ones((1, 2), np.float32), "positive": np.full((1, 2), 2, np.float32)}
    module = Guide(columns, vectors, {}).module(student, {}, {"anchor": "query", "positive": "document"})
    for side, value in (("query", 1), ("document", 2)):
        features = {**student.preprocess(["kala"], task=side), "task": side}
        assert torch.equal(module(features)["sentence_embedding"], torch.full((1, 2), float(value)))


@pytest.fixture
def prompted(tiny_encoder: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "prompted"))
    config = json.loads((folder / "config_sentence_transformers.json").read_text())
    config |= {"prompts": {"s2p_query": "ask: ", "s2s_query": "say: "}, "default_prompt_name": "s2p_query"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("recipe", [Supervised(budget="smoke"), FrozenHead(budget="smoke")], ids=str)
@pytest.mark.parametrize("prompt", ["ask: ", ""])
def test_a_model_with_prompts_is_trained_and_opened_with_the_one_that_is_set(
    recipe: Any, prompt: str, prompted: Path, view: TrainView, context: Context
) -> None:
    with pytest.raises(ModelError, match="Set query_prompt"):
        fit(with_recipes(Dense(model=str(prompted)), (recipe,)), view, context)
    fitted = fit(with_recipes(Dense(model=str(prompted), query_prompt=prompt), (recipe,)), view, context)
    assert fitted.encoder.prompts == {"query": prompt, "document": ""}
    model = library(fitted.encoder.folder.path)
    assert (model.prompts["query"], model.default_prompt_name) == (prompt, None)
    expected = model.encode_query(TEXTS, normalize_embeddings=True)
    assert np.abs(fitted.encoder.vectors(TEXTS, "query").block(0, 3) - expected).max() < 1e-5


def test_a_cross_encoder_is_trained_measured_and_opened_with_its_prompt(
    tiny_cross_encoder: Path, view: TrainView, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers import CrossEncoder as Model

    seen: list[Any] = []
    preprocess = Model.preprocess
    monkeypatch.setattr(
        Model,
        "preprocess",
        lambda self, pairs, prompt=None, **more: (seen.append(prompt), preprocess(self, pairs, prompt, **more))[1],
    )
    method = CrossEncoder(model=str(tiny_cross_encoder), precision="fp32", prompt="ask: ")
    fitted = fit(with_recipes(method, (CE(budget="smoke"),)), view, context)
    assert set(seen) <= {"ask: ", ""}  # in training and on dev; an engine's graph is traced without a prompt
    assert "ask: " in seen
    saved = Model(str(fitted._scorer.folder.path), device="cpu")
    assert saved.prompts[saved.default_prompt_name] == "ask: "
    expected = saved.predict([("kala", "bero")], activation_fn=None)
    assert fitted._scorer.prompt == "ask: "
    assert fitted.resolved["prompt"] == "ask: "
    import torch

    logits = saved.predict([("kala", "bero")], activation_fn=torch.nn.Identity())
    assert fitted._scorer.scores([("kala", "bero")]) == pytest.approx(logits, abs=1e-5)
    assert expected.shape == (1,)
