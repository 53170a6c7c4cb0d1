"""A method as a model of MTEB: `mteb.evaluate(MTEBModel("bm25>>dense"), tasks)`.

MTEB's `SearchProtocol` (mteb 2: `index`, `search`, `mteb_model_meta`) asks for rankings instead of vectors, so every
row fits it: BM25, fusions and re-rankers as well as encoders.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.base.errors import HarnessError
from harness.base.files import slug
from harness.base.optional import library
from harness.collection.in_memory import cached_corpus
from harness.collection.mteb_rows import documents, queries
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Run, TopK, select, stack
from harness.datasets import load_dataset
from harness.leaks.overlap import kept_alike
from harness.methods import NO_LABELS, Fitted, Method, Reranks, Searcher, fit, index
from harness.rows import parse_method, row_name
from harness.runtime.context import Context

ORGANISATION = "retrieval-harness"
"""Part before the slash of a model's name in MTEB's results."""
KINDS = {
    "bm25": "sparse",
    "lucene": "sparse",
    "sparse": "sparse",
    "late": "late-interaction",
    "cross_encoder": "cross-encoder",
    "hybrid": "hybrid",
    "rerank": "hybrid",
}
"""Method → MTEB's type; of any other method it is `dense`."""
NOTHING = "no document"
"""In place of an empty ranking: MTEB's means are over queries with a ranking, but one without any must count 0."""

log = logging.getLogger("harness.exchange")

Ranking = dict[str, dict[str, float]]


class MTEBModel:
    """A row in the form that `mteb.evaluate` takes.

    Args:
        method: a row's name, an expression or a method.
        context: seed, device and cache; None takes the defaults.
        learn_from: a dataset whose `TrainView` a method that learns is fitted on, as `beir/scifact`; never its reported
            split. None: only the task's documents, so that a method that needs labels is refused.

    Raises:
        UnknownName, SettingError: see `harness.rows.parse_method`.
    """

    def __init__(self, method: str | Method, context: Context | None = None, learn_from: str | None = None) -> None:
        self.method = parse_method(method) if isinstance(method, str) else method
        self.context = context or Context()
        self.learn_from = learn_from
        self._indexed: tuple[Corpus, Fitted, Searcher | None] | None = None

    @property
    def mteb_model_meta(self) -> Any:
        """MTEB's `ModelMeta`: a name and a revision that identify the method; everything else is left unknown.

        Raises:
            Unavailable: mteb is not installed.
        """
        return model_meta(row_name(self.method), self.method.full(), self.method.fingerprint(), self.context.seed)

    def index(self, corpus: Iterable[Mapping[str, Any]], **task: Any) -> None:
        """Fits the method and indexes the task's corpus; see MTEB's `SearchProtocol`.

        Raises:
            HarnessError: what the method's `fit` and `index` raise.
        """
        name = f"mteb/{task['task_metadata'].name}"
        cached = cached_corpus(name, lambda: documents(corpus), self.context)
        view = load_dataset(self.learn_from, self.context).train if self.learn_from else TrainView(cached)
        self._indexed = (cached, fit(self.method, view, self.context), None)

    def search(
        self,
        queries: Iterable[Mapping[str, Any]],
        *,
        top_k: int,
        top_ranked: Mapping[str, Sequence[str]] | None = None,
        **task: Any,
    ) -> Ranking:
        """Query id → document id → score, the best `top_k`; in a re-ranking task, of the task's candidates.

        Raises:
            HarnessError: called before `index`, or what the method raises.
        """
        if self._indexed is None:
            raise HarnessError("nothing is indexed yet; MTEB calls `index` before `search`.")
        corpus, fitted, searcher = self._indexed
        test = _queries(queries)
        warn_of_seen(test, fitted, self.learn_from, self.context, "the task")
        if top_ranked is not None:
            return _named(test, self._rerank(test, top_ranked, top_k), corpus)
        if searcher is None:
            searcher = index(self.method, fitted, corpus, self.context)
            self._indexed = (corpus, fitted, searcher)
        return _named(test, searcher.search(test, min(top_k, len(corpus))), corpus)

    def _rerank(self, test: Queries, top_ranked: Mapping[str, Sequence[str]], top_k: int) -> TopK:
        """The candidates in the method's order; a method that cannot score them ranks all documents, and others are
        left out.
        """
        assert self._indexed is not None
        corpus, fitted, searcher = self._indexed
        rows = [corpus.rows(list(top_ranked.get(query, ()))) for query in test.ids]
        candidates = [np.unique(of_query[of_query >= 0]) for of_query in rows]
        if isinstance(fitted, Reranks):
            scores = fitted.candidate_scorer(corpus, self.context).scores(test.texts, candidates)
            pairs = zip(candidates, scores, strict=True)
            return stack([select(of_query, own, corpus.id_order, top_k) for of_query, own in pairs], top_k)
        searcher = searcher or index(self.method, fitted, corpus, self.context)
        rankings = []
        for of_query, (ranked, own) in zip(candidates, searcher.search(test, len(corpus)).rows(), strict=True):
            inside = np.isin(ranked, of_query)
            rankings.append((ranked[inside][:top_k], own[inside][:top_k]))
        return stack(rankings, top_k)


def warn_of_seen(test: Queries, fitted: Fitted, learn_from: str | None, context: Context, whose: str) -> None:
    """Warns of test queries that also occur in training, which the results of other tools cannot report.

    Args:
        test: the queries.
        fitted: the method, fitted.
        learn_from: the dataset that it was fitted on.
        context: its cache.
        whose: queries they are, for the message.
    """
    if learn_from is None or fitted.supervision == NO_LABELS:
        return
    view = load_dataset(learn_from, context).train
    training = {text for split in (view.train, view.dev) if split is not None for text in split.queries.texts}
    if seen := {overlap.here for overlap in kept_alike(test, sorted(training), context)}:
        log.warning(
            "%d of %s's %d queries also occur in the training or dev queries of %s, exactly or nearly; scores on them "
            "overstate performance on unseen queries.",
            len(seen),
            whose,
            len(test),
            learn_from,
        )


def model_meta(row: str, method: str, fingerprint: str, seed: int) -> Any:
    """MTEB's description of a row.

    Args:
        row: its name on the board.
        method: its full expression.
        fingerprint: of the method with all settings.
        seed: of every random stream.

    Raises:
        Unavailable: mteb is not installed.
    """
    kind = KINDS.get(method.partition("(")[0].partition("+")[0], "dense")
    fields = {"name": f"{ORGANISATION}/{slug(row)}", "revision": f"{fingerprint}-seed{seed}", "model_type": [kind]}
    return library("mteb.models", "mteb").ModelMeta.create_empty(fields)


def _queries(rows: Iterable[Mapping[str, Any]]) -> Queries:
    texts = queries(rows)
    return Queries(list(texts), list(texts.values()))


def _named(test: Queries, top: TopK, corpus: Corpus) -> Ranking:
    return {query: ranking or {NOTHING: 0.0} for query, ranking in Run.of(test, top, corpus).scores().items()}
