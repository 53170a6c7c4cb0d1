"""Leaks: test queries that training has seen, word for word, but for case and signs, or nearly; and documents that both
share.

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
"""Overlap from which two texts are near duplicates: a claim of twelve words in which one was exchanged has about that.
"""
_BANDING = 0.5
"""MinHash is asked for pairs from here on, so that hardly one above `NEAR` escapes."""
_PERMUTATIONS = 64
_TOGETHER = 1 << 14
"""Texts that are sketched and banded at once: some 2 KB each, however many there are."""
FILE = "leaks.json"


@dataclass(frozen=True)
class Overlap:
    """A text that stands on both sides.

    Args:
        here: its place on one side.
        there: the place of the most alike on the other.
        kind: `exact`, `normalised` (case, accents, signs and spaces apart) or `near`.
        similarity: Jaccard overlap of the normalised texts' character 5-grams; 1 for the first two kinds.
    """

    here: int
    there: int
    kind: Kind
    similarity: float


def overlaps(here: Sequence[str], there: Sequence[str], near: float = NEAR) -> list[Overlap]:
    """For each text on one side that the other side has too, or nearly: the most alike there.

    Args:
        here: N texts, say test queries.
        there: M texts, say training queries and generated ones.
        near: overlap from which two texts are near duplicates.
    """
    best: dict[int, Overlap] = {}
    for found in alike(here, there, near):
        best.setdefault(found.here, found)
    return list(best.values())


def alike(here: Sequence[str], there: Sequence[str], near: float = NEAR) -> list[Overlap]:
    """As `overlaps`, with all that is alike there and not the most alike alone: by place here, the most alike first."""
    places: dict[str, list[int]] = {}
    for place, text in enumerate(there):
        places.setdefault(normalised(text), []).append(place)
    normal_there, normal_here = list(places), [normalised(text) for text in here]
    found = []
    for place, other, similarity in _pairs(normal_here, normal_there, near):
        same = normal_here[place] == normal_there[other]
        for twin in places[normal_there[other]]:
            kind: Kind = ("exact" if here[place] == there[twin] else "normalised") if same else "near"
            found.append(Overlap(place, twin, kind, similarity))
    order = {"exact": 0, "normalised": 1, "near": 2}
    return sorted(found, key=lambda o: (o.here, order[o.kind], -o.similarity, o.there))


def normalised(text: str) -> str:
    """Lower case, single spaces, without punctuation and without the accents of Latin and Greek letters: form, not
    meaning.

    Signs that mean something stay (`c++`, `c#`, `-1`, `5 %`), and so do the marks of other scripts, which are letters
    there.
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    kept: list[str] = []
    bare = False
    for place, c in enumerate(apart):
        kind = _kind(c)
        if kind == "mark":
            kept += [] if bare else [c]
            continue
        bare = kind == "bare"
        minus = c in "-−" and apart[place + 1 : place + 2].isdigit() and not apart[place - 1 : place].isalnum()
        kept.append(c if kind in ("bare", "letter") else f" {c} " if kind == "sign" or minus else " ")
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


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
    """The character 5-grams of a text; a shorter text is one of its own."""
    return frozenset(text[i : i + NGRAM] for i in range(max(1, len(text) - NGRAM + 1)))


def _pairs(here: Sequence[str], there: Sequence[str], near: float) -> Iterable[tuple[int, int, float]]:
    """Place, place on the other side, overlap; of all pairs of normalised texts where that is at least `near`."""
    if not any(here) or not any(there):
        return
    from datasketch import MinHash, MinHashLSH

    settings = {"num_perm": _PERMUTATIONS, "hashfunc": _hashed, "seed": 1}
    sketches = [
        (place, sketch)
        for place, sketch in enumerate(MinHash.bulk([grams(text) for text in here], **settings))
        if here[place]
    ]
    for start in range(0, len(there), _TOGETHER):
        some = there[start : start + _TOGETHER]
        index = MinHashLSH(threshold=min(_BANDING, near), num_perm=_PERMUTATIONS)
        with index.insertion_session() as session:
            for place, sketch in enumerate(MinHash.bulk([grams(text) for text in some], **settings)):
                session.insert(place, sketch)
        for place, sketch in sketches:
            own = grams(here[place])
            for other in index.query(sketch):
                overlap = _jaccard(own, grams(some[other]))
                if overlap >= near:
                    yield place, start + other, overlap


def _hashed(gram: str) -> int:
    return zlib.crc32(gram.encode("utf-8", "surrogatepass"))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def kept_alike(test: Queries, texts: Sequence[str], context: Context, near: float = NEAR) -> list[Overlap]:
    """`alike`, kept by content: a run asks the same before training and when it measures, and it may take a minute.

    Args:
        test: the queries that are reported on.
        texts: what is looked for them in.
        context: its cache.
        near: overlap from which two texts are near duplicates.
    """
    if not texts:
        return []
    told = hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()
    deciding = ["alike", test.revision, told, near, NGRAM, _BANDING, _PERMUTATIONS, code_of(__name__)]
    key = hashlib.sha256(json.dumps(deciding).encode()).hexdigest()[:32]

    def build(part: Path) -> None:
        found = alike(test.texts, texts, near)
        write_text(part / FILE, json.dumps([[o.here, o.there, o.kind, round(o.similarity, 4)] for o in found]))

    place = context.cache.folder("leaks", key, {"queries": len(test), "texts": len(texts)}, build)
    return [Overlap(*held) for held in json.loads((place / FILE).read_text(encoding="utf-8"))]


@dataclass(frozen=True)
class Leaks:
    """What training and dev queries have in common with those that are reported on.

    Args:
        queries: test query id → the most alike training or dev query's id, the kind, the overlap.
        documents: ids of the test queries of which a relevant document is relevant to a training or dev query too.
    """

    queries: Mapping[str, tuple[str, Kind, float]]
    documents: tuple[str, ...]


def leaks(dataset: Dataset, context: Context, near: float = NEAR) -> Leaks:
    """Looks for test queries and their relevant documents in what training and tuning may see; kept, for it takes a
    while.

    Args:
        dataset: whose test split is looked for in its train and dev splits.
        context: its cache.
        near: overlap from which two queries are near duplicates.
    """
    splits = [split for split in (dataset.train.train, dataset.train.dev) if split is not None]
    if not splits:
        return Leaks({}, ())
    deciding = [
        dataset.test.revision,
        *(split.revision for split in splits),
        near,
        NGRAM,
        _BANDING,
        _PERMUTATIONS,
        code_of("harness.leaks.overlap"),
    ]
    key = hashlib.sha256(json.dumps(deciding).encode()).hexdigest()[:32]

    def build(part: Path) -> None:
        found = _leaks(dataset.test, splits, near)
        write_text(part / FILE, json.dumps({"queries": dict(found.queries), "documents": list(found.documents)}))

    place = context.cache.folder("leaks", key, {"collection": dataset.name}, build)
    held = json.loads((place / FILE).read_text(encoding="utf-8"))
    return Leaks(
        {q: (other, kind, overlap) for q, (other, kind, overlap) in held["queries"].items()}, tuple(held["documents"])
    )


def _leaks(test: Labelled, splits: Sequence[Labelled], near: float) -> Leaks:
    ids = [query for split in splits for query in split.queries.ids]
    texts = [text for split in splits for text in split.queries.texts]
    found = overlaps(test.queries.texts, texts, near)
    seen = {d for split in splits for grades in split.qrels.values() for d, grade in grades.items() if grade > 0}
    shared = [q for q, grades in test.qrels.items() if any(grade > 0 and d in seen for d, grade in grades.items())]
    return Leaks(
        {test.queries.ids[o.here]: (ids[o.there], o.kind, round(o.similarity, 4)) for o in found}, tuple(sorted(shared))
    )
