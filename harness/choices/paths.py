"""Settings of a value and of the values inside it, by their names: `k1`, or `first.k1` where several have a `k1`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from harness.base.errors import SettingError, UnknownName
from harness.choices import hints as type_hints
from harness.choices.expression import with_settings
from harness.choices.room import Room
from harness.choices.value import Value

T = TypeVar("T", bound=Value)
Step = tuple[str, int | None]
"""A setting, and a place in it if it has several values."""


def with_paths(
    value: T, settings: Mapping[str, object], room: Room[Any], rooms: Mapping[str, Room[Any]], named: Mapping[str, str]
) -> T:
    """The value with other settings, its own or of values inside it.

    A setting is named by itself if only one of these values has it, the outermost first, or with the way to it:
    `first.k1`, `methods.0.k1`, or the name of a part, `bm25.k1`. Settings that are values themselves are changed before
    what is inside them.

    Args:
        value: it is not changed.
        settings: name → plain data, as for `harness.choices.expression.with_settings`.
        room: whose items the short names name.
        rooms: package → room.
        named: short names for whole expressions.

    Raises:
        UnknownName: a setting that none of them has.
        SettingError: several have it, or it has the wrong type or is out of range.
    """
    for name in sorted(settings, key=lambda each: each.count(".")):
        steps, setting = _place(value, name)
        change = partial(_with, {setting: settings[name]}, room, rooms, named)
        value = _changed(value, steps, change)
    return value


def _with(plain: Mapping[str, object], room: Any, rooms: Any, named: Mapping[str, str], part: Any) -> Any:
    return with_settings(part, plain, room, rooms, named)


def _changed(value: Any, steps: tuple[Step, ...], change: Callable[[Any], Any]) -> Any:
    if not steps:
        return change(value)
    (field, number), *rest = steps
    inside = getattr(value, field)
    if number is None:
        return dataclasses.replace(value, **{field: _changed(inside, tuple(rest), change)})
    several = list(inside)
    several[number] = _changed(several[number], tuple(rest), change)
    return dataclasses.replace(value, **{field: tuple(several)})


def _place(value: Value, name: str) -> tuple[tuple[Step, ...], str]:
    """The way to the part that has a setting, and the setting."""
    *way, setting = name.split(".")
    steps: tuple[Step, ...] = ()
    part = value
    while way:
        found = _next(part, way)
        if found is None:
            known = [_written(way) for way, _ in _inside(value)]
            raise UnknownName(f"part of {value.name()}", ".".join(name.split(".")[:-1]), known)
        more, part, way = found
        steps += more
    if setting in _settings(part):
        return steps, setting
    having = [(way, inner) for way, inner in _inside(part) if setting in _settings(inner)]
    if len(having) > 1:
        ways = " or ".join(f"{_written((*steps, *way))}.{setting}" for way, _ in having)
        raise SettingError(f"several parts of {value} have a setting {setting!r}: write {ways}.")
    if not having:
        of = [part, *(inner for _, inner in _inside(part))]
        settings = {each for inner in of for each in _settings(inner)}
        raise UnknownName(f"setting of {value}", setting, settings)
    return (*steps, *having[0][0]), setting


def _next(part: Value, way: list[str]) -> tuple[tuple[Step, ...], Value, list[str]] | None:
    """The first steps of a way, the part that they lead to, and the rest of the way."""
    head, *rest = way
    if head in _settings(part):
        inside = getattr(part, head)
        if isinstance(inside, Value):
            return ((head, None),), inside, rest
        if isinstance(inside, tuple) and rest and rest[0].isdecimal() and int(rest[0]) < len(inside):
            return ((head, int(rest[0])),), inside[int(rest[0])], rest[1:]
        return None
    named = [(steps, inner) for steps, inner in _inside(part) if inner.name() == head.replace("-", "_")]
    return (*named[0], rest) if len(named) == 1 else None


def _settings(part: Value) -> dict[str, Any]:
    return type_hints.hints(type(part))


def _inside(value: Value) -> Iterator[tuple[tuple[Step, ...], Value]]:
    """All values inside one, at any depth, each with the way to it."""
    for field in dataclasses.fields(value):  # type: ignore[arg-type]
        own = getattr(value, field.name)
        pairs = [(None, own)] if isinstance(own, Value) else list(enumerate(own)) if isinstance(own, tuple) else []
        for number, part in pairs:
            if isinstance(part, Value):
                yield ((field.name, number),), part
                for way, inner in _inside(part):
                    yield ((field.name, number), *way), inner


def _written(way: tuple[Step, ...]) -> str:
    return ".".join(field if number is None else f"{field}.{number}" for field, number in way)
