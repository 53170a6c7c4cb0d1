"""What the annotation of a setting says: its alternatives, its type without bounds, its bounds.

`Annotated[float, Ge(0)] | None` has two alternatives; the first is a `float` with one bound.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Union

from annotated_types import GroupedMetadata


def hints(cls: type) -> dict[str, Any]:
    """Field → annotation with its bounds, resolved once for each class."""
    return _hints(cls)  # classes are hashable whatever their instances are


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    resolved = typing.get_type_hints(cls, include_extras=True)
    return {field.name: resolved[field.name] for field in dataclasses.fields(cls)}


def options(hint: Any) -> tuple[Any, ...]:
    """The alternatives of `X | Y`; of any other annotation, itself."""
    return typing.get_args(hint) if typing.get_origin(hint) in (Union, types.UnionType) else (hint,)


def unbounded(hint: Any) -> Any:
    """The type without its bounds: `float` of `Annotated[float, Ge(0)]`."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint


def element(hint: Any) -> Any:
    """X of `tuple[X, ...]`; None of any other annotation."""
    plain = unbounded(hint)
    arguments = typing.get_args(plain)
    return arguments[0] if typing.get_origin(plain) is tuple and arguments[1:] == (...,) else None


def contract(hint: Any) -> Any:
    """The class of a room's items that a setting accepts, with or without None; None if it accepts no such value."""
    classes = (option for option in map(unbounded, options(hint)) if hasattr(option, "room"))
    return next(classes, None)


def is_float(hint: Any) -> bool:
    """Whether a setting is a number that need not be whole, so that `1` is written for `1.0`."""
    kinds = {unbounded(option) for option in options(hint)}
    return float in kinds and int not in kinds


def limits(option: Any) -> Iterator[Any]:
    """The bounds of an annotation, with groups such as `Interval` split."""
    for bound in getattr(option, "__metadata__", ()):
        if isinstance(bound, GroupedMetadata):
            yield from bound
        else:
            yield bound
