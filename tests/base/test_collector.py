"""The collector of cycles runs less often, and still frees memory."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from harness.base.collector import NEW_OBJECTS, collect_rarely


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


class Node:
    """One that can refer to itself."""

    itself: Node


def test_only_the_youngest_objects_are_waited_for() -> None:
    _, *older = gc.get_threshold()
    collect_rarely()
    assert gc.get_threshold() == (NEW_OBJECTS, *older)


def test_cycles_are_still_freed() -> None:
    collect_rarely()
    node = Node()
    node.itself = node
    there = weakref.ref(node)
    del node
    held = [[number] for number in range(2 * NEW_OBJECTS)]
    assert there() is None
    assert len(held) == 2 * NEW_OBJECTS
