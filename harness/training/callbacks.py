"""Callbacks of the trainer: evaluation on dev, checkpoints by time, the progress bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.runtime.progress import Advance
from harness.training.checkpoints import State

METRIC = "dev_ndcg10"
CLIP = 1.0
"""The gradient is clipped to this length."""
SAVED_EVERY = 120.0
"""Seconds between checkpoints if evaluations are further apart: this is the most that a killed run loses."""
SAVING = 0.05
"""Largest share of the time that is spent on writing them."""

Measure = Callable[[Any], float]
"""Model → nDCG@10 on dev."""


def evaluator(probe: Measure) -> Any:
    """The trainer's evaluator: nDCG@10 on dev."""
    from sentence_transformers.base.evaluation import BaseEvaluator

    class DevEvaluator(BaseEvaluator):
        def __call__(self, model: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
            training = model.training
            value = probe(model)
            model.train(training)
            return {METRIC: value}

    evaluator_class: Any = DevEvaluator
    return evaluator_class()


def clock(run_state: State) -> Any:
    """Saves a checkpoint when enough time has passed since the last one."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if run_state.unsaved() > max(SAVED_EVERY, run_state.saving / SAVING):
                control.should_save = True

    return Clock()


def clipped(parameters: Sequence[Any]) -> Any:
    """Clips the gradient of all parameters together, the loss's own included, to the length `CLIP`: the trainer would
    clip only the model's, of two towers one.
    """
    import torch
    from transformers import TrainerCallback

    class Clipped(TrainerCallback):
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            torch.nn.utils.clip_grad_norm_([p for p in parameters if p.grad is not None], CLIP)

    return Clipped()


def progress_bar(advance: Advance) -> Any:
    """Shows the steps, the loss and the last measurement on dev."""
    from transformers import TrainerCallback

    class Bar(TrainerCallback):
        def __init__(self) -> None:
            self.loss = self.dev = ""

        @property
        def text(self) -> str:
            return f"{self.loss} {self.dev}".strip()

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            advance(int(state.global_step))

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            advance(1, self.text)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            logs = logs or {}
            if "loss" in logs:
                self.loss = f"loss {float(logs['loss']):.4f}"
            if f"eval_{METRIC}" in logs:
                self.dev = f"dev nDCG@10 {float(logs[f'eval_{METRIC}']):.4f}"
                advance(0, self.text)  # no step follows the last one

    return Bar()
