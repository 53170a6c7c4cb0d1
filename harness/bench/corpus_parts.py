"""A corpus cut into parts that are encoded in separate jobs, in the same batches as the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from harness.cache.shards import text_keys
from harness.models.encode_once import CHUNK


@dataclass(frozen=True)
class CorpusPart:
    """Documents that one job encodes.

    Args:
        start: first row; a multiple of `CHUNK`.
        stop: last row plus one.
        repeated: rows, counted from `start`, whose text also occurs in an earlier part and is encoded there.
        queries: whether the job encodes the test queries too.
    """

    start: int
    stop: int
    repeated: tuple[int, ...] = ()
    queries: bool = False

    def own(self, texts: Sequence[str]) -> list[str]:
        """The texts of a corpus that this part encodes."""
        repeated = set(self.repeated)
        return [text for i, text in enumerate(texts[self.start : self.stop]) if i not in repeated]


def corpus_parts(texts: Sequence[str]) -> list[CorpusPart]:
    """The documents of a collection in parts of one `CHUNK`: encoding works chunk by chunk, each text with its first
    occurrence, so that all parts together make the batches of the whole.
    """
    if len(texts) <= CHUNK:
        return [CorpusPart(0, len(texts))]
    starts = range(0, len(texts), CHUNK)
    keys = pa.concat_arrays([text_keys(texts[start : start + CHUNK]) for start in starts])
    raw = np.frombuffer(keys.buffers()[1], dtype=[("a", "<u8"), ("b", "<u8")], count=len(keys))
    _, first, inverse = np.unique(raw, return_index=True, return_inverse=True)
    earliest = first[inverse]
    parts = []
    for start in starts:
        repeated = np.flatnonzero(earliest[start : start + CHUNK] < start)
        parts.append(CorpusPart(start, min(start + CHUNK, len(texts)), tuple(repeated.tolist())))
    return parts
