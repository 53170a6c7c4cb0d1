"""`harness recipes`: what it will take, and bad input before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_dry_run_has_a_line_for_each_recipe(harness_command: Callable[..., Any], small_folder: Path) -> None:
    said = harness_command("recipes", "dense", "--recipe", "frozen_head", "--recipe", "supervised(lora=4)", "-d",
                           small_folder, "--seeds", "2", "--dry-run")  # fmt: skip
    assert said.status == 0, said.err
    assert "24 of 24 cells are left" in said.out
    assert "dense+frozen_head" in said.out
    assert "dense+supervised(lora=4)" in said.out
    assert not Path("results").exists()


def test_a_row_that_is_not_trained_and_an_unknown_recipe_are_bad_input(
    harness_command: Callable[..., Any], small_folder: Path
) -> None:
    said = harness_command("recipes", "bm25", "-d", small_folder)
    assert said.status == 2
    assert "bm25 has no model of its own to train" in said.err
    said = harness_command("recipes", "dense", "--recipe", "supervise", "-d", small_folder)
    assert said.status == 2
    assert "did you mean 'supervised'" in said.err
