"""Values as text: `rerank(first=bm25(k1=1.2), scorer=dense(model="…"), depth=200)` ↔ the value that prints so.

The grammar is Python's call expression with literals, and three short cuts: a bare name is the value with its defaults,
`a >> b` is `rerank(first=a, scorer=b)`, and `dense+supervised` is `dense(recipes=(supervised,))`: `dense` trained by
the recipes, which the room of recipes joins to it (`Room.joined`). Nothing is evaluated: the text is parsed with `ast`
and the value is built from the rooms.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from harness.base.errors import SettingError, UnknownName
from harness.base.plain import check_text
from harness.choices import bounds
from harness.choices import hints as type_hints
from harness.choices._syntax import each_of, fault, several, tree, tuple_of_one
from harness.choices.items import normalised
from harness.choices.room import Room
from harness.choices.value import RECIPES, Value

T = TypeVar("T", bound=Value)


def parse(text: str, room: Room[T], rooms: Mapping[str, Room[Any]], named: Mapping[str, str] | None = None) -> T:
    """Reads an expression.

    Args:
        text: the expression.
        room: in which a name at the top level is looked up.
        rooms: package → room, for settings whose type is a value of another room.
        named: short names for whole expressions, allowed wherever a value of `room` is.

    Raises:
        UnknownName: an unknown item or setting; carries the closest names.
        SettingError: not an expression, or a setting of the wrong type.
    """
    reader = _Reader(text, rooms, _short_names(named or {}, room), room)
    try:
        return reader.read(text, room)  # type: ignore[no-any-return]
    except RecursionError as error:
        raise SettingError(f"cannot read {text[:80]!r}…: it is nested too deeply.") from error


def with_settings(
    value: T, settings: Mapping[str, object], room: Room[Any], rooms: Mapping[str, Room[Any]], named: Mapping[str, str]
) -> T:
    """The value with other settings, from plain data: a setting that is itself a value is written as an expression.

    Args:
        value: it is not changed.
        settings: setting → number, text, True or False, or several of them; `"None"` means None if the setting may be
            None.
        room: whose items the short names name.
        rooms: package → room.
        named: short names for whole expressions.

    Raises:
        UnknownName: a setting that the value lacks.
        SettingError: a setting of the wrong type or out of range.
    """
    reader = _Reader(str(value), rooms, _short_names(named, room), room)
    hints = type_hints.hints(type(value))
    changed = {}
    for name, plain in settings.items():
        if name not in hints:
            raise UnknownName(f"setting of {value.name()}", name, hints)
        changed[name] = reader.plain(plain, hints[name], f"{value.name()}: {name}")
    return dataclasses.replace(value, **changed)  # type: ignore[type-var]


def _short_names(named: Mapping[str, str], room: Room[Any]) -> dict[str, str]:
    """Short name → expression, without names of items, which are read as those."""
    return {normalised(name): expression for name, expression in named.items() if name not in room}


class _Reader:
    def __init__(self, text: str, rooms: Mapping[str, Room[Any]], named: Mapping[str, str], top: Room[Any]) -> None:
        self._text, self._rooms, self._named, self._top = text, rooms, named, top

    def read(self, text: str, room: Room[Any]) -> Any:
        text = text.strip()
        if normalised(text) in self._named:
            text = self._named[normalised(text)]
        return self._value(tree(text, self._text), room)

    def _value(self, node: ast.expr, room: Room[Any]) -> Any:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift):
            return self._build(room.get("rerank"), {"first": node.left, "scorer": node.right})
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._trained(self._value(node.left, room), node.right)
        if isinstance(node, ast.Name):
            if room is self._top and node.id in self._named:
                return self.read(self._named[node.id], room)
            return self._build(self._class(room, node.id), {})
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if room is self._top and node.func.id in self._named:
                return self._changed(node.func.id, node, room)
            return self._called(node.func.id, node, room)
        if isinstance(node, ast.Tuple) and len(node.elts) > 1:
            raise fault(self._text, several(node, room))
        raise fault(self._text, f"{ast.unparse(node)!r} names no {room.noun}")

    def _called(self, name: str, call: ast.Call, room: Room[Any]) -> Any:
        """`bm25(1.2, b=0.3)`: an item with settings by their order and by their names."""
        cls = self._class(room, name)
        names = list(self._settings_of(cls))
        if len(call.args) > len(names) or any(isinstance(argument, ast.Starred) for argument in call.args):
            raise fault(self._text, f"{name} takes at most {len(names)} settings")
        settings = dict(zip(names, call.args, strict=False))
        for keyword in call.keywords:
            if keyword.arg is None or keyword.arg in settings:
                raise fault(self._text, f"{keyword.arg or '**'} is given twice or cannot be read")
            settings[keyword.arg] = keyword.value
        return self._build(cls, settings)

    def _changed(self, name: str, call: ast.Call, room: Room[Any]) -> Any:
        """`ce(precision="bf16")`: the value of a short name, with other settings."""
        value = self.read(self._named[name], room)
        nodes = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
        if len(nodes) < len(call.args) + len(call.keywords):
            raise fault(self._text, f"settings of {name} are given by their names")
        untrained = value.untrained
        own = self._settings_of(type(untrained))
        changed = {s: self._setting(node, own[s], f"{name}: {s}") for s, node in nodes.items() if s in own}
        recipes = changed.pop(RECIPES, getattr(value, RECIPES, ()))
        of_recipes = {s: node for s, node in nodes.items() if s not in own}
        if of_recipes:
            recipes = self._changed_recipes(name, recipes, of_recipes, own)
        return self._joined(dataclasses.replace(untrained, **changed), recipes)

    def _changed_recipes(
        self, name: str, recipes: tuple[Any, ...], nodes: Mapping[str, ast.expr], own: Mapping[str, Any]
    ) -> tuple[Any, ...]:
        """`ce(budget="smoke")`: a setting that the model lacks is set in each of its recipes that have it."""
        hints = [type_hints.hints(type(recipe)) for recipe in recipes]
        known = {setting for each in (own, *hints) for setting in each}
        for setting in nodes:
            if setting not in known:
                raise UnknownName(f"setting of {name}", setting, known)
        changed = []
        for recipe, of_recipe in zip(recipes, hints, strict=True):
            settings = {
                s: self._setting(node, of_recipe[s], f"{name}: {s}") for s, node in nodes.items() if s in of_recipe
            }
            changed.append(dataclasses.replace(recipe, **settings))
        return tuple(changed)

    def _trained(self, value: Any, recipe: ast.expr) -> Any:
        """`value + recipe`."""
        hint = self._settings_of(type(value.untrained)).get(RECIPES)
        if hint is None:
            raise fault(self._text, f"{value.name()} is not trainable, so no recipe can follow it")
        trained_by = self._setting(recipe, type_hints.element(hint), f"{value.name()}: each of {RECIPES}")
        return self._joined(value, (trained_by,))

    @property
    def _recipes(self) -> Room[Any] | None:
        """The room whose items may follow a value after a `+`."""
        return next((room for room in self._rooms.values() if room.joined is not None), None)

    def _joined(self, value: Any, recipes: tuple[Any, ...]) -> Any:
        """The value with the recipes that train it."""
        room = self._recipes
        if not recipes or room is None or room.joined is None:
            return value
        return room.joined(value, recipes)

    def _settings_of(self, cls: type[Value]) -> dict[str, Any]:
        """Setting → annotation, in the order they are written; with the recipes if the value can be trained."""
        settings: dict[str, Any] = {}
        room = self._recipes
        for name, hint in type_hints.hints(cls).items():
            settings[name] = hint
            if name == cls.recipes_after and room is not None:
                settings[RECIPES] = tuple[room.base, ...]  # type: ignore[name-defined]
        return settings

    def _class(self, room: Room[Any], name: str) -> type[Value]:
        try:
            return room.get(name)
        except UnknownName as error:
            known = [*room.names(), *(self._named if room is self._top else ())]
            raise UnknownName(room.noun, name, known) from error

    def _build(self, cls: type[Value], nodes: Mapping[str, ast.expr]) -> Any:
        hints = self._settings_of(cls)
        settings = {}
        for name, node in nodes.items():
            if name not in hints:
                raise UnknownName(f"setting of {cls.name()}", name, hints)
            settings[name] = self._setting(node, hints[name], f"{cls.name()}: {name}")
        recipes = settings.pop(RECIPES, ()) if cls.recipes_after is not None else ()
        try:
            value = cls(**settings)
        except TypeError as error:
            raise fault(self._text, str(error)) from error
        return self._joined(value, recipes)

    def _setting(self, node: ast.expr, hint: Any, where: str) -> Any:
        room = self._room_of(hint)
        if isinstance(node, ast.Constant) and (room is None or node.value is None or isinstance(node.value, str)):
            room = None  # an optional value that is None, or a mistake that the bounds report
        if room is not None:
            return self._value(node, room)
        element = type_hints.element(hint)
        if element is not None and isinstance(node, ast.Tuple | ast.List):
            return tuple(self._setting(each, element, each_of(where)) for each in node.elts)
        try:
            value = ast.literal_eval(node)
            if type_hints.is_float(hint) and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
        except (ValueError, TypeError, SyntaxError, OverflowError) as error:
            remedy = tuple_of_one(node, where) if type_hints.contract(element) else "strings go in quotes"
            raise SettingError(f"{where} must be {bounds.words(hint)}, not {ast.unparse(node)}; {remedy}") from error
        bounds.check_setting(value, hint, where)
        if isinstance(value, str):
            check_text(value)
        return value

    def plain(self, value: object, hint: Any, where: str) -> Any:
        """A setting from plain data."""
        if value == "None" and bounds.fits(None, hint):
            return None
        element = type_hints.element(hint)
        if isinstance(value, list | tuple) and element is not None:
            return tuple(self.plain(each, element, each_of(where)) for each in value)
        if isinstance(value, str) and (room := self._room_of(hint)) is not None:
            return self.read(value, room)
        return self._setting(ast.Constant(value), hint, where)  # type: ignore[arg-type]

    def _room_of(self, hint: Any) -> Room[Any] | None:
        contract = type_hints.contract(hint)
        return None if contract is None else self._rooms[contract.room]
