"""Options of pytest from the declarations of the command line."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.base.errors import SettingError
from harness.cli.parameters import Parameters, Resources, Scoring
from harness.cli.pytest_options import add_options, read_options
from harness.cli.verdicts import Validate


def parsed(*arguments: str, parameters: type[Parameters] = Scoring) -> Any:
    """The options of pytest that are read from the arguments."""
    parser = pytest.Parser(_ispytest=True)
    add_options(parser.getgroup("harness"), parameters)
    return read_options(cast("pytest.Config", SimpleNamespace(option=parser.parse(arguments))), parameters)


def test_without_options_the_parameters_have_their_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_PRECISION", raising=False)
    assert parsed() == Scoring()
    assert parsed(parameters=Resources) == Resources()


def test_options_are_read_with_their_types() -> None:
    scoring = parsed("--measure", "P@5", "--measure", "RR", "--depth", "7", "--rerun", "--precision", "auto")
    assert scoring == Scoring(measure=["P@5", "RR"], depth=7, rerun=True, precision="auto")
    folders = parsed("--data-dir", "a", "--data-dir", "b", "--results", "r", "--memory", "1GB", parameters=Resources)
    assert folders == Resources(data_dir=[Path("a"), Path("b")], results=Path("r"), memory="1GB")


def test_an_environment_variable_gives_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_PRECISION", "bf16")
    assert parsed().precision == "bf16"
    assert parsed("--precision", "fp32").precision == "fp32"


def test_bounds_are_those_of_the_command_line() -> None:
    with pytest.raises(SettingError, match="--depth must be 1 or more, not 0"):
        parsed("--depth", "0")
    with pytest.raises(SettingError, match="--seed must be 0 or more, not -1"):
        parsed("--seed", "-1", parameters=Resources)


def test_a_parameter_that_must_be_given_is_no_option_of_pytest() -> None:
    with pytest.raises(AssertionError, match="has no default"):
        parsed(parameters=Validate)
