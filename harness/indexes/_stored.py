"""Indexes in the cache, by the vectors' content, the settings of the building and the library's version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harness.base.errors import CacheError
from harness.base.files import write_text
from harness.indexes import Vectors
from harness.runtime.build_once import build_once
from harness.runtime.context import Context

KIND = "indexes"
BLOCK = 8192
SOURCE = "of.json"
"""File in the folder of an index: the vectors it was built of."""


def fingerprint(vectors: Vectors) -> str:
    """32 hexadecimal digits over the values and the shape of (N, D) vectors, independent of the size of blocks."""
    digest = hashlib.sha256(f"{len(vectors)} {vectors.dimension} ".encode())
    for start in range(0, len(vectors), BLOCK):
        block = vectors.block(start, min(start + BLOCK, len(vectors)))
        digest.update(np.ascontiguousarray(block, dtype=np.float32).data)
    return digest.hexdigest()[:32]


def stored_index(
    vectors: Vectors, deciding: Mapping[str, Any], context: Context, build: Callable[[Path], None]
) -> Path:
    """The folder of the index of these vectors, built now if it is not in the cache.

    Args:
        vectors: what is indexed.
        deciding: JSON-safe; all else that decides the index: settings, seed, versions.
        context: gives the cache, and the ledger that is charged.
        build: writes the index into an empty folder.

    Raises:
        CacheError: the folder of the key was built of other vectors.
    """
    source = {"vectors": fingerprint(vectors), "number": len(vectors), "dimensions": vectors.dimension}
    key = hashlib.sha256(json.dumps({**deciding, **source}, sort_keys=True).encode()).hexdigest()[:32]

    def build_with_source(folder: Path) -> None:
        build(folder)
        write_text(folder / SOURCE, json.dumps(source, indent=1))

    place = build_once(context, KIND, key, {**deciding, **source}, build_with_source)
    stored = json.loads((place / SOURCE).read_text(encoding="utf-8"))
    if stored != source:
        raise CacheError(
            f"{place} is an index of other vectors ({_shown(stored)}), not of these ({_shown(source)}); "
            "delete the folder and run again."
        )
    return place


def _shown(source: Mapping[str, Any]) -> str:
    return f"{source['number']} of {source['dimensions']} dimensions, {source['vectors']}"
