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
from harness.methods import CandidateScorer, Fitted, HostedEncoding, Method, Reranks, Searcher, fit, strongest
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
    The default generator needs no model and is not theirs: what it takes from a document only weighs words that are
    already there, while a model also adds words that people would ask with.

    With a filter, Gospodinov et al., "Doc2Query--: When Less is More" (2301.03266): questions are scored against their
    own document, and only the best share of all of them together is appended.

    The expanded corpus is kept as a corpus of its own, document for document in the order of the other. What the first
    stage learns, it learns on the collection as it is.

    Args:
        first: what indexes and searches the expanded documents.
        generator: makes the questions; its `per_document` says how many.
        filter: scores each question with its document, as `cross_encoder`; None appends all.
        keep: share of the questions that the filter lets through, those of the highest scores and all that tie with the
            last.
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
        judge = None if self.filter is None else fit(self.filter, view, context)
        if judge is not None and not isinstance(judge, Reranks):
            raise SettingError(
                f"doc2query: {self.filter} cannot score pairs; a filter is one as cross_encoder or dense."
            )
        return _Fitted(self, fit(self.first, view, context), judge, context)


class _Fitted(Fitted):
    def __init__(self, method: Doc2Query, first: Fitted, judge: Fitted | None, context: Context) -> None:
        self._method, self._first, self._judge = method, first, judge
        parts = [first] if judge is None else [first, judge]
        generator = {"name": method.generator.name(), **method.generator.settings()}
        self._filtered = None if judge is None else {"keep": method.keep, "key": judge.key}
        self.key = (
            f"doc2query-{digest(first.key, generator, method.generator.inputs(context), self._filtered, context.seed)}"
        )
        self.resolved = {
            "first": {"name": method.first.name(), **first.resolved},
            "generator": {**generator, "inputs": method.generator.inputs(context)},
        }
        if judge is not None and method.filter is not None:
            self.resolved |= {"filter": {"name": method.filter.name(), **judge.resolved}, "keep": method.keep}
        self.notes = tuple(note for part in parts for note in part.notes)
        self.models = tuple(model for part in parts for model in part.models)
        self.supervision = strongest(part.supervision for part in parts)

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
        deciding_all = {**deciding(generator, corpus, context), "filter": self._filtered, "code": self._code()}

        def build(folder: Path) -> None:
            questions = every_question(generator, corpus, context)
            if self._judge is not None:
                kept = best(self._scores(corpus, context), self._method.keep)
                questions = (question for question, good in zip(questions, kept.tolist(), strict=True) if good)
            facts = {"questions": 0, "documents": 0}
            write_corpus(folder / _CORPUS, expanded(corpus, questions, facts), str(self._method))
            if not facts["questions"]:
                raise self._none(corpus)
            (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")

        describe = {"generator": str(generator), **deciding_all}
        folder = build_once(context, "expanded", digest(deciding_all), describe, build)
        facts: dict[str, int] = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        context.ledger.count("questions", facts["questions"])
        if bare := len(corpus) - facts["documents"]:
            how = "got no question" if self._judge is None else "kept no question"
            context.ledger.note(
                f"{bare:,} of {len(corpus):,} documents {how} of {generator.name()} and stay as they are"
            )
        return Corpus.open(folder / _CORPUS)

    def _code(self) -> str:
        """Of what expands and filters; the row that searches what was expanded decides nothing of it."""
        named = [self._method.filter] if self._method.filter is not None else []
        searching = ("harness.methods.bm25", "harness.feedback")
        own = [code_of("harness.methods.doc2query", without=searching)]
        return " ".join([*own, code_of(*named, libraries=MODELS)] if named else own)

    def _scores(self, corpus: Corpus, context: Context) -> Floats:
        """(n,) how well each question fits its own document, in the order they are made."""
        assert isinstance(self._judge, Reranks)
        scorer: CandidateScorer = self._judge.candidate_scorer(corpus, context)
        if not scorer.alone:
            raise SettingError(
                f"doc2query: {self._method.filter} weighs documents against each other, and a question has one; a "
                "filter is one as cross_encoder or dense."
            )
        questions = every_question(self._method.generator, corpus, context)
        found: list[Floats] = []
        while block := list(itertools.islice(questions, BLOCK)):
            rows = [np.array([question.row], dtype=np.int64) for question in block]
            found += scorer.scores([question.text for question in block], rows)
        if not found:
            raise self._none(corpus)
        return np.concatenate(found)

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
    number = max(1, round(share * len(scores)))
    kept: np.ndarray[Any, np.dtype[np.bool_]] = (
        scores >= np.partition(scores, len(scores) - number)[len(scores) - number]
    )
    return kept


def expanded(corpus: Corpus, questions: Iterator[Question], facts: dict[str, int]) -> Iterator[Document]:
    """The documents in their order, each with its questions at the end of its text; one batch is held.

    Args:
        corpus: the documents.
        questions: in the order of the rows.
        facts: `questions` and `documents` count those appended and those that got any.

    Raises:
        ModelError: the questions are in another order.
    """
    by_row = itertools.groupby(questions, key=lambda question: question.row)
    due = next(by_row, None)
    for row, document in enumerate(document for batch in corpus.batches() for document in batch):
        if due is None or due[0] != row:
            yield document
            continue
        texts = [question.text for question in due[1]]
        facts["questions"] += len(texts)
        facts["documents"] += 1
        yield document._replace(text=" ".join([document.text, *texts]) if document.text else " ".join(texts))
        due = next(by_row, None)
    if due is not None:
        raise ModelError(
            f"a generator made questions of document {due[0]} out of turn; it must ask about one document after the "
            "other, as `harness.generators.Generator.generate` says."
        )
