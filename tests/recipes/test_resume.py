"""Sparse and late-interaction encoders whose training was killed go on to the same model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.cache.folders import Cache
from harness.data.dataset import TrainView
from harness.methods import Method, fit
from harness.methods.late import Late
from harness.methods.sparse import Sparse
from harness.recipes import RECIPES
from harness.runtime.context import Context
from harness.training.probes import RaggedProbe
from harness.training.schedule import Schedule
from harness.training.trained import with_recipes


class Killed(BaseException):
    """In place of a signal."""


@pytest.mark.parametrize(("name", "row"), [("splade", Sparse), ("colbert", Late)])
def test_a_killed_training_goes_on_to_the_same_model(
    name: str, row: Any, view: TrainView, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = Schedule(
        steps=6, batch=4, learning_rate=1e-3, max_length=32, evaluations=3, dev_pool=100, precision="fp32"
    )
    monkeypatch.setattr(RECIPES.get(name), "schedules", {"smoke": schedule, "small": schedule, "full": schedule})
    method: Method = with_recipes(row(str(tiny_encoder)), (RECIPES.get(name)(budget="smoke"),))
    whole = fit(method, view, Context(cache=Cache(tmp_path / "whole")))
    measure, calls = RaggedProbe.__call__, []

    def dying(self: RaggedProbe, model: Any) -> float:
        calls.append(1)
        if len(calls) == 3:  # before the first step, after the second, after the fourth
            raise Killed
        return measure(self, model)

    monkeypatch.setattr(RaggedProbe, "__call__", dying)
    with pytest.raises(Killed):
        fit(method, view, Context(cache=Cache(tmp_path / "killed")))
    monkeypatch.setattr(RaggedProbe, "__call__", measure)
    assert list((tmp_path / "killed" / "checkpoints").glob("*/checkpoint-2"))
    again = fit(method, view, Context(cache=Cache(tmp_path / "killed")))
    assert again.resolved["sha"] == whole.resolved["sha"]
    told, expected = again.resolved["training"][0], whole.resolved["training"][0]
    assert {k: told[k] for k in ("dev", "loss", "steps", "facts")} == {
        k: expected[k] for k in ("dev", "loss", "steps", "facts")
    }
