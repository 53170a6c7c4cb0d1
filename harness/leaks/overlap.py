"""Leaks: test queries that also occur in training, exactly, normalised or nearly; and relevant documents in common.

Sources: Broder (1997) for resemblance, the Jaccard overlap of n-grams; MinHash with banding finds the pairs worth
comparing, and each of these is compared exactly.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from harness.base.files import write_text
from harness.cache.code import code_of
from harness.data.dataset import Dataset
from harness.data.queries import Labelled, Queries
from harness.runtime.context import Context

Kind = Literal["exact", "normalised", "near"]
NGRAM = 5
"""Characters."""
NEAR = 0.7
"""Overlap from which two texts are near duplicates; about that of a claim of twelve words with one word replaced."""
_BANDING = 0.5
"""MinHash's threshold, below `NEAR` so that it misses hardly any pair above it."""
_PERMUTATIONS = 64
_TOGETHER = 1 << 14
"""Texts that are sketched and banded at once, about 2 KB each, to bound the memory."""
FILE = "leaks.json"


@dataclass(frozen=True)
class Overlap:
    """A text of one list that also occurs in the other, or nearly.

    Args:
        here: its place in the one.
        there: the place of its copy in the other.
        kind: `exact`, `normalised` (equal but for case, accents, signs and spaces) or `near`.
        similarity: Jaccard overlap of the normalised texts' character 5-grams; 1 for the first two kinds.
    """

    here: int
    there: int
    kind: Kind
    similarity: float


def overlaps(here: Sequence[str], there: Sequence[str], near: float = NEAR) -> list[Overlap]:
    """The most similar text of the other list, for each text that also occurs there, or nearly.

    Args:
        here: N texts, say test queries.
        there: M texts, say training queries and generated ones.
        near: overlap from which two texts are near duplicates.
    """
    best: dict[int, Overlap] = {}
    for overlap in alike(here, there, near):
        best.setdefault(overlap.here, overlap)
    return list(best.values())


def alike(here: Sequence[str], there: Sequence[str], near: float = NEAR) -> list[Overlap]:
    """As `overlaps`, with all similar texts of the other list; by place here, the most similar first."""
    places: dict[str, list[int]] = {}
    for place, text in enumerate(there):
        places.setdefault(normalised(text), []).append(place)
    normal_there, normal_here = list(places), [normalised(text) for text in here]
    found = []
    for place, other, similarity in _pairs(normal_here, normal_there, near):
        for copy in places[normal_there[other]]:
            kind: Kind = "near"
            if normal_here[place] == normal_there[other]:
                kind = "exact" if here[place] == there[copy] else "normalised"
            found.append(Overlap(place, copy, kind, similarity))
    order = {"exact": 0, "normalised": 1, "near": 2}
    return sorted(found, key=lambda o: (o.here, order[o.kind], -o.similarity, o.there))


def normalised(text: str) -> str:
    """Lower case, single spaces, without punctuation and without the accents of Latin and Greek letters: form, not
    meaning.

    Signs that mean something stay (`c++`, `c#`, `-1`, `5 %`), and so do the marks of other scripts, which are letters
    there.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    parts: list[str] = []
    after_bare = False
    for place, c in enumerate(decomposed):
        kind = _kind(c)
        if kind == "mark":
            if not after_bare:
                parts.append(c)
            continue
        after_bare = kind == "bare"
        followed = decomposed[place + 1 : place + 2].isdigit() and not decomposed[place - 1 : place].isalnum()
        if kind in ("bare", "letter"):
            parts.append(c)
        elif kind == "sign" or (c in "-−" and followed):
            parts.append(f" {c} ")
        else:
            parts.append(" ")
    return " ".join(unicodedata.normalize("NFC", "".join(parts)).split())


@cache
def _kind(c: str) -> str:
    """`mark`, `letter` (or digit), `bare` where its marks are accents, `sign`, or `form`."""
    category = unicodedata.category(c)
    if category[0] == "M":
        return "mark"
    if c.isalnum():
        return "bare" if unicodedata.name(c, "").startswith(("LATIN", "GREEK")) else "letter"
    return "sign" if category in ("Sm", "Sc", "So") or c in "#%&@*/\\" else "form"


def grams(text: str) -> frozenset[str]:
    """The character 5-grams of a text; a shorter text is one gram."""
    return frozenset(text[i : i + NGRAM] for i in range(max(1, len(text) - NGRAM + 1)))


def _pairs(here: Sequence[str], there: Sequence[str], near: float) -> Iterable[tuple[int, int, float]]:
    """Place, place in the other list and overlap of all pairs of normalised texts that overlap by at least `near`."""
    if not any(here) or not any(there):
        return
    from datasketch import MinHash, MinHashLSH

    settings = {"num_perm": _PERMUTATIONS, "hashfunc": _hash_of, "seed": 1}
    sketches = enumerate(MinHash.bulk([grams(text) for text in here], **settings))
    not_empty = [(place, sketch) for place, sketch in sketches if here[place]]
    for start in range(0, len(there), _TOGETHER):
        some = there[start : start + _TOGETHER]
        index = MinHashLSH(threshold=min(_BANDING, near), num_perm=_PERMUTATIONS)
        with index.insertion_session() as session:
            for place, sketch in enumerate(MinHash.bulk([grams(text) for text in some], **settings)):
                session.insert(place, sketch)
        for place, sketch in not_empty:
            own = grams(here[place])
            for other in index.query(sketch):
                overlap = _jaccard(own, grams(some[other]))
                if overlap >= near:
                    yield place, start + other, overlap


def _hash_of(gram: str) -> int:
    return zlib.crc32(gram.encode("utf-8", "surrogatepass"))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def kept_alike(test: Queries, texts: Sequence[str], context: Context, near: float = NEAR) -> list[Overlap]:
    """`alike`, cached by content: a run needs it before training and after, and it may take a minute.

    Args:
        test: the queries of the reported split.
        texts: those of training.
        context: its cache.
        near: overlap from which two texts are near duplicates.
    """
    if not texts:
        return []
    revision = hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()

    def build(part: Path) -> None:
        overlaps = alike(test.texts, texts, near)
        write_text(part / FILE, json.dumps([[o.here, o.there, o.kind, round(o.similarity, 4)] for o in overlaps]))

    key = _key("alike", test.revision, revision, near)
    place = context.cache.folder("leaks", key, {"queries": len(test), "texts": len(texts)}, build)
    return [Overlap(*fields) for fields in json.loads((place / FILE).read_text(encoding="utf-8"))]


def _key(*inputs: str | float) -> str:
    """Of a cached result: its inputs, and all settings and code that it depends on."""
    deciding = [*inputs, NGRAM, _BANDING, _PERMUTATIONS, code_of(__name__)]
    return hashlib.sha256(json.dumps(deciding).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Leaks:
    """What training and dev queries have in common with the test queries.

    Args:
        queries: test query id → id of the most similar training or dev query, the kind, the overlap.
        documents: ids of the test queries that share a relevant document with a training or dev query.
    """

    queries: Mapping[str, tuple[str, Kind, float]]
    documents: tuple[str, ...]


def leaks(dataset: Dataset, context: Context, near: float = NEAR) -> Leaks:
    """Finds test queries and their relevant documents in the train and dev splits; cached.

    With folds, each query is compared with the train and dev queries of its fold's view.

    Args:
        dataset: with its splits.
        context: its cache.
        near: overlap from which two queries are near duplicates.
    """
    if dataset.train.folds is not None:
        found = [leaks(part, context, near) for part in dataset.parts]
        queries = {query: overlap for part in found for query, overlap in part.queries.items()}
        return Leaks(queries, tuple(sorted(query for part in found for query in part.documents)))
    splits = [split for split in (dataset.train.train, dataset.train.dev) if split is not None]
    if not splits:
        return Leaks({}, ())
    key = _key(dataset.test.revision, *(split.revision for split in splits), near)

    def build(part: Path) -> None:
        found = _leaks(dataset.test, splits, near)
        write_text(part / FILE, json.dumps({"queries": dict(found.queries), "documents": list(found.documents)}))

    place = context.cache.folder("leaks", key, {"collection": dataset.name}, build)
    cached = json.loads((place / FILE).read_text(encoding="utf-8"))
    return Leaks({query: tuple(overlap) for query, overlap in cached["queries"].items()}, tuple(cached["documents"]))


def _leaks(test: Labelled, splits: Sequence[Labelled], near: float) -> Leaks:
    ids = [query for split in splits for query in split.queries.ids]
    texts = [text for split in splits for text in split.queries.texts]
    queries = {}
    for overlap in overlaps(test.queries.texts, texts, near):
        other = ids[overlap.there], overlap.kind, round(overlap.similarity, 4)
        queries[test.queries.ids[overlap.here]] = other
    seen: set[str] = set()
    for split in splits:
        seen.update(*map(_relevant, split.qrels.values()))
    shared = [query for query, grades in test.qrels.items() if not seen.isdisjoint(_relevant(grades))]
    return Leaks(queries, tuple(sorted(shared)))


def _relevant(grades: Mapping[str, int]) -> list[str]:
    return [document for document, grade in grades.items() if grade > 0]
