"""A code-search collection made of functions: the query is the first sentence of a docstring, the answer its function.

It follows CodeSearchNet (Husain et al. 2019, https://arxiv.org/abs/1909.09436) and its filters: documents are complete
functions with signature and comments, without docstring; functions of fewer than three lines, with `test` in their name
and special methods are left out, and so are queries of fewer than three words. Differences:

- a document has no title, since many queries match a qualified name; the function's own name stays in its signature;
- documents that differ only in white space are one document, so that a retrieved copy does not count as a miss;
- a query is left out if another docstring says nearly the same (Jaccard similarity of the word sets ≥ 0.8), in whatever
  split, since two documents could answer it;
- a query that contains its function's name as code is left out: it would be an exact match.

Splits go by top-level module, `_pyio` counted as `io`, so that no test query is about a module seen in training.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.datasets._functions import Function

MOST_DOCUMENTS = 5000
MOST_QUERIES = {"test": 300, "dev": 300, "train": 2000}
SHARES = (("test", 25), ("dev", 15), ("train", 60))
"""Per cent of the top-level modules."""

SIMILAR = 0.8
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|resp)|\b[A-Z])\.$", re.IGNORECASE)
_BOILERPLATE = re.compile(
    # Says how the function is maintained, called or derived from another, not what it does.
    r"^(?:see|deprecated|internal|private|overrid\w*|callback|implement\w*|initiali[sz]e\w*|constructor|same "
    r"as|like|alias|"
    r"equivalent to|called (?:by|when|if)|undocumented|not implemented|abstract|todo|xxx|note|warning|return self|used "
    r"by|"
    r"use|hook|this (?:method|function)|for internal|default implementation|subclass\w*|convenience|"
    r"wrapper (?:for|around))\b"
    r"|\b(?:helper|variant of|version of|symmetry|implementation of|backwards? compatibility|instead)\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(r">>>| = |->|\*\(|^\s*[\w.]+\(|:param|:return|^\.\. |^@|=>|^\W")
_STUB = re.compile(r"(?:pass|\.\.\.|raise NotImplementedError\b.*|return NotImplemented|return None|return)$")


@dataclass(frozen=True)
class Pair:
    """A query and the document that answers it."""

    query: str
    document: str


def write_collection(functions: Iterable[Function], folder: Path) -> dict[str, int]:
    """Writes `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`.

    Args:
        functions: in a fixed order; of identical ones the first is taken.
        folder: an empty folder.

    Returns:
        Counts of documents and of queries per split.
    """
    documents, pairs = _documents_and_pairs(functions)
    chosen = _choose(_unambiguous(pairs))
    relevant = {pair.document for split in chosen.values() for pair in split}
    others = sorted(documents.keys() - relevant, key=_order)[: max(0, MOST_DOCUMENTS - len(relevant))]
    names = sorted(relevant.union(others))
    with open(folder / "corpus.jsonl", "w", encoding="utf-8", newline="\n") as file:
        file.writelines(_line({"_id": name, "title": "", "text": documents[name]}) for name in names)
    (folder / "qrels").mkdir()
    with open(folder / "queries.jsonl", "w", encoding="utf-8", newline="\n") as file:
        for split, judged in chosen.items():
            with open(folder / "qrels" / f"{split}.tsv", "w", encoding="utf-8", newline="\n") as qrels:
                qrels.write("query-id\tcorpus-id\tscore\n")
                for number, pair in enumerate(judged, 1):
                    file.write(_line({"_id": f"{split}-{number}", "text": pair.query}))
                    qrels.write(f"{split}-{number}\t{pair.document}\t1\n")
    return {"documents": len(names), **{split: len(judged) for split, judged in chosen.items()}}


def query_of(function: Function) -> str | None:
    """The first sentence of the docstring, or None if it would not be a fair query."""
    paragraph = function.docstring.split("\n\n")[0]
    sentence = first_sentence(" ".join(paragraph.split()))
    if _BOILERPLATE.search(sentence) or _MARKUP.search(sentence) or sentence.endswith(":"):
        return None
    if len(words(sentence)) < 3 or len(sentence.split()) > 40:
        return None
    return None if _names(sentence, function.name) else sentence


def first_sentence(text: str) -> str:
    """Up to the first full stop, question or exclamation mark before a capital that does not end an abbreviation."""
    for end in re.finditer(r"[.!?]['\")\]]*(?=\s+[A-Z\"'`(])", text):
        if not _ABBREVIATION.search(text[: end.start() + 1]):
            return text[: end.end()]
    return text


def words(text: str) -> frozenset[str]:
    """The distinct words of a text, lower-cased, by which queries are compared."""
    return frozenset(re.findall(r"\w+", text.lower()))


def _names(sentence: str, name: str) -> bool:
    """Whether a sentence gives its function away: `strftime()`, `normalize reduces …`, or a compound name anywhere."""
    bare = name.strip("_")
    compound = "_" in bare or re.search(r"[a-z][A-Z]", bare)
    if compound and bare.lower() in sentence.lower():
        return True
    return sentence.split()[0] in (name, bare) or re.search(rf"\b{re.escape(bare)}(?:\(|`|\*)", sentence) is not None


def _documents_and_pairs(functions: Iterable[Function]) -> tuple[dict[str, str], list[Pair]]:
    documents: dict[str, str] = {}
    first: dict[str, str] = {}
    pairs: dict[Pair, None] = {}
    for function in functions:
        if not _whole(function):
            continue
        name = first.setdefault(" ".join(function.source.split()), function.id)
        documents.setdefault(name, function.source)
        query = query_of(function) if function.docstring else None
        if query:
            pairs[Pair(query, name)] = None
    return documents, list(pairs)


def _whole(function: Function) -> bool:
    """Whether a function is a useful document: at least three lines, not special, not a test and not a stub."""
    lines = function.source.split("\n")
    special = function.name.startswith("__") and function.name.endswith("__")
    if len(lines) < 3 or special or "test" in function.name.lower():
        return False
    signature = next((n for n, line in enumerate(lines) if line.rstrip().endswith(":")), 0)
    return not all(_STUB.fullmatch(line.strip()) or line.strip().startswith("#") for line in lines[signature + 1 :])


def _unambiguous(pairs: list[Pair]) -> list[Pair]:
    """The pairs whose query is not similar to a query of another document."""
    sets = [words(pair.query) for pair in pairs]
    rows_with: dict[str, list[int]] = {}
    for row, own in enumerate(sets):
        for word in own:
            rows_with.setdefault(word, []).append(row)
    doubtful: set[int] = set()
    for row, own in enumerate(sets):
        # Two sets of similarity s share one of the (1 − s)·n + 1 rarest words of either: only those need be looked up.
        rare = sorted(own, key=lambda word: (len(rows_with[word]), word))[: int((1 - SIMILAR) * len(own)) + 1]
        candidates: set[int] = set().union(*(rows_with[word] for word in rare))
        for other in candidates:
            similar = len(own & sets[other]) >= SIMILAR * len(own | sets[other])
            if similar and pairs[other].document != pairs[row].document:
                doubtful |= {row, other}
    return [pair for row, pair in enumerate(pairs) if row not in doubtful]


def _choose(pairs: list[Pair]) -> dict[str, list[Pair]]:
    """The pairs of each split, in an order that does not depend on their place in the library."""
    chosen: dict[str, list[Pair]] = {split: [] for split, _ in SHARES}
    for pair in sorted(pairs, key=lambda p: _order(p.document + "\0" + p.query)):
        split = _split(pair.document)
        if len(chosen[split]) < MOST_QUERIES[split]:
            chosen[split].append(pair)
    return chosen


def _split(document: str) -> str:
    module = document.split(".")[0].lstrip("_")
    place = int.from_bytes(hashlib.sha256(module.encode()).digest()[:8], "big") % 100
    for split, share in SHARES:
        if place < share:
            return split
        place -= share
    raise AssertionError("the shares add up to 100")


def _line(record: dict[str, str]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _order(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
