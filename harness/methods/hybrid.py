"""Several methods searched side by side, their rankings fused: BM25 with a dense encoder, by default."""

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
    strongest,
)
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.runtime.context import Context

CUT = 10
CHOSEN_BY = f"nDCG@{CUT}"


@dataclass(frozen=True)
class Hybrid(Method):
    """Fuses the rankings of several methods.

    What a fusion leaves open (the weight of `convex`) is chosen on the dev queries by nDCG@10; where the collection has
    none, the fusion's first choice stands and the record says so.

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
        best = max(
            choices, key=lambda choice: scores[choice]
        )  # the first of the best: `choices` is in order of preference
        return _Fitted(self, fitted, best, {str(c): round(s, 5) for c, s in scores.items()}, ())

    def _on_dev(
        self, choices: Sequence[Fusion], fitted: list[Fitted], dev: Labelled, corpus: Corpus, context: Context
    ) -> dict[Fusion, float]:
        tops = _search_all(
            self,
            [index(m, f, corpus, context) for m, f in zip(self.methods, fitted, strict=True)],
            dev.queries,
            context,
        )
        measures = parse_measures([CHOSEN_BY])
        scores = {}
        for choice in choices:
            run = Run.of_split(dev, choice.fuse(tops, corpus.id_order, dev.search_depth(CUT)), corpus, CUT)
            scores[choice] = means(per_query(measures, dev.qrels, run))[CHOSEN_BY]
        return scores


class _Fitted(Fitted):
    def __init__(
        self, method: Hybrid, fitted: list[Fitted], fusion: Fusion, dev: dict[str, float], notes: tuple[str, ...]
    ) -> None:
        self._method, self._parts, self._fusion = method, fitted, fusion
        words = " ".join([*(f.key for f in fitted), fusion.full(), str(method.depth)])
        self.key = f"hybrid-{hashlib.sha256(words.encode()).hexdigest()[:32]}"
        self.resolved = {
            "methods": [{"name": m.name(), **f.resolved} for m, f in zip(method.methods, fitted, strict=True)],
            "fusion": {"name": fusion.name(), **fusion.settings()},
            "depth": method.depth,
            **({"chosen_by": f"dev {CHOSEN_BY}", "dev": dev} if dev else {}),
        }
        self.notes = (*notes, *(note for f in fitted for note in f.notes))
        self.models = tuple(model for f in fitted for model in f.models)
        self.supervision = strongest([*(f.supervision for f in fitted), DEV_LABELS if dev else NO_LABELS])

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        pairs = zip(self._method.methods, self._parts, strict=True)
        return _Searcher(self, [index(m, f, corpus, context) for m, f in pairs], corpus, context)


class _Searcher(Searcher):
    def __init__(self, fitted: _Fitted, parts: list[Searcher], corpus: Corpus, context: Context) -> None:
        self.key = f"{fitted.key}-{corpus.revision}"
        self.size = sum((p.size for p in parts), Size())
        self.live = all(p.live for p in parts)
        self._method, self._fusion, self._parts = fitted._method, fitted._fusion, parts
        self._corpus, self._context = corpus, context

    def search(self, queries: Queries, k: int) -> TopK:
        tops = _search_all(self._method, self._parts, queries, self._context)
        return self._fusion.fuse(tops, self._corpus.id_order, k)

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `Searcher.notes`."""
        return tuple(note for part in self._parts for note in part.notes(queries))


def _search_all(method: Hybrid, searchers: list[Searcher], queries: Queries, context: Context) -> list[TopK]:
    pairs = zip(method.methods, searchers, strict=True)
    return [search(m, s, queries, method.depth, context) for m, s in pairs]
