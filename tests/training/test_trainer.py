"""What the loop asks of sentence-transformers' trainers: batches, prompts, arguments, weights of a loss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.training.checkpoints import State
from harness.training.lesson import Lesson
from harness.training.trainer import LOSS, TrainingRun, trainer_of

LessonOf = Callable[..., Lesson]
Learn = Callable[..., Any]


class Recording:
    """A loss that notes the texts of every batch it is given, as its tokenizer spells them."""

    def __init__(self, tools: Any) -> None:
        self.tools, self.batches, self.labels = tools, [], []

    def __call__(self, model: Any) -> Any:
        import torch

        outer = self

        class Loss(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.model, self.inner = model, outer.tools.ranking_loss(model)

            def forward(self, features: Any, labels: Any) -> Any:
                outer.batches.append(
                    [model.tokenizer.batch_decode(f["input_ids"], skip_special_tokens=True) for f in features]
                )
                outer.labels.append(None if labels is None else labels.tolist())
                return self.inner(features, None)

        return Loss()


def numbered(count: int) -> dict[str, list[str]]:
    return {"query": [f"q{i}" for i in range(count)], "positive": [f"d{i}" for i in range(count)]}


def spelt(batches: list[list[list[str]]], column: int = 0) -> list[list[str]]:
    return [[text.replace(" ", "").replace("##", "") for text in batch[column]] for batch in batches]


@pytest.fixture
def recording(tools: Any) -> Recording:
    return Recording(tools)


def test_given_order_is_kept_over_epochs(lesson_of: LessonOf, learn: Learn, recording: Recording) -> None:
    learn(lesson_of(columns=numbered(10), loss=recording, order="given", steps=6, evaluations=1, batch=4))
    once = [["q0", "q1", "q2", "q3"], ["q4", "q5", "q6", "q7"], ["q8", "q9"]]
    assert spelt(recording.batches) == once * 2
    assert spelt(recording.batches, 1) == [[text.replace("q", "d") for text in batch] for batch in once] * 2


def test_random_order_takes_every_example_once_an_epoch(
    lesson_of: LessonOf, learn: Learn, recording: Recording
) -> None:
    learn(lesson_of(columns=numbered(12), loss=recording, order="random", steps=6, evaluations=1, batch=4))
    flat = [text for batch in spelt(recording.batches) for text in batch]
    assert sorted(flat[:12]) == sorted(flat[12:]) == sorted(f"q{i}" for i in range(12))
    assert flat[:12] != flat[12:]
    assert flat[:12] != [f"q{i}" for i in range(12)]


def test_distinct_batches_hold_no_text_twice(lesson_of: LessonOf, learn: Learn, recording: Recording) -> None:
    columns = {"query": [f"q{i % 10}" for i in range(40)], "positive": [f"d{i // 2}" for i in range(40)]}
    learn(lesson_of(columns=columns, loss=recording, order="distinct", steps=5, evaluations=1, batch=8))
    for queries, documents in zip(spelt(recording.batches), spelt(recording.batches, 1), strict=True):
        assert len(set(queries)) == len(queries)
        assert len(set(documents)) == len(documents)
    assert max(map(len, recording.batches[0])) == 8


def test_prompts_stand_before_the_texts_of_their_side(lesson_of: LessonOf, learn: Learn, recording: Recording) -> None:
    lesson = lesson_of(columns=numbered(4), loss=recording, order="given", steps=1, evaluations=1, batch=4)
    learn(lesson, prompts={"query": "ask ", "document": ""})
    assert spelt(recording.batches) == [["askq0", "askq1", "askq2", "askq3"]]
    assert spelt(recording.batches, 1) == [["d0", "d1", "d2", "d3"]]


def test_texts_are_cut_to_the_length_of_the_schedule(lesson_of: LessonOf, learn: Learn, recording: Recording) -> None:
    columns = {"query": ["a b c d e f"] * 4, "positive": ["a b"] * 4}
    learn(lesson_of(columns=columns, loss=recording, order="given", steps=1, evaluations=1, batch=4, max_length=5))
    assert spelt(recording.batches) == [["abc"] * 4]


def test_labels_go_with_their_examples(lesson_of: LessonOf, learn: Learn, recording: Recording) -> None:
    labels = [float(i) for i in range(8)]
    lesson = lesson_of(
        columns=numbered(8), labels=labels, loss=recording, order="random", steps=2, evaluations=1, batch=4
    )
    learn(lesson)
    assert [[f"q{int(label)}" for label in batch] for batch in recording.labels] == spelt(recording.batches)


def job_of(lesson: Lesson, folder: Path, steps: int, **more: Any) -> TrainingRun:
    prompts: Any = {"query": "", "document": ""}
    return TrainingRun(
        **{
            "lesson": lesson,
            "prompts": prompts,
            "probe": None,
            "checkpoints": folder,
            "steps": steps,
            "bf16": False,
            "seed": 5,
            "name": "tsdae",
            **more,
        }
    )


def made(fresh: Any, job: TrainingRun) -> Any:
    model = fresh()
    return trainer_of(model, job.lesson.loss(model), job, State.at(job.checkpoints), lambda n=1, note=None: None)


def test_the_trainer_is_asked_for_what_the_schedule_says(lesson_of: LessonOf, fresh: Any, tmp_path: Path) -> None:
    lesson = lesson_of(
        batch=3, accumulate=2, warmup=0.25, decay="cosine", optimiser="rmsprop", weight_decay=0.5, evaluations=5
    )
    args = made(fresh, job_of(lesson, tmp_path, 20)).args
    assert (args.max_steps, args.per_device_train_batch_size, args.gradient_accumulation_steps) == (20, 3, 2)
    assert (args.warmup_steps, args.lr_scheduler_type, args.optim, args.weight_decay) == (5, "cosine", "rmsprop", 0.5)
    assert (args.save_steps, args.seed, args.learning_rate) == (4, 5, 1e-3)
    assert (args.eval_strategy, args.load_best_model_at_end) == ("no", False)
    assert args.report_to == []
    assert args.output_dir == str(tmp_path)


def test_dev_is_measured_as_often_as_checkpoints_are_saved(lesson_of: LessonOf, fresh: Any, tmp_path: Path) -> None:
    args = made(fresh, job_of(lesson_of(evaluations=5), tmp_path, 20, probe=lambda model: 0.5)).args
    assert (args.eval_strategy, args.eval_steps, args.save_steps, args.load_best_model_at_end) == ("steps", 4, 4, True)
    assert (args.metric_for_best_model, args.greater_is_better) == ("eval_dev_ndcg10", True)


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        ("linear", [0.0, 0.5, 1.0, 0.75, 0.5, 0.25]),
        ("constant", [0.0, 0.5, 1.0, 1.0, 1.0, 1.0]),
        ("cosine", [0.0, 0.5, 1.0, 0.853553, 0.5, 0.146447]),
    ],
)
def test_the_learning_rate_rises_and_falls_as_said(
    lesson_of: LessonOf, fresh: Any, tmp_path: Path, decay: str, expected: list[float]
) -> None:
    trainer = made(fresh, job_of(lesson_of(warmup=1 / 3, decay=decay, learning_rate=1.0), tmp_path, 6))
    trainer.create_optimizer_and_scheduler(6)
    seen = []
    for _ in range(6):
        seen.append(trainer.lr_scheduler.get_last_lr()[0])
        trainer.optimizer.step()
        trainer.lr_scheduler.step()
    assert seen == pytest.approx(expected, abs=1e-5)


def test_accumulated_batches_count_as_one_step(lesson_of: LessonOf, learn: Learn, recording: Recording) -> None:
    settings = {"columns": numbered(24), "loss": recording, "order": "given", "steps": 3, "evaluations": 1, "batch": 2}
    learn(lesson_of(**settings, accumulate=4))
    assert len(recording.batches) == 12


def test_a_model_is_in_training_mode_while_it_trains_even_after_a_measurement(
    lesson_of: LessonOf, learn: Learn, tools: Any
) -> None:
    modes = []

    def loss(model: Any) -> Any:
        built = tools.ranking_loss(model)
        forward = built.forward
        built.forward = lambda *args, **kwargs: (modes.append(model.training), forward(*args, **kwargs))[1]
        return built

    def probe(model: Any) -> float:
        model.eval()
        return 0.5

    learn(lesson_of(loss=loss, steps=4, evaluations=4, patience=9), probe)
    assert modes == [True] * 4


def test_only_a_loss_with_weights_of_its_own_leaves_them_beside_the_checkpoint(
    lesson_of: LessonOf, learn: Learn, tmp_path: Path
) -> None:
    import torch

    learn(lesson_of(steps=1, evaluations=1), folder="plain")
    assert not list((tmp_path / "plain").rglob(LOSS))

    def loss(model: Any) -> Any:
        from sentence_transformers.sentence_transformer.losses import ContrastiveTensionLossInBatchNegatives

        return ContrastiveTensionLossInBatchNegatives(model)

    learn(lesson_of(loss=loss, sides={}, steps=1, evaluations=1), folder="own")
    kept = torch.load(tmp_path / "own" / "checkpoint-1" / LOSS, weights_only=True)
    assert "logit_scale" in kept
    assert not [name for name in kept if name.startswith("model2.")], "the model itself is saved once"


def test_a_loss_with_weights_of_its_own_learns_them(lesson_of: LessonOf, learn: Learn) -> None:
    scales = []

    def loss(model: Any) -> Any:
        from sentence_transformers.sentence_transformer.losses import ContrastiveTensionLossInBatchNegatives

        built = ContrastiveTensionLossInBatchNegatives(model)
        scales.append(float(built.logit_scale.detach()))
        return built

    after = lambda _, built, probe: scales.append(float(built.logit_scale.detach())) or {}  # noqa: E731
    learn(lesson_of(loss=loss, sides={}, steps=2, after=after))
    assert scales[0] != scales[1]


def test_a_cross_encoder_learns_too_and_goes_on_after_a_kill(
    tiny_cross_encoder: Path, learn: Learn, tools: Any, lesson_of: LessonOf
) -> None:
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss

    texts = list(lesson_of().columns["positive"])[:12]
    columns = {"query": [t.split()[0] for t in texts] * 2, "document": texts + texts[::-1]}
    labels = [1.0] * 12 + [0.0] * 12
    lesson = lesson_of(
        columns=columns, labels=labels, sides={}, loss=BinaryCrossEntropyLoss, order="random", steps=4, evaluations=2
    )
    curve = [0.1, 0.2, 0.3]

    def fresh() -> Any:
        return CrossEncoder(str(tiny_cross_encoder), device="cpu")

    whole, expected = learn(lesson, tools.Curve(curve), "whole", model=fresh())
    dying = tools.Curve(curve, (2,))
    with pytest.raises(tools.Killed):
        learn(lesson, dying, "dying", model=fresh())
    model, report = learn(lesson, dying, "dying", model=fresh())
    assert tools.same(tools.weights(model), tools.weights(whole))
    assert (report.dev, report.loss, report.chosen) == (expected.dev, expected.loss, 4)
    assert not tools.same(tools.weights(model), tools.weights(fresh()))
