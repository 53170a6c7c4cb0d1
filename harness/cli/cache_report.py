"""The work of `harness cache`: lists, verifies and clears the cache."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from harness.base.errors import CacheError
from harness.cache import kinds, marker
from harness.cache.clearing import Removal, freed, removals, remove
from harness.cache.folders import Cache, default_root
from harness.cache.links import inside
from harness.cache.manage import Entry, entries, faults, left_alone, total
from harness.cli.declaration import Status
from harness.report.screen import Screen, screens
from harness.report.sheet import Field, Sheet
from harness.report.sheet_formats import Shown
from harness.report.sheets import show

MOST_GIB = 2.0**33
"""More than any disk; a larger `--max-size`, even infinity, means no limit."""
SHOWN = 10
"""At most this many foreign files are listed."""


def ls(cache_dir: Path | None, format: str = "text") -> Status:
    """`harness cache ls`."""
    root = cache_dir or default_root()
    out = screens()[0]
    found = [] if _nothing(root) else entries(Cache.unopened(root))
    if not found:
        show(out, Shown([_sheet([])] if format != "text" else [], [_nothing(root) or f"0 entries in {root}"]), format)
        return Status.OK
    size, apart = total(found), sum(entry.bytes for entry in found)
    shared = f" ({_mib(apart - size)} MiB that entries share are counted once)" if apart > size else ""
    sentence = f"{len(found)} entries, {_mib(size)} MiB in {root}{shared}"
    show(out, Shown([_sheet(found)], [sentence], {"root": str(root), "bytes": size}), format)
    return Status.OK


def _sheet(found: Sequence[Entry]) -> Sheet:
    keys, days = [entry.key for entry in found], [(time.time() - entry.used) / 86400 for entry in found]
    kinds_of = [entry.kind for entry in found]
    fields = [
        Field("kind", "kind", kinds_of, kinds_of, right=False),
        Field("key", "key", keys, [key[:12] for key in keys], right=False),
        Field("bytes", "MiB", [entry.bytes for entry in found], [_mib(entry.bytes) for entry in found]),
        Field.of("days_unused", "unused for", days, "{:.1f} d".format, 2),
        Field.words("source", [_words(entry.describe) for entry in found], 1, key="source"),
    ]
    return Sheet("", fields, key="entries")


def verify(cache_dir: Path | None, format: str = "text") -> Status:
    """`harness cache verify`. As text, a line for each damaged file with its whole path."""
    root, out = cache_dir or default_root(), Screen(soft_wrap=True)
    nothing = _nothing(root)
    if not nothing:
        marker.check(root, adopt=False)
    found = [] if nothing else entries(Cache.unopened(root))
    wrong = [(entry, fault) for entry in found for fault in faults(entry)]
    remedy = "`harness cache gc` removes damaged entries; they are rebuilt when they are needed."
    sound = nothing or f"{len(found)} entries in {root}: all intact"
    if format == "text":
        for line in [*(fault for _, fault in wrong), remedy if wrong else sound]:
            _say(out, line)
    else:
        sentence = f"{len(wrong)} faults in {len(found)} entries in {root}. {remedy}" if wrong else sound
        facts = {"root": str(root), "entries": len(found), "intact": not wrong}
        show(out, Shown([_faults(wrong)], [sentence], facts), format)
    return Status.FAILED if wrong else Status.OK


def _faults(wrong: Sequence[tuple[Entry, str]]) -> Sheet:
    kinds_of, keys = [entry.kind for entry, _ in wrong], [entry.key for entry, _ in wrong]
    fields = [
        Field("kind", "kind", kinds_of, kinds_of, right=False),
        Field("key", "key", keys, keys, right=False),
        Field.words("fault", [fault for _, fault in wrong], key="fault"),
    ]
    return Sheet("", fields, key="faults")


def gc(cache_dir: Path | None, older_than: float | None, max_size: float | None, dry_run: bool, yes: bool) -> Status:
    """`harness cache gc`."""
    root, out = cache_dir or default_root(), Screen(soft_wrap=True)
    if _is_nothing(root, out):
        return Status.OK
    marker.check(root, adopt=not dry_run)
    cache = Cache.unopened(root)
    selected = list(removals(cache, older_than, None if max_size is None else int(min(max_size, MOST_GIB) * 2**30)))
    asks = not (dry_run or yes) and bool(selected) and _on_a_terminal()
    if dry_run or asks:
        for removal in selected:
            _say(out, _line(removal))
    if asks and not _agreed(out, f"remove {_sum(cache, selected)}?"):
        _say(out, "nothing was removed")
        return Status.OK
    gone = selected if dry_run else _removed(cache, selected, out, silent=asks)
    _say(out, f"{'would remove' if dry_run else 'removed'} {_sum(cache, gone)}")
    others = [f"{path.relative_to(root)} ({why})" for path, why in islice(left_alone(cache), SHOWN)]
    if others:
        _say(out, f"not touched: {', '.join(others)}")
    return Status.OK


def _removed(cache: Cache, selected: Sequence[Removal], out: Screen, *, silent: bool) -> list[Removal]:
    """Removes entries, prints each unless it was listed before, or why it stays; returns those removed."""
    gone = []
    for removal in selected:
        why = remove(cache, removal)
        if why:
            _say(out, f"{removal.path}: {why}, not touched")
        else:
            gone.append(removal)
            if not silent:
                _say(out, _line(removal))
    return gone


def _is_nothing(root: Path, out: Screen) -> bool:
    """Whether the folder is missing or empty; prints which."""
    nothing = _nothing(root)
    if nothing:
        _say(out, nothing)
    return bool(nothing)


def _nothing(root: Path) -> str:
    """Why there is nothing in a cache folder; empty if there is something. Makes no folder."""
    if root.exists() and not root.is_dir():
        raise CacheError(f"{root} is not a folder; name the cache folder with --cache-dir or HARNESS_CACHE.")
    if root.is_dir() and inside(root):
        return ""
    return f"0 entries in {root}: {'it is empty or cannot be read' if root.is_dir() else 'there is no such folder'}"


def _on_a_terminal() -> bool:
    """Whether a user can answer a question; a script gets none."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _agreed(out: Screen, question: str) -> bool:
    """Asks at the terminal; any answer but yes is no."""
    try:
        return out.input(f"{question} [y/N] ", markup=False).strip().casefold() in ("y", "yes")
    except EOFError:
        return False


def _line(removal: Removal) -> str:
    what = f"{kinds.WORDS[removal.kind]}, " if removal.kind else ""
    words = _words(removal.describe)
    return f"{removal.path}: {removal.why}; {what}{_mib(removal.bytes)} MiB{f' ({words})' if words else ''}"


def _sum(cache: Cache, gone: Sequence[Removal]) -> str:
    """How many entries of which kinds, and the space they free."""
    counts = Counter(kinds.WORDS.get(removal.kind, "a leftover file") for removal in gone)
    by_kind = f" ({', '.join(f'{n} × {what}' for what, n in sorted(counts.items()))})" if gone else ""
    return f"{len(gone)} {'entry' if len(gone) == 1 else 'entries'}, {_mib(freed(cache, gone))} MiB{by_kind}"


def _words(describe: Mapping[str, Any]) -> str:
    return ", ".join(f"{k} {v}" for k, v in describe.items() if v not in ("", None) and k != "code")


def _mib(value: int) -> str:
    return f"{value / 2**20:.1f}" if value else "–"


def _say(out: Screen, text: str) -> None:
    out.say(text)
