"""Values: everything that can be chosen (a method, an analyser, an index) is a frozen dataclass that prints as an
expression.

`bm25(k1=1.2)` is how `BM25(k1=1.2)` prints, how it is written on the command line and how it is named in a record;
`harness.choices.expression.parse` reads it back to an equal value. An item's name is the name of its file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import types
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from harness.choices import bounds
from harness.choices._text import shown

EXACT_INTEGERS = 2.0**53
LATER = types.MappingProxyType({"later": True})
"""Marks a setting added later: `full` omits it at its default too, so that existing cache keys stay valid."""
PLUGIN = "harness_plugin_"
"""Begins the names of the modules of plug-ins (`harness.choices.plugins`), whose items are named after their class."""
RECIPES = "recipes"
"""The name under which `full` and `settings` write the recipes that train a value; in an expression, `+` adds one."""


class Value:
    """Base of every choosable thing. Subclasses are `@dataclass(frozen=True)` and live one per file."""

    room: ClassVar[str]
    """The package that holds the values of this kind, for example `harness.methods`; set by each room's contract."""
    paid: ClassVar[bool] = False
    """Whether each text or query may cost money; such a value is never used for what others can do."""
    recipes_after: ClassVar[str | None] = None
    """The setting after which `full` and `settings` write the recipes; None if the value cannot be trained."""

    def __post_init__(self) -> None:
        """Checks each setting by its annotation (`harness.choices.bounds`).

        Raises:
            SettingError: a setting of the wrong type or out of bounds.
        """
        bounds.check(self, self.name())

    @classmethod
    def name(cls) -> str:
        """The item's name: that of its file; that of its class, in small letters, if it is defined in a plug-in."""
        if cls.__module__.startswith(PLUGIN):
            return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()
        return cls.__module__.rpartition(".")[2]

    def __str__(self) -> str:
        """The shortest expression that parses back to this value: settings at their defaults are left out."""
        return self._expression(full=False)

    def full(self) -> str:
        """The expression with every setting, defaults too, except for those of `LATER`."""
        return self._expression(full=True)

    def with_short_names(self, short: Callable[[Value], str | None]) -> str:
        """As `str`, with short names for parts: `short` returns the name of a value, None without one."""
        return short(self) or self._expression(full=False, short=short)

    def differing_settings(self, other: Value) -> str:
        """The settings that differ from those of another value of its class, as they print: `k1=1.2, b=0.3`."""
        differing = []
        for field in _fields(self):
            setting = getattr(self, field.name)
            if setting != getattr(other, field.name):
                differing.append(f"{field.name}={_literal(setting, full=False)}")
        return ", ".join(differing)

    def fingerprint(self) -> str:
        """16 hexadecimal digits that identify the value with all its settings."""
        return hashlib.sha256(self.full().encode()).hexdigest()[:16]

    def settings(self, recipes: tuple[Value, ...] = ()) -> dict[str, Any]:
        """Every setting as JSON-safe data, as `full` has them; nested values become `{"name": …, settings…}`.

        Args:
            recipes: that train the value first.
        """
        return {name: _plain(value) for name, value in self._written(recipes)}

    @property
    def untrained(self) -> Value:
        """The value without its recipes; itself if it has none."""
        return self

    def parts(self) -> Iterator[Value]:
        """The values nested directly in this one, in the order of the settings."""
        for field in _fields(self):
            yield from _values(getattr(self, field.name))

    def _written(self, recipes: tuple[Value, ...], *, full: bool = True) -> Iterator[tuple[str, Any]]:
        """Name and value of each setting that an expression has, with `recipes` in its place.

        Args:
            recipes: that train the value first.
            full: False leaves out all settings at their defaults.
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
        settings = ", ".join(
            f"{name}={_literal(value, full=full, short=short)}" for name, value in self._written(recipes, full=full)
        )
        return f"{self.name()}({settings})" if settings else self.name()


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
        elements = ", ".join(_literal(v, full=full, short=short) for v in value)
        return f"({elements},)" if len(value) == 1 else f"({elements})"
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
