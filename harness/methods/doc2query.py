"""Documents expanded by the questions they answer, then searched by any method: doc2query(bm25)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from annotated_types import Interval

from harness.base.errors import ModelError, SettingError
from harness.cache.code import MODELS, code_of
from harness.data.corpus import Corpus
from harness.data.corpus_file import write_corpus
from harness.data.dataset import TrainView
from harness.data.documents import Document
from harness.data.ranking import Floats
from harness.endpoints.journal import digest
from harness.generators import Generator, Question, deciding, every_question
from harness.generators.extractive import Extractive
from harness.methods import CandidateScorer, Fitted, HostedEncoding, Method, Reranks, Searcher, fit
from harness.methods._parts import FittedParts, resolved_part
from harness.methods.bm25 import BM25
from harness.runtime.build_once import build_once
from harness.runtime.context import Context

BLOCK: Final = 8192
"""Questions that are scored at once."""
_CORPUS, _FACTS = "corpus.arrow", "facts.json"


@dataclass(frozen=True)
class Doc2Query(Method):
    """Appends to each document the questions that a generator makes of it; the first stage then searches these
    documents.

    Sources: Nogueira et al., "Document Expansion by Query Prediction" (1904.08375); Nogueira and Lin, "From doc2query
    to docTTTTTquery" (2019), with 40 to 80 questions a document, sampled from the 10 likeliest tokens: `doc2query(bm25,
    seq2seq(model="castorini/doc2query-t5-base-msmarco", per_document=40, top_k=10, top_p=1, max_input=512))`.
    The default generator needs no model and is not theirs: it only gives more weight to words that the document already
    has, while a model also adds words that people would ask with.

    With a filter, Gospodinov et al., "Doc2Query--: When Less is More" (2301.03266): questions are scored against their
    own document, and only the best share of all of them together is appended.

    The expanded corpus is cached as a corpus of its own, with the documents in the same order. The first stage is
    fitted on the collection as it is.

    Args:
        first: what indexes and searches the expanded documents.
        generator: makes the questions; its `per_document` says how many.
        filter: scores each question with its document, as `cross_encoder`; None appends all.
        keep: share of the questions that pass the filter: those of the highest scores, and all that tie with the last.
    """

    first: Method = field(default_factory=BM25)
    generator: Generator = field(default_factory=Extractive)
    filter: Method | None = None
    keep: Annotated[float, Interval(gt=0, le=1)] = 0.3

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`."""
        return {**super().inputs(context), **self.generator.inputs(context)}

    def hosted_encodings(self, context: Context) -> tuple[HostedEncoding, ...]:
        """See `Method.hosted_encodings`; the expanded documents are not known yet."""
        return ()

    def reach(self, depth: int) -> int:
        """See `Method.reach`."""
        return self.first.reach(depth)

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`; nothing inside searches the documents as they are."""
        return 0

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Fits the parts on the view as it is.

        Raises:
            SettingError: the filter is a method that cannot score a question and a document by themselves.
        """
        scorer = None if self.filter is None else fit(self.filter, view, context)
        if scorer is not None and not isinstance(scorer, Reranks):
            raise SettingError(
                f"doc2query: {self.filter} cannot score pairs; use a filter such as cross_encoder or dense."
            )
        return _Fitted(self, fit(self.first, view, context), scorer, context)


class _Fitted(FittedParts):
    def __init__(self, method: Doc2Query, first: Fitted, scorer: Fitted | None, context: Context) -> None:
        self._method, self._first, self._scorer = method, first, scorer
        generator = {"name": method.generator.name(), **method.generator.settings()}
        inputs = method.generator.inputs(context)
        resolved: dict[str, Any] = {
            "first": resolved_part(method.first, first),
            "generator": {**generator, "inputs": inputs},
        }
        parts = [first]
        self._filter: dict[str, Any] | None = None
        if scorer is not None and method.filter is not None:
            parts.append(scorer)
            self._filter = {"keep": method.keep, "key": scorer.key}
            resolved |= {"filter": resolved_part(method.filter, scorer), "keep": method.keep}
        key = f"doc2query-{digest(first.key, generator, inputs, self._filter, context.seed)}"
        super().__init__(key, resolved, parts)

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        """The first stage's searcher of the expanded documents: rows and ids are the corpus's own.

        Raises:
            SettingError: the filter weighs documents against each other.
            ModelError: no document got a question.
            HarnessError: what the generator and the filter raise.
        """
        return self._first.index(self._expanded(corpus, context), context)

    def _expanded(self, corpus: Corpus, context: Context) -> Corpus:
        generator = self._method.generator
        deciding_all = {**deciding(generator, corpus, context), "filter": self._filter, "code": self._code()}

        def build(folder: Path) -> None:
            questions = every_question(generator, corpus, context)
            if self._scorer is not None:
                is_best = best(self._scores(corpus, context), self._method.keep)
                pairs = zip(questions, is_best.tolist(), strict=True)
                questions = (question for question, passes in pairs if passes)
            facts = {"questions": 0, "documents": 0}
            write_corpus(folder / _CORPUS, expanded(corpus, questions, facts), str(self._method))
            if not facts["questions"]:
                raise self._none(corpus)
            (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")

        describe = {"generator": str(generator), **deciding_all}
        folder = build_once(context, "expanded", digest(deciding_all), describe, build)
        facts: dict[str, int] = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        context.ledger.count("questions", facts["questions"])
        unchanged = len(corpus) - facts["documents"]
        if unchanged:
            filtered = "" if self._scorer is None else " that passed the filter"
            context.ledger.note(
                f"{unchanged:,} of {len(corpus):,} documents got no question of {generator.name()}{filtered} and stay "
                "as they are"
            )
        return Corpus.open(folder / _CORPUS)

    def _code(self) -> str:
        """Of what expands and filters, without the first stage, which only searches the expanded documents."""
        own = code_of("harness.methods.doc2query", without=("harness.methods.bm25", "harness.feedback"))
        if self._method.filter is None:
            return own
        return f"{own} {code_of(self._method.filter, libraries=MODELS)}"

    def _scores(self, corpus: Corpus, context: Context) -> Floats:
        """(n,) how well each question fits its own document, in the order they are made."""
        assert isinstance(self._scorer, Reranks)
        scorer: CandidateScorer = self._scorer.candidate_scorer(corpus, context)
        if not scorer.independent:
            raise SettingError(
                f"doc2query: {self._method.filter} compares documents with each other, but a question has only one; "
                "use a filter such as cross_encoder or dense."
            )
        questions = every_question(self._method.generator, corpus, context)
        scores: list[Floats] = []
        while block := list(itertools.islice(questions, BLOCK)):
            rows = [np.array([question.row], dtype=np.int64) for question in block]
            scores += scorer.scores([question.text for question in block], rows)
        if not scores:
            raise self._none(corpus)
        return np.concatenate(scores)

    def _none(self, corpus: Corpus) -> ModelError:
        return ModelError(
            f"{self._method.generator} made no question of any of the {len(corpus):,} documents, so there is nothing "
            "to expand them with. Take another generator, or the row without doc2query."
        )


def best(scores: Floats, share: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(n,) whether each of (n,) scores is among the highest share of them, one at least; all that tie with the last
    are.

    Source: Gospodinov et al. (2301.03266), section 3: one threshold for the questions of all documents.
    """
    last = len(scores) - max(1, round(share * len(scores)))
    is_best: np.ndarray[Any, np.dtype[np.bool_]] = scores >= np.partition(scores, last)[last]
    return is_best


def expanded(corpus: Corpus, questions: Iterator[Question], facts: dict[str, int]) -> Iterator[Document]:
    """The documents in their order, each with its questions at the end of its text; one batch at a time is in memory.

    Args:
        corpus: the documents.
        questions: in the order of the rows.
        facts: `questions` and `documents` count those appended and those that got any.

    Raises:
        ModelError: the questions are in another order.
    """
    by_row = itertools.groupby(questions, key=lambda question: question.row)
    following = next(by_row, None)
    for row, document in enumerate(document for batch in corpus.batches() for document in batch):
        if following is None or following[0] != row:
            yield document
            continue
        texts = [question.text for question in following[1]]
        facts["questions"] += len(texts)
        facts["documents"] += 1
        yield document._replace(text=" ".join([document.text, *texts] if document.text else texts))
        following = next(by_row, None)
    if following is not None:
        raise ModelError(
            f"a generator made questions of document {following[0]} out of order; it must take the documents one after "
            "the other, as `harness.generators.Generator.generate` says."
        )
