"""Judgements with their judge: a file next to the qrels, `qrels/test.labels.jsonl`, one label a line.

The qrels have one grade a pair, as every tool reads them; this file has every label and who gave it. Of a pair, the
grade in the qrels is the (lower) median of the people's labels if there are any, else of the machines'.
"""

from __future__ import annotations

import hashlib
import json
import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from harness.base.errors import DatasetError
from harness.base.files import there, write_text
from harness.collection.qrels import HEADER
from harness.data.lines import lines
from harness.data.queries import Qrels

Kind = Literal["machine", "person", "given"]
"""`given` is a judgement that was there before, of unknown origin."""
ENDING = ".labels.jsonl"


class Label(NamedTuple):
    """The grade that one judge gave one pair."""

    query: str
    document: str
    grade: int
    judge: str
    kind: Kind


@dataclass(frozen=True)
class Labels:
    """All labels of a split.

    Args:
        every: in the order in which they were given.
    """

    every: tuple[Label, ...]

    def qrels(self) -> dict[str, dict[str, int]]:
        """Query id → document id → grade, of all labels: given and people's before the machines'."""
        return _grades(self.every, prefer=True)

    def of_machines(self) -> dict[str, dict[str, int]]:
        """The same, of the machines' labels only."""
        return _grades(label for label in self.every if label.kind == "machine")

    def of_people(self) -> dict[str, dict[str, int]]:
        """The same, of the people's labels, for the queries of which people judged every document that machines
        judged.
        """
        machine = self.of_machines()
        people = _grades(label for label in self.every if label.kind == "person")
        return {q: grades for q, grades in people.items() if q in machine and machine[q].keys() <= grades.keys()}

    def summary(self) -> dict[str, Any]:
        """JSON-safe: number of pairs by the kind that decides, the judges, the queries that people judged completely,
        and a hash of the resulting qrels.
        """
        deciding: dict[tuple[str, str], Kind] = {}
        for label in self.every:
            pair = label.query, label.document
            if label.kind != "machine" or pair not in deciding:
                deciding[pair] = label.kind
        kinds = Counter(deciding.values())
        return {
            "pairs": {kind: kinds[kind] for kind in sorted(kinds)},
            "judges": {label.judge: label.kind for label in sorted(self.every, key=lambda each: each.judge)},
            "people_queries": len(self.of_people()),
            "qrels": digest(self.qrels()),
        }


def digest(qrels: Qrels) -> str:
    """16 hexadecimal digits over judgements, whatever their order."""
    ordered = {query: dict(sorted(grades.items())) for query, grades in sorted(qrels.items())}
    return hashlib.sha256(json.dumps(ordered).encode()).hexdigest()[:16]


def labels_file(folder: Path, split: str = "test") -> Path:
    """Where the labels of a split of a collection are."""
    return folder / "qrels" / f"{split}{ENDING}"


def read_labels(path: Path) -> Labels | None:
    """The labels in a file; None if there is no such file.

    Raises:
        DatasetError: a line that is no label; names it.
    """
    if not there(path.is_file):
        return None
    every = []
    for number, line in lines(path):
        try:
            record = json.loads(line)
            label = Label(*(record[name] for name in Label._fields))
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{path}, line {number}: no label ({error!r}); {_shape()}.") from error
        texts = isinstance(label.query, str) and isinstance(label.document, str) and isinstance(label.judge, str)
        grade = isinstance(label.grade, int) and not isinstance(label.grade, bool) and 0 <= label.grade <= 9
        if not (texts and grade and label.kind in ("machine", "person", "given")):
            raise DatasetError(f"{path}, line {number}: no label; {_shape()}.")
        every.append(label)
    return Labels(tuple(every))


def labels_giving(
    folder: Path, wanted: str, split: str | None = None, queries: Collection[str] | None = None
) -> Labels | None:
    """The labels of a collection that give certain judgements; None if none do.

    Looked for in the labels of the split, then in those of the others (dev may be cut from train), then in those of
    train and dev together, which folds are made of.

    Args:
        folder: of the collection.
        wanted: `digest` of the judgements.
        split: whose judgements they are; None if they may be of several.
        queries: only labels of these; None for all of a file.

    Raises:
        DatasetError: a line of a file is no label; names it.
    """
    for every in _candidates(folder, split):
        labels = Labels(tuple(label for label in every if queries is None or label.query in queries))
        if labels.every and digest(labels.qrels()) == wanted:
            return labels
    return None


def _candidates(folder: Path, split: str | None) -> Iterator[tuple[Label, ...]]:
    """The labels of each split, that of the name first; then those of train and dev. Files are read as they are needed:
    a faulty one of another split is no matter while the split has its own.
    """
    own = [] if split is None else [labels_file(folder, split)]
    found: dict[str, tuple[Label, ...]] = {}
    for path in (*own, *(path for path in sorted((folder / "qrels").glob(f"*{ENDING}")) if path not in own)):
        labels = read_labels(path)
        if labels is not None:
            found[path.name.removesuffix(ENDING)] = labels.every
            yield labels.every
    yield (*found.get("train", ()), *found.get("dev", ()))


def write_labels(folder: Path, labels: Sequence[Label], split: str = "test") -> None:
    """Writes the labels of a split, then its qrels; each file whole or not at all.

    Raises:
        DatasetError: an id that a qrels file cannot contain.
    """
    for label in labels:
        for name in (label.query, label.document):
            if name != name.strip() or name.startswith('"') or any(c in name for c in "\t\n\r"):
                raise DatasetError(f"a qrels file cannot contain the id {name!r}; rename it in the collection.")
    write_text(labels_file(folder, split), "".join(line_of(label) for label in labels))
    rows = ["\t".join(HEADER)]
    for query, grades in Labels(tuple(labels)).qrels().items():
        rows += [f"{query}\t{document}\t{grade}" for document, grade in grades.items()]
    write_text(folder / "qrels" / f"{split}.tsv", "\n".join(rows) + "\n")


def line_of(label: Label) -> str:
    """A label as a line of the file."""
    return json.dumps(label._asdict(), ensure_ascii=False) + "\n"


def _shape() -> str:
    return f"a line is {line_of(Label('q1', 'd1', 2, 'ann', 'person')).strip()}"


def _grades(labels: Iterable[Label], *, prefer: bool = False) -> dict[str, dict[str, int]]:
    """Query → document → the lower median of its labels; of those not by machines, with `prefer`, if there are any.

    One judge's later label of a pair replaces the earlier one.
    """
    given: dict[str, dict[str, dict[str, Label]]] = {}
    for label in labels:
        given.setdefault(label.query, {}).setdefault(label.document, {})[label.judge] = label
    found: dict[str, dict[str, int]] = {}
    for query, documents in given.items():
        for document, by_judge in documents.items():
            first = [label.grade for label in by_judge.values() if label.kind != "machine"] if prefer else []
            grades = first or [label.grade for label in by_judge.values()]
            found.setdefault(query, {})[document] = statistics.median_low(grades)
    return found
