"""A method as a retriever of BEIR: `EvaluateRetrieval(BEIRSearch("bm25>>dense")).retrieve(corpus, queries)`.

BEIR's `BaseSearch` (beir 2: `search`) takes the documents and queries as tables and returns scores, so every row fits
it. It is not imported here: BEIR calls `search` of whatever it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from harness.base.errors import HarnessError
from harness.collection.in_memory import cached_corpus
from harness.data.dataset import TrainView
from harness.data.documents import Document
from harness.data.queries import Queries
from harness.data.ranking import Run
from harness.datasets import load_dataset
from harness.exchange.mteb_model import NOTHING, Ranking, warn_of_seen
from harness.methods import Method, fit, index, search
from harness.rows import parse_method
from harness.runtime.context import Context


class BEIRSearch:
    """A row in the form that BEIR's `EvaluateRetrieval` takes.

    Fitting, indexing and searching are done once in the life of the object, however often BEIR asks for the same
    documents and queries.

    Args:
        method: a row's name, an expression or a method.
        context: seed, device and cache; None takes the defaults.
        learn_from: a dataset whose `TrainView` a method that learns is fitted on, as `beir/scifact`; never its reported
            split. None: only the given documents, so that a method that needs labels is refused.

    Raises:
        UnknownName, SettingError: see `harness.rows.parse_method`.
    """

    def __init__(self, method: str | Method, context: Context | None = None, learn_from: str | None = None) -> None:
        self.method = parse_method(method) if isinstance(method, str) else method
        self.context = context or Context()
        self.learn_from = learn_from

    def search(
        self,
        corpus: Mapping[str, Mapping[str, str]],
        queries: Mapping[str, str],
        top_k: int,
        score_function: str | None = None,
        **options: Any,
    ) -> Ranking:
        """Query id → document id → score, the best `top_k`.

        If a query has the id of a document, rankings are one deeper: BEIR removes the document from them. An unanswered
        query gets a document that does not exist, so that BEIR counts it as 0 instead of leaving it out.

        Args:
            corpus: id → `text`, and `title` if there is one.
            queries: id → text.
            top_k: documents per query.
            score_function: not used: the row decides.
            options: not used, as batch sizes.

        Raises:
            HarnessError: bad documents or queries, or what the method raises.
        """
        documents = cached_corpus("beir", lambda: (_document(name, row) for name, row in corpus.items()), self.context)
        view = load_dataset(self.learn_from, self.context).train if self.learn_from else TrainView(documents)
        fitted = fit(self.method, view, self.context)
        test = Queries(list(queries), list(queries.values()))
        warn_of_seen(test, fitted, self.learn_from, self.context, "BEIR")
        depth = top_k + 1 if queries.keys() & corpus.keys() else top_k
        searcher = index(self.method, fitted, documents, self.context)
        top = search(self.method, searcher, test, depth, self.context)
        found = Run.of(test, top, documents).scores()
        return {query: ranking or {NOTHING: 0.0} for query, ranking in found.items()}

    def encode(self, *arguments: Any, **options: Any) -> NoReturn:
        """Refused: a row encodes and caches texts itself, and not every row has vectors.

        Raises:
            HarnessError: always; it says what to call.
        """
        raise HarnessError("a row encodes and caches texts itself: call retrieve instead of encode_and_retrieve.")

    search_from_files = encode


def _document(name: str, row: Mapping[str, str]) -> Document:
    return Document(str(name), row.get("title") or "", row.get("text") or "")
