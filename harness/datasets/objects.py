"""Collections that were made of objects in Python, by `Dataset.of`."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Final

from harness.base.errors import DatasetError, SettingError, Unavailable
from harness.base.files import write_text
from harness.collection.files import Collection, is_collection
from harness.collection.splits import Parts, build_dataset, known_split
from harness.data.dataset import Dataset
from harness.datasets import Source, load_dataset
from harness.runtime.context import Context, open_context

FOLDER: Final = "objects"
_NAME: Final = re.compile(r"\w[\w.-]*")
_STAMP: Final = "revision.txt"
ID: Final = ("id", "_id", "doc_id", "docno", "docid", "qid", "query_id", "query-id")
QUERY: Final = ("query_id", "query-id", "qid", "query", "q_id", "id")
DOCUMENT: Final = ("doc_id", "docno", "docid", "corpus-id", "corpus_id", "document", "pid")
TEXT: Final = ("text", "body", "contents", "content", "query")
GRADE: Final = ("score", "relevance", "grade", "label", "rel")


@dataclass(frozen=True)
class Objects(Source):
    """`objects/<name>[/split]`, for collections that `Dataset.of(…, name="<name>")` has made with the same cache."""

    may_be_passed_on: ClassVar[bool] = True

    def load(self, rest: str, context: Context) -> Dataset:
        """See `Source.load`."""
        name, _, split = rest.partition("/")
        collection = Collection.find(self._there(name, context))
        full = f"{FOLDER}/{name}"
        corpus, queries = collection.open_corpus(full, context), collection.read_queries()
        parts = Parts(full, corpus, queries, collection.readers(), changed=collection.changed)
        return build_dataset(parts, split or "test")

    def available(self, context: Context) -> list[str]:
        """See `Source.available`."""
        root = _root(context)
        return sorted(path.name for path in root.iterdir() if is_collection(path)) if root.is_dir() else []

    def check(self, rest: str, context: Context) -> None:
        """See `Source.check`."""
        name, _, split = rest.partition("/")
        known_split(split or "test", Collection.find(self._there(name, context)).qrels, f"{FOLDER}/{name}")

    def folder(self, rest: str, context: Context) -> Path:
        """See `Source.folder`."""
        return self._there(rest.partition("/")[0], context)

    def _there(self, name: str, context: Context) -> Path:
        path = _root(context) / name
        if not (_NAME.fullmatch(name) and is_collection(path)):
            raise Unavailable(
                f"there is no collection {name!r} made of objects in {_root(context)}.",
                "Make it with Dataset.of, with the same cache.",
            )
        return path


def _root(context: Context) -> Path:
    return context.cache.root / "data" / FOLDER


def dataset_of_objects(
    corpus: object, queries: object, qrels: Mapping[str, object], name: str, context: Context | None
) -> Dataset:
    """Writes a collection into the cache and loads it, with all rules of a collection in files.

    Args:
        corpus: see `Dataset.of`.
        queries: see `Dataset.of`.
        qrels: split → judgements.
        name: of the collection; one of that name with other content is replaced.
        context: its cache; None takes the user's.

    Raises:
        DatasetError: what is wrong with the objects.
        SettingError: a name that no folder can have.
    """
    if not _NAME.fullmatch(name):
        raise SettingError(f"a collection cannot be called {name!r}: use letters, digits, '-', '_' and '.'.")
    context = context or open_context()
    files = {"corpus.jsonl": _lines(_documents(corpus)), "queries.jsonl": _lines(_queries(queries))}
    files |= {f"qrels/{split}.tsv": _judgements(split, judged) for split, judged in qrels.items()}
    revision = hashlib.sha256(json.dumps(files, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()
    folder = _root(context) / name
    stamp = folder / _STAMP
    if not (stamp.is_file() and stamp.read_text(encoding="utf-8") == revision):
        stamp.unlink(missing_ok=True)
        for path in folder.glob("qrels/*.tsv"):
            path.unlink()
        for file, text in files.items():
            write_text(folder / file, text)
        write_text(stamp, revision)
    return load_dataset(f"{FOLDER}/{name}", context)


def _documents(corpus: object) -> Iterator[dict[str, str]]:
    for name, value in _items(corpus, "corpus", ID):
        if isinstance(value, str):
            title, text = "", value
        elif isinstance(value, Mapping):
            title, text = _text(value.get("title")), _text(_value(value, TEXT, "corpus"))
        elif isinstance(value, tuple | list) and len(value) == 2:
            title, text = map(_text, value)
        else:
            raise DatasetError(
                f"corpus: document {name!r} is {type(value).__name__}; give a text, (title, text) or a table with both."
            )
        yield {"_id": name, "title": title, "text": text}


def _text(value: object) -> str:
    """A text; a missing one, which a DataFrame has as a number that is not itself, is empty."""
    return "" if value is None or value != value else str(value)


def _queries(queries: object) -> Iterator[dict[str, str]]:
    for name, value in _items(queries, "queries", ID):
        text = _value(value, TEXT, "queries") if isinstance(value, Mapping) else value
        if not isinstance(text, str):
            raise DatasetError(f"queries: query {name!r} is {type(text).__name__}; give its text.")
        yield {"_id": name, "text": text}


def _judgements(split: str, judged: object) -> str:
    """The lines of a qrels file."""
    lines = ["query-id\tcorpus-id\tscore"]
    for query, document, grade in _triples(judged):
        number = float(grade) if isinstance(grade, Real) else math.nan
        if not number.is_integer():
            pair = f"query {query!r}, document {document!r}"
            raise DatasetError(f"qrels of {split}: {pair}: the grade {grade!r} is not a whole number.")
        for each in (query, document):
            if re.search(r"[\t\r\n]", each):
                raise DatasetError(f"qrels of {split}: the id {each!r} has a tab or a line end.")
        lines.append(f"{query}\t{document}\t{int(number)}")
    return "\n".join(lines) + "\n"


def _triples(judged: object) -> Iterator[tuple[str, str, Any]]:
    if (rows := _rows(judged)) is not None:
        for row in rows:
            grade = next((row[key] for key in GRADE if key in row), 1)
            yield str(_value(row, QUERY, "qrels")), str(_value(row, DOCUMENT, "qrels")), grade
        return
    if not isinstance(judged, Mapping):
        raise DatasetError("qrels: give query id → document id → grade, query id → document ids, or a DataFrame.")
    for query, documents in judged.items():
        if isinstance(documents, str):
            documents = [documents]
        grades = documents if isinstance(documents, Mapping) else dict.fromkeys(documents, 1)
        for document, grade in grades.items():
            yield str(query), str(document), grade


def _items(value: object, what: str, ids: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Pairs of an id and what it stands for."""
    if (rows := _rows(value)) is not None:
        for row in rows:
            yield str(_value(row, ids, what)), row
        return
    if not isinstance(value, Mapping):
        raise DatasetError(f"{what}: give id → text, or a DataFrame with an id and a text.")
    for name, each in value.items():
        yield str(name), each


def _rows(value: object) -> list[dict[str, Any]] | None:
    """The rows of a DataFrame of pandas or polars, with names of columns in lower case; None for anything else."""
    if not hasattr(value, "columns"):
        return None
    frame: Any = value
    rows = frame.to_dicts() if hasattr(frame, "to_dicts") else frame.to_dict("records")
    return [{str(key).lower(): each for key, each in row.items()} for row in rows]


def _value(row: Mapping[str, Any], names: tuple[str, ...], what: str) -> Any:
    found = next((name for name in names if name in row), None)
    if found is None:
        raise DatasetError(f"{what}: there is no column {' or '.join(names)}; there are {', '.join(map(str, row))}.")
    return row[found]


def _lines(rows: Iterable[dict[str, str]]) -> str:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
