"""One loop: what it learns, what it keeps, and that a run which died goes on as if nothing had happened."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import logging
import os
import random
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import CacheError, ModelError, SettingError
from harness.data.dataset import TrainView
from harness.methods.bm25 import BM25
from harness.models.encoder import Encoder
from harness.runtime.context import Context
from harness.training import callbacks, trainer
from harness.training.dev import EncoderProbe, pool
from harness.training.lesson import Lesson, Report
from harness.training.loop import bf16_suits, discard, memory_and_disk, own_randomness, seed_of
from harness.training.schedule import Schedule

LessonOf = Callable[..., Lesson]
Learn = Callable[..., tuple[Any, Report]]


@pytest.fixture
def probe(view: TrainView, encoder: Encoder, context: Context) -> EncoderProbe:
    """Dev of the made-up language."""
    held = pool(view, [BM25()], Schedule(), context)
    assert held is not None
    return EncoderProbe(held, encoder, context, bf16=False)


def without_seconds(report: Report) -> Report:
    return dataclasses.replace(report, seconds=0.0)


# What is learnt and kept


def test_it_learns_the_language(lesson_of: LessonOf, learn: Learn, probe: EncoderProbe) -> None:
    lesson = lesson_of(steps=60, batch=16, evaluations=4, learning_rate=2e-3, dropout=0.0)
    model, report = learn(lesson, probe)
    assert report.loss[-1][1] < 0.7 * report.loss[0][1]
    values = dict(report.dev)
    assert values[report.chosen] > values[0] + 0.1
    assert probe(model) == pytest.approx(values[report.chosen], abs=1e-6)
    assert [step for step, _ in report.dev] == [0, 15, 30, 45, 60]
    assert [step for step, _ in report.loss] == list(range(1, 61))
    assert not model.training


@pytest.mark.parametrize(
    "curve", [[0.1, 0.3, 0.2, 0.25], [0.9, 0.1, 0.2, 0.3], [0.5, 0.4, 0.3, 0.2], [0.1, 0.2, 0.4, 0.4]]
)
def test_the_weights_kept_are_those_of_the_best_evaluation(
    lesson_of: LessonOf, learn: Learn, tools: Any, curve: list[float]
) -> None:
    shown = tools.Curve(curve)
    model, report = learn(lesson_of(steps=6, evaluations=3), shown)
    best = 1 + int(np.argmax(curve[1:]))
    assert report.chosen == [0, 2, 4, 6][best]
    assert report.dev == tuple(zip([0, 2, 4, 6], curve, strict=True))
    assert tools.same(tools.weights(model), shown.shown[best])
    others = [i for i in range(4) if i != best]
    assert not any(tools.same(tools.weights(model), shown.shown[i]) for i in others)


def test_a_difference_too_small_to_be_printed_still_chooses(lesson_of: LessonOf, learn: Learn, tools: Any) -> None:
    shown = tools.Curve([0.1, 0.3, 0.3 + 1e-8, 0.2])
    model, report = learn(lesson_of(steps=6, evaluations=3), shown)
    assert tools.same(tools.weights(model), shown.shown[{2: 1, 4: 2}[report.chosen]])


def test_training_stops_when_nothing_gets_better(lesson_of: LessonOf, learn: Learn, tools: Any) -> None:
    shown = tools.Curve([0.1, 0.3, 0.2, 0.25, 0.9, 0.9, 0.9])
    model, report = learn(lesson_of(steps=12, evaluations=6, patience=2), shown)
    assert (report.steps, report.chosen) == (6, 2)
    assert report.epochs == round(6 * 8 / 180, 3)
    assert [step for step, _ in report.dev] == [0, 2, 4, 6]
    assert tools.same(tools.weights(model), shown.shown[1])


def test_without_a_probe_it_trains_to_the_end(
    lesson_of: LessonOf, learn: Learn, tools: Any, fresh: Callable[[], Any]
) -> None:
    model, report = learn(lesson_of(steps=5, evaluations=2))
    assert (report.steps, report.chosen, report.dev, report.dev_pool) == (6, 6, (), None)
    assert not tools.same(tools.weights(model), tools.weights(fresh()))


def test_the_report_says_what_was_done(lesson_of: LessonOf, learn: Learn) -> None:
    lesson = lesson_of(steps=4, evaluations=2, accumulate=2, facts={"a": 1}, notes=("b",))
    _, report = learn(lesson)
    assert (report.examples, report.steps, report.epochs) == (180, 4, round(4 * 16 / 180, 3))
    assert report.schedule == dataclasses.asdict(lesson.schedule)
    assert (report.precision, report.device) == ("fp32", "cpu")
    assert (report.facts, report.notes) == ({"a": 1}, ("b",))
    assert report.seconds > 0


def test_numbers_out_of_range_are_refused_before_anything_is_done(
    lesson_of: LessonOf, learn: Learn, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match="supervised: learning_rate must be above 0"):
        learn(lesson_of(learning_rate=0.0))
    assert not (tmp_path / "checkpoints").exists()


def test_a_lesson_changes_the_model_before_and_after(lesson_of: LessonOf, learn: Learn, tools: Any) -> None:
    told: list[Any] = []

    def before(model: Any) -> None:
        told.append(("before", model.max_seq_length))

    def after(model: Any, loss: Any, probe: Any) -> dict[str, Any]:
        told.append(("after", loss.model is model, probe(model)))
        return {"picked": 2}

    _, report = learn(lesson_of(before=before, after=after, evaluations=1), tools.Curve([0.1, 0.2, 0.75]))
    assert report.facts["picked"] == 2
    assert told == [("before", 32), ("after", True, 0.75)]


def test_dropout_is_that_of_the_schedule(lesson_of: LessonOf, learn: Learn, fresh: Callable[[], Any]) -> None:
    import torch

    own = {m.p for m in fresh().modules() if isinstance(m, torch.nn.Dropout)}
    assert own == {0.1}
    for asked, expected in ((None, own), (0.0, {0.0}), (0.3, {0.3})):
        model, _ = learn(lesson_of(steps=1, dropout=asked), folder=f"d{asked}")
        assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == expected


def test_a_length_beyond_what_the_model_can_read_is_cut_to_it(lesson_of: LessonOf, learn: Learn) -> None:
    long = {"query": ["bada " * 300] * 8, "positive": [f"kelo {i} " * 300 for i in range(8)]}
    model, report = learn(lesson_of(columns=long, order="random", steps=1, evaluations=1, max_length=512))
    assert report.steps == 1
    assert model.max_seq_length == 64


# Randomness


def test_one_seed_gives_one_model_bit_by_bit_and_another_seed_another(
    lesson_of: LessonOf, learn: Learn, tools: Any, context: Context
) -> None:
    found = []
    for place, seed in enumerate([0, 0, 1]):
        random.seed(place)
        np.random.seed(place)  # noqa: NPY002 - what the caller did with the global generators must not matter
        import torch

        torch.manual_seed(place)
        within = Context(seed=seed, cache=context.cache)
        model, report = learn(lesson_of(), folder=f"run{place}", within=within)
        found.append((tools.weights(model), without_seconds(report)))
    assert tools.same(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]
    assert not tools.same(found[0][0], found[2][0])


def test_global_random_states_are_as_they_were(lesson_of: LessonOf, learn: Learn, tools: Any) -> None:
    import torch

    def states() -> tuple[Any, ...]:
        numbers = np.random.get_state()  # noqa: NPY002
        return random.getstate(), numbers[1].tolist(), numbers[2:], torch.get_rng_state().tolist()  # type: ignore[union-attr]

    before = states()
    learn(lesson_of(), tools.Curve([0.1, 0.2, 0.3, 0.4]))
    assert states() == before
    with pytest.raises(tools.Killed):
        learn(lesson_of(), tools.Curve([0.1, 0.2, 0.3, 0.4], die_at=(2,)), folder="killed")
    assert states() == before
    with own_randomness():
        random.random()
        np.random.rand()  # noqa: NPY002
        torch.rand(1)
    assert states() == before


def test_each_purpose_has_its_own_seed(context: Context) -> None:
    seeds = [seed_of(context, "a"), seed_of(context, "b"), seed_of(Context(seed=1, cache=context.cache), "a")]
    assert len(set(seeds)) == 3
    assert seed_of(context, "a") == seeds[0]


def test_the_environment_is_as_it_was(lesson_of: LessonOf, learn: Learn) -> None:
    learn(lesson_of(steps=1), folder="warm")
    before = dict(os.environ)
    learn(lesson_of(steps=1, precision="bf16"), folder="bf16")
    learn(lesson_of(steps=1), folder="fp32")
    assert dict(os.environ) == before


# A run that died


@pytest.mark.parametrize("die_at", [(0,), (1,), (2,), (3,), (1, 2, 3)])
def test_a_run_that_died_goes_on_to_the_same_bits(
    lesson_of: LessonOf, learn: Learn, tools: Any, die_at: tuple[int, ...]
) -> None:
    curve, lesson = [0.1, 0.2, 0.3, 0.25], lesson_of(steps=9, evaluations=3)  # dropout is on
    whole, expected = learn(lesson, tools.Curve(curve), "whole")
    dying = tools.Curve(curve, die_at)
    for _ in die_at:
        with pytest.raises(tools.Killed):
            learn(lesson, dying, "dying")
    model, report = learn(lesson, dying, "dying")
    assert tools.same(tools.weights(model), tools.weights(whole))
    assert without_seconds(report) == without_seconds(expected)
    assert len(dying.shown) == 4, "dev before training is measured once"


@pytest.mark.parametrize("step", [2, 5, 8])
def test_a_long_run_leaves_checkpoints_between_its_evaluations_and_goes_on_from_them_to_the_same_bits(
    lesson_of: LessonOf,
    learn: Learn,
    tools: Any,
    context: Context,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
) -> None:
    lesson, curve = lesson_of(steps=9, evaluations=3), [0.1, 0.3, 0.2, 0.25]
    whole, expected = learn(lesson, tools.Curve(curve), "whole")
    assert {path.name for path in (tmp_path / "whole").glob("checkpoint-*")} <= {
        "checkpoint-3",
        "checkpoint-6",
        "checkpoint-9",
    }
    monkeypatch.setattr(callbacks, "SAVED_EVERY", 0.0)
    monkeypatch.setattr(callbacks, "SAVING", 1e9)
    once = tools.Curve(curve)

    @contextlib.contextmanager
    def dying(label: str, total: int, unit: str) -> Iterator[Any]:
        done = [0]

        def advance(n: int = 1, note: str | None = None) -> None:
            done[0] += n
            if done[0] == step:
                raise tools.Killed

        yield advance

    with pytest.raises(tools.Killed):
        learn(lesson, once, "dying", within=Context(cache=context.cache, progress=dying))
    last = max(int(path.name.removeprefix("checkpoint-")) for path in (tmp_path / "dying").glob("checkpoint-*"))
    assert last == step - 1
    if step > 3:
        assert (tmp_path / "dying" / "checkpoint-3").is_dir(), "the best so far"
    model, report = learn(lesson, once, "dying")
    assert tools.same(tools.weights(model), tools.weights(whole))
    assert without_seconds(report) == without_seconds(expected)
    assert len(once.shown) == 4, "nothing is measured twice"


def test_checkpoints_take_no_large_part_of_the_time(
    lesson_of: LessonOf, learn: Learn, tools: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "SAVED_EVERY", 0.0)
    monkeypatch.setattr(callbacks, "SAVING", 1e-9)  # the first one shows how long it takes
    learn(lesson_of(steps=9, evaluations=1), None, "few")
    assert {path.name for path in (tmp_path / "few").glob("checkpoint-*")} == {"checkpoint-1", "checkpoint-9"}


def test_a_run_that_died_goes_on_over_the_end_of_an_epoch(lesson_of: LessonOf, learn: Learn, tools: Any) -> None:
    usual = lesson_of()
    few = {name: column[::15] for name, column in usual.columns.items()}  # 12 examples, 2 steps an epoch
    for order in ("distinct", "random", "given"):
        lesson = lesson_of(columns=few, order=order, steps=5, evaluations=5, patience=9)
        curve = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
        whole, expected = learn(lesson, tools.Curve(curve), f"whole {order}")
        dying = tools.Curve(curve, (3, 4))  # at the end of the first epoch, and within the second
        for _ in range(2):
            with pytest.raises(tools.Killed):
                learn(lesson, dying, f"dying {order}")
        model, report = learn(lesson, dying, f"dying {order}")
        assert tools.same(tools.weights(model), tools.weights(whole))
        assert without_seconds(report) == without_seconds(expected)


@pytest.mark.parametrize("probed", [True, False])
@pytest.mark.parametrize("decay", ["linear", "constant"])
def test_a_run_that_died_after_its_last_step_is_not_trained_further(
    lesson_of: LessonOf, learn: Learn, tools: Any, decay: str, *, probed: bool
) -> None:
    curve = [0.1, 0.2, 0.3, 0.25]

    def die(*_: Any) -> None:
        raise tools.Killed

    lesson = lesson_of(decay=decay)
    whole, expected = learn(lesson, tools.Curve(curve) if probed else None, "whole")
    dying = tools.Curve(curve) if probed else None
    with pytest.raises(tools.Killed):
        learn(dataclasses.replace(lesson, after=die), dying, "dying")
    model, report = learn(lesson, dying, "dying")
    assert tools.same(tools.weights(model), tools.weights(whole))
    assert without_seconds(report) == without_seconds(expected)


@pytest.mark.parametrize("place", [3, 4, "after"])
def test_patience_is_not_forgotten_by_a_run_that_died(
    lesson_of: LessonOf, learn: Learn, tools: Any, place: int | str
) -> None:
    curve = [0.1, 0.5, 0.2, 0.3, 0.4, 0.9, 0.9]
    lesson = lesson_of(steps=6, evaluations=6, patience=3)
    whole, expected = learn(lesson, tools.Curve(curve), "whole")
    assert (expected.steps, expected.chosen) == (4, 1)

    def die(*_: Any) -> None:
        raise tools.Killed

    dying = tools.Curve(curve, () if place == "after" else (place,))
    with pytest.raises(tools.Killed):
        learn(dataclasses.replace(lesson, after=die), dying, "dying")
    model, report = learn(lesson, dying, "dying")
    assert tools.same(tools.weights(model), tools.weights(whole))
    assert without_seconds(report) == without_seconds(expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_process_killed_between_two_checkpoints_goes_on_to_the_same_bits(
    lesson_of: LessonOf, learn: Learn, tools: Any, context: Context, tmp_path: Path
) -> None:
    lesson = lesson_of(steps=9, evaluations=3)
    whole, expected = learn(lesson, folder="whole")

    @contextlib.contextmanager
    def dying(label: str, total: int, unit: str) -> Iterator[Any]:
        done = [0]

        def advance(n: int = 1, note: str | None = None) -> None:
            done[0] += n
            if done[0] == 5:
                os.kill(os.getpid(), signal.SIGKILL)

        yield advance

    child = os.fork()
    if child == 0:
        try:
            learn(lesson, folder="dying", within=Context(cache=context.cache, progress=dying))
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert [path.name for path in (tmp_path / "dying").glob("checkpoint-*")] == ["checkpoint-3"]
    model, report = learn(lesson, folder="dying")
    assert tools.same(tools.weights(model), tools.weights(whole))
    assert without_seconds(report) == without_seconds(expected)


def test_seconds_of_all_runs_add_up(lesson_of: LessonOf, learn: Learn, tools: Any, tmp_path: Path) -> None:
    from harness.training.checkpoints import STATE, State

    dying = tools.Curve([0.1, 0.2, 0.3, 0.4], (2,))
    with pytest.raises(tools.Killed):
        learn(lesson_of(), dying)
    state = State.at(tmp_path / "checkpoints")
    assert state.seconds > 0
    assert (tmp_path / "checkpoints" / STATE).is_file()
    state.seconds += 1000
    state.save()
    _, report = learn(lesson_of(), dying)
    assert 1000 < report.seconds < 1060


def test_a_checkpoint_that_is_half_written_is_discarded(
    lesson_of: LessonOf, learn: Learn, tools: Any, tmp_path: Path
) -> None:
    curve = [0.1, 0.2, 0.3, 0.4]
    whole, expected = learn(lesson_of(), tools.Curve(curve), "whole")
    dying = tools.Curve(curve, (2,))
    with pytest.raises(tools.Killed):
        learn(lesson_of(), dying, "dying")
    shutil.copytree(tmp_path / "dying" / "checkpoint-2", tmp_path / "dying" / "checkpoint-4")
    half = tmp_path / "dying" / "checkpoint-4"
    (half / "trainer_state.json").unlink()
    (half / "model.safetensors").write_bytes(b"half")
    model, report = learn(lesson_of(), dying, "dying")
    assert tools.same(tools.weights(model), tools.weights(whole))
    assert without_seconds(report) == without_seconds(expected)


def test_a_cache_that_was_moved_between_is_no_matter(
    lesson_of: LessonOf, learn: Learn, tools: Any, tmp_path: Path
) -> None:
    curve = [0.1, 0.4, 0.2, 0.3]
    whole, expected = learn(lesson_of(), tools.Curve(curve), "whole")

    def die(*_: Any) -> None:
        raise tools.Killed

    dying = tools.Curve(curve, (3,))
    for place, after in enumerate([None, die]):
        with pytest.raises(tools.Killed):
            learn(lesson_of(after=after), dying, f"dying{place}")
        (tmp_path / f"dying{place}").rename(tmp_path / f"dying{place + 1}")
    model, report = learn(lesson_of(), dying, "dying2")
    assert tools.same(tools.weights(model), tools.weights(whole))
    assert without_seconds(report) == without_seconds(expected)


def test_that_it_goes_on_is_logged(
    lesson_of: LessonOf, learn: Learn, tools: Any, caplog: pytest.LogCaptureFixture
) -> None:
    dying = tools.Curve([0.1, 0.2, 0.3, 0.4], (2,))
    with pytest.raises(tools.Killed):
        learn(lesson_of(), dying)
    with caplog.at_level(logging.INFO, "harness.training"):
        learn(lesson_of(), dying)
    assert "supervised continues from step 2" in [record.getMessage() for record in caplog.records]


def test_the_weights_of_a_loss_go_on_with_it(lesson_of: LessonOf, learn: Learn, tools: Any) -> None:
    towers: dict[str, Any] = {}

    def loss(model: Any) -> Any:
        from sentence_transformers.sentence_transformer.losses import ContrastiveTensionLoss

        return ContrastiveTensionLoss(model)

    def after(name: str) -> Callable[..., dict[str, Any]]:
        return lambda model, built, probe: towers.update({name: tools.weights(built.model1)}) or {}

    usual = lesson_of()
    texts = list(usual.columns["positive"])[:64]
    columns = {"first": [texts[i // 4] for i in range(64)], "second": [texts[(i // 4 + i % 4) % 64] for i in range(64)]}
    settings = {
        "columns": columns,
        "labels": [1, 0, 0, 0] * 16,
        "sides": {},
        "loss": loss,
        "order": "given",
        "optimiser": "rmsprop",
        "steps": 6,
        "evaluations": 3,
    }
    curve = [0.1, 0.2, 0.4, 0.3]
    whole, expected = learn(lesson_of(**settings, after=after("whole")), tools.Curve(curve), "whole")
    dying = tools.Curve(curve, (2, 3))
    for _ in range(2):
        with pytest.raises(tools.Killed):
            learn(lesson_of(**settings), dying, "dying")
    model, report = learn(lesson_of(**settings, after=after("dying")), dying, "dying")
    assert tools.same(tools.weights(model), tools.weights(whole))
    assert tools.same(towers["dying"], towers["whole"])
    assert not tools.same(towers["whole"], tools.weights(whole)), "the towers drift apart"
    assert without_seconds(report) == without_seconds(expected)


# What goes wrong


class Broken:
    """A loss that goes wrong at the n-th batch."""

    def __init__(self, tools: Any, at: int, how: Callable[[Any], Any]) -> None:
        self.tools, self.at, self.how = tools, at, how

    def __call__(self, model: Any) -> Any:
        import torch

        outer = self

        class Loss(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.model, self.inner, self.seen = model, outer.tools.ranking_loss(model), 0

            def forward(self, features: Any, labels: Any) -> Any:
                self.seen += 1
                value = self.inner(features, labels)
                return outer.how(value) if self.seen == outer.at else value

        return Loss()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_with_the_last_checkpoint_in_place(
    lesson_of: LessonOf, learn: Learn, tools: Any, tmp_path: Path, bad: float
) -> None:
    last = tmp_path / "checkpoints" / "checkpoint-2"
    with pytest.raises(ModelError) as caught:
        learn(lesson_of(loss=Broken(tools, 4, lambda value: value * bad)))
    said = str(caught.value)
    assert f"supervised: the loss is not a number at step 4 of 6; the last good checkpoint is {last}." in said
    assert 'Lower learning_rate, or set precision="fp32"' in said
    assert (last / "trainer_state.json").is_file()
    _, report = learn(lesson_of())
    assert report.steps == 6


def test_a_loss_that_is_no_number_before_any_checkpoint_says_so(lesson_of: LessonOf, learn: Learn, tools: Any) -> None:
    with pytest.raises(ModelError, match=r"at step 1 of 6; no checkpoint was reached before"):
        learn(lesson_of(loss=Broken(tools, 1, lambda value: value * float("nan"))))


def test_weights_that_are_no_numbers_are_not_kept_as_a_checkpoint(
    lesson_of: LessonOf, learn: Learn, tools: Any, tmp_path: Path
) -> None:
    # The value is a number and its gradient is not, in the step just before a checkpoint.
    with pytest.raises(
        ModelError, match=r"weights are not numbers after step 4 of 6; the last good .* is .*checkpoint-2\."
    ):
        learn(lesson_of(loss=Broken(tools, 4, lambda value: value + (value * 0).sqrt())))
    assert [path.name for path in (tmp_path / "checkpoints").glob("checkpoint-*")] == ["checkpoint-2"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed"),
    ],
)
def test_a_full_disk_says_where_and_keeps_the_last_checkpoint(
    lesson_of: LessonOf, learn: Learn, fresh: Callable[[], Any], tmp_path: Path, error: Exception
) -> None:
    model = fresh()
    save = model.save_pretrained

    def full(path: Any, *args: Any, **kwargs: Any) -> None:
        if str(path).endswith("-4"):
            raise error
        save(path, *args, **kwargs)

    model.save_pretrained = full
    with pytest.raises(CacheError, match=r"supervised: no space left for checkpoints in .*checkpoints; .*--cache-dir"):
        learn(lesson_of(), model=model)
    assert (tmp_path / "checkpoints" / "checkpoint-2" / "trainer_state.json").is_file()
    _, report = learn(lesson_of())
    assert report.steps == 6


def raising(error: BaseException) -> Callable[[Any], Any]:
    def raise_it(value: Any) -> Any:
        raise error

    return raise_it


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried to"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes"),
    ],
)
def test_running_out_of_memory_says_what_to_lower(
    lesson_of: LessonOf, learn: Learn, tools: Any, tmp_path: Path, error: Exception
) -> None:
    with pytest.raises(ModelError, match=r"supervised ran out of memory: lower batch .* or lower max_length"):
        learn(lesson_of(loss=Broken(tools, 4, raising(error))))
    assert (tmp_path / "checkpoints" / "checkpoint-2").is_dir()


def test_other_errors_pass_as_they_are(tmp_path: Path) -> None:
    for error in (RuntimeError("shapes differ"), OSError(errno.EACCES, "denied"), ModelError("words"), KeyError("x")):
        with pytest.raises(type(error)) as caught, memory_and_disk("x", tmp_path):
            raise error
        assert caught.value is error


def test_an_error_of_a_dev_measurement_is_not_swallowed(lesson_of: LessonOf, learn: Learn, tools: Any) -> None:
    calls = []

    def failing(model: Any) -> float:
        calls.append(1)
        if len(calls) == 3:
            raise ValueError("dev went wrong")
        return 0.5

    with pytest.raises(ValueError, match="dev went wrong"):
        learn(lesson_of(), failing)


def test_a_best_checkpoint_that_cannot_be_loaded_is_an_error(
    lesson_of: LessonOf, learn: Learn, tools: Any, tmp_path: Path
) -> None:
    shown = tools.Curve([0.1, 0.9, 0.2, 0.3])
    measure = shown.__call__

    def spoiling(model: Any) -> float:
        value = measure(model)
        if len(shown.shown) == 4:  # the best one is gone when it is asked for
            (tmp_path / "checkpoints" / "checkpoint-2" / "model.safetensors").write_bytes(b"damaged")
        return value

    with pytest.raises(Exception, match=r"(?i)header|safetensor|deserializ"):
        learn(lesson_of(), spoiling)


# What it leaves, and what it shows


def test_no_file_is_left_outside_its_folder(
    lesson_of: LessonOf, learn: Learn, tools: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here", "home", "temp"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    learn(lesson_of(), tools.Curve([0.1, 0.2, 0.3, 0.4]))
    assert [str(p) for name in ("here", "home", "temp") for p in (tmp_path / name).rglob("*") if p.is_file()] == []
    assert {p.name for p in (tmp_path / "checkpoints").iterdir()} == {
        "harness.json",
        "checkpoint-4",
        "checkpoint-6",
        "eval",
    }
    discard(tmp_path / "checkpoints")
    assert not (tmp_path / "checkpoints").exists()
    discard(tmp_path / "checkpoints")


def test_the_bar_counts_steps_and_tells_loss_and_dev(
    lesson_of: LessonOf, learn: Learn, tools: Any, context: Context
) -> None:
    bars: list[Any] = []

    @contextlib.contextmanager
    def recording(label: str, total: int, unit: str) -> Iterator[Any]:
        told: list[tuple[int, str | None]] = []
        bars.append((label, total, unit, told))
        yield lambda n=1, note=None: told.append((n, note))

    within = Context(cache=context.cache, progress=recording)
    dying = tools.Curve([0.1, 0.25, 0.3, 0.4], (2,))
    with pytest.raises(tools.Killed):
        learn(lesson_of(), dying, within=within)
    _, report = learn(lesson_of(), dying, within=within)
    assert [bar[:3] for bar in bars] == [("train supervised", 6, "steps")] * 2
    first, second = bars[0][3], bars[1][3]
    assert [n for n, _ in first] == [0, 1, 1, 0, 1, 1]
    assert [n for n, _ in second] == [2, 1, 1, 0, 1, 1, 0], "a bar goes on from where it was"
    losses = dict(report.loss)
    assert first[2][1] == f"loss {losses[1]:.4f}"
    assert first[4][1] == f"loss {losses[2]:.4f} dev nDCG@10 0.2500"
    assert second[-1][1] == f"loss {losses[6]:.4f} dev nDCG@10 0.4000", "the last evaluation, though no step follows it"


def test_nothing_is_printed(lesson_of: LessonOf, learn: Learn, tools: Any, capfd: pytest.CaptureFixture[str]) -> None:
    learn(lesson_of(), tools.Curve([0.1, 0.2, 0.3, 0.4]))
    out, err = capfd.readouterr()
    assert out == ""
    assert "it/s" not in err


# Precision


def test_precision_is_as_asked_and_one_run_does_not_change_the_next(
    lesson_of: LessonOf, learn: Learn, tools: Any
) -> None:
    found = {}
    for place, precision in enumerate(["fp32", "bf16", "fp32", "bf16"]):
        model, report = learn(lesson_of(precision=precision, steps=3), folder=f"p{place}")
        assert report.precision == precision
        assert {str(p.dtype) for p in model.parameters()} == {"torch.float32"}
        found[place] = tools.weights(model)
    assert tools.same(found[0], found[2])
    assert tools.same(found[1], found[3])
    assert not tools.same(found[0], found[1])


def test_auto_takes_bf16_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    assert bf16_suits(Schedule(precision="bf16"), "cpu")
    assert not bf16_suits(Schedule(precision="fp32"), "cuda")
    for can, expected in (
        ({}, False),
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"avx512_bf16": False}, False),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda can=can: can, raising=False)
        assert bf16_suits(Schedule(), "cpu") is expected
    for supported in (True, False):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda supported=supported: supported)
        assert bf16_suits(Schedule(), "cuda") is supported
    assert not bf16_suits(Schedule(), "mps")


def test_the_loss_is_kept_for_about_a_hundred_points(
    lesson_of: LessonOf, learn: Learn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "LOGGED", 4)
    _, report = learn(lesson_of(steps=12, evaluations=1))
    assert [step for step, _ in report.loss] == [3, 6, 9, 12]
    assert all(np.isfinite(value) for _, value in report.loss)


# What a reader of the report must know, and what a model keeps


def test_batches_that_cannot_be_filled_are_counted_as_they_were_and_told_of(lesson_of: LessonOf, learn: Learn) -> None:
    columns = {"query": ["a b"] * 6 + ["c d"] * 6, "positive": [f"text {i}" for i in range(12)]}
    _, report = learn(lesson_of(columns=columns, steps=3, batch=6), None)
    assert report.epochs == pytest.approx(3 * 2 / 12)
    assert report.notes == (
        "supervised: batches held 2.0 examples on average instead of 6; there are too few, or too many share a text",
    )
    _, report = learn(lesson_of(steps=3, batch=6), None, "full")
    assert report.notes == ()


def test_examples_seen_go_on_with_a_checkpoint(lesson_of: LessonOf, learn: Learn, tools: Any) -> None:
    _, whole = learn(lesson_of(), tools.Curve([0.1, 0.2, 0.3, 0.4]), "whole")
    dying = tools.Curve([0.1, 0.2, 0.3, 0.4], (2,))
    with pytest.raises(tools.Killed):
        learn(lesson_of(), dying, "dying")
    _, report = learn(lesson_of(), dying, "dying")
    assert report.epochs == whole.epochs


def test_texts_are_cut_for_training_alone(lesson_of: LessonOf, learn: Learn) -> None:
    model, _ = learn(lesson_of(max_length=8), None)
    assert model.max_seq_length == 64


@pytest.mark.parametrize(
    "file", ["trainer_state.json", "model.safetensors", "optimizer.pt", "rng_state.pth", "scheduler.pt", "seen.json"]
)
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(
    file: str, lesson_of: LessonOf, learn: Learn, tools: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    curve = [0.1, 0.2, 0.3, 0.4]
    whole, _ = learn(lesson_of(), tools.Curve(curve), "whole")
    dying = tools.Curve(curve, (3,))
    with pytest.raises(tools.Killed):
        learn(lesson_of(), dying, "dying")
    newest = max((p for p in (tmp_path / "dying").glob("checkpoint-*")), key=lambda p: int(p.name.rpartition("-")[2]))
    damaged = newest / file
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 4])
    with caplog.at_level(logging.WARNING, "harness.training"):
        model, _ = learn(lesson_of(), tools.Curve(curve[2:]), "dying")
    assert "cannot be read" in caplog.text
    assert tools.same(tools.weights(model), tools.weights(whole))
