"""A command's parameters are the fields of its dataclass: order, defaults, checks and what the function receives."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from harness.base.errors import SettingError
from harness.cli.declaration import Parameters, Status, add_command, checked, declared


@dataclass(frozen=True, kw_only=True)
class Shared(Parameters):
    folder: Annotated[Path | None, typer.Option("--folder", "-f", help="A folder.")] = None


def refuse_odd(number: int) -> None:
    if number % 2:
        raise SettingError(f"{number} is odd.")


@dataclass(frozen=True, kw_only=True)
class Own(Shared):
    name: Annotated[str, typer.Argument(help="A name.")]
    number: Annotated[int, typer.Option(min=0, help="A number.", callback=checked(refuse_odd))] = 4
    words: Annotated[list[str], typer.Option("--word", help="A word.")] = field(default_factory=list)


received: list[Own] = []


def work(parameters: Own) -> Status:
    """Does the work."""
    received.append(parameters)
    return Status.TIED


@pytest.fixture
def app() -> typer.Typer:
    received.clear()
    group = typer.Typer(pretty_exceptions_enable=False)
    add_command(group, work)
    return group


def test_own_parameters_come_before_shared_ones() -> None:
    assert [parameter.name for parameter in declared(Own)] == ["name", "number", "words", "folder"]


def test_a_declaration_knows_flag_type_and_default_of_each_parameter() -> None:
    name, number, words, folder = declared(Own)
    assert (number.flag, number.type, number.repeated, number.default) == ("--number", int, False, 4)
    assert (words.flag, words.type, words.repeated, words.default) == ("--word", str, True, [])
    assert (folder.flag, folder.type, folder.repeated, folder.default) == ("--folder", Path, False, None)
    assert name.default is inspect.Parameter.empty


def test_the_function_receives_the_parameters_and_returns_the_exit_status(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["x", "--number", "2", "--word", "a", "--word", "b", "-f", "here"])
    assert result.exit_code == 4
    assert received == [Own(name="x", number=2, words=["a", "b"], folder=Path("here"))]
    assert CliRunner().invoke(app, ["y"]).exit_code == 4
    assert received[1] == Own(name="y")
    assert received[1].words is not Own(name="y").words


def test_a_value_that_the_check_refuses_raises_its_error(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["x", "--number", "3"])
    assert isinstance(result.exception, SettingError)
    assert not received


def test_the_help_is_the_docstring_of_the_function(app: typer.Typer) -> None:
    out = CliRunner().invoke(app, ["--help"]).output
    assert "Does the work." in out
    assert "A number." in out


def test_a_file_that_ends_early_is_no_prompt_that_was_closed() -> None:
    """Click prints "Aborted." for an EOFError of any cause: of a truncated `.pyc`, a pickle, a broken pipe."""
    group = typer.Typer(pretty_exceptions_enable=False)

    def cut(parameters: Shared) -> Status:
        """Reads a truncated file."""
        raise EOFError("marshal data too short")

    add_command(group, cut)
    done = CliRunner().invoke(group, [])
    assert isinstance(done.exception, RuntimeError)
    assert isinstance(done.exception.__cause__, EOFError)
    assert "Aborted" not in done.output
