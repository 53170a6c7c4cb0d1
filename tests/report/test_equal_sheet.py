"""The table of equal trials: the best recipe on test first, each against one baseline, those without scores last."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.compare.evidence import contrasts
from harness.compare.verdict import verdict
from harness.report.equal_sheet import compared, equal_sheet
from harness.rows import parse_method
from harness.sweep.result import OnTest, SweepResult
from tests.report.conftest import EASE, tried

QUERIES = [f"t{i:02}" for i in range(40)]
RECIPES = {
    "supervised(learning_rate=3e-5, tokens=1_000)": 0.05,
    'frozen_head(learning_rate=1e-3, epochs=20.0, sides="query")': 0.1,
}


@pytest.fixture
def swept(scored: Callable[..., Any]) -> list[SweepResult]:
    """Two recipes with scores on test, and one without."""

    def values(gain: float) -> dict[str, float]:
        noise = np.random.default_rng(3).normal(0, 0.01, 40)
        return dict(zip(QUERIES, (EASE[:, 0] + gain + noise * (gain > 0)).tolist(), strict=True))

    sweeps = []
    for recipe, gain in RECIPES.items():
        best = dataclasses.replace(tried(recipe, gain), method=parse_method(f"dense+{recipe}"), group="dense+it")
        other = tried("other", -0.2)
        bare = SweepResult("recipes", "beir/example/test", "nDCG@10", "grid", (best, other), (tried("dense", 0.0),))
        verdicts = (verdict(contrasts([(scored(recipe, values(gain)), scored("dense", values(0.0)))])[0]),)
        tested = OnTest(verdicts[0].contrast.row, None, verdicts, None, (recipe,))
        sweeps.append(dataclasses.replace(bare, tested=tested))
    return [dataclasses.replace(sweeps[0], tested=None, problem="it is lost"), *sweeps]


def test_each_recipe_has_its_chosen_setting_its_cost_and_its_difference(swept: list[SweepResult]) -> None:
    sheet, sentences = equal_sheet(swept)
    columns = {field.key or field.heading: field.texts for field in sheet.fields}
    assert columns["chosen"] == [
        "learning rate 0.001, 20 epochs",
        "learning rate 3e-05, 1,000 tokens",
        "learning rate 3e-05, 1,000 tokens",
    ]
    assert columns["new index"] == ["no", "yes", "yes"]
    assert columns["tried"] == ["2", "2", "2"]
    assert columns["seconds"] == ["12 s"] * 3, "two settings, two seeds, three seconds each"
    assert columns["score"][-1] == "–"
    gaps = columns["from the baseline"]
    assert gaps[0].startswith("+0.0996 [+0.09")
    assert gaps[0].endswith("*")
    assert gaps[2] == "–"
    assert len(sentences) == 2
    assert "significantly better than dense" in sentences[0]


def test_p_values_are_corrected_over_the_recipes_of_the_table(swept: list[SweepResult]) -> None:
    together, alone = compared(swept), compared(swept[1:2])
    assert together.keys() == {id(one) for one in swept[1:]}
    own, other = together[id(swept[1])].contrast, alone[id(swept[1])].contrast
    assert (own.family.contrasts, other.family.contrasts) == (2, 1)
    assert own.tested.p >= other.tested.p
