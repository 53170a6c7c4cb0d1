"""Commands whose parameters are the fields of one dataclass; `harness` and pytest take their options from it.

A field declares one parameter: its name and type, its default, and in `Annotated` typer's `Option` or `Argument` with
help, bounds and a check. `add_command` makes a command of typer from it, `harness.cli.pytest_options` an option of
pytest.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar, cast

import typer
from typer.models import ArgumentInfo, OptionInfo


class Status(IntEnum):
    """Exit status of a command."""

    OK = 0
    FAILED = 1
    """A row failed, or a collection or cache has errors."""
    BAD_INPUT = 2
    SKIPPED = 3
    """Every requested row was skipped."""
    TIED = 4
    INTERRUPTED = 130


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Parameters of a command; subclasses declare them as fields."""

    def prepare(self) -> None:
        """Done before the command's work, as importing what a parameter names.

        Raises:
            HarnessError: it cannot be done.
        """


P = TypeVar("P", bound=Parameters)
T = TypeVar("T")
MISSING = dataclasses.MISSING


@dataclass(frozen=True)
class Declared:
    """One parameter of a command.

    Args:
        name: of the field.
        annotation: the whole type, with `Annotated`.
        type: of one value.
        repeated: whether it is a list.
        default: a value, or `inspect.Parameter.empty` if it must be given.
        info: typer's declaration.
    """

    name: str
    annotation: object
    type: type
    repeated: bool
    default: object
    info: OptionInfo | ArgumentInfo

    @property
    def flag(self) -> str:
        """The long option, e.g. `--data-dir`."""
        first = self.info.default if isinstance(self.info.default, str) else None
        names = (first, *(self.info.param_decls or ()))
        return next((name for name in names if name), f"--{self.name.replace('_', '-')}")


def declared(parameters: type[Parameters]) -> list[Declared]:
    """All parameters of a declaration: its own first, then those of its bases."""
    hints = typing.get_type_hints(parameters, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(parameters)}
    order = dict.fromkeys(name for base in parameters.__mro__ for name in inspect.get_annotations(base))
    return [_declared(fields[name], hints[name]) for name in order if name in fields]


def add_command(group: typer.Typer, work: Callable[[P], Status], name: str | None = None) -> None:
    """Adds a command to a group; its help is the function's docstring.

    Args:
        group: the group.
        work: takes the parameters, an instance of the dataclass that its annotation names, and does the work.
        name: of the command; None takes the function's.
    """
    (parameters,) = (hint for key, hint in typing.get_type_hints(work).items() if key != "return")
    make = cast("Callable[..., P]", parameters)
    every = declared(parameters)

    def command(**values: object) -> None:
        raise typer.Exit(run_to_end(work, make(**values)))

    keyword = inspect.Parameter.KEYWORD_ONLY
    signature = [inspect.Parameter(p.name, keyword, default=p.default, annotation=p.annotation) for p in every]
    command.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in every}
    command.__doc__ = work.__doc__
    group.command(name or work.__name__)(command)


def run_to_end(work: Callable[[P], Status], parameters: P) -> Status:
    """Runs a command; an interrupted one gets a message, which typer would not print."""
    from harness.cli.progress import CURRENT, Activity
    from harness.report.screen import Screen, show_warnings

    show_warnings()
    activity = Activity(Screen(stderr=True, quiet=getattr(parameters, "quiet", False)))
    activity.start()
    CURRENT.set(activity)
    try:
        parameters.prepare()
        return work(parameters)
    except KeyboardInterrupt:
        activity.stop()
        typer.secho("harness: interrupted; finished work is saved, run the same command to continue.", err=True)
        return Status.INTERRUPTED
    except EOFError as error:  # click takes it for the end of a prompt, and prints only "Aborted."
        raise RuntimeError("a file or stream ended early") from error
    finally:
        activity.stop()
        CURRENT.set(None)


def checked(check: Callable[[T], None]) -> Callable[[T], T]:
    """A callback of typer that lets a check raise its `SettingError` and returns the value."""

    def callback(value: T) -> T:
        check(value)
        return value

    return callback


def _declared(field: dataclasses.Field[object], annotation: object) -> Declared:
    kind, info = typing.get_args(annotation)
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        (kind,) = (each for each in typing.get_args(kind) if each is not types.NoneType)
    repeated = typing.get_origin(kind) is list
    if repeated:
        (kind,) = typing.get_args(kind)
    return Declared(field.name, annotation, kind, repeated, _default(field), info)


def _default(field: dataclasses.Field[object]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return inspect.Parameter.empty if field.default is MISSING else field.default
