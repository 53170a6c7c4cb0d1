"""Which weights are delivered, by nDCG@10 on dev: those before training, those after it, or a mean of both.

Sources: Wortsman et al., "Robust fine-tuning of zero-shot models" (2109.01903), equation 1: the mean of the weights
before and after fine-tuning is often better on data unlike the training data; Xiao et al., "LM-Cocktail" (2311.13534),
for text encoders.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from harness.training.callbacks import Measure
from harness.training.lesson import Report

HALF = 0.5
"""The mean that is measured if none is requested."""
KEPT = "kept untrained"


def delivered(
    model: Any,
    report: Report,
    probe: Measure | None,
    before: Callable[[], Mapping[str, Any]],
    average: float | None,
    name: str,
) -> Report:
    """Sets the weights of a trained model to those that are delivered.

    Args:
        model: trained; it has the weights of the best evaluation, or the last without dev.
        report: of the training.
        probe: measures a model on dev; None without.
        before: returns the weights before training, name → tensor.
        average: share of the trained weights; None takes the better of `HALF` and 1 on dev, 1 without dev.
        name: of the recipe, for the note.

    Returns:
        The report with `average`, the share of the trained weights in the model: 0 if nothing that was measured is
        better than the model before training, which the caller then has to save.
    """
    trained = {key: value.detach().clone() for key, value in model.state_dict().items()}
    start = before() if average != 1.0 else {}
    same_layers = {key: value.shape for key, value in start.items()} == {k: v.shape for k, v in trained.items()}
    measured = dict(report.dev)
    values: dict[float, float] = {1.0: measured[report.chosen]} if measured else {1.0: 0.0}
    share = average or HALF
    if share < 1 and same_layers and (probe is not None or average is not None):
        model.load_state_dict(mean(start, trained, share))
        # Rounded as the report's values are, with which it is compared.
        values = {share: round(probe(model), 6) if probe is not None else 1.0} | ({} if average else values)
    best = max(values, key=lambda each: (values[each], -each))
    facts = {"dev_by_average": {f"{each:g}": round(value, 6) for each, value in values.items()}} if measured else {}
    report = dataclasses.replace(report, average=best, facts={**report.facts, **facts})
    if measured and values[best] <= measured[0]:
        note = f"{name}: {KEPT}: nDCG@10 on dev is {values[best]:.4f} after training and {measured[0]:.4f} before"
        return dataclasses.replace(report, average=0.0, chosen=0, notes=(*report.notes, note))
    if best == 1.0:
        model.load_state_dict(trained)
    return report


def mean(start: Mapping[str, Any], trained: Mapping[str, Any], share: float) -> dict[str, Any]:
    """(1 − share) · start + share · trained, for each weight; whole numbers, such as positions, are the trained ones.

    Args:
        start: weights before training.
        trained: weights of the same names and shapes after it.
        share: of the trained weights.
    """
    mixed = {}
    for name, value in trained.items():
        own = start[name].to(value.device)
        mixed[name] = own + share * (value - own) if value.is_floating_point() else value
    return mixed
