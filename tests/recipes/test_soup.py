"""Soup: which trainings are taken, their mean by hand, and that they are shared with the rows of one seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from harness.base.errors import SettingError
from harness.cache.folders import Cache
from harness.data.dataset import TrainView
from harness.methods import fit
from harness.recipes.contrastive_tension import ContrastiveTension
from harness.recipes.cross_encoder import CrossEncoder
from harness.recipes.frozen_head import FrozenHead
from harness.recipes.soup import Soup, _Mixture
from harness.recipes.supervised import Supervised
from harness.runtime.context import Context
from harness.training import loop
from harness.training.trained_models import trained_weights

ONE = Supervised(budget="smoke", choose="last", learning_rate=1e-2)


def test_the_weights_are_the_mean_of_those_of_each_seed_which_are_trained_once(
    row: Callable[..., Any],
    base_of: Callable[..., Any],
    view: TrainView,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs: list[int] = []
    train = loop.train
    monkeypatch.setattr(loop, "train", lambda *given, **more: (runs.append(given[5].name), train(*given, **more))[1])
    context = Context(cache=Cache(tmp_path / "cache"), seed=1)
    soup = Soup(recipe=ONE, seeds=2, choose="last", average=1.0)
    fitted = fit(row(soup), view, context)
    assert len(runs) == len(set(runs)) == 2
    members = []
    for seed in (2, 3):  # seed 1 of two: no other seed of this row shares a training
        within = context.reseeded(seed)
        members.append(trained_weights(ONE, base_of(ONE, within), view, within).folder)
    assert len(runs) == 2, "rows of one seed have the same trainings"
    first, second = (load_file(folder / "model.safetensors") for folder in members)
    mixed = load_file(fitted.models[0] / "model.safetensors")
    assert any(not torch.equal(first[name], second[name]) for name in first)
    for name, value in mixed.items():
        expected = (first[name].double().numpy() + second[name].double().numpy()) / 2
        assert np.abs(value.numpy() - expected).max() < 1e-6, name
    report = fitted.resolved["training"][0]
    assert (report["facts"]["seeds"], report["facts"]["taken"]) == ([2, 3], [2, 3])
    assert report["preparation"] >= 0


def test_settings_of_all_recipes_are_those_of_each_training() -> None:
    soup = Soup(budget="smoke", learning_rate=1e-3, average=0.5)
    assert soup.each == Supervised(budget="smoke", learning_rate=1e-3)
    assert soup.schedule() == Supervised(budget="smoke", learning_rate=1e-3).schedule()
    assert Soup(recipe=ContrastiveTension(budget="smoke")).needed() == frozenset()
    inner = Soup(recipe=Supervised(learning_rate=1e-4, scale=10.0), learning_rate=1e-3)
    assert inner.each == Supervised(learning_rate=1e-3, scale=10.0)


@pytest.mark.parametrize("recipe", [FrozenHead(), CrossEncoder(), Soup()])
def test_what_does_not_start_from_the_same_weights_is_refused(recipe: Any) -> None:
    with pytest.raises(SettingError, match=f"{recipe.name()} does not train the weights of an encoder"):
        Soup(recipe=recipe)


class _Numbers(_Mixture):
    """Models of one weight; dev likes a weight near a target."""

    def __init__(self, weights: list[float], target: float) -> None:
        self.model = torch.nn.Linear(1, 1, bias=False)
        self._weights = [{"weight": torch.tensor([[value]])} for value in weights]
        self._probe = lambda model: 1 - abs(float(model.weight.detach()) - target) / 10  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("weights", "target", "taken", "weight"),
    [
        ([1.0, 3.0, 9.0], 2.0, [0, 1], 2.0),  # 9 pulls the mean away
        ([9.0, 3.0, 1.0], 2.0, [1, 2], 2.0),
        ([5.0, 5.0, 5.0], 2.0, [0, 1, 2], 5.0),
        ([2.0, 8.0, 9.0], 2.0, [0], 2.0),
    ],
)
def test_a_greedy_soup_leaves_out_what_makes_dev_worse(
    weights: list[float], target: float, taken: list[int], weight: float
) -> None:
    mixture = _Numbers(weights, target)
    assert mixture.greedy() == taken
    assert float(mixture.model.weight) == pytest.approx(weight)
    assert mixture.uniform() == [0, 1, 2]
    assert float(mixture.model.weight) == pytest.approx(sum(weights) / 3)


def test_dev_decides_between_the_soup_and_the_model_before(
    row: Callable[..., Any], view: TrainView, context: Context
) -> None:
    soup = Soup(recipe=dataclasses.replace(ONE, choose="dev"), seeds=2, mix="greedy")
    report = fit(row(soup), view, context).resolved["training"][0]
    (start, before), (steps, value) = report["dev"]
    assert (start, steps) == (0, report["steps"])
    assert len(report["facts"]["dev_of_trainings"]) == 2
    assert value >= max(report["facts"]["dev_of_trainings"]) - 1e-6 or report["facts"]["taken"] != [0, 1]
    assert (report["average"] == 0) == (max(value, report["facts"]["dev_by_average"]["0.5"]) <= before)
