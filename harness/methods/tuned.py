"""A row with the settings that are best on dev: tuned(bm25, over=("k1=0.6:1.6", "b=0.2:0.9"))."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from harness.analyzers import ANALYZERS
from harness.base.errors import SettingError
from harness.choices.paths import with_paths
from harness.choices.room import Room
from harness.choices.spans import listed, parse_axes
from harness.choices.value import Value
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.measures import means, per_query, single_measure
from harness.data.queries import Labelled
from harness.data.ranking import Run
from harness.engines import ENGINES
from harness.feedback import FEEDBACK
from harness.fusions import FUSIONS
from harness.generators import GENERATORS
from harness.indexes import INDEXES
from harness.losses import LOSSES
from harness.methods import (
    DEV_LABELS,
    METHODS,
    NO_LABELS,
    TRAIN_LABELS,
    Fitted,
    HostedEncoding,
    Method,
    Searcher,
    fit,
    index,
    search,
)
from harness.methods._parts import FittedParts, resolved_part
from harness.methods.bm25 import BM25
from harness.runtime.context import Context

_ROOMS: Final[dict[str, Room[Any]]] = {
    room.package: room for room in (METHODS, ANALYZERS, ENGINES, FEEDBACK, FUSIONS, GENERATORS, INDEXES, LOSSES)
}
DEPTH: Final = 1000
"""Of the rankings that are compared, by a measure without a cutoff."""


@dataclass(frozen=True)
class Tuned(Method):
    """Chooses settings of a row on the dev queries, by a measure; on the training queries if there are no dev queries.

    Every combination is tried, and the row as it is, which is taken if it is best, or if there are no labelled queries,
    with a note in the record. In folds, each fold has its own choice, so that the scores are of queries that chose
    nothing. `harness tune` chooses once, and reports the choice and its optimism.

    Args:
        row: whose settings are chosen.
        over: what they may be, as for `harness tune`: `k1=0.6:1.6`, `b=0.3,0.75`, `first.k1=0.6:1.6`.
        measure: in ir-measures' notation.
    """

    row: Method = field(default_factory=BM25)
    over: tuple[str, ...] = ("k1=0.6:1.6", "b=0.2:0.9")
    measure: str = "nDCG@10"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.over:
            raise SettingError('tuned: over names no setting; write over=("k1=0.6:1.6", "b=0.2:0.9").')
        single_measure(self.measure)
        _ = self.candidates

    @cached_property
    def candidates(self) -> tuple[Method, ...]:
        """The row as it is, then all combinations, each once."""
        axes = listed(parse_axes(self.over))
        combined = (dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))
        return tuple(dict.fromkeys([self.row, *(with_paths(self.row, c, METHODS, _ROOMS, {}) for c in combined)]))

    def parts(self) -> Iterator[Value]:
        """See `Value.parts`; what may be chosen counts too, since its code decides."""
        yield from self.candidates

    def nested(self) -> Iterator[Method]:
        """See `Method.nested`: the row as it is."""
        yield self.row

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`: of all that may be chosen."""
        return {name: value for each in self.candidates for name, value in each.inputs(context).items()}

    def hosted_encodings(self, context: Context) -> Iterator[HostedEncoding]:
        """See `Method.hosted_encodings`; the dev queries are encoded too."""
        for encoding in super().hosted_encodings(context):
            yield dataclasses.replace(encoding, dev=True)

    def reach(self, depth: int) -> int:
        """See `Method.reach`."""
        return min(each.reach(depth) for each in self.candidates)

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`; which row is searched is not known before."""
        return 0

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Fits and measures all that may be chosen.

        Raises:
            SettingError: there are no dev queries, and the row learns from the training queries.
        """
        labelled = view.train if view.dev is None else view.dev
        if labelled is None or not len(labelled.queries):
            note = f"no train or dev queries to choose on: {self.row} taken as it is"
            return _Fitted(self, self.row, fit(self.row, view, context), NO_LABELS, {}, (note,))
        labels = TRAIN_LABELS if view.dev is None else DEV_LABELS
        fitted = {method: fit(method, view, context) for method in self.candidates}
        if labels == TRAIN_LABELS and any(each.supervision == TRAIN_LABELS for each in fitted.values()):
            raise SettingError(
                f"tuned: {self.row} learns from the training queries, so nothing can be chosen on them; add "
                "qrels/dev.tsv."
            )
        scores = {method: self._score(method, each, labelled, view.corpus, context) for method, each in fitted.items()}
        best = max(scores, key=lambda method: scores[method])  # of equal ones the first; the row as it is is first
        return _Fitted(self, best, fitted[best], labels, {str(m): round(s, 5) for m, s in scores.items()}, ())

    def _score(self, method: Method, fitted: Fitted, labelled: Labelled, corpus: Corpus, context: Context) -> float:
        measure = single_measure(self.measure)
        depth = int(measure.params.get("cutoff") or DEPTH)
        searcher = index(method, fitted, corpus, context)
        top = search(method, searcher, labelled.queries, labelled.search_depth(depth), context)
        run = Run.of_split(labelled, top, corpus, depth)
        return means(per_query([measure], labelled.qrels, run))[str(measure)]


class _Fitted(FittedParts):
    def __init__(
        self,
        method: Tuned,
        chosen: Method,
        fitted: Fitted,
        labels: str,
        scores: dict[str, float],
        notes: tuple[str, ...],
    ) -> None:
        self._chosen, self._fitted = chosen, fitted
        resolved: dict[str, Any] = {"row": resolved_part(chosen, fitted), "chosen": str(chosen)}
        if scores:
            where = "train" if labels == TRAIN_LABELS else "dev"
            resolved |= {"chosen_by": f"{where} {method.measure}", where: scores}
        key = f"tuned-{hashlib.sha256(f'{chosen.full()} {fitted.key}'.encode()).hexdigest()[:32]}"
        super().__init__(key, resolved, (fitted,), labels)
        self.notes = (*notes, *([f"chosen of {len(scores):,}: {chosen}"] if scores else []), *self.notes)

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return index(self._chosen, self._fitted, corpus, context)
