"""Seeds and depths that no record holds are refused before anything is done, whatever the way in."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import api
from harness.base.errors import SettingError
from harness.base.limits import BEYOND, checked_depth, checked_seed
from harness.bench.store import Store
from harness.runtime.context import Context


def test_what_a_record_holds_is_taken() -> None:
    assert [checked_seed(n) for n in (0, BEYOND - 1)] == [0, BEYOND - 1]
    assert [checked_depth(n) for n in (1, BEYOND - 1)] == [1, BEYOND - 1]


def test_the_api_refuses_a_seed_and_a_depth_that_no_record_holds(
    small_folder: Path, results: Store, context: Context
) -> None:
    for make in (lambda: api.open_context(seed=BEYOND), lambda: Context(seed=BEYOND), lambda: context.reseeded(BEYOND)):
        with pytest.raises(SettingError, match=r"seed must be below 2\^63"):
            make()
    for depth, told in ((BEYOND, r"below 2\^63"), (0, "1 or more")):
        with pytest.raises(SettingError, match=f"depth must be {told}"):
            api.run("bm25", dataset=str(small_folder), depth=depth, results=results.root, context=context)
    assert not results.root.exists()


@pytest.mark.parametrize("option", ["seed", "depth"])
def test_the_command_refuses_them(option: str, small_folder: Path, results: Store, harness_command) -> None:
    given = ("-d", small_folder, "-m", "bm25", "--results", results.root, f"--{option}", BEYOND)
    said = harness_command("run", *given)
    assert said.status != 0
    assert f"{option} must be below 2^63" in said.err
    assert not results.root.exists()
    if option == "depth":  # a plan has no seed
        assert "depth must be below 2^63" in harness_command("run", *given, "--plan").err
