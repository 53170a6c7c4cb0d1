"""The one way to a terminal: consoles whose text is shown as it is, and streams that can take it.

A `Screen` is rich's console without its markup and emoji codes, so that `[red]` or `:fire:` in a title is text, and
with every character that could steer a terminal made visible (`harness.base.plain`). Style is given to
`rich.text.Text`, never in a string.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.highlighter import NullHighlighter
from rich.logging import RichHandler
from rich.segment import Segment
from rich.text import Text

from harness.base.plain import plain
from harness.base.redaction import redact_log
from harness.report.streams import STANDARD_OUTPUT, discard

LIVE: list[tuple[Console, Callable[[], None]]] = []
"""Consoles with a live display, and what takes it away before another console writes to the same terminal."""
WIDTH = 200
"""Columns of results that go to a file or a pipe."""


class Screen(Console):
    """A console that shows text as it is.

    If the reader closes standard output, as `| head` does, the work continues without it. If standard output fails
    otherwise, as on a full disk, printing raises; standard error never ends the work.

    Args:
        stderr: standard error, else standard output.
        quiet: show nothing.
        width: columns; None takes the terminal's.
        soft_wrap: the terminal breaks lines, not rich.
        file: where the text goes instead, for a runner that prints it itself; with colours if `colours`.
        colours: see `file`; None finds out.
    """

    def __init__(
        self,
        *,
        stderr: bool = False,
        quiet: bool = False,
        width: int | None = None,
        soft_wrap: bool = False,
        file: IO[str] | None = None,
        colours: bool | None = None,
    ) -> None:
        options: dict[str, Any] = {"width": width, "soft_wrap": soft_wrap, "file": file, "force_terminal": colours}
        super().__init__(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Text of a string; without control characters before it is measured, so that columns fit."""
        return super().render_str(plain(text), **{**options, "markup": False, "emoji": False})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of anything: everything that reaches the terminal passes through here."""
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else plain(segment.text)
            yield segment if text == segment.text else Segment(text, segment.style)

    def say(self, text: str | Text, style: str | None = None) -> None:
        """Prints lines that the terminal breaks and not rich."""
        self.print(text, style=style, soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """The reader is gone."""
        self.quiet = True
        discard(self.file)

    def _check_buffer(self) -> None:  # the only place where rich writes
        for console, pause in LIVE:
            if console is not self:
                pause()
        try:
            super()._check_buffer()
        except OSError as error:
            self.quiet = True
            discard(self.file)
            del self._buffer[:]
            if not self.stderr:
                raise OSError(error.errno, error.strerror, STANDARD_OUTPUT) from error


def screens(quiet: bool = False) -> tuple[Screen, Screen]:
    """Standard output for results, standard error for what goes on, where warnings go too; NO_COLOR and terminals
    count.
    """
    width = None if os.environ.get("COLUMNS") or Console().is_terminal else WIDTH
    show_warnings()
    return Screen(quiet=quiet, width=width), Screen(stderr=True, quiet=quiet)


def show_warnings() -> None:
    """Lets warnings of the harness and its libraries go to standard error, as all text does; done once."""
    handler = RichHandler(console=Screen(stderr=True), show_time=False, show_path=False, highlighter=NullHighlighter())
    handler.addFilter(redact_log)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
