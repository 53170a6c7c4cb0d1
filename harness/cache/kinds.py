"""The content of a cache folder: the kinds of entries, the form of their names, and the folders besides them.

`harness cache gc` removes what has a name of this form in a folder of one of these kinds, and nothing else; a plug-in
that caches a kind of its own has to remove it itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, str]] = {
    "answers": "answers of a hosted model",
    "bm25": "an index of BM25",
    "checkpoints": "an unfinished training",
    "compiled": "a model compiled for an engine",
    "corpora": "the documents of a collection",
    "embeddings": "vectors of texts",
    "expanded": "documents with questions added",
    "generated": "questions of a local model",
    "golden": "trials of the engine check",
    "indexes": "an index of vectors",
    "leaks": "overlaps of training and test",
    "lucene": "an index of Lucene",
    "models": "a trained model",
    "negatives": "mined negatives",
    "pairs": "scores of pairs",
    "passage-vectors": "vectors of passages in their documents",
    "passages": "the documents of a collection, cut into passages",
    "questions": "generated questions",
    "search-engines": "an index of a search engine",
    "sparse": "sparse vectors of texts",
    "stdlib": "the collection stdlib/code",
    "token-vectors": "token vectors of texts",
    "weights": "the weights after a training, before they are averaged",
}
"""Kind → what one entry of it is. An entry is the folder `<kind>/<key>/`."""
GROWING: Final = frozenset(
    {"answers", "checkpoints", "embeddings", "generated", "pairs", "passage-vectors", "sparse", "token-vectors"}
)
"""Kinds whose entries are only added to: each of their files is valid without the others and without `meta.json`."""
MEMOS: Final = frozenset({"hashes", "paces", "top_lists"})
"""Folders of small JSON files, named by a key each."""
BESIDE: Final = frozenset({"data", "downloads", "jobs", "locks", "plugins"}) | MEMOS
"""Folders without entries: collections and downloads, results of jobs, locks, plug-ins of other machines, memos."""
OF_THE_SYSTEM: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "lost+found"})
"""Names that file managers and file systems create in any folder."""

_KEY: Final = re.compile(r"[0-9a-f]{32}")
_PART: Final = re.compile(r"\.([0-9a-f]{32})\..+\.part")
_MEMO: Final = re.compile(r"[0-9a-f]{32}\.json")
_MEMO_PART: Final = re.compile(r"\.[0-9a-f]{32}\.json\..+\.part")
_INSIDE_PART: Final = re.compile(r"\..+\.part")


def is_key(name: str) -> bool:
    """Whether a name is a key of an entry: 32 hexadecimal digits."""
    return _KEY.fullmatch(name) is not None


def key_of_part(name: str) -> str | None:
    """The key of the entry that was being built in a folder of this name; None for any other name."""
    match = _PART.fullmatch(name)
    return match.group(1) if match else None


def is_memo(name: str) -> bool:
    """Whether a file of `MEMOS` has this name."""
    return _MEMO.fullmatch(name) is not None


def is_memo_part(name: str) -> bool:
    """Whether a file of `MEMOS` that was being written has this name."""
    return _MEMO_PART.fullmatch(name) is not None


def is_part(name: str) -> bool:
    """Whether a file inside an entry that was being written has this name."""
    return _INSIDE_PART.fullmatch(name) is not None
