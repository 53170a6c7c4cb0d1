"""The files of one collection: `corpus.jsonl`, `queries.jsonl` and qrels per split, and how they are opened."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.base.errors import DatasetError
from harness.base.files import there
from harness.cache.code import code_of
from harness.collection.jsonl import QUERY, read_documents, read_queries
from harness.collection.offer import offer
from harness.collection.qrels import read_qrels
from harness.collection.topics import ENDINGS, read_topics
from harness.data.corpus import Corpus
from harness.data.corpus_file import write_corpus
from harness.data.ids import Trim
from harness.data.lines import Fault, OnFault, refuse
from harness.data.queries import Qrels, Queries
from harness.runtime.build_once import build_once
from harness.runtime.context import Context

CORPUS, QUERIES, TOPICS = "corpus.jsonl", "queries.jsonl", "topics"
EXPECTED = "corpus.jsonl and queries.jsonl (each may end in .gz), and qrels/<split>.tsv or a TREC file qrels.txt"
"""The files of a folder; TREC topics (`topics.tsv`, `.xml`, `.sgml`, `.trec`, `.txt`) may replace `queries.jsonl`."""
DEV_NAMES = ("dev", "valid", "validation", "val")
_QRELS_ENDINGS = (".tsv", ".txt", ".qrels", ".trec")


@dataclass(frozen=True)
class Collection:
    """Where the parts of a collection lie.

    Args:
        folder: the folder with the files.
        corpus: `corpus.jsonl` or `corpus.jsonl.gz`.
        queries: `queries.jsonl` or a file of TREC topics, or one of them with `.gz`.
        qrels: split → its file; `valid`, `validation` and `val` are called `dev`.
        changed: name of each file read so far → the ids changed in it by the rule in `harness.data.ids`.
    """

    folder: Path
    corpus: Path
    queries: Path
    qrels: dict[str, Path]
    changed: dict[str, Trim] = field(default_factory=dict, compare=False)

    @classmethod
    def find(cls, folder: Path) -> Collection:
        """Looks for the files.

        Raises:
            DatasetError: one is missing, or two files claim one split; names the folder and what belongs there.
        """
        corpus, queries, qrels = file_of(folder, CORPUS), queries_of(folder), qrels_of(folder)
        if corpus is None or queries is None or not qrels:
            parts = {CORPUS: corpus, QUERIES: queries, "qrels/<split>.tsv": qrels}
            missing = [name for name, path in parts.items() if not path]
            raise DatasetError(
                f"{folder} has no {' and no '.join(missing)}; a collection is a folder with {EXPECTED}.{offer(folder)}"
            )
        return cls(folder, corpus, queries, qrels)

    def open_corpus(self, name: str, context: Context) -> Corpus:
        """The documents, memory-mapped; read and cached the first time a file of this content is opened.

        Args:
            name: what to call the collection in the cache's list.
            context: its cache and progress.

        Raises:
            DatasetError: the file is malformed; names the line.
        """
        # The ending is part of the key: a file whose content is not what its ending says is refused, cached or not.
        ending, content = self.corpus.suffix, context.cache.hashes.sha256(self.corpus)
        deciding = [code_of("harness.collection.jsonl", "harness.data.corpus_file"), ending, content]
        key = hashlib.sha256(":".join(deciding).encode()).hexdigest()[:32]
        trim = Trim()

        def build(part: Path) -> None:
            with context.progress("read corpus", self.corpus.stat().st_size, "bytes") as advance:
                read = read_documents(self.corpus, advance=advance, memory=context.memory, trim=trim)
                documents = (document for _, document in read)
                write_corpus(part / "corpus.arrow", documents, str(self.corpus), lambda: trim.notes(CORPUS))

        place = build_once(context, "corpora", key, {"collection": name}, build)
        corpus = Corpus.open(place / "corpus.arrow")
        context.ledger.count("documents", len(corpus))
        return corpus

    def read_queries(self) -> Queries:
        """All queries, judged or not, in the order of the file.

        Raises:
            DatasetError: the file is malformed or holds no query; names the line.
        """
        trim = self.changed[self.queries.name] = Trim()
        rows = [(query, text) for _, query, text in query_rows(self.queries, trim=trim)]
        if not rows:
            line = f"; a line is {QUERY}" if self.queries.name.startswith(QUERIES) else ""
            raise DatasetError(f"{self.queries} contains no query{line}.")
        return Queries([query for query, _ in rows], [text for _, text in rows])

    def readers(self) -> dict[str, Callable[[], Qrels]]:
        """Split → function that reads its judgements when it is called."""
        return {split: partial(self._read, path) for split, path in self.qrels.items()}

    def _read(self, path: Path) -> Qrels:
        trim = self.changed[path.name] = Trim()
        qrels = read_qrels(path, trim=trim)
        if not qrels:
            raise DatasetError(
                f"{path} contains no judgement; a line is query id, document id and grade, separated by tabs."
            )
        return qrels


def is_collection(folder: Path) -> bool:
    """Whether a folder looks like a collection, complete or not: `Collection.find` says what is missing."""
    return file_of(folder, CORPUS) is not None or queries_of(folder, lambda _: None) is not None


def collections_in(folder: Path, prefix: str = "", depth: int = 2) -> list[str]:
    """Names of the collections below a folder, nested ones as `cqadupstack/android`, sorted."""
    names: list[str] = []
    try:
        inner = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError:
        return []
    for place in inner:
        name = prefix + place.name
        if is_collection(place):
            names.append(name)
        elif depth > 1:
            names += collections_in(place, name + "/", depth - 1)
    return names


def file_of(folder: Path, name: str) -> Path | None:
    """A file of a folder, plain or gzip; the plain one if both exist."""
    return next((p for p in (folder / name, folder / f"{name}.gz") if there(p.is_file)), None)


def queries_of(folder: Path, report: OnFault = refuse) -> Path | None:
    """A folder's `queries.jsonl`, else its TREC topics; several files of topics are reported."""
    queries = file_of(folder, QUERIES)
    topics = [path for ending in ENDINGS if (path := file_of(folder, f"{TOPICS}{ending}")) is not None]
    if queries is None and len(topics) > 1:
        report(Fault("two-files", topics[1], 0, f"{topics[0]} contains topics too; delete or rename one of them."))
    return queries or next(iter(topics), None)


def query_rows(path: Path, report: OnFault = refuse, trim: Trim | None = None) -> Iterator[tuple[int, str, str]]:
    """Line number, id and text of each query of a file that `queries_of` found.

    Raises:
        DatasetError: with the default `report`, at the first malformed query or repeated id.
    """
    return read_queries(path, report, trim) if path.name.startswith(QUERIES) else read_topics(path, report, trim)


def qrels_of(folder: Path, report: OnFault = refuse) -> dict[str, Path]:
    """Split → its qrels file; two files of one split are reported."""
    named = [(path.stem, path) for path in sorted((folder / "qrels").glob("*")) if path.suffix in _QRELS_ENDINGS]
    named += [("test", folder / f"qrels{ending}") for ending in (".txt", ".tsv", ".trec")]
    files: dict[str, Path] = {}
    for name, path in named:
        if path.name.startswith(".") or not path.is_file():
            continue
        split = split_name(name)
        if split in files:
            message = f"{files[split]} contains judgements of split {split!r} too; delete or rename one of them."
            report(Fault("two-files", path, 0, message))
            continue
        files[split] = path
    return files


def split_name(name: str) -> str:
    """The one name of a split: `valid`, `validation` and `val` are `dev`."""
    return "dev" if name in DEV_NAMES else name
