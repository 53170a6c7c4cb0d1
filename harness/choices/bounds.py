"""Bounds of settings: the annotations of a value's fields say what each may be, and are checked here.

`k1: Annotated[float, Ge(0)]`, `depth: Count`, `Literal["fp32", "bf16"]`, `analyzer: Analyzer`, `tuple[Method, ...]`,
`X | None`. The bounds are those of annotated-types: `Ge`, `Gt`, `Le`, `Lt`, `Interval`, `MinLen`, `MaxLen`, `Len`.
Rules between several fields are checked by the value's own `__post_init__`, after `super().__post_init__()`.
"""

from __future__ import annotations

import math
import numbers
import typing
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Interval, Le, Lt, MaxLen, MinLen

from harness.base.errors import SettingError
from harness.choices._text import shown
from harness.choices.hints import contract, element, hints, limits, options, unbounded
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

_NUMBERS: dict[type, type] = {int: numbers.Integral, float: numbers.Real}
_PLAIN = {int: "a whole number", float: "a number", str: "a string", bool: "True or False", type(None): "None"}


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
        raise SettingError(f"{where} must be {_expected(value, hint)}, not {_actual(value, hint, where)}")


def fits(value: object, hint: Any) -> bool:
    """Whether a setting may have this value."""
    return any(_of_type(value, option) and _within(value, option) for option in options(hint))


def words(hint: Any) -> str:
    """What a setting may be: `a number, 0 or more`."""
    alternatives = options(hint)
    has_commas = contract(hint) is not None or any(map(_bounds_in_words, alternatives))
    link = ", or " if has_commas else " or "
    return link.join(map(_words, alternatives))


def _of_type(value: object, option: Any) -> bool:
    """Whether the type is right; bounds are not checked."""
    plain = unbounded(option)
    if typing.get_origin(plain) is Literal:
        return any(type(value) is type(choice) and value == choice for choice in typing.get_args(plain))
    inner = element(plain)
    if inner is not None:
        return isinstance(value, tuple) and all(fits(each, inner) for each in value)
    if not isinstance(plain, type):  # a form that none of our settings has
        return True
    is_bool = isinstance(value, bool) and plain in _NUMBERS
    return isinstance(value, _NUMBERS.get(plain, plain)) and not is_bool


def _within(value: Any, option: Any) -> bool:
    bounds = [*limits(option)]
    if bounds and unbounded(option) is float and not _finite(value):
        return False
    return all(_holds(value, bound) for bound in bounds)


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number too large for a float
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
    raise TypeError(f"{bound!r} is not a bound that a setting can have")


def _expected(value: object, hint: Any) -> str:
    """What a setting must be: type and bounds, or only the bounds if the type is right."""
    option = next((option for option in options(hint) if _of_type(value, option)), None)
    if option is None:
        return words(hint)
    if unbounded(option) is float and not _finite(value):
        return f"{_bounds_in_words(option)} and finite"
    return _bounds_in_words(option)


def _words(option: Any) -> str:
    plain, bounds = unbounded(option), _bounds_in_words(option)
    if typing.get_origin(plain) is Literal:
        return "one of " + ", ".join(map(shown, typing.get_args(plain)))
    if (inner := element(plain)) is not None:
        kind = f"a tuple, each {words(inner)}"
    elif hasattr(plain, "room"):
        kind = f"{_noun(plain)} such as {_listed(names(plain.room))}"
    else:
        kind = _PLAIN.get(plain) or str(getattr(plain, "__name__", plain))
    return f"{kind}, {bounds}" if bounds else kind


def _noun(plain: Any) -> str:
    noun = plain.__name__.lower()
    article = "an" if noun[0] in "aeiou" else "a"
    return f"{article} {noun}"


def _listed(known: list[str]) -> str:
    *others, last = known
    return f"{', '.join(others)} or {last}" if others else last


def _bounds_in_words(option: Any) -> str:
    """The bounds in words: `above 0 and at most 1`."""
    by_kind = {type(bound): bound for bound in limits(option)}
    if by_kind.keys() == {Ge, Le}:
        return f"between {_number(by_kind[Ge].ge)} and {_number(by_kind[Le].le)}"
    if by_kind.keys() == {MinLen, MaxLen} and by_kind[MinLen].min_length == by_kind[MaxLen].max_length:
        return f"{by_kind[MinLen].min_length} long"
    return " and ".join(map(_bound_in_words, by_kind.values()))


def _bound_in_words(bound: Any) -> str:
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


def _actual(value: object, hint: Any, where: str) -> str:
    """The refused value; if it is the name of an item in quotes, with how to write it."""
    accepted = contract(hint)
    if accepted is None or not isinstance(value, str):
        return shown(value)
    if value.partition("(")[0].strip() not in names(accepted.room):
        return f"the string {shown(value)}"
    setting = where.rpartition(": ")[2]
    example = value if " " in setting else f"{setting}={value}"
    return f"the string {shown(value)}; write {example}"
