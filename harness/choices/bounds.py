"""Bounds of settings: the annotations of a value's fields say what each may be, and are checked here.

`k1: Annotated[float, Ge(0)]`, `depth: Count`, `Literal["fp32", "bf16"]`, `analyzer: Analyzer`, `tuple[Method, ...]`,
`X | None`. The bounds are those of annotated-types: `Ge`, `Gt`, `Le`, `Lt`, `Interval`, `MinLen`, `MaxLen`, `Len`.
What several fields decide together is checked by the value's own `__post_init__`, after `super().__post_init__()`.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union

from annotated_types import Ge, GroupedMetadata, Gt, Interval, Le, Lt, MaxLen, MinLen

from harness.base.errors import SettingError
from harness.choices._text import shown
from harness.choices.items import names

Count = Annotated[int, Ge(1)]
"""A whole number, 1 or more."""
WholeNumber = Annotated[int, Ge(0)]
"""A whole number, 0 or more."""
NonNegative = Annotated[float, Ge(0)]
"""A finite number, 0 or more."""
Positive = Annotated[float, Gt(0)]
"""A finite number above 0."""
Share = Annotated[float, Interval(ge=0, le=1)]
"""A number from 0 to 1, both included."""
NonEmpty = Annotated[str, MinLen(1)]
"""A text of at least one character."""

_NUMBERS: dict[type, type] = {int: numbers.Integral, float: numbers.Real}
_PLAIN = {int: "a whole number", float: "a number", str: "a text", bool: "True or False", type(None): "None"}


def hints(cls: type) -> dict[str, Any]:
    """Field → annotation with its bounds, resolved once for each class."""
    return _hints(cls)  # classes are hashable whatever their instances are


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    resolved = typing.get_type_hints(cls, include_extras=True)
    return {field.name: resolved[field.name] for field in dataclasses.fields(cls)}


def check(value: Any, item: str) -> None:
    """Checks every field of a dataclass by its annotation.

    Args:
        value: the dataclass.
        item: its name, for the message.

    Raises:
        SettingError: the first field that is of the wrong type or out of bounds.
    """
    for name, hint in hints(type(value)).items():
        check_setting(getattr(value, name), hint, f"{item}: {name}")


def check_setting(value: object, hint: Any, where: str) -> None:
    """Checks one setting.

    Args:
        value: of the setting.
        hint: its annotation.
        where: item and setting, as `bm25: k1`.

    Raises:
        SettingError: as `bm25: k1 must be a number, 0 or more, not "1.2"`.
    """
    if not fits(value, hint):
        raise SettingError(f"{where} must be {_wanted(value, hint)}, not {_given(value, hint, where)}")


def options(hint: Any) -> tuple[Any, ...]:
    """The alternatives of `X | Y`; of any other annotation, itself."""
    return typing.get_args(hint) if typing.get_origin(hint) in (Union, types.UnionType) else (hint,)


def unbounded(hint: Any) -> Any:
    """The type alone: `float` of `Annotated[float, Ge(0)]`."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint


def element(hint: Any) -> Any:
    """X of `tuple[X, ...]`; None of any other annotation."""
    plain = unbounded(hint)
    arguments = typing.get_args(plain)
    return arguments[0] if typing.get_origin(plain) is tuple and arguments[1:] == (...,) else None


def contract(hint: Any) -> Any:
    """The class of a room's items that a setting takes, or takes next to None; None where it takes no value."""
    classes = (option for option in map(unbounded, options(hint)) if hasattr(option, "room"))
    return next(classes, None)


def is_float(hint: Any) -> bool:
    """Whether a setting is a number that need not be whole, so that `1` is written for `1.0`."""
    kinds = {unbounded(option) for option in options(hint)}
    return float in kinds and int not in kinds


def fits(value: object, hint: Any) -> bool:
    """Whether a setting may be this."""
    return any(_of_type(value, option) and _within(value, option) for option in options(hint))


def words(hint: Any) -> str:
    """What a setting may be: `a number, 0 or more`."""
    alternatives = options(hint)
    is_long = contract(hint) is not None or any(map(_said, alternatives))
    link = ", or " if is_long else " or "
    return link.join(map(_words, alternatives))


def _of_type(value: object, option: Any) -> bool:
    """Whether the type is right, whatever the bounds."""
    plain = unbounded(option)
    if typing.get_origin(plain) is Literal:
        return any(type(value) is type(choice) and value == choice for choice in typing.get_args(plain))
    inner = element(plain)
    if inner is not None:
        return isinstance(value, tuple) and all(fits(each, inner) for each in value)
    if not isinstance(plain, type):  # a form that no setting of ours has
        return True
    is_bool = isinstance(value, bool) and plain in _NUMBERS
    return isinstance(value, _NUMBERS.get(plain, plain)) and not is_bool


def _bounds(option: Any) -> Iterator[Any]:
    """The bounds of an annotation, groups as `Interval` taken apart."""
    for bound in getattr(option, "__metadata__", ()):
        if isinstance(bound, GroupedMetadata):
            yield from bound
        else:
            yield bound


def _within(value: Any, option: Any) -> bool:
    bounds = [*_bounds(option)]
    if bounds and unbounded(option) is float and not _finite(value):
        return False
    return all(_holds(value, bound) for bound in bounds)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can be
        return False


def _holds(value: Any, bound: Any) -> bool:
    match bound:
        case Ge(least):
            return bool(value >= least)
        case Gt(below):
            return bool(value > below)
        case Le(most):
            return bool(value <= most)
        case Lt(above):
            return bool(value < above)
        case MinLen(least):
            return len(value) >= least
        case MaxLen(most):
            return len(value) <= most
    raise TypeError(f"{bound!r} is no bound that a setting can have")


def _wanted(value: object, hint: Any) -> str:
    """What a setting must be: all of it, or only the bounds where the type is right."""
    right = [option for option in options(hint) if _of_type(value, option)]
    if not right:
        return words(hint)
    option = right[0]
    if unbounded(option) is float and not _finite(value):
        return f"{_said(option)} and finite"
    return _said(option)


def _words(option: Any) -> str:
    plain, limits = unbounded(option), _said(option)
    if typing.get_origin(plain) is Literal:
        return "one of " + ", ".join(map(shown, typing.get_args(plain)))
    if (inner := element(plain)) is not None:
        kind = f"a tuple, each {words(inner)}"
    elif hasattr(plain, "room"):
        kind = f"{_noun(plain)} as {_listed(names(plain.room))}"
    else:
        kind = _PLAIN.get(plain) or str(getattr(plain, "__name__", plain))
    return f"{kind}, {limits}" if limits else kind


def _noun(plain: Any) -> str:
    noun = plain.__name__.lower()
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _listed(known: list[str]) -> str:
    *most, last = known
    return f"{', '.join(most)} or {last}" if most else last


def _said(option: Any) -> str:
    """The bounds in words: `above 0 and at most 1`."""
    found = {type(bound): bound for bound in _bounds(option)}
    if found.keys() == {Ge, Le}:
        return f"between {_number(found[Ge].ge)} and {_number(found[Le].le)}"
    if found.keys() == {MinLen, MaxLen} and found[MinLen].min_length == found[MaxLen].max_length:
        return f"{found[MinLen].min_length} long"
    return " and ".join(map(_bound_words, found.values()))


def _bound_words(bound: Any) -> str:
    match bound:
        case Ge(least):
            return f"{_number(least)} or more"
        case Gt(below):
            return f"above {_number(below)}"
        case Le(most):
            return f"at most {_number(most)}"
        case Lt(above):
            return f"below {_number(above)}"
        case MinLen(1):
            return "not empty"
        case MinLen(least):
            return f"at least {least} long"
        case MaxLen(most):
            return f"at most {most} long"
    return str(bound)


def _number(bound: Any) -> str:
    return str(int(bound) if bound == int(bound) else bound)


def _given(value: object, hint: Any, where: str) -> str:
    """What a setting was instead; for the name of an item in quotes, how it is written."""
    wanted = contract(hint)
    if wanted is None or not isinstance(value, str):
        return shown(value)
    if value.partition("(")[0].strip() not in names(wanted.room):
        return f"the text {shown(value)}"
    setting = where.rpartition(": ")[2]
    example = value if " " in setting else f"{setting}={value}"
    return f"the text {shown(value)}; write {example}"
