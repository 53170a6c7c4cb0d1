"""Which weights are delivered: by hand for a model of one weight."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from harness.training.delivery import delivered, mean
from harness.training.lesson import Report

REPORT = Report(1, 2, 1.0, 0.0, {}, "fp32", "cpu", dev=((0, 0.5), (2, 0.7)), chosen=2)


class One(torch.nn.Module):
    """A model of one weight."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([value]))
        self.register_buffer("places", torch.tensor([3]))


def start() -> dict[str, Any]:
    return One(1.0).state_dict()


def by_weight(values: dict[float, float]) -> Any:
    return lambda model: values[round(float(model.weight), 6)]


def test_the_mean_of_weights_is_linear_and_whole_numbers_stay() -> None:
    mixed = mean(start(), One(5.0).state_dict(), 0.25)
    assert float(mixed["weight"]) == 2.0
    assert int(mixed["places"]) == 3


@pytest.mark.parametrize(("half", "weight", "average"), [(0.8, 3.0, 0.5), (0.6, 5.0, 1.0), (0.7, 3.0, 0.5)])
def test_dev_decides_between_half_way_and_the_trained_weights(half: float, weight: float, average: float) -> None:
    model = One(5.0)
    report = delivered(model, REPORT, by_weight({3.0: half}), start, None, "a recipe")
    assert (float(model.weight), report.average, report.chosen, report.notes) == (weight, average, 2, ())
    assert report.facts["dev_by_average"] == {"0.5": half, "1": 0.7}


def test_a_model_that_is_not_better_on_dev_is_not_delivered() -> None:
    report = dataclasses.replace(REPORT, dev=((0, 0.7), (2, 0.7)))
    report = delivered(One(5.0), report, by_weight({3.0: 0.6}), start, None, "a recipe")
    assert (report.average, report.chosen) == (0.0, 0)
    assert report.notes == ("a recipe: kept untrained: nDCG@10 on dev is 0.7000 after training and 0.7000 before",)


@pytest.mark.parametrize("probed", [True, False])
def test_a_share_that_is_set_is_taken(probed: bool) -> None:
    model, report = One(5.0), REPORT if probed else dataclasses.replace(REPORT, dev=())
    probe = by_weight({2.0: 0.65}) if probed else None
    report = delivered(model, report, probe, start, 0.25, "a recipe")
    assert (float(model.weight), report.average) == (2.0, 0.25)
    model = One(5.0)
    assert delivered(model, REPORT, None, start, 1.0, "a recipe").average == 1.0
    assert float(model.weight) == 5.0


def test_without_dev_the_trained_weights_are_delivered() -> None:
    model = One(5.0)
    report = delivered(model, dataclasses.replace(REPORT, dev=()), None, start, None, "a recipe")
    assert (float(model.weight), report.average, report.facts) == (5.0, 1.0, {})


def test_other_layers_than_before_are_not_averaged() -> None:
    model = One(5.0)
    report = delivered(model, REPORT, by_weight({}), lambda: {"other": torch.zeros(1)}, None, "a recipe")
    assert (float(model.weight), report.average) == (5.0, 1.0)
