"""Anybody's TREC run file as a row: run/<file>, or run(path="…")."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from harness.base.errors import DatasetError, SettingError
from harness.base.files import there
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.ids import chunked, near, near_note
from harness.data.queries import Queries
from harness.data.ranking import Ints, TopK, select, stack
from harness.data.trec import RunLine, read_run
from harness.methods import Fitted, Method, Searcher, Size
from harness.runtime.context import Context

Rankings = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class RunFile(Method):
    """The rankings of a TREC run file (`query Q0 document rank score tag`, `.gz` too).

    The scores decide, not the ranks, as numbers of 32 bits and with the documented order on ties, as in trec_eval; a
    note says where the ranks of the file say something else. Nothing is known of how the run was made, so its
    supervision is whatever its maker says and its latency is not measured.

    Args:
        path: the file.
    """

    path: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.path:
            raise SettingError('run: name the file, as run/my.trec or run(path="my.trec")')

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        path = Path(self.path).expanduser()
        return {self.path: context.cache.hashes.sha256(path)} if there(path.is_file) else {}

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Reads the file.

        Raises:
            DatasetError: missing or malformed; names the line.
        """
        path = Path(self.path).expanduser()
        order = _Order()
        rankings = read_run(path, order.see)
        notes = tuple(f"{path.name}: {note}" for note in (*order.notes(), *_merged(rankings)))
        return _Fitted(self.path, rankings, context.cache.hashes.sha256(path), notes)


class _Order:
    """Whether the ranks of a run file agree with its scores, looked at line by line."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, float]] = {}
        self._contradicted: dict[str, int] = {}

    def see(self, line: RunLine) -> None:
        """Compares a line with the query's line before it."""
        try:
            rank = int(line.rank)
        except ValueError:  # some tools write no rank
            return
        before, score = self._last.get(line.query, (rank, line.score))
        if (rank - before) * (line.score - score) > 0:
            self._contradicted.setdefault(line.query, line.number)
        self._last[line.query] = rank, line.score

    def notes(self) -> tuple[str, ...]:
        if not self._contradicted:
            return ()
        query, number = next(iter(self._contradicted.items()))
        of = f"{len(self._contradicted):,} of {len(self._last):,} queries"
        return (f"ranks contradict scores in {of} (for example of {query!r} on line {number}): scores decide",)


def _merged(rankings: Rankings) -> tuple[str, ...]:
    """A note where scores are different in the file and equal in 32 bits."""
    count = 0
    for ranking in rankings.values():
        scores = np.fromiter(ranking.values(), np.float64, len(ranking))
        count += len(np.unique(scores)) != len(np.unique(scores.astype(np.float32)))
    return (
        (f"scores differ only beyond 32 bits in {count:,} of {len(rankings):,} queries: they count as ties",)
        if count
        else ()
    )


class _Fitted(Fitted):
    supervision = "unknown"

    def __init__(self, path: str, rankings: Rankings, sha: str, notes: tuple[str, ...]) -> None:
        self._path, self._rankings, self.notes = path, rankings, notes
        # With the path: notes and errors name the file, also where another file has the same content.
        self.key = f"run-{sha[:32]}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"
        self.resolved: dict[str, Any] = {"path": path, "sha256": sha, "queries": len(rankings)}

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(f"{self.key}-{corpus.revision}", self._path, self._rankings, corpus)


class _Searcher(Searcher):
    live = False

    def __init__(self, key: str, path: str, rankings: Rankings, corpus: Corpus) -> None:
        self.key, self.size = key, Size()
        self._path, self._rankings, self._corpus = path, rankings, corpus

    def search(self, queries: Queries, k: int) -> TopK:
        rankings = [self._rankings.get(query, {}) for query in queries.ids]
        if not any(rankings):
            alike = near(queries.ids, chunked(self._rankings))
            hint = f" {near_note(alike, 'of them', 'the file')}." if alike else ""
            raise DatasetError(
                f"{self._path} ranks none of the {len(queries)} queries, for example {queries.ids[0]!r}; "
                f"is it of another collection or split?{hint}"
            )
        everything = self._corpus.rows(
            [document for ranking in rankings for document in ranking]
        )  # each call reads all ids
        parts = np.split(everything, np.cumsum([len(ranking) for ranking in rankings])[:-1])
        if (everything < 0).any():
            self._refuse_unknown(queries, rankings, parts)
        found = []
        for ranking, rows in zip(rankings, parts, strict=True):
            scores = np.fromiter(ranking.values(), np.float32, len(ranking))
            found.append(select(rows, scores, self._corpus.id_order, k))
        return stack(found, k)

    def _refuse_unknown(
        self, queries: Queries, rankings: Sequence[Mapping[str, float]], parts: Sequence[Ints]
    ) -> NoReturn:
        """Leaving the documents out would move those below them up, and the score with them."""
        of = [query for query, rows in zip(queries.ids, parts, strict=True) if (rows < 0).any()]
        pairs = zip((d for ranking in rankings for d in ranking), np.concatenate(parts), strict=True)
        unknown = [document for document, row in pairs if row < 0]
        alike = near(list(dict.fromkeys(unknown)), self._corpus.id_array)
        hint = f" {near_note(alike, 'of them', 'the collection')}." if alike else ""
        raise DatasetError(
            f"{self._path}: {len(unknown):,} of {sum(map(len, rankings)):,} ranked documents are not in the "
            f"collection, in {len(of):,} of {len(queries):,} queries; for example query {of[0]!r} ranks "
            f"{unknown[0]!r}, which is no document of the collection. Was the run made on another version of the "
            f"corpus? Make it on this one; lines taken out of the file would move the documents below them up.{hint}"
        )

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """A note if the file ranks other queries too, as those of another split; see `Searcher.notes`."""
        requested = set(queries.ids)
        others = [query for query in self._rankings if query not in requested]
        if not others:
            return ()
        name = Path(self._path).name
        lost = near([query for query in queries.ids if query not in self._rankings], chunked(others))
        hint = f"; {near_note(lost, 'queries of the collection', 'the file')}" if lost else ""
        return (
            f"{name}: ranks {len(others):,} queries that are not among the {len(queries):,} judged here: left "
            f"out{hint}",
        )
