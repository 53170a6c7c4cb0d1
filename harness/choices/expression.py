"""Values as text: `rerank(first=bm25(k1=1.2), scorer=dense(model="…"), depth=200)` ↔ the value that prints so.

The grammar is Python's call expression with literals, and three short cuts: a bare name is the value with its defaults,
`a >> b` is `rerank(first=a, scorer=b)`, and `dense+supervised` is `dense(recipes=(supervised,))`: `dense` after it was
trained by the recipes, which the room of recipes joins to it (`Room.joined`). Nothing is evaluated: the text is parsed
with `ast` and built from the rooms.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import shlex
import warnings
from collections.abc import Mapping
from typing import Any, TypeVar

from harness.base.errors import SettingError, UnknownName
from harness.base.plain import check_text
from harness.choices import bounds
from harness.choices.items import normalised
from harness.choices.room import Room
from harness.choices.value import RECIPES, Value

T = TypeVar("T", bound=Value)

_OUTSIDE_QUOTES = re.compile(r'("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')|(?<=\w)-(?=[A-Za-z_])')


def parse(text: str, room: Room[T], rooms: Mapping[str, Room[Any]], named: Mapping[str, str] | None = None) -> T:
    """Reads an expression.

    Args:
        text: the expression.
        room: where a bare name at the top is looked up.
        rooms: package → room, for the settings whose type is a value of another room.
        named: short names for whole expressions, usable wherever a value of `room` is.

    Raises:
        UnknownName: a name no room has, or a setting the value has not; carries the closest ones.
        SettingError: not an expression, or a setting of the wrong type.
    """
    short = {
        normalised(k): v for k, v in (named or {}).items() if k not in room
    }  # an item's own name needs no expansion
    reader = _Reader(text, rooms, short, room)
    try:
        return reader.read(text, room)  # type: ignore[no-any-return]
    except RecursionError as error:
        raise SettingError(f"cannot read {text[:80]!r}…: it is nested too deeply.") from error


def with_settings(
    value: T, given: Mapping[str, object], room: Room[Any], rooms: Mapping[str, Room[Any]], named: Mapping[str, str]
) -> T:
    """The value with other settings, given as plain data: where a setting is itself a value, as the text of an
    expression.

    Args:
        value: is left as it is.
        given: setting → number, text, True or False, or several of them; `"None"` says None where the setting can be
            that.
        room: where the short names are names.
        rooms: package → room.
        named: short names for whole expressions.

    Raises:
        UnknownName: a setting that the value has not.
        SettingError: of the wrong type or out of range.
    """
    short = {normalised(k): v for k, v in named.items() if k not in room}
    reader = _Reader(str(value), rooms, short, room)
    hints = bounds.hints(type(value))
    changed = {}
    for name, plain in given.items():
        if name not in hints:
            raise UnknownName(f"setting of {value.name()}", name, hints)
        changed[name] = reader.plain(plain, hints[name], f"{value.name()}: {name}")
    return dataclasses.replace(value, **changed)  # type: ignore[type-var]


class _Reader:
    def __init__(self, text: str, rooms: Mapping[str, Room[Any]], named: Mapping[str, str], top: Room[Any]) -> None:
        self._text, self._rooms, self._named, self._top = text, rooms, named, top

    def read(self, text: str, room: Room[Any]) -> Any:
        text = text.strip()
        if normalised(text) in self._named:
            text = self._named[normalised(text)]
        plain = _OUTSIDE_QUOTES.sub(lambda m: m.group(1) or "_", text)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "error"
                )  # for escapes that are none, as in "C:\\data"; else told behind the caller's back
                tree = ast.parse(plain, mode="eval").body
        except SyntaxError as error:
            raise self._fault(f"it is not an expression ({error.msg})") from error
        except (ValueError, MemoryError) as error:
            raise self._fault("it is not an expression") from error
        return self._value(tree, room)

    def _fault(self, why: str) -> SettingError:
        like = 'bm25, dense(model="…") or bm25(k1=1.2)>>dense'
        return SettingError(f"cannot read {self._text!r}: {why}. An expression looks like {like}.")

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
            cls = self._class(room, node.func.id)
            names = list(self._settings_of(cls))
            if len(node.args) > len(names) or any(isinstance(a, ast.Starred) for a in node.args):
                raise self._fault(f"{node.func.id} takes at most {len(names)} settings")
            given = dict(zip(names, node.args, strict=False))
            for keyword in node.keywords:
                if keyword.arg is None or keyword.arg in given:
                    raise self._fault(f"{keyword.arg or '**'} is given twice or cannot be read")
                given[keyword.arg] = keyword.value
            return self._build(cls, given)
        if isinstance(node, ast.Tuple) and len(node.elts) > 1:
            raise self._fault(self._several(node, room))
        raise self._fault(f"{ast.unparse(node)!r} names no {room.noun}")

    def _several(self, node: ast.Tuple, room: Room[Any]) -> str:
        """What to write instead of `bm25,dense`."""
        given = [ast.unparse(each) for each in node.elts]
        told = f"these are {len(given)} expressions with commas between them where one {room.noun} is expected"
        if room.package != "harness.methods":
            return f"{told}; give them one by one"
        rows = " ".join(
            f"-m {each if each.isidentifier() else shlex.quote(each.replace(chr(39), chr(34)))}" for each in given
        )
        return f"{told}; for {len(given)} rows write {rows}, for one row that fuses them hybrid(({', '.join(given)}))"

    def _changed(self, name: str, call: ast.Call, room: Room[Any]) -> Any:
        """`ce(precision="bf16")`: what a short name stands for, with other settings."""
        value = self.read(self._named[name], room)
        given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
        if len(given) < len(call.args) + len(call.keywords):
            raise self._fault(f"settings of {name} are given by their names")
        untrained = value.untrained
        own = self._settings_of(type(untrained))
        changed = {s: self._setting(node, own[s], f"{name}: {s}") for s, node in given.items() if s in own}
        recipes = changed.pop(RECIPES, getattr(value, RECIPES, ()))
        of_recipes = {s: node for s, node in given.items() if s not in own}
        if of_recipes:
            recipes = self._changed_recipes(name, recipes, of_recipes, own)
        return self._joined(dataclasses.replace(untrained, **changed), recipes)

    def _changed_recipes(
        self, name: str, recipes: tuple[Any, ...], given: Mapping[str, ast.expr], own: Mapping[str, Any]
    ) -> tuple[Any, ...]:
        """`ce(budget="smoke")`: a setting that the model has not is set in each of its recipes that have it."""
        hints = [bounds.hints(type(recipe)) for recipe in recipes]
        known = {setting for each in (own, *hints) for setting in each}
        for setting in given:
            if setting not in known:
                raise UnknownName(f"setting of {name}", setting, known)
        changed = []
        for recipe, has in zip(recipes, hints, strict=True):
            settings = {s: self._setting(node, has[s], f"{name}: {s}") for s, node in given.items() if s in has}
            changed.append(dataclasses.replace(recipe, **settings))
        return tuple(changed)

    def _trained(self, value: Any, recipe: ast.expr) -> Any:
        """`value + recipe`."""
        hint = self._settings_of(type(value.untrained)).get(RECIPES)
        if hint is None:
            raise self._fault(f"{value.name()} cannot be trained, so nothing can follow it after a +")
        return self._joined(value, (self._setting(recipe, bounds.element(hint), f"{value.name()}: each of {RECIPES}"),))

    @property
    def _recipes(self) -> Room[Any] | None:
        """The room of what may follow a value after a `+`."""
        return next((room for room in self._rooms.values() if room.joined is not None), None)

    def _joined(self, value: Any, recipes: tuple[Any, ...]) -> Any:
        """The value after it was trained by recipes."""
        room = self._recipes
        if not recipes or room is None or room.joined is None:
            return value
        return room.joined(value, recipes)

    def _settings_of(self, cls: type[Value]) -> dict[str, Any]:
        """Setting → type, in the order they are written; of what can be trained, with its recipes."""
        found: dict[str, Any] = {}
        room = self._recipes
        for name, hint in bounds.hints(cls).items():
            found[name] = hint
            if name == cls.recipes_after and room is not None:
                found[RECIPES] = tuple[room.base, ...]  # type: ignore[name-defined]
        return found

    def _class(self, room: Room[Any], name: str) -> type[Value]:
        try:
            return room.get(name)
        except UnknownName as error:
            known = [*room.names(), *(self._named if room is self._top else ())]
            raise UnknownName(room.noun, name, known) from error

    def _build(self, cls: type[Value], given: Mapping[str, ast.expr]) -> Any:
        hints = self._settings_of(cls)
        settings = {}
        for name, node in given.items():
            if name not in hints:
                raise UnknownName(f"setting of {cls.name()}", name, hints)
            settings[name] = self._setting(node, hints[name], f"{cls.name()}: {name}")
        recipes = settings.pop(RECIPES, ()) if cls.recipes_after is not None else ()
        try:
            value = cls(**settings)
        except TypeError as error:
            raise self._fault(str(error)) from error
        return self._joined(value, recipes)

    def _setting(self, node: ast.expr, hint: Any, where: str) -> Any:
        room = self._room_of(hint)
        if isinstance(node, ast.Constant) and (room is None or node.value is None or isinstance(node.value, str)):
            room = None  # None where a value is not needed, or a mistake that the bounds report
        if room is not None:
            return self._value(node, room)
        element = bounds.element(hint)
        if element is not None and isinstance(node, ast.Tuple | ast.List):
            return tuple(self._setting(each, element, _each(where)) for each in node.elts)
        try:
            value = ast.literal_eval(node)
            if bounds.is_float(hint) and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
        except (ValueError, TypeError, SyntaxError, OverflowError) as error:
            remedy = _tuple_of_one(node, where) if bounds.contract(element) else "texts go in quotes"
            raise SettingError(f"{where} must be {bounds.words(hint)}, not {ast.unparse(node)}; {remedy}") from error
        bounds.check_setting(value, hint, where)
        if isinstance(value, str):
            check_text(value)
        return value

    def plain(self, value: object, hint: Any, where: str) -> Any:
        """A setting given as plain data."""
        if value == "None" and bounds.fits(None, hint):
            return None
        element = bounds.element(hint)
        if isinstance(value, list | tuple) and element is not None:
            return tuple(self.plain(each, element, _each(where)) for each in value)
        if isinstance(value, str) and (room := self._room_of(hint)) is not None:
            return self.read(value, room)
        return self._setting(ast.Constant(value), hint, where)  # type: ignore[arg-type]

    def _room_of(self, hint: Any) -> Room[Any] | None:
        contract = bounds.contract(hint)
        return None if contract is None else self._rooms[contract.room]


def _each(where: str) -> str:
    """Where a fault is that lies in one of several: `hybrid: each of methods`."""
    item, _, setting = where.rpartition(": ")
    return where if " " in setting else f"{item}: each of {setting}"


def _tuple_of_one(node: ast.expr, where: str) -> str:
    """How one value is written where a setting takes several."""
    return f"write {where.rpartition(': ')[2]}=({ast.unparse(node)},)"
