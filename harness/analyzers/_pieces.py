"""Texts cut into pieces by arithmetic on their bytes, so that an analyser is called for each distinct piece only.

Between ASCII characters, a piece is one token of `_uax29.tokenize`. Elsewhere it is everything between two characters
that are never part of a token: white space, brackets, slashes and other ASCII signs. The tokens of the pieces, end to
end, are those of the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.analyzers import Pieces

_LETTER, _DIGIT, _UNDERSCORE, _IN_WORD, _IN_NUMBER, _OTHER, _HIGH = (1 << bit for bit in range(7))
_BETWEEN: Final = 0xFF  # no byte of UTF-8


def _table() -> npt.NDArray[np.uint8]:
    """The roles of each byte in a token, by the classes of `_uax29`; 0 if it is never part of a token."""
    kinds = {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz": _LETTER,
        "0123456789": _DIGIT,
        "_": _UNDERSCORE,
        ".'": _IN_WORD | _IN_NUMBER,
        ":": _IN_WORD,
        ",;": _IN_NUMBER,
        '"#*': _OTHER,  # only next to other scripts
    }
    table = np.zeros(256, np.uint8)
    for characters, kind in kinds.items():
        table[list(characters.encode("ascii"))] = kind
    table[0x80:_BETWEEN] = _HIGH
    return table


_TABLE: Final = _table()


def cut(texts: Sequence[str]) -> Pieces:
    """The pieces of texts; takes about 30 bytes of memory for each byte of the texts."""
    raw = bytes([_BETWEEN]).join([text.encode("utf-8", "surrogatepass") for text in texts])
    characters = np.frombuffer(raw, np.uint8)
    inside = _inside(_TABLE[characters])
    edges = np.flatnonzero(np.diff(inside.view(np.int8), prepend=np.int8(0), append=np.int8(0)))
    starts, ends = edges[0::2], edges[1::2]
    offsets = np.zeros(len(starts) + 1, np.int64)
    np.cumsum(ends - starts, out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(characters[inside])]
    encoded = pa.Array.from_buffers(pa.large_binary(), len(starts), buffers).dictionary_encode()
    between = np.flatnonzero(characters == _BETWEEN)
    places = np.concatenate([[0], np.searchsorted(starts, between), [len(starts)]])[: len(texts) + 1]
    return Pieces(encoded.dictionary.to_pylist(), encoded.indices.to_numpy(), np.diff(places))


def _inside(kinds: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which bytes belong to a piece."""
    inside: npt.NDArray[np.bool_] = (kinds & (_LETTER | _DIGIT | _UNDERSCORE)) != 0
    if len(kinds) > 2:
        before, current, after = kinds[:-2], kinds[1:-1], kinds[2:]
        # A sign between two letters, or between two digits: its bits are shifted to those of _LETTER and _DIGIT.
        joins = (current >> 3) & before & after & (_LETTER | _DIGIT)
        inside[1:-1] |= joins != 0
    if (kinds & _HIGH).any():
        edges = np.flatnonzero(np.diff((kinds != 0).view(np.int8), prepend=np.int8(0), append=np.int8(0)))
        starts, ends = edges[0::2], edges[1::2]
        # A stretch without separators that has bytes beyond ASCII is one piece.
        high = np.bitwise_or.reduceat(kinds, starts) & _HIGH != 0
        change = np.zeros(len(kinds) + 1, np.int8)
        change[starts[high]] = 1
        change[ends[high]] = -1
        inside |= np.cumsum(change[:-1], dtype=np.int8).view(np.bool_)
    return inside
