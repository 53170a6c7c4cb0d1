"""The board's files, written if something has changed: `leaderboard.md`, `.csv`, `.tex` and `.html`.

A stamp next to them, `.leaderboard.json`, has a hash of their inputs; if it and the files are unchanged, an up-to-date
`harness run` reads the folder and computes nothing.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from harness.base.errors import HarnessError, RecordError
from harness.base.files import sha256, write_text
from harness.base.json_files import read_json
from harness.base.owned import check_owned, note_owned, unchanged
from harness.bench.provenance import code_hash
from harness.bench.published import FOLDER, read_all
from harness.bench.record import Record
from harness.bench.store import Store
from harness.choices.plugins import named_files
from harness.datasets import at_hand
from harness.report import csv, latex, markdown
from harness.report.across import Across
from harness.report.board import Table, tables, with_published
from harness.report.comparisons import with_comparisons
from harness.report.comparisons_across import compared_across
from harness.report.page import leaderboard_page
from harness.report.query_blocks import QueryBlocks, blocks_of
from harness.report.top_lists import made_from_run
from harness.runtime.context import Context

STAMP = ".leaderboard.json"
NAMES = ("leaderboard.md", "leaderboard.csv", "leaderboard.tex", "leaderboard.html")


@dataclass(frozen=True)
class Written:
    """The board as written.

    Args:
        tables: one per dataset.
        across: the one across them.
        faults: errors of records and files that could not be read; the others are shown.
    """

    tables: list[Table]
    across: Across | None
    faults: list[HarnessError]


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Pauses the cycle collector: a board makes millions of objects and no cycles, and each pass walks all of them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_without_collection()
def write_board(results: Path, context: Context, texts: bool = False) -> Written:
    """Writes the board's files from all records of a results folder, with progress.

    Args:
        results: the folder.
        context: data folders and cache.
        texts: see `harness.report.collection.words`.

    Raises:
        RecordError: the folder cannot be written; or it has no record, and a file of such a name that is not ours.
    """
    store = Store(results)
    store.check()
    inputs, blocks = _inputs(results), QueryBlocks(_earlier_blocks(results), texts)
    stored, faults = store.stored()
    published, unread = read_all(results)
    every: list[HarnessError] = [*faults, *unread]
    if not (stored or published or every):  # perhaps a wrong --results
        check_owned(results, NAMES)
    bare = tables(each.record for each in stored)
    with context.progress("leaderboard", 2 * len(bare) + 1, "parts") as advance:
        found = with_published(with_comparisons(bare, store, stored, advance), published)
        over = compared_across(found, store, stored)
        advance()
        left_out = _left_out(every, results)
        written = {
            "leaderboard.md": markdown.leaderboard(found, over, left_out),
            "leaderboard.csv": csv.leaderboard(found),
            "leaderboard.tex": latex.leaderboard(found, over),
            "leaderboard.html": leaderboard_page(found, store, stored, context, over, left_out, advance, blocks),
        }
    for name, text in written.items():
        if not _has(results / name, text):
            write_text(results / name, text)
    note_owned(results, NAMES)
    records = (each.record for each in stored)
    stamp = {"inputs": _with_collections(inputs, records, context), "blocks": blocks.keys}
    write_text(results / STAMP, json.dumps(stamp, indent=1) + "\n", durable=False)
    return Written(found, over, every)


def check_is_results(results: Path) -> None:
    """Refuses a folder that contains something, but no record, no published scores and no board of ours.

    Raises:
        RecordError: it is no results folder; names what is in it.
    """
    stored, faults = Store(results).stored()
    published, unread = read_all(results)
    if not (stored or faults or published or unread or unchanged(results, NAMES[:1])):
        other = next((path.name for path in sorted(results.iterdir()) if not path.name.startswith(".")), None)
        if other is not None:
            raise RecordError(
                f"{results} has no record, but {other}: it is no folder of results, so no board is written into it. "
                "Name the folder of the records with --results."
            )


def is_written(results: Path, context: Context) -> bool:
    """Whether the board's files are there and are what `write_board` would write."""
    try:
        if not unchanged(results, NAMES):
            return False
        stamp = read_json(results / STAMP, dict[str, Any])
        records = [stored.record for stored in Store(results).stored()[0]]
        return bool(stamp["inputs"] == _with_collections(_inputs(results), records, context))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def faults_of(results: Path) -> list[HarnessError]:
    """Errors of records and published scores that cannot be read; the board is written without them."""
    return [*Store(results).stored()[1], *read_all(results)[1]]


def _has(path: Path, text: str) -> bool:
    """Whether a file has this text already, so that its time stays."""
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def _earlier_blocks(results: Path) -> dict[str, str]:
    """Key → per-query block of the page in the folder; empty unless it is as it was written."""
    try:
        if not unchanged(results, NAMES):
            return {}
        keys = read_json(results / STAMP, dict[str, Any])["blocks"]
        return blocks_of((results / "leaderboard.html").read_text(encoding="utf-8"), list(keys.values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _inputs(results: Path) -> str:
    """A hash of records, values, published scores, code and plug-ins; of a run, whose hash is in its record, the size
    and the time.
    """
    digest = hashlib.sha256(f"{code_hash()} {_assets()}".encode())
    for plugin in named_files():  # for their columns
        digest.update(sha256(plugin).encode() if plugin.is_file() else b"")
    for path in [*sorted(results.glob("*/*/seed*")), *sorted((results / FOLDER).glob("*.json"))]:
        if path.is_file() and not made_from_run(path):
            stat = path.stat()
            content = sha256(path) if path.suffix == ".json" else f"{stat.st_size} {stat.st_mtime_ns}"
            digest.update(f"{path.relative_to(results).as_posix()}\0{content}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _with_collections(inputs: str, records: Iterable[Record], context: Context) -> str:
    """The same with which collections are on this machine, as the page shows their texts."""
    names = sorted({record.dataset["name"] for record in records})
    there = [name for name in names if _at_hand(name, context)]
    return hashlib.sha256(json.dumps([inputs, there]).encode()).hexdigest()


def _at_hand(name: str, context: Context) -> bool:
    try:
        return at_hand(name, context)
    except HarnessError:
        return False


@functools.cache
def _assets() -> str:
    """A hash of the page's own files, which `code_hash` leaves out."""
    digest = hashlib.sha256()
    folders = [files("harness.report") / "assets"]
    for folder in folders:
        for item in sorted(folder.iterdir(), key=lambda one: one.name):
            if item.is_dir():
                folders.append(item)
            else:
                digest.update(item.read_bytes())
    return digest.hexdigest()


def _left_out(faults: Sequence[HarnessError], results: Path) -> tuple[str, ...]:
    """What could not be read, for the board; without the path of the results folder, which is this machine's."""
    return tuple(f"Left out: {str(fault).replace(f'{results}{os.sep}', '')}" for fault in faults)
