"""A method that was fitted once for each fold: every query is ranked by what was fitted without its fold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import Fold
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods._fitted import DEV_LABELS, TRAIN_LABELS, Fitted, strongest
from harness.methods._searching import Searcher, SearchReport, Size
from harness.models.encoder import Side
from harness.runtime.context import Context

Index = Callable[[Fitted, Corpus, Context], Searcher]


def of_folds(parts: Sequence[Fold], fitted: Sequence[Fitted], index: Index) -> Fitted:
    """What ranks each query by the system that was fitted without the query's fold.

    Args:
        parts: F folds.
        fitted: what was fitted on the view of each.
        index: makes a corpus searchable by one of them, each once in a run.

    Returns:
        If no labels were used and all are the same, the first of them as it is.
    """
    first = fitted[0]
    same = all((f.key, f.resolved, f.notes) == (first.key, first.resolved, first.notes) for f in fitted)
    if same and all(one.supervision not in (DEV_LABELS, TRAIN_LABELS) for one in fitted):
        return first
    return FoldedFitted(parts, fitted, index)


class FoldedFitted(Fitted):
    """One `Fitted` for each fold.

    Attributes:
        fitted: in the order of the folds.
    """

    def __init__(self, parts: Sequence[Fold], fitted: Sequence[Fitted], index: Index) -> None:
        self._parts, self.fitted, self._index = parts, tuple(fitted), index
        folds = [[sorted(fold.queries), fold.view.revision, one.key] for fold, one in zip(parts, fitted, strict=True)]
        self.key = f"folds-{hashlib.sha256(json.dumps(folds).encode()).hexdigest()[:32]}"
        self.resolved = merged([one.resolved for one in fitted])
        self.supervision = strongest(one.supervision for one in fitted)
        self.notes = _by_fold(one.notes for one in fitted)
        self.models = tuple(dict.fromkeys(model for one in fitted for model in one.models))

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        """See `Fitted.index`: one index for each fold."""
        searchers = [self._index(one, corpus, context) for one in self.fitted]
        return _Searcher(f"{self.key}-{corpus.revision}", self._parts, searchers)

    def encode(self, texts: Sequence[str], side: Side = "document") -> None:
        """See `Fitted.encode`: by the model of each fold."""
        for one in self.fitted:
            one.encode(texts, side)


@dataclass(frozen=True)
class _Part:
    """Some queries: their places in all, and the searcher of their fold."""

    fold: int
    places: list[int]
    queries: Queries
    searcher: Searcher


class _Searcher(Searcher):
    """Size and report are those of one fold's system, the largest: a user would have one, not all."""

    def __init__(self, key: str, parts: Sequence[Fold], searchers: Sequence[Searcher]) -> None:
        self.key, self._searchers = key, searchers
        self._fold = {query: number for number, fold in enumerate(parts) for query in fold.queries}
        self.size = _largest(searcher.size for searcher in searchers)
        self.live = all(searcher.live for searcher in searchers)

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`; queries of one fold are searched together.

        Raises:
            SettingError: a query is in no fold, so that none of the systems may rank it.
        """
        indices = np.full((len(queries), k), -1, dtype=np.int64)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        for part in self._split(queries):
            top = part.searcher.search(part.queries, k)
            indices[part.places, : top.depth], scores[part.places, : top.depth] = top.indices, top.scores
        return TopK(indices, scores)

    def report(self, queries: Queries) -> SearchReport:
        """See `Searcher.report`."""
        reports = [part.searcher.report(part.queries) for part in self._split(queries)]
        return SearchReport(
            _largest(report.size for report in reports), merged([report.resolved for report in reports])
        )

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `Searcher.notes`."""
        return _by_fold(part.searcher.notes(part.queries) for part in self._split(queries))

    def _split(self, queries: Queries) -> Iterator[_Part]:
        places: dict[int, list[int]] = {}
        for place, query in enumerate(queries.ids):
            if query not in self._fold:
                raise SettingError(f"query {query!r} is in no fold, so that no system may rank it.")
            places.setdefault(self._fold[query], []).append(place)
        for fold, of in sorted(places.items()):
            yield _Part(fold, of, queries.only([queries.ids[place] for place in of]), self._searchers[fold])


def merged(resolved: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Resolved settings: those that all folds have in common, and the others in a list, `folds`, in their order."""
    if not resolved:
        return {}
    names = list(dict.fromkeys(name for one in resolved for name in one))
    same = [name for name in names if all(name in one and one[name] == resolved[0].get(name) for one in resolved)]
    common: dict[str, Any] = {name: resolved[0][name] for name in same}
    if len(same) < len(names):
        common["folds"] = [{name: one[name] for name in one if name not in common} for one in resolved]
    return common


def _by_fold(notes: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Each note once; one that not all folds have, with the numbers of those that have it."""
    folds: dict[str, list[int]] = {}
    count = 0
    for count, own in enumerate(notes, 1):
        for note in dict.fromkeys(own):
            folds.setdefault(note, []).append(count)
    return tuple(
        note if len(of) == count else f"fold{'s' * (len(of) > 1)} {', '.join(map(str, of))}: {note}"
        for note, of in folds.items()
    )


def _largest(sizes: Iterable[Size]) -> Size:
    """Size of the largest of several systems, by each measure."""
    every = list(sizes)
    if not every:
        return Size()
    return Size(
        max(size.index_bytes for size in every),
        max(size.model_bytes for size in every),
        max(size.parameters for size in every),
        max(size.dimensions for size in every),
    )
