from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.training.callbacks import METRIC, clipped, clock, evaluator, progress_bar


def test_the_evaluator_leaves_the_model_in_training_mode(tiny_encoder: Any) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_encoder), device="cpu").train()

    def probe(model: Any) -> float:
        model.eval()
        return 0.25

    assert evaluator(probe)(model) == {METRIC: 0.25}
    assert model.training


@pytest.mark.parametrize(("unsaved", "saving", "saves"), [(100, 0, False), (130, 0, True), (130, 10, False)])
def test_a_checkpoint_is_due_after_two_minutes_unless_writing_takes_long(
    unsaved: float, saving: float, saves: bool
) -> None:
    control = SimpleNamespace(should_save=False)
    state: Any = SimpleNamespace(unsaved=lambda: unsaved, saving=saving)
    clock(state).on_step_end(None, None, control)
    assert control.should_save is saves


def test_progress_counts_steps_and_shows_the_loss_and_the_last_measurement() -> None:
    shown: list[tuple[Any, ...]] = []
    bar = progress_bar(lambda *given: shown.append(given))
    bar.on_train_begin(None, SimpleNamespace(global_step=3), None)
    bar.on_log(None, None, None, logs={"loss": 0.5})
    bar.on_step_end(None, None, None)
    bar.on_log(None, None, None, logs={f"eval_{METRIC}": 0.75})
    assert shown == [(3,), (1, "loss 0.5000"), (0, "loss 0.5000 dev nDCG@10 0.7500")]


def test_all_gradients_are_clipped_together_those_of_the_loss_too() -> None:
    import torch

    parameters = [torch.nn.Parameter(torch.zeros(size)) for size in (2, 1, 1)]
    parameters[0].grad, parameters[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
    clipped(parameters).on_pre_optimizer_step(None, None, None)
    assert parameters[0].grad.tolist() == pytest.approx([0.6, 0.0], abs=1e-5)
    assert parameters[1].grad.tolist() == pytest.approx([0.8], abs=1e-5)
    assert parameters[2].grad is None
