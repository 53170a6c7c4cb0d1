"""Declared parameters as options of pytest, so that `pytest suites/` takes what `harness` takes."""

from __future__ import annotations

import inspect
import os
from collections.abc import Collection
from typing import TYPE_CHECKING, TypeVar

from typer.models import OptionInfo

from harness.base.errors import SettingError
from harness.cli.declaration import Declared, Parameters, declared

if TYPE_CHECKING:
    import pytest

P = TypeVar("P", bound=Parameters)


def add_options(group: pytest.OptionGroup, parameters: type[Parameters], unset: Collection[str] = ()) -> None:
    """Adds an option for each parameter, under its long name.

    Args:
        group: of pytest's options.
        parameters: a declaration without arguments and without required options.
        unset: names of parameters that are None unless they are given.
    """
    for parameter in declared(parameters):
        if parameter.type is bool:
            group.addoption(parameter.flag, dest=parameter.name, action="store_true", help=_help(parameter))
            continue
        group.addoption(
            parameter.flag,
            dest=parameter.name,
            action="append" if parameter.repeated else "store",
            type=parameter.type,
            default=None if parameter.name in unset else _default(parameter),
            help=_help(parameter),
        )


def read_options(config: pytest.Config, parameters: type[P]) -> P:
    """The parameters that pytest was called with.

    Raises:
        SettingError: a value out of bounds, one that its check refuses, or a plug-in that cannot be imported.
    """
    values = {parameter.name: getattr(config.option, parameter.name) for parameter in declared(parameters)}
    for parameter in declared(parameters):
        _check(parameter, values[parameter.name])
    made = parameters(**values)
    made.prepare()
    return made


def _default(parameter: Declared) -> object:
    info = parameter.info
    variable = info.envvar if isinstance(info, OptionInfo) else None
    if isinstance(variable, str) and variable in os.environ:
        return os.environ[variable]
    assert parameter.default is not inspect.Parameter.empty, f"{parameter.flag} has no default"
    return parameter.default


def _help(parameter: Declared) -> str:
    help_text = parameter.info.help or ""
    if parameter.default in (None, False, []) or parameter.repeated:
        return help_text
    return f"{help_text} (default: {parameter.default})"


def _check(parameter: Declared, value: object) -> None:
    least = parameter.info.min
    if least is not None and isinstance(value, (int, float)) and value < least:
        raise SettingError(f"{parameter.flag} must be {least} or more, not {value}.")
    if parameter.info.callback is not None:
        parameter.info.callback(value)
