"""query2doc: any first stage searches with the query and a passage that a chat model writes to answer it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from harness.choices.bounds import Count
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Fitted, Method, Searcher, SearchReport, Size, index, search
from harness.methods._written import Written, WrittenFitted, WrittenSearcher
from harness.methods.bm25 import BM25
from harness.runtime.context import Context

PROMPT: Final = "Write a passage that answers the given query:\n\nQuery: {query}\nPassage:"
Form = Literal["sparse", "dense"]


@dataclass(frozen=True)
class Query2Doc(Written):
    """Queries expanded by a pseudo-document.

    Source: Wang et al., "Query2doc: Query Expansion with Large Language Models" (2303.07678). The new query is, for a
    first stage that matches terms (equation 1), the query five times and then the passage, so that the few words of the
    query are not outweighed; for one that encodes (equation 2), the query, `[SEP]` and the passage. The paper shows the
    model four pairs of a training query and its passage first; here the prompt has none unless they are written into
    it. The paper's encoders are trained on such queries; scores of other encoders may fall.

    A query whose passage is empty is searched as it is. Every passage is cached by model and prompt, so that nothing is
    paid for twice, and rows of the same model and prompt share them.

    Args: those of `Written` (`harness.methods._written`) and
        first: searches with the new queries; any row that takes text.
        form: `sparse` repeats the query, `dense` separates it; None takes `dense` if the first stage searches with a
            model.
        repeats: of the query, in the sparse form.
        separator: between query and passage, in the dense form; that of the model's tokenizer.
    """

    first: Method = field(default_factory=BM25)
    prompt: str = PROMPT
    max_tokens: Count = 128
    form: Form | None = None
    repeats: Count = 5
    separator: str = "[SEP]"

    def fit(self, view: TrainView, context: Context) -> WrittenFitted:
        """Fits the first stage; no request is sent."""
        return _Fitted(self, view, context, {"form": self.form, "repeats": self.repeats, "separator": self.separator})

    def expanded(self, query: str, passages: Sequence[str], form: Form) -> str:
        """The new query: equation 1 or 2; without passages, the query itself."""
        if not passages:
            return query
        parts = [query] * self.repeats
        if form == "dense":
            parts = [query, self.separator] if self.separator else [query]
        return " ".join([*parts, *passages])


class _Fitted(WrittenFitted):
    def __init__(self, method: Query2Doc, view: TrainView, context: Context, settings: dict[str, Any]) -> None:
        super().__init__(method, view, context, settings)
        self._method = method

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(self._method, self, index(self._method.first, self.first, corpus, context), corpus, context)


class _Searcher(WrittenSearcher):
    def __init__(self, method: Query2Doc, fitted: Fitted, inner: Searcher, corpus: Corpus, context: Context) -> None:
        super().__init__(method, fitted, inner, corpus, context)
        self._method = method
        self._form: Form = method.form or ("dense" if encodes(inner.size) else "sparse")

    def rank(self, queries: Queries, passages: Sequence[Sequence[str]], k: int) -> TopK:
        """See `WrittenSearcher.rank`."""
        return search(self._method.first, self._inner, self._new(queries, passages), k, self._context)

    def report(self, queries: Queries) -> SearchReport:
        """See `Searcher.report`."""
        inner = self._inner.report(self._expanded(queries))
        return SearchReport(inner.size, {**inner.resolved, "form": self._form})

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `Searcher.notes`."""
        return self._inner.notes(self._expanded(queries))

    def _expanded(self, queries: Queries) -> Queries:
        """The queries with the passages that were written for them."""
        return self._new(queries, self._writer.write(queries.texts, self._context))

    def _new(self, queries: Queries, passages: Sequence[Sequence[str]]) -> Queries:
        pairs = zip(queries.texts, passages, strict=True)
        texts = [self._method.expanded(text, own, self._form) for text, own in pairs]
        return Queries(queries.ids, texts, cached=queries.cached)


def encodes(size: Size) -> bool:
    """Whether a searcher of this size reads a query with a model, its own or a hosted one."""
    return bool(size.parameters or size.dimensions)
