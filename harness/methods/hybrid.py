"""Several methods search, and their rankings are fused: by default BM25 and a dense encoder."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.base.errors import SettingError
from harness.choices.bounds import Count
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.measures import means, parse_measures, per_query
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Run, TopK
from harness.fusions import Fusion
from harness.fusions.rrf import RRF
from harness.methods import (
    DEV_LABELS,
    NO_LABELS,
    Fitted,
    HostedEncoding,
    Method,
    Searcher,
    Size,
    fit,
    index,
    search,
)
from harness.methods._parts import FittedParts, resolved_part
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.runtime.context import Context

CUT = 10
CHOSEN_BY = f"nDCG@{CUT}"


@dataclass(frozen=True)
class Hybrid(Method):
    """Fuses the rankings of several methods.

    What a fusion leaves open (the weight of `convex`) is chosen on the dev queries by nDCG@10; if the collection has
    none, the fusion's first choice is taken, with a note in the record.

    Args:
        methods: what is searched, two or more.
        fusion: how rankings become one.
        depth: how many documents of each ranking take part.
    """

    methods: tuple[Method, ...] = field(default_factory=lambda: (BM25(), Dense()))
    fusion: Fusion = field(default_factory=RRF)
    depth: Count = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.methods) < 2:
            raise SettingError(
                f"hybrid: methods must name two or more, as hybrid(methods=(bm25, dense)); got {len(self.methods)}"
            )
        self.fusion.candidates_for_dev(len(self.methods))

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`."""
        return self.depth

    def hosted_encodings(self, context: Context) -> Iterator[HostedEncoding]:
        """See `Method.hosted_encodings`; the dev queries are encoded if the fusion has a setting to choose on them."""
        chooses = bool(self.fusion.candidates_for_dev(len(self.methods)))
        for encoding in super().hosted_encodings(context):
            yield dataclasses.replace(encoding, dev=encoding.dev or chooses)

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Fits the methods and chooses what the fusion leaves open."""
        fitted = [fit(method, view, context) for method in self.methods]
        choices = self.fusion.candidates_for_dev(len(self.methods))
        if not choices:
            return _Fitted(self, fitted, self.fusion, {}, ())
        if view.dev is None:
            note = f"no train or dev queries to choose on: {choices[0].full()} taken as it is"
            return _Fitted(self, fitted, choices[0], {}, (note,))
        scores = self._on_dev(choices, fitted, view.dev, view.corpus, context)
        # `max` takes the first of equal scores: `choices` are in the order of preference.
        best = max(choices, key=lambda choice: scores[choice])
        return _Fitted(self, fitted, best, {str(c): round(s, 5) for c, s in scores.items()}, ())

    def _on_dev(
        self, choices: Sequence[Fusion], fitted: list[Fitted], dev: Labelled, corpus: Corpus, context: Context
    ) -> dict[Fusion, float]:
        searchers = _index_all(self, fitted, corpus, context)
        tops = _search_all(self, searchers, dev.queries, context)
        measures = parse_measures([CHOSEN_BY])
        scores = {}
        for choice in choices:
            run = Run.of_split(dev, choice.fuse(tops, corpus.id_order, dev.search_depth(CUT)), corpus, CUT)
            scores[choice] = means(per_query(measures, dev.qrels, run))[CHOSEN_BY]
        return scores


class _Fitted(FittedParts):
    def __init__(
        self, method: Hybrid, parts: list[Fitted], fusion: Fusion, dev: dict[str, float], notes: tuple[str, ...]
    ) -> None:
        self._method, self._parts, self._fusion = method, parts, fusion
        words = " ".join([*(part.key for part in parts), fusion.full(), str(method.depth)])
        resolved = {
            "methods": list(map(resolved_part, method.methods, parts)),
            "fusion": {"name": fusion.name(), **fusion.settings()},
            "depth": method.depth,
        }
        if dev:
            resolved |= {"chosen_by": f"dev {CHOSEN_BY}", "dev": dev}
        key = f"hybrid-{hashlib.sha256(words.encode()).hexdigest()[:32]}"
        super().__init__(key, resolved, parts, DEV_LABELS if dev else NO_LABELS)
        self.notes = (*notes, *self.notes)

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(self, _index_all(self._method, self._parts, corpus, context), corpus, context)


class _Searcher(Searcher):
    def __init__(self, fitted: _Fitted, parts: list[Searcher], corpus: Corpus, context: Context) -> None:
        self.key = f"{fitted.key}-{corpus.revision}"
        self.size = sum((part.size for part in parts), Size())
        self.live = all(part.live for part in parts)
        self._method, self._fusion, self._parts = fitted._method, fitted._fusion, parts
        self._corpus, self._context = corpus, context

    def search(self, queries: Queries, k: int) -> TopK:
        tops = _search_all(self._method, self._parts, queries, self._context)
        return self._fusion.fuse(tops, self._corpus.id_order, k)

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `Searcher.notes`."""
        return tuple(note for part in self._parts for note in part.notes(queries))


def _index_all(method: Hybrid, parts: list[Fitted], corpus: Corpus, context: Context) -> list[Searcher]:
    pairs = zip(method.methods, parts, strict=True)
    return [index(part, fitted, corpus, context) for part, fitted in pairs]


def _search_all(method: Hybrid, searchers: list[Searcher], queries: Queries, context: Context) -> list[TopK]:
    pairs = zip(method.methods, searchers, strict=True)
    return [search(part, searcher, queries, method.depth, context) for part, searcher in pairs]
