"""The training loop: sentence-transformers' trainers, with dev nDCG@10 choosing the checkpoint.

Added to the trainers: the model is measured on dev before the first step and at even distances after it; the best
checkpoint is kept; a loss that is not a number stops the run and the last good checkpoint stays; a killed run is
resumed from its last checkpoint, with its data order and random states; global random generators are restored; on a CPU
batches are not padded.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.base.disk import is_full
from harness.base.errors import CacheError, ModelError
from harness.models.encoder import Side
from harness.models.limits import positions
from harness.models.loading import no_weight_bars
from harness.runtime.context import Context
from harness.training.callbacks import METRIC, Measure
from harness.training.checkpoints import State, readable_checkpoint
from harness.training.heap import kept_heap
from harness.training.lengths import at_length, tokens_of_example
from harness.training.lesson import Lesson, Report
from harness.training.pace import Pace, TrainingKind
from harness.training.schedule import Schedule
from harness.training.trainer import TrainingRun, run, trainer_of
from harness.training.unpadded import unpadded

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

log = logging.getLogger("harness.training")
OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")


def bf16_suits(schedule: Schedule, device: str) -> bool:
    """Whether matrix products run in bf16: as the schedule sets, with `auto` if the processor supports it."""
    if schedule.precision != "auto":
        return schedule.precision == "bf16"
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    if device == "cpu":
        if not hasattr(torch.cpu, "get_capabilities"):
            return False
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False


def train(
    model: SentenceTransformer | CrossEncoder,
    lesson: Lesson,
    prompts: dict[Side, str],
    probe: Measure | None,
    context: Context,
    checkpoints: Path,
    name: str,
    first: Measure | None = None,
) -> Report:
    """Trains a model in place.

    Args:
        model: the model; afterwards it has the chosen weights.
        lesson: examples, loss, schedule.
        prompts: side → prompt of its texts; used for an encoder.
        probe: model → nDCG@10 on dev; None trains to the end of the schedule.
        context: seed, device, progress.
        checkpoints: a folder of this run only; a checkpoint in it is resumed.
        name: of the recipe, for messages and the bar.
        first: measures dev before the first step, if not `probe`.

    Raises:
        ModelError: the loss is not a number, or memory is short; the last good checkpoint stays.
        CacheError: the disk is full.
    """
    import torch

    lesson.schedule.check(name)
    length = model.max_seq_length
    bf16 = bf16_suits(lesson.schedule, model.device.type)
    _prepare(model, lesson)
    state, tokens = State.at(checkpoints), tokens_of_example(model, lesson)
    steps, examples = lesson.schedule.total(len(lesson), tokens), lesson.schedule.batch * lesson.schedule.accumulate
    pace = Pace(TrainingKind.of(name, model, lesson.schedule, bf16=bf16), tokens * examples, context)
    probe, first = at_length(probe, length), at_length(first, length)
    job = TrainingRun(lesson, prompts, probe, checkpoints, steps, bf16, seed_of(context, "training"), name)
    with own_randomness(), memory_and_disk(name, checkpoints), no_weight_bars(), kept_heap():
        torch.manual_seed(seed_of(context, "initial weights"))
        loss = lesson.loss(model)
        with unpadded(model, loss, bf16=bf16):
            if probe is not None and state.before is None:
                state.before = (first or probe)(model)
                state.save()
            trainer_state = _steps(model, loss, job, state, pace)
            facts = dict(lesson.facts)
            if lesson.after is not None:
                facts |= lesson.after(model, loss, probe)
    model.eval()
    model.max_seq_length = length  # texts were cut for training only
    return _report(job, facts, trainer_state, state, model.device.type)


def _prepare(model: SentenceTransformer | CrossEncoder, lesson: Lesson) -> None:
    """Sets dropout and the length of texts for training, and what the recipe changes."""
    if lesson.schedule.dropout is not None:
        _set_dropout(model, lesson.schedule.dropout)
    model.max_seq_length = min(lesson.schedule.max_length, positions(model))
    if lesson.before is not None:
        lesson.before(model)


def _steps(
    model: SentenceTransformer | CrossEncoder, loss: Any, job: TrainingRun, state: State, pace: Pace
) -> Any:
    """Does the remaining optimiser steps, from the last checkpoint if there is one; returns the trainer's state."""
    with pace.context.progress(pace.label(job.steps), job.steps, "steps") as advance:
        trainer = trainer_of(model, loss, job, state, pace.timed(advance, job.steps))
        last = readable_checkpoint(job.checkpoints)
        if last is not None:
            log.info("%s continues from step %s", job.name, last.name.rpartition("-")[2])
            state.go_on(last)
        state.start()
        run(trainer, last, advance)
        state.stop()
    pace.remember(int(trainer.state.global_step), state.seconds)
    return trainer.state


def _set_dropout(model: SentenceTransformer | CrossEncoder, probability: float) -> None:
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = probability
        for name in ("attention_dropout", "dropout_prob"):  # some attention layers have the number, not a module
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, probability)


def _report(job: TrainingRun, facts: dict[str, Any], trainer_state: Any, state: State, device: str) -> Report:
    lesson, schedule = job.lesson, job.lesson.schedule
    history = trainer_state.log_history
    dev = [(int(h["step"]), round(float(h[f"eval_{METRIC}"]), 6)) for h in history if f"eval_{METRIC}" in h]
    done = int(trainer_state.global_step)
    mean = state.seen / max(1, done * schedule.accumulate)
    noticed, after = facts.pop("notes", ()), facts.pop("dev", None)
    chosen = int(trainer_state.best_global_step or done) if dev else done
    if after is not None:  # the weights are others than those that were measured at this step
        dev = [(step, round(float(after), 6) if step == chosen else value) for step, value in dev]
    return Report(
        examples=len(lesson),
        steps=done,
        epochs=round(state.seen / len(lesson), 3),
        seconds=round(state.seconds, 1),
        schedule=dataclasses.asdict(schedule),
        precision="bf16" if job.bf16 else "fp32",
        device=device,
        loss=tuple((int(h["step"]), round(float(h["loss"]), 6)) for h in history if "loss" in h),
        dev=((0, round(state.before, 6)), *dev) if state.before is not None else (),
        chosen=chosen,
        facts=facts,
        notes=(*lesson.notes, *noticed, *_small_batches(job.name, schedule, mean)),
    )


def _small_batches(name: str, schedule: Schedule, mean: float) -> tuple[str, ...]:
    if mean >= 0.75 * schedule.batch:
        return ()
    return (
        f"{name}: batches held {mean:.1f} examples on average instead of {schedule.batch}; there are too few, or too "
        "many share a text",
    )


def seed_of(context: Context, purpose: str) -> int:
    """A seed for torch, one for each purpose."""
    return int(context.rng(purpose).integers(2**31))


def save(model: SentenceTransformer | CrossEncoder, place: Path, name: str) -> None:
    """Writes a model as an ordinary sentence-transformers folder, without a card.

    Raises:
        CacheError: the disk is full.
    """
    with memory_and_disk(name, place), no_weight_bars():
        model.save_pretrained(str(place), create_model_card=False)


def discard(checkpoints: Path) -> None:
    """Removes the checkpoints of a finished run."""
    shutil.rmtree(checkpoints, ignore_errors=True)


@contextlib.contextmanager
def own_randomness() -> Iterator[None]:
    """Restores the global random generators afterwards: the trainer seeds them."""
    import torch

    python, numbers = random.getstate(), np.random.get_state()  # noqa: NPY002 - kept for the caller, not drawn from
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numbers)  # noqa: NPY002


@contextlib.contextmanager
def memory_and_disk(name: str, folder: Path) -> Iterator[None]:
    """Turns a lack of memory or disk into an error that names a remedy.

    Raises:
        ModelError: out of memory.
        CacheError: the disk of the checkpoints is full.
    """
    try:
        yield
    except MemoryError as error:
        raise ModelError(_memory_words(name)) from error
    except Exception as error:
        message = str(error).lower()
        if is_full(error):
            raise CacheError(
                f"{name}: no space left for checkpoints in {folder}; free some, or name another folder with "
                "--cache-dir or HARNESS_CACHE. What was trained up to the last whole checkpoint is kept."
            ) from error
        if isinstance(error, RuntimeError) and any(phrase in message for phrase in OUT_OF_MEMORY):
            raise ModelError(_memory_words(name)) from error
        raise


def _memory_words(name: str) -> str:
    return (
        f"{name} ran out of memory: lower batch (and raise accumulate by as much, if the loss has no in-batch "
        "negatives), or lower max_length. The last checkpoint is kept."
    )
