"""Long files as chunks whose ids point back to the file and the line."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

CHARACTERS_PER_WORD = 8
"""A text without spaces, as Chinese, counts one word for so many characters."""
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_WHITE = re.compile(r"\s")


class Chunk(NamedTuple):
    """A part of a text: the number of its first line, the nearest Markdown heading, its characters."""

    line: int
    heading: str
    text: str


def words_in(text: str) -> int:
    """Words of a text, by white space; by characters if it has few spaces."""
    return max(len(text.split()), len(text) // CHARACTERS_PER_WORD)


def splitter(words: int) -> Callable[[str], Iterator[tuple[int, str]]]:
    """A function that gives the chunks of a text with their first character's place.

    semchunk cuts at the largest break that gives chunks of at most so many words: blank lines before lines, lines
    before sentences, sentences before words.

    Args:
        words: of a chunk, at most; 0 leaves texts whole.
    """
    if words == 0:
        return lambda text: iter([(0, text)])
    from semchunk.semchunk import chunkerify  # slow to import, and needed for long texts only

    # Not memoised: a corpus has millions of different texts.
    chunker: Any = chunkerify(words_in, words, memoize=False)

    def split(text: str) -> Iterator[tuple[int, str]]:
        if words_in(text) <= words:
            yield 0, text
            return
        parts, places = chunker(text, offsets=True)
        for part, (start, _) in zip(parts, places, strict=True):
            if part.strip():
                yield start, part

    return split


def chunks_of(text: str, split: Callable[[str], Iterator[tuple[int, str]]], markdown: bool) -> Iterator[Chunk]:
    """The chunks of a file.

    Args:
        text: of the file.
        split: of `splitter`.
        markdown: whether lines that begin with `#` are headings.
    """
    breaks = [match.end() for match in re.finditer("\n", text)]
    headings = [(match.start(), match.group(1)) for match in _HEADING.finditer(text)] if markdown else []
    starts = [start for start, _ in headings]
    for start, part in split(text):
        start += len(part) - len(part.lstrip())
        # The heading that the chunk begins with, else the last one before it.
        place = bisect.bisect_right(starts, start) - 1
        heading = headings[place][1] if place >= 0 else ""
        yield Chunk(bisect.bisect_right(breaks, start) + 1, heading, part.strip())


def path_id(path: str) -> str:
    """A path as an id: white space, which no TREC file takes in an id, as `%20`."""
    return _WHITE.sub(lambda match: f"%{ord(match.group()):02X}", path)
