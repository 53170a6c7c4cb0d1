"""Items of every room: defaults are within their bounds; a number beyond them is refused by item and setting."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.choices import bounds
from harness.choices import hints as type_hints
from harness.choices.room import Room
from harness.choices.value import Value
from harness.executors import EXECUTORS
from harness.rows import ROOMS
from harness.searches import SEARCHES


def items() -> Iterator[tuple[str, type[Value]]]:
    """Every item of every room."""
    rooms: list[Room[Any]] = [*ROOMS.values(), SEARCHES, EXECUTORS]
    for room in rooms:
        yield from ((f"{room.package}.{name}", item) for name, item in room.usable())


ITEMS = dict(items())
NAMED_ELSEWHERE = {
    "run": {"path": "x.run"},
    "python": {"file": "x.py:search"},
    "http": {"url": "http://localhost/search"},
    "elasticsearch": {"url": "http://localhost:9200"},
    "opensearch": {"url": "http://localhost:9200"},
}
"""Settings whose default names nothing, of rows that are made elsewhere."""
NUMBERS = [
    (f"{name}: {setting}", item, setting, hint)
    for name, item in ITEMS.items()
    for setting, hint in type_hints.hints(item).items()
    if any(type_hints.unbounded(option) in (int, float) for option in type_hints.options(hint))
]


def smallest(item: type[Value]) -> dict[str, Any]:
    """The settings that an item cannot be made without."""
    needed = [
        field.name
        for field in dataclasses.fields(item)  # type: ignore[arg-type]
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    return dict.fromkeys(needed, "x") | NAMED_ELSEWHERE.get(item.name(), {})


def beyond(hint: Any) -> st.SearchStrategy[Any]:
    """Numbers beyond the bounds of a setting, and what is no number."""
    strategies: list[st.SearchStrategy[Any]] = [st.booleans(), st.text(max_size=3), st.just(math.nan)]
    for option in type_hints.options(hint):
        whole = type_hints.unbounded(option) is int
        numbers = st.integers if whole else st.floats
        for bound in type_hints.limits(option):
            match bound:
                case Ge(least):
                    strategies.append(numbers(max_value=least - 1 if whole else math.nextafter(least, -math.inf)))
                case Gt(below):
                    strategies.append(numbers(max_value=below))
                case Le(most):
                    strategies.append(numbers(min_value=most + 1 if whole else math.nextafter(most, math.inf)))
                case Lt(above):
                    strategies.append(numbers(min_value=above))
    return st.one_of(strategies)


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_every_default_is_within_its_bounds(item: type[Value]) -> None:
    value = item(**smallest(item))
    for setting, hint in type_hints.hints(item).items():
        assert bounds.fits(getattr(value, setting), hint), setting


@pytest.mark.parametrize(("item", "setting", "hint"), [each[1:] for each in NUMBERS], ids=[each[0] for each in NUMBERS])
def test_every_number_beyond_its_bounds_is_refused_by_item_and_setting(
    item: type[Value], setting: str, hint: Any
) -> None:
    needed = smallest(item)

    @given(beyond(hint))  # here, so that it is made once for all its examples
    def refused(number: Any) -> None:
        if bounds.fits(number, hint):  # a number without bounds
            return
        with pytest.raises(SettingError, match=rf"^{item.name()}: {setting} must be "):
            item(**{**needed, setting: number})

    refused()
