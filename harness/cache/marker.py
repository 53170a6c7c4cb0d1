"""The mark of a cache folder: `CACHEDIR.TAG`, with the version of the layout.

Backup programs skip a folder with this file (https://bford.info/cachedir/); `harness cache gc` and `harness cache
verify` refuse a folder without it. A folder gets the mark when it is created or empty, and an older cache if it
contains only known kinds; a folder that other programs use too never gets one.
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
"""Version of the layout: raised when a later version must not use the folder as its own."""
SHOWN = 5
_TEXT = f"""{SIGNATURE}
# This folder is a cache of retrieval-harness; all of it can be made again. See https://bford.info/cachedir/
# retrieval-harness cache, layout {LAYOUT}
"""
_OURS = re.compile(r"^# retrieval-harness cache, layout (\d{1,6})$", re.MULTILINE)
_MARK_PART = re.compile(rf"\.{re.escape(MARKER)}\..+\.part")


def layout(root: Path) -> int | None:
    """The version in a folder's mark; None if it has no mark of this package."""
    place = root / MARKER
    try:
        if not is_file(place):
            return None
        with open(place, encoding="utf-8") as file:
            text = file.read(4096)
    except (OSError, ValueError):
        return None
    match = _OURS.search(text) if text.startswith(SIGNATURE) else None
    return int(match.group(1)) if match else None


def mark(root: Path) -> None:
    """Marks a folder as a cache if it is empty or contains only a cache; else nothing is written.

    Raises:
        OSError: it cannot be read or written.
    """
    if layout(root) is None and next(strangers(root), None) is None:
        write_text(root / MARKER, _TEXT)


def check(root: Path, *, adopt: bool = True) -> None:
    """Raises CacheError unless a folder is marked as a cache of this version.

    Args:
        root: an existing folder.
        adopt: mark an older cache that has no mark yet; else nothing is written.

    Raises:
        CacheError: the folder is no cache, contains other things too, or belongs to a later version.
    """
    version = layout(root)
    if version is None:
        try:
            others = sorted(str(path.relative_to(root)) for path in islice(strangers(root), SHOWN))
        except OSError as error:
            raise CacheError(f"{root} cannot be read ({error.strerror or error}); nothing was changed.") from error
        if others:
            raise CacheError(
                f"{root} is not a cache of retrieval-harness: it lacks the {MARKER} of one and contains other things "
                f"({', '.join(others)}). Nothing was changed. Name the cache's own folder with --cache-dir or "
                "HARNESS_CACHE. If a cache shares this folder with other things, move its folders (corpora, "
                "embeddings, models and so on) to a new folder first."
            )
        if adopt:
            mark(root)
        return
    if version != LAYOUT:
        raise CacheError(
            f"{root} is a cache of another version (layout {version}; this one uses {LAYOUT}). Nothing was "
            "changed; use that version for it, or name another folder with --cache-dir or HARNESS_CACHE."
        )


def strangers(root: Path) -> Iterator[Path]:
    """Paths in a folder that do not belong to a cache, down to the names of entries; links never belong to it."""
    for path in _listing(root):
        name = path.name
        if name in kinds.OF_THE_SYSTEM or _MARK_PART.fullmatch(name) or (name == MARKER and layout(root) is not None):
            continue
        if not is_folder(path) or name not in kinds.BESIDE | set(kinds.WORDS):
            yield path
        elif name in kinds.WORDS:
            yield from (entry for entry in _listing(path) if not _is_entry(entry))
        elif name in kinds.MEMOS:
            memos = _listing(path)
            yield from (memo for memo in memos if not (kinds.is_memo(memo.name) or kinds.is_memo_part(memo.name)))


def _is_entry(path: Path) -> bool:
    if path.name in kinds.OF_THE_SYSTEM:
        return True
    if not is_folder(path):
        return False
    return kinds.key_of_part(path.name) is not None or (kinds.is_key(path.name) and _is_described(path))


def _is_described(entry: Path) -> bool:
    """Whether the metadata name the entry: other programs have folders `models/<32 hexadecimal digits>` too."""
    try:
        meta = read_json(entry / META)
    except (OSError, ValueError):
        return False
    return isinstance(meta, dict) and (meta.get("kind"), meta.get("key")) == (entry.parent.name, entry.name)


def _listing(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield Path(entry.path)
