"""SPLADE: in-batch softmax over products plus FLOPS, by loops; the head that an encoder gets."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.data.dataset import TrainView
from harness.methods import fit
from harness.methods.dense import Dense
from harness.methods.sparse import Sparse
from harness.recipes.splade import Splade
from harness.runtime.context import Context
from harness.training.lesson import Lesson
from harness.training.trained import with_recipes

Lessons = Callable[..., Lesson]


def features(model: Any, lesson: Lesson, count: int) -> list[dict[str, Any]]:
    return [model.preprocess(list(column[:count])) for column in lesson.columns.values()]


def test_the_loss_is_cross_entropy_and_flops_by_loops(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    recipe = Splade(budget="smoke", negatives=2, query_flops=0.5, document_flops=0.25)
    lesson = lesson_of(recipe, view)
    assert list(lesson.columns) == ["query", "positive", "negative_1", "negative_2"]
    model = base_of(recipe, context).fresh(context)
    columns = [
        model.encode(list(column[:3]), convert_to_sparse_tensor=False).double().tolist()
        for column in lesson.columns.values()
    ]
    queries, documents = columns[0], [d for column in columns[1:] for d in column]
    entropy = 0.0
    for number, query in enumerate(queries):
        scores = [sum(a * b for a, b in zip(query, d, strict=True)) for d in documents]
        most = max(scores)
        entropy += (most + math.log(sum(math.exp(s - most) for s in scores)) - scores[number]) / 3

    def flops(vectors: list[list[float]]) -> float:
        return sum((sum(v[term] for v in vectors) / len(vectors)) ** 2 for term in range(len(vectors[0])))

    with torch.no_grad():
        found = lesson.loss(model)(features(model, lesson, 3), None)
    assert found["base_loss"].item() == pytest.approx(entropy, rel=1e-4)
    assert found["query_regularizer_loss"].item() == pytest.approx(0.5 * flops(queries), rel=1e-4)
    assert found["document_regularizer_loss"].item() == pytest.approx(0.25 * flops(documents), rel=1e-4)


def test_a_model_that_compares_by_the_cosine_is_trained_by_it(
    lesson_of: Lessons,
    base_of: Callable[..., Any],
    view: TrainView,
    context: Context,
    tiny_sparse: Path,
    tmp_path: Path,
) -> None:
    from sentence_transformers import SparseEncoder as Model

    Model(str(tiny_sparse), device="cpu", similarity_fn_name="cosine").save_pretrained(str(tmp_path / "cosine"))
    base = base_of(Splade(), context, tmp_path / "cosine")
    recipe = Splade(budget="smoke", scale=3.0)
    loss = recipe.lesson(base, view, context).loss(base.fresh(context)).loss
    assert (loss.scale, loss.similarity_fct.__name__) == (3.0, "cos_sim")
    loss = lesson_of(recipe, view).loss(base_of(recipe, context).fresh(context)).loss
    assert (loss.scale, loss.similarity_fct.__name__) == (1.0, "dot_score")


def test_an_encoder_gets_a_head_and_its_vectors_judge_and_mine_before(
    view: TrainView, tiny_encoder: Path, context: Context
) -> None:
    fitted: Any = fit(with_recipes(Sparse(str(tiny_encoder)), (Splade(budget="smoke"),)), view, context)
    told = fitted.resolved["training"][0]
    assert told["facts"]["head"]["tokens"] > 100
    assert told["facts"]["negatives"]["judge"].startswith(f'dense(model="{tiny_encoder}"')
    assert len(told["facts"]["negatives"]["miners"]) == 2
    assert fitted._encoder.is_trained
    assert fitted.resolved["model"] == str(tiny_encoder)
    again = fit(
        with_recipes(Sparse(str(tiny_encoder)), (Splade(budget="smoke"),)), view, Context(seed=1, cache=context.cache)
    )
    assert again.key != fitted.key


def test_a_masked_language_model_or_a_sparse_encoder_keeps_its_head(
    view: TrainView, tiny_sparse: Path, context: Context
) -> None:
    for folder in (tiny_sparse, tiny_sparse.parent / "masked"):
        fitted: Any = fit(with_recipes(Sparse(str(folder)), (Splade(budget="smoke"),)), view, context)
        assert "head" not in fitted.resolved["training"][0]["facts"]
        assert fitted._encoder.model.transformers_model.get_output_embeddings().bias.mean().item() == pytest.approx(
            -4, abs=0.01
        )


def test_a_router_learns_through_the_encoder_of_each_side(
    view: TrainView, tiny_sparse: Path, tmp_path: Path, context: Context
) -> None:
    from sentence_transformers import SparseEncoder as Model
    from sentence_transformers.base.modules import Router
    from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding

    documents = Model(str(tiny_sparse), device="cpu")
    queries = SparseStaticEmbedding(documents.tokenizer)
    router = Router.for_query_document(query_modules=[queries], document_modules=list(documents.children()))
    Model(modules=[router], device="cpu").save_pretrained(str(tmp_path / "routed"))
    recipe = Splade(budget="smoke", learning_rate=0.1, precision="fp32", choose="last")
    fitted: Any = fit(with_recipes(Sparse(str(tmp_path / "routed")), (recipe,)), view, context)
    table = fitted._encoder.model[0].sub_modules["query"][0].weight
    assert (table != 1).any(), "the table of the queries' weights has learnt"
    assert fitted._encoder.prompts == {"query": "", "document": ""}


def test_the_row_before_training_of_an_encoder_is_dense(tiny_encoder: Path, view: TrainView, context: Context) -> None:
    told: Any = fit(with_recipes(Sparse(str(tiny_encoder)), (Splade(budget="smoke"),)), view, context).resolved[
        "training"
    ][0]
    expected = Dense(str(tiny_encoder), query_prompt="", document_prompt="")
    assert told["facts"]["negatives"]["judge"] == str(expected)
