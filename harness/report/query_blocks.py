"""The per-query blocks of the page, one for each dataset; those whose inputs are unchanged come from the last page.

A block is by far the largest part of a dataset on the page. Its key is a hash of everything it is made from: rows,
per-query values, runs, collection and code. The keys are in the stamp next to the board's files.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.base.files import sha256
from harness.bench.provenance import code_hash
from harness.bench.store import Key, Place, Store, StoredRecord, key_of
from harness.report.board import Table
from harness.report.collection import words
from harness.report.per_query import packed, per_query
from harness.runtime.context import Context

MOST_CELLS = 400_000
"""Rows times queries whose per-query values and top tens the page has: about 20 MB."""
FEWEST_ROWS = 10
"""Of a dataset, which the page has in any case."""
_BLOCK = re.compile(r'<script type="application/octet-stream" class="queries">([^<]*)</script>')


@dataclass
class QueryBlocks:
    """Makes the blocks.

    Args:
        earlier: key → block, of the page that is replaced.
        texts: see `harness.report.collection.words`.
        keys: dataset → key of its block, in the order of the page; filled by `add`.
    """

    earlier: Mapping[str, str] = field(default_factory=dict)
    texts: bool = False
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Compresses one dataset's block while the next one is put together.
        self._packer = ThreadPoolExecutor(max_workers=1)
        self._blocks: list[Future[str]] = []

    def add(
        self,
        table: Table,
        store: Store,
        places: Mapping[Key, StoredRecord],
        context: Context,
        most: int | None,
    ) -> None:
        """Adds the block of a dataset.

        Args:
            table: the dataset's rows.
            store: of the records.
            places: the records with their places.
            context: data folders and cache; nothing is downloaded.
            most: rows that are shown; None shows all.
        """
        texts, why = words(table.dataset, table.first.dataset["revision"], context, self.texts)
        key = _key(table, places, f"{texts.dataset.revision} {why}" if texts else why, most)
        self.keys[table.dataset] = key
        if len(self._blocks) > 1:
            self._blocks[-2].result()  # no more than two blocks are in memory unpacked
        if key in self.earlier:
            self._blocks.append(self._packer.submit(lambda: self.earlier[key]))
            return
        block = per_query(table, store, places, texts, why, context.cache, most)
        self._blocks.append(self._packer.submit(packed, block))

    def finished(self) -> list[str]:
        """The blocks, in the order of the page."""
        blocks = [block.result() for block in self._blocks]
        self._packer.shutdown()
        return blocks


def blocks_of(page: str, keys: Sequence[str]) -> dict[str, str]:
    """Key → block of a page that was written with these keys; empty if their numbers differ."""
    blocks = _BLOCK.findall(page)
    return dict(zip(keys, blocks, strict=True)) if len(blocks) == len(keys) else {}


def most_rows(tables: Sequence[Table], table: Table) -> int | None:
    """Rows of a dataset whose queries the page shows; None if those of all datasets fit."""
    cells = sum(len(each.lines) * int(each.first.dataset["queries"]) for each in tables)
    share = MOST_CELLS // (len(tables) * max(1, int(table.first.dataset["queries"])))
    return None if cells <= MOST_CELLS else max(FEWEST_ROWS, share)


def _key(table: Table, places: Mapping[Key, StoredRecord], collection: str, most: int | None) -> str:
    """A hash of what decides a block."""
    rows = []
    for line in table.lines:
        records = [[*key_of(record), record.status, record.dataset["revision"]] for record in line.records]
        stored = [places[key_of(record)] for record in line.records if key_of(record) in places]
        files = [_files(each.place, each.record.run_sha256) for each in stored]
        rows.append([records, line.interval is not None, files])
    inputs = [code_hash(), table.dataset, table.measures, collection, most, rows]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:32]


def _files(place: Place, run_sha256: str | None) -> list[Any]:
    """The content of a record's per-query values, and the state of its run, whose hash is in the record."""
    values = sha256(place.queries) if place.queries.is_file() else None
    return [values, _state(place.run) or _state(place.tops), run_sha256]


def _state(path: Path) -> list[int] | None:
    if not path.is_file():
        return None
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]
