"""Built indexes that are kept on disk: by the vectors' content, what decides the building, and the library's
version.
"""

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
OF = "of.json"
"""In the kept folder: the vectors that it was built of."""


def fingerprint(vectors: Vectors) -> str:
    """32 hexadecimal digits over the values and the shape of (N, D) vectors, however they are cut into blocks."""
    digest = hashlib.sha256(f"{len(vectors)} {vectors.dimension} ".encode())
    for start in range(0, len(vectors), BLOCK):
        block = vectors.block(start, min(start + BLOCK, len(vectors)))
        digest.update(np.ascontiguousarray(block, dtype=np.float32).data)
    return digest.hexdigest()[:32]


def kept(vectors: Vectors, deciding: Mapping[str, Any], context: Context, build: Callable[[Path], None]) -> Path:
    """The folder of the index of these vectors, built now if it is not kept.

    Args:
        vectors: what is indexed.
        deciding: JSON-safe; all else that decides what is built: settings, seed, versions.
        context: the cache, and whose step took how long.
        build: writes the index into an empty folder.

    Raises:
        CacheError: the folder that answers to the key was built of other vectors.
    """
    of = {"vectors": fingerprint(vectors), "number": len(vectors), "dimensions": vectors.dimension}
    key = hashlib.sha256(json.dumps({**deciding, **of}, sort_keys=True).encode()).hexdigest()[:32]

    def made(folder: Path) -> None:
        build(folder)
        write_text(folder / OF, json.dumps(of, indent=1))

    place = build_once(context, KIND, key, {**deciding, **of}, made)
    held = json.loads((place / OF).read_text(encoding="utf-8"))
    if held != of:
        raise CacheError(
            f"{place} is an index of other vectors ({held['number']} of {held['dimensions']} dimensions, "
            f"{held['vectors']}), "
            f"not of these ({of['number']} of {of['dimensions']}, {of['vectors']}); delete the folder and run again."
        )
    return place
