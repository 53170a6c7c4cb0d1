"""The cross-encoder recipe: one softmax over a positive and its negatives, or each pair alone; with labels or
without.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from sentence_transformers import SentenceTransformer

from harness.base.errors import SettingError
from harness.data.dataset import TrainView
from harness.methods import fit
from harness.methods.cross_encoder import CrossEncoder as Row
from harness.methods.dense import Dense
from harness.recipes.cross_encoder import CrossEncoder
from harness.runtime.context import Context
from harness.training.gold import gold
from harness.training.lesson import Lesson
from harness.training.trained import with_recipes

Lessons = Callable[..., Lesson]


def scores(model: Any, query: str, documents: list[str]) -> list[float]:
    found = model.predict([(query, d) for d in documents], activation_fn=torch.nn.Identity())
    return [float(s) for s in found]


def test_listwise_is_softmax_cross_entropy_with_a_one_hot_target_by_hand(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    recipe = CrossEncoder(budget="smoke", negatives=3)
    lesson = lesson_of(recipe, view)
    model = base_of(recipe, context).fresh(context)
    assert list(lesson.columns) == ["query", "documents"]
    queries, groups = (list(column[:3]) for column in lesson.columns.values())
    by_hand = 0.0
    for query, group in zip(queries, groups, strict=True):
        assert len(group) == 4
        logits = scores(model, query, group)
        by_hand += math.log(sum(math.exp(s - logits[0]) for s in logits)) / 3
    labels = [torch.tensor(label) for label in lesson.labels[:3]]  # type: ignore[index]
    target = torch.softmax(labels[0].float(), 0).tolist()
    assert target == [1, 0, 0, 0]
    with torch.no_grad():
        assert lesson.loss(model)([queries, groups], labels).item() == pytest.approx(by_hand, rel=1e-3)


def test_pointwise_is_binary_cross_entropy_of_each_pair_with_the_positives_weighing_as_much_as_their_negatives(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    recipe = CrossEncoder(budget="smoke", negatives=3, loss="pointwise")
    lesson = lesson_of(recipe, view)
    listwise = lesson_of(CrossEncoder(budget="smoke", negatives=3), view)
    model = base_of(recipe, context).fresh(context)
    flat = [
        (q, d, float(place == 0))
        for q, group in zip(*listwise.columns.values(), strict=True)
        for place, d in enumerate(group)
    ]
    assert list(zip(*lesson.columns.values(), lesson.labels, strict=True)) == flat  # type: ignore[arg-type]
    by_hand = 0.0
    for query, document, label in flat[:8]:
        p = 1 / (1 + math.exp(-scores(model, query, [document])[0]))
        by_hand -= (3 * math.log(p) if label else math.log(1 - p)) / 8
    columns = [list(column[:8]) for column in lesson.columns.values()]
    with torch.no_grad():
        found = lesson.loss(model)(columns, torch.tensor(lesson.labels[:8]))  # type: ignore[index]
    assert found.item() == pytest.approx(by_hand, rel=1e-3)


def test_gold_pairs_are_the_training_queries_with_a_relevant_document_first(
    lesson_of: Lessons, view: TrainView, context: Context
) -> None:
    lesson = lesson_of(CrossEncoder(budget="smoke"), view)
    held = gold(view, context)
    texts = view.corpus.texts
    relevant = [{texts[int(r)] for r in rows} for rows in held.relevant]
    assert len(lesson) == sum(map(len, relevant))
    for (number, row), query, group in zip(held.pairs(), *lesson.columns.values(), strict=True):
        assert query == held.queries.texts[number]
        assert group[0] == texts[row]
        assert not set(group[1:]) & relevant[number]
        assert len(group) == 1 + CrossEncoder().negatives


def test_unlabelled_pairs_are_questions_with_the_document_whose_words_are_hidden(
    lesson_of: Lessons, view: TrainView
) -> None:
    recipe = CrossEncoder(budget="smoke", pairs="unlabelled", hide=1)
    assert recipe.needed() == {"generator"}
    lesson = lesson_of(recipe, TrainView(view.corpus))
    shown = lesson_of(CrossEncoder(budget="smoke", pairs="unlabelled", hide=0), TrainView(view.corpus))
    texts = set(view.corpus.texts[:])
    assert all(group[0] in texts for group in shown.columns["documents"])
    held = {
        name: [q in g[0] for q, g in zip(*x.columns.values(), strict=True)]
        for name, x in (("all", shown), ("none", lesson))
    }
    assert sum(held["none"]) < sum(held["all"]) / 2
    for group, own in zip(lesson.columns["documents"], shown.columns["documents"], strict=True):
        assert own[0] not in group[1:]
    assert lesson.facts["questions"] == len(lesson)


def test_without_labels_the_row_uses_none(view: TrainView, context: Context, tiny_cross_encoder: Path) -> None:
    recipe = CrossEncoder(budget="smoke", pairs="unlabelled")
    fitted = fit(with_recipes(Row(str(tiny_cross_encoder)), (recipe,)), TrainView(view.corpus), context)
    assert fitted.supervision == "none"


def test_an_encoder_gets_a_scoring_head_drawn_from_the_seed(
    view: TrainView, tiny_encoder: Path, context: Context
) -> None:
    row = with_recipes(Row(str(tiny_encoder)), (CrossEncoder(budget="smoke"),))
    keys = {fit(row, view, Context(cache=context.cache, seed=seed)).key for seed in (0, 1)}
    assert len(keys) == 2


def test_an_encoder_judges_its_negatives_by_its_vectors(view: TrainView, tiny_encoder: Path, context: Context) -> None:
    fitted = fit(with_recipes(Row(str(tiny_encoder)), (CrossEncoder(budget="smoke"),)), view, context)
    assert fitted.resolved["training"][0]["facts"]["negatives"]["judge"] == str(Dense(str(tiny_encoder)))


@pytest.mark.parametrize("loss", ["listwise", "pointwise"])
def test_both_losses_train(loss: Any, view: TrainView, context: Context, tiny_cross_encoder: Path) -> None:
    fitted = fit(with_recipes(Row(str(tiny_cross_encoder)), (CrossEncoder(budget="smoke", loss=loss),)), view, context)
    assert fitted.resolved["training"][0]["steps"] == 3


def test_what_an_encoder_became_is_not_trained_again_to_score_in_bf16(
    tiny_models: tuple[Path, Path], view: TrainView, context: Context
) -> None:
    rows = [
        with_recipes(Row(str(tiny_models[0]), precision=p), (CrossEncoder(budget="smoke"),)) for p in ("fp32", "bf16")
    ]
    full, half = (fit(row, view, context) for row in rows)
    assert len(list((context.cache.root / "models").glob("*/model"))) == 1
    assert full.key != half.key
    assert (full.resolved["precision"], half.resolved["precision"]) == ("fp32", "bf16, last layer fp32")
    assert half.resolved["model"] == full.resolved["model"]


def test_a_new_head_has_a_learning_rate_of_its_own(
    tiny_models: tuple[Path, Path], view: TrainView, context: Context, base_of: Callable[..., Any]
) -> None:
    """A random head and a pooler that mean pooling never used: at the encoder's rate the loss stays at chance."""
    recipe = CrossEncoder(budget="smoke")
    encoder, scorer = (recipe.lesson(base_of(recipe, context, model), view, context) for model in tiny_models)
    assert scorer.learning_rates == {}
    assert CrossEncoder(head_rate=None, budget="smoke").lesson(
        base_of(recipe, context, tiny_models[0]), view, context
    ).learning_rates == {}
    ((pattern, rate),) = encoder.learning_rates.items()
    assert rate == 1e-3
    named = base_of(recipe, context, tiny_models[0]).fresh(context).named_parameters()
    found = {name.rpartition("bert.")[2] for name, _ in named if re.search(pattern, name)}
    assert {name.split(".")[-2] for name in found} == {"dense", "classifier"}
    assert all("pooler" in name or "classifier" in name for name in found)


def test_a_query_is_not_cut_where_the_document_can_be(
    base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    model = base_of(CrossEncoder(), context).fresh(context)
    model.max_seq_length = 16
    query, document = view.corpus.texts[0].split()[:5], view.corpus.texts[1].split() * 5
    ids = model.preprocess([(" ".join(query), " ".join(document))])["input_ids"][0].tolist()
    assert len(ids) == 16
    assert ids[1 : ids.index(3)] == model.tokenizer(" ".join(query), add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize("loss", ["listwise", "margin"])
def test_a_teachers_scores_are_learnt_in_place_of_the_judgements(
    loss: Any, lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context, tiny_encoder: Path
) -> None:
    teacher = Dense(str(tiny_encoder))
    recipe = CrossEncoder(budget="smoke", negatives=3, loss=loss, teacher=teacher, temperature=0.1)
    assert recipe.needed() == {"train labels", "teacher"}
    lesson, model = lesson_of(recipe, view), base_of(recipe, context).fresh(context)
    plain = lesson_of(CrossEncoder(budget="smoke", negatives=3), view)
    groups = plain.columns["documents"][:3]
    encoder = SentenceTransformer(str(tiny_encoder), device="cpu")
    by_hand = 0.0
    for query, group, label in zip(plain.columns["query"], groups, lesson.labels or [], strict=False):
        vectors = encoder.encode([query, *group], normalize_embeddings=True)
        cosines = torch.tensor(vectors[1:] @ vectors[0]) / 0.1
        assert label == pytest.approx(cosines.tolist(), abs=1e-3)
        own = torch.tensor(scores(model, query, group))
        if loss == "listwise":
            by_hand -= float((cosines.softmax(0) * own.log_softmax(0)).sum()) / 3
        else:
            by_hand += float(((own[0] - own[1:] - cosines[0] + cosines[1:]) ** 2).sum()) / 9
    columns = [list(column[:3]) for column in lesson.columns.values()]
    labels = [torch.tensor(label) for label in (lesson.labels or [])[:3]]
    with torch.no_grad():
        assert lesson.loss(model)(columns, labels).item() == pytest.approx(by_hand, rel=1e-3)
    fitted = fit(with_recipes(Row(str(base_of(recipe, context).weights)), (recipe,)), view, context)
    assert fitted.resolved["training"][0]["facts"]["teacher"]["teacher"] == str(teacher)


def test_a_teacher_where_it_has_no_meaning_is_refused() -> None:
    with pytest.raises(SettingError, match='loss="margin" learns from a teacher'):
        CrossEncoder(loss="margin")
    for settings in ({"loss": "pointwise"}, {"pairs": "unlabelled"}):
        with pytest.raises(SettingError, match='a teacher needs pairs="gold"'):
            CrossEncoder(teacher=Dense(), **settings)
