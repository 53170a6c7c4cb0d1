"""Values: all that one can choose (a method, an analyser, a fusion, an index) is a frozen dataclass that prints as an
expression.

`bm25(k1=1.2)` is how `BM25(k1=1.2)` prints, how it is written on the command line and how it is named in a record;
`harness.choices.expression.parse` reads it back to an equal value. An item's name is the name of the file that holds
it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import types
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from harness.choices import bounds
from harness.choices._text import shown

EXACT_INTEGERS = 2.0**53
LATER = types.MappingProxyType({"later": True})
"""Metadata of a setting that came when things were already kept under the full expression: it is unsaid at its default
there too, so that their keys stand.
"""
RECIPES = "recipes"
"""The name under which `full` and `settings` write how a value is trained first; in an expression, `+` adds to it."""


class Value:
    """Base of every choosable thing. Subclasses are `@dataclass(frozen=True)` and live one per file."""

    room: ClassVar[str]
    """The package that holds the values of this kind, for example `harness.methods`; set by each room's contract."""
    paid: ClassVar[bool] = False
    """Whether each text or query may cost money: such a value is never asked for what can be had without it."""
    recipes_after: ClassVar[str | None] = None
    """Of a value that can be trained: the setting after which `full` and `settings` write its recipes."""

    def __post_init__(self) -> None:
        """Checks each setting by its annotation (`harness.choices.bounds`).

        Raises:
            SettingError: a setting of the wrong type or out of bounds.
        """
        bounds.check(self, self.name())

    @classmethod
    def name(cls) -> str:
        """The item's name: that of its file."""
        return cls.__module__.rpartition(".")[2]

    def __str__(self) -> str:
        """The shortest expression that parses back to this value: settings at their defaults are left out."""
        return self._expression(full=False)

    def full(self) -> str:
        """The expression with every setting written out, defaults too, but for those of `LATER`."""
        return self._expression(full=True)

    def told(self, short: Callable[[Value], str | None]) -> str:
        """As `str`, with short names for parts: `short` gives a value's, or None where it has none."""
        return short(self) or self._expression(full=False, short=short)

    def settings_beside(self, other: Value) -> str:
        """Those of its settings that differ from another value's of its class, as they print: `k1=1.2, b=0.3`."""
        differ = [f.name for f in _fields(self) if getattr(self, f.name) != getattr(other, f.name)]
        return ", ".join(f"{name}={_literal(getattr(self, name), full=False)}" for name in differ)

    def fingerprint(self) -> str:
        """16 hexadecimal digits that identify the value with all its settings."""
        return hashlib.sha256(self.full().encode()).hexdigest()[:16]

    def settings(self, recipes: tuple[Value, ...] = ()) -> dict[str, Any]:
        """Every setting as JSON-safe data, as `full` has them; nested values become `{"name": …, settings…}`.

        Args:
            recipes: of a value that can be trained: how it is trained first.
        """
        return {name: _plain(value) for name, value in self._written(recipes)}

    @property
    def untrained(self) -> Value:
        """The value without its recipes; itself where it has none."""
        return self

    def parts(self) -> Iterator[Value]:
        """The values nested directly in this one, in the order of the settings."""
        for field in _fields(self):
            yield from _values(getattr(self, field.name))

    def _written(self, recipes: tuple[Value, ...], *, full: bool = True) -> Iterator[tuple[str, Any]]:
        """Name and value of the settings that an expression has, `recipes` among them in its place.

        Args:
            recipes: how the value is trained first.
            full: False leaves out all that is at its default.
        """
        for field in _fields(self):
            value = getattr(self, field.name)
            if value != _default(field) or (full and not field.metadata.get("later")):
                yield field.name, value
            if field.name == self.recipes_after and (full or recipes):
                yield RECIPES, recipes

    def _expression(
        self,
        *,
        full: bool,
        short: Callable[[Value], str | None] = lambda value: None,
        recipes: tuple[Value, ...] = (),
    ) -> str:
        shown = [
            f"{name}={_literal(value, full=full, short=short)}" for name, value in self._written(recipes, full=full)
        ]
        return f"{self.name()}({', '.join(shown)})" if shown else self.name()


def _fields(value: Value) -> tuple[dataclasses.Field[Any], ...]:
    if not dataclasses.is_dataclass(value):
        raise TypeError(f"{type(value).__name__} must be a frozen dataclass")
    return dataclasses.fields(value)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _literal(value: Any, *, full: bool, short: Callable[[Value], str | None] = lambda value: None) -> str:
    if isinstance(value, Value):
        return short(value) or value._expression(full=full, short=short)
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_INTEGERS:
        return str(int(value))  # 1.0 equals 1, and equal values print and hash alike
    if isinstance(value, tuple):
        inner = ", ".join(_literal(v, full=full, short=short) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Value):
        return {"name": value.name(), **value.settings()}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value


def _values(value: Any) -> Iterator[Value]:
    if isinstance(value, Value):
        yield value
    elif isinstance(value, tuple):
        for inner in value:
            yield from _values(inner)
