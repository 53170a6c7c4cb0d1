"""Anybody's TREC run file as a row: run/<file>, or run(path="…")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.context import Context
from harness.corpus import Corpus
from harness.errors import DatasetError, SettingError
from harness.judged import Queries, TrainView
from harness.methods import Fitted, Method, Searcher, Size
from harness.ranking import TopK, select, stack
from harness.trec import read_run

Rankings = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class RunFile(Method):
    """The rankings of a TREC run file (`query Q0 document rank score tag`, `.gz` too).

    The scores decide, not the ranks, with the documented order on ties, as in trec_eval. Nothing is known of how the run was
    made, so its supervision is whatever its maker says and its latency is not measured.

    Args:
        path: the file.
    """

    path: str = ""

    def __post_init__(self) -> None:
        if not self.path:
            raise SettingError('run: name the file, as run/my.trec or run(path="my.trec")')

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        path = Path(self.path).expanduser()
        return {self.path: context.cache.hashes.sha256(path)} if path.is_file() else {}

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Reads the file.

        Raises:
            DatasetError: missing or malformed; names the line.
        """
        path = Path(self.path).expanduser()
        rankings = read_run(path)
        return _Fitted(self.path, rankings, context.cache.hashes.sha256(path))


class _Fitted(Fitted):
    supervision = "unknown"

    def __init__(self, path: str, rankings: Rankings, sha: str) -> None:
        self._path, self._rankings = path, rankings
        self.key = f"run-{sha[:32]}"
        self.resolved: dict[str, Any] = {"path": path, "sha256": sha, "queries": len(rankings)}

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(f"{self.key}-{corpus.revision}", self._path, self._rankings, corpus)


class _Searcher(Searcher):
    live = False

    def __init__(self, key: str, path: str, rankings: Rankings, corpus: Corpus) -> None:
        self.key, self.size = key, Size()
        self._path, self._rankings, self._corpus = path, rankings, corpus

    def search(self, queries: Queries, k: int) -> TopK:
        if not any(query in self._rankings for query in queries.ids):
            raise DatasetError(
                f"{self._path} ranks none of the {len(queries)} queries asked, for example {queries.ids[0]!r}; "
                "is it of another collection or split?"
            )
        found = []
        rankings = [self._rankings.get(query, {}) for query in queries.ids]
        everything = self._corpus.rows([document for ranking in rankings for document in ranking])  # each call reads all ids
        parts = np.split(everything, np.cumsum([len(ranking) for ranking in rankings])[:-1])
        for query, ranking, rows in zip(queries.ids, rankings, parts, strict=True):
            scores = np.fromiter(ranking.values(), np.float32, len(ranking))
            if (rows < 0).any():
                unknown = list(ranking)[int(np.flatnonzero(rows < 0)[0])]
                raise DatasetError(f"{self._path}: query {query!r} ranks {unknown!r}, which is no document of the collection.")
            found.append(select(rows, scores, self._corpus.id_order, k))
        return stack(found, k)
