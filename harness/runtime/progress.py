"""Progress bars as steps open them; `harness.cli.progress` draws them on a terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol


class Advance(Protocol):
    """Advances a progress bar and sets the note next to it."""

    def __call__(self, n: int = 1, note: str | None = None) -> None:
        """`n` more items are done; `note` replaces the note next to the bar, None leaves it."""


class Progress(Protocol):
    """Opens a progress bar: `with context.progress("encode", 5183, "documents") as advance: …`."""

    def __call__(self, label: str, total: int, unit: str) -> contextlib.AbstractContextManager[Advance]:
        """A bar for `total` items called `unit`."""
        ...


@contextlib.contextmanager
def quiet(label: str, total: int, unit: str) -> Iterator[Advance]:
    """The progress bar that shows nothing."""

    def advance(n: int = 1, note: str | None = None) -> None:
        return None

    yield advance
