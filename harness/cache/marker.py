"""The mark of a cache folder: `CACHEDIR.TAG`, with the version of what lies there.

Backup programs skip a folder that holds the file (https://bford.info/cachedir/); `harness cache gc` and `harness cache verify`
touch no folder without it. A folder gets the mark when it is made or empty, and an older cache when everything in it is
of known kinds; a folder that others use too never gets one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from harness.base.errors import CacheError
from harness.base.files import write_text
from harness.base.json_files import read_json
from harness.cache import kinds
from harness.cache.links import is_file, is_folder

MARKER = "CACHEDIR.TAG"
META = "meta.json"
SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
"""The first bytes of every such file, by its specification."""
LAYOUT = 1
"""Of what lies in the folder: raised when a later version must not take it for its own."""
SHOWN = 5
_TEXT = f"""{SIGNATURE}
# This folder is a cache of retrieval-harness; all of it can be made again. See https://bford.info/cachedir/
# retrieval-harness cache, layout {LAYOUT}
"""
_OURS = re.compile(r"^# retrieval-harness cache, layout (\d{1,6})$", re.MULTILINE)
_MARK_PART = re.compile(rf"\.{re.escape(MARKER)}\..+\.part")


def layout(root: Path) -> int | None:
    """The version in a folder's mark; None where it has none of ours."""
    place = root / MARKER
    try:
        if not is_file(place):
            return None
        with open(place, encoding="utf-8") as file:
            text = file.read(4096)
    except (OSError, ValueError):
        return None
    found = _OURS.search(text) if text.startswith(SIGNATURE) else None
    return int(found.group(1)) if found else None


def mark(root: Path) -> None:
    """Marks a folder as a cache where it is empty, or everything in it is ours; else nothing is written.

    Raises:
        OSError: it cannot be read or written.
    """
    if layout(root) is None and next(strangers(root), None) is None:
        write_text(root / MARKER, _TEXT)


def check(root: Path, *, adopt: bool = True) -> None:
    """Raises CacheError unless a folder is marked as a cache of this version; an older cache without a mark gets it
    now.

    Args:
        root: a folder that is there.
        adopt: write the mark of an older cache; else it is only looked at.

    Raises:
        CacheError: the folder is no cache, is used for other things too, or belongs to a later version.
    """
    found = layout(root)
    if found is None:
        try:
            others = sorted(str(path.relative_to(root)) for path in islice(strangers(root), SHOWN))
        except OSError as error:
            raise CacheError(f"{root} cannot be read ({error.strerror or error}): nothing there is touched.") from error
        if others:
            raise CacheError(
                f"{root} has no {MARKER} of retrieval-harness and holds what is not of its cache, as "
                f"{', '.join(others)}: "
                "nothing there is touched. Name the cache's own folder with --cache-dir or HARNESS_CACHE. Where a "
                "cache shares "
                "a folder with other things, move its folders (corpora, embeddings, models and the like) to a new "
                "folder first."
            )
        if adopt:
            mark(root)
        return
    if found != LAYOUT:
        told = f"{root} is a cache of another version (layout {found}; this version knows {LAYOUT})"
        raise CacheError(f"{told}: nothing there is touched. Use that version there.")


def strangers(root: Path) -> Iterator[Path]:
    """What in a folder is not of a cache of ours, down to the names of entries; links are strangers wherever they
    point.
    """
    for path in _listing(root):
        name = path.name
        if name in kinds.OF_THE_SYSTEM or _MARK_PART.fullmatch(name) or (name == MARKER and layout(root) is not None):
            continue
        if not is_folder(path) or name not in kinds.BESIDE | set(kinds.WORDS):
            yield path
        elif name in kinds.WORDS:
            yield from (entry for entry in _listing(path) if not _is_entry(entry))
        elif name in kinds.MEMOS:
            yield from (
                memo for memo in _listing(path) if not (kinds.is_memo(memo.name) or kinds.is_memo_part(memo.name))
            )


def _is_entry(path: Path) -> bool:
    if path.name in kinds.OF_THE_SYSTEM:
        return True
    if not is_folder(path):
        return False
    return kinds.key_of_part(path.name) is not None or (kinds.is_key(path.name) and _says_so(path))


def _says_so(entry: Path) -> bool:
    """Whether an entry's own words name it: other programs have folders `models/<32 hexadecimal digits>` too."""
    try:
        told = read_json(entry / META)
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and (told.get("kind"), told.get("key")) == (entry.parent.name, entry.name)


def _listing(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as found:
        for entry in found:
            yield Path(entry.path)
