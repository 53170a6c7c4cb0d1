"""Contrastive Tension: blocks of one positive and K negatives, two towers, vectors as pooling gives them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.methods import fit
from harness.methods.dense import Dense
from harness.recipes.contrastive_tension import ContrastiveTension, better_tower, pairing
from harness.runtime.context import Context
from harness.training.dev import EncoderProbe
from harness.training.lesson import Lesson
from harness.training.pooled import without_normalisation
from harness.training.trained import with_recipes

Lessons = Callable[..., Lesson]


@pytest.fixture
def normalised(tiny_encoder: Path, tmp_path: Path) -> Path:
    """The tiny encoder with a module at its end that normalises."""
    model = SentenceTransformer(
        modules=[Transformer(str(tiny_encoder)), Pooling(32, "mean"), Normalize()], device="cpu"
    )
    model.save(str(tmp_path / "normalised"))
    return tmp_path / "normalised"


@pytest.mark.parametrize(
    ("texts", "negatives", "steps", "batch"), [(2, 1, 5, 4), (9, 7, 6, 16), (5, 3, 10, 8), (7, 2, 0, 3)]
)
def test_a_block_is_a_text_with_itself_and_k_times_with_others(
    texts: int, negatives: int, steps: int, batch: int
) -> None:
    names = [f"t{i}" for i in range(texts)]
    first, second, labels = pairing(names, negatives, np.random.default_rng(0), steps, batch)
    size = negatives + 1
    blocks = steps * batch // size if steps else texts
    assert len(first) == len(second) == len(labels) == blocks * size
    starts = []
    for at in range(0, len(first), size):
        own = first[at]
        starts.append(own)
        assert labels[at : at + size] == [1] + [0] * negatives
        assert first[at : at + size] == [own] * size
        assert second[at] == own
        for other in second[at + 1 : at + size]:
            assert other != own
            assert other in names
    for at in range(0, len(starts), texts):  # each pass holds every text once
        seen = Counter(starts[at : at + texts])
        assert max(seen.values()) == 1
    if not steps:
        assert sorted(starts) == names


def test_every_other_text_is_as_likely_a_negative() -> None:
    first, second, labels = pairing(["a", "b", "c", "d"], 1, np.random.default_rng(0), 4000, 2)
    drawn = Counter((a, b) for a, b, label in zip(first, second, labels, strict=True) if not label)
    assert len(drawn) == 12
    assert all(abs(count - 4000 / 12) < 80 for count in drawn.values())


def test_one_text_has_no_negative() -> None:
    with pytest.raises(SettingError, match="at least two different texts"):
        pairing(["a"], 1, np.random.default_rng(0), 1, 2)


def test_a_batch_holds_whole_blocks_in_the_order_given(lesson_of: Lessons, view: TrainView) -> None:
    recipe = ContrastiveTension(budget="smoke")
    lesson = lesson_of(recipe, view)
    schedule = recipe.schedule()
    assert lesson.order == "given"
    assert schedule.batch % 8 == 0
    assert len(lesson) == schedule.steps * schedule.batch == schedule.total(len(lesson)) * schedule.batch
    assert list(lesson.labels) == [1, 0, 0, 0, 0, 0, 0, 0] * (len(lesson) // 8)
    assert schedule.optimiser == "rmsprop"
    assert schedule.dropout == 0


def test_sentences_are_drawn_each_once_and_documents_whole_where_asked(lesson_of: Lessons) -> None:
    corpus = Corpus.of(
        [("a", "", "One is one. Two are two. One is one."), ("b", "", "Two are two. Three are three."), ("c", "", " ")]
    )
    view = TrainView(corpus)
    settings: dict[str, Any] = {"budget": "smoke", "form": "in_batch"}
    lesson = lesson_of(ContrastiveTension(**settings), view)
    assert sorted(lesson.columns["text"]) == ["One is one.", "Three are three.", "Two are two."]
    assert lesson.columns["text"] == lesson.columns["same"]
    assert lesson.labels is None
    whole = lesson_of(ContrastiveTension(unit="document", **settings), view)
    assert sorted(whole.columns["text"]) == [corpus.texts[0], corpus.texts[1]]
    assert len(lesson_of(ContrastiveTension(texts=2, **settings), view)) == 2


def test_the_towers_are_alike_at_the_start_and_share_nothing(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context
) -> None:
    recipe = ContrastiveTension(budget="smoke")
    model = base_of(recipe, context).fresh(context)
    loss: Any = lesson_of(recipe, view).loss(model)
    towers = [dict(t.named_parameters()) for t in (loss.model1, loss.model2)]
    assert loss.model2 is model
    assert towers[0].keys() == towers[1].keys()
    for name, value in towers[0].items():
        assert torch.equal(value, towers[1][name])
        assert value.data_ptr() != towers[1][name].data_ptr()


def test_the_loss_is_binary_cross_entropy_of_dot_products_by_hand(
    lesson_of: Lessons, base_of: Callable[..., Any], view: TrainView, context: Context, normalised: Path
) -> None:
    recipe = ContrastiveTension(budget="smoke")
    lesson = lesson_of(recipe, view)
    model = base_of(recipe, context, normalised).fresh(context)
    assert lesson.before is not None
    lesson.before(model)
    texts = [list(column[:8]) for column in lesson.columns.values()]
    vectors = [model.encode(t, convert_to_tensor=True) for t in texts]
    assert (vectors[0].norm(dim=1) - 1).abs().min() > 0.1  # as they come from pooling
    by_hand = 0.0
    for a, b, label in zip(*vectors, lesson.labels[:8], strict=True):  # type: ignore[index]
        p = torch.sigmoid((a.double() @ b.double()) * (1 if label else -1))
        by_hand -= float(torch.log(p.clamp(min=1e-300)))
    loss = lesson.loss(model)
    with torch.no_grad():
        found = loss([model.preprocess(t) for t in texts], torch.tensor(lesson.labels[:8]))  # type: ignore[index]
    assert found.item() == pytest.approx(by_hand, rel=1e-3)


def test_normalising_is_left_out_while_training_and_back_afterwards(
    view: TrainView, context: Context, normalised: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import harness.recipes.contrastive_tension as room

    seen = []

    def spy(model: Any, taken: Any) -> None:
        without_normalisation(model, taken)
        seen.append([type(m).__name__ for m in model])

    monkeypatch.setattr(room, "without_normalisation", spy)
    fitted: Any = fit(with_recipes(Dense(model=str(normalised)), (ContrastiveTension(budget="smoke"),)), view, context)
    assert seen == [["Transformer", "Pooling"]]
    assert [type(m).__name__ for m in fitted.encoder.model] == ["Transformer", "Pooling", "Normalize"]
    vectors = SentenceTransformer(str(fitted.encoder.folder.path), device="cpu").encode(["one", "two"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_weights_that_no_text_uses_stay_as_they_are(
    view: TrainView, context: Context, row: Callable[..., Any], base_of: Callable[..., Any]
) -> None:
    """RMSProp divides by the size of the gradient: a weight decay inside it moves a weight whose only gradient it is by
    the whole learning rate.
    """
    recipe = ContrastiveTension(budget="smoke", learning_rate=1e-2, choose="last", precision="fp32")
    before = base_of(recipe, context).fresh(context)
    used = {i for t in view.corpus.texts[:] for i in before.tokenizer(t)["input_ids"]}
    unused = sorted(set(range(1, len(before.tokenizer))) - used)
    trained = fit(row(recipe), view, context).encoder.model  # type: ignore[attr-defined]
    was, now = (m[0].auto_model.embeddings.word_embeddings.weight for m in (before, trained))
    assert len(unused) > 20
    assert torch.equal(was[unused], now[unused])
    assert not torch.equal(was[sorted(used)], now[sorted(used)])


@pytest.mark.parametrize(("values", "kept"), [((0.9, 0.1), 1), ((0.1, 0.9), 2), ((0.5, 0.5), 2), (None, 2)])
def test_the_tower_that_does_better_on_dev_is_kept(values: tuple[float, float] | None, kept: int) -> None:
    one, two = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    before = {1: one.weight.detach().clone(), 2: two.weight.detach().clone()}
    scores = {id(one): values[0], id(two): values[1]} if values else {}
    probe = (lambda model: scores[id(model)]) if values else None
    facts = better_tower(two, SimpleNamespace(model1=one, model2=two), probe, [])
    assert torch.equal(two.weight, before[kept])
    assert facts.get("dev") == (0.9 if kept == 1 else None)


def test_the_score_that_decides_on_delivery_is_that_of_the_tower_that_is_kept(
    view: TrainView, context: Context, row: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tower 1 is better than the model before training and tower 2 is worse: tower 1 is delivered."""
    import harness.recipes.contrastive_tension as room

    def measured(model: Any, loss: Any, probe: Callable[[Any], float] | None, removed: Any) -> dict[str, Any]:
        return better_tower(model, loss, lambda one: 0.99 if one is loss.model1 else 0.01, removed)

    monkeypatch.setattr(room, "better_tower", measured)
    monkeypatch.setattr(EncoderProbe, "__call__", lambda self, model: 0.01)
    fitted = fit(row(ContrastiveTension(budget="smoke")), view, context)
    report = fitted.resolved["training"][0]
    assert report["facts"]["tower"] == 1
    assert dict(report["dev"])[report["chosen"]] == 0.99
    assert report["average"] == 1.0
    assert not any("kept untrained" in note for note in fitted.notes)
