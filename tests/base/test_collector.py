"""The collector of cycles runs less often, and still frees memory."""

from __future__ import annotations

import atexit
import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest

from harness.base.collector import NEW_OBJECTS, collect_rarely


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    atexit.unregister(gc.freeze)


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


AT_THE_END = """
import gc, sys
from harness.base.collector import collect_rarely
if sys.argv[1] == "rarely":
    collect_rarely()
class Node:
    def __del__(self):
        print("finalised")
node = Node()
node.itself = node
del node
"""


@pytest.mark.parametrize(("how", "printed"), [("often", "finalised\n"), ("rarely", "")])
def test_at_the_end_no_object_is_finalised(how: str, printed: str) -> None:
    done = subprocess.run([sys.executable, "-c", AT_THE_END, how], capture_output=True, text=True, check=True)
    assert done.stdout == printed
