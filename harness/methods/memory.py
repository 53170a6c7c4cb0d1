"""A look-up of the training queries, without training: the control for every row that is fine-tuned."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from harness.base.errors import SettingError
from harness.choices.bounds import NonNegative
from harness.data.corpus import Corpus
from harness.data.corpus_file import write_corpus
from harness.data.dataset import TrainView
from harness.data.documents import Document
from harness.data.measures import means, parse_measures, per_query
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Floats, Ints, Run
from harness.endpoints.journal import digest
from harness.methods import NO_LABELS, TRAIN_LABELS, Encodes, Fitted, HostedEncoding, Method, Searcher, Size, fit
from harness.methods._moved import MovedDocuments
from harness.methods._parts import FittedParts, resolved_part
from harness.methods._vectors import VectorSearcher
from harness.methods.dense import Dense
from harness.models.encoder import Encoder
from harness.runtime.build_once import build_once
from harness.runtime.context import Context

CUT = 10
CHOSEN_BY = f"nDCG@{CUT}"
FOLDS: Final = 5
MOST: Final = 1000
"""Labelled queries on which β is chosen, at most."""
BETAS: Final = {"vectors": (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0), "text": (0.0, 1.0, 2.0, 3.0)}
"""The weights to choose from. Texts can only be repeated a whole number of times."""
Searched = Callable[[Corpus, Labelled, float], Searcher]
"""A corpus, labelled queries and β → a searcher that remembers them."""


@dataclass(frozen=True)
class Memory(Method):
    """Moves each document towards the training and dev queries that it answers; nothing else is learnt.

    A row whose model was fine-tuned on the same labels and that does not pass this one has learnt the judgements and
    not the task: compare them on queries whose relevant documents no training query has. With a log of clicks as the
    training judgements, it is a way of using them.

    With a dense row, v_d ← (v_d + β · mean of the vectors of its queries), scaled to unit length where cosines are
    compared; a judgement weighs as its grade. With any other row, the queries are appended to the document's text, β
    times. A document without a query stays as it is.

    β is chosen in five folds of the labelled queries, each ranked with the memory of the other four (for texts, only
    the first fold is). This tells how well queries are ranked that ask about the same documents as the labelled ones;
    it needs no dev queries.

    Args:
        first: the row that remembers: dense, or one that indexes texts, such as bm25.
        beta: weight of the queries; whole for texts. None chooses it.
    """

    first: Method = field(default_factory=Dense)
    beta: NonNegative | None = None

    control: ClassVar[bool] = True
    needs_documents: ClassVar[bool] = True

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`; the documents are not searched as they are."""
        return 0

    def hosted_encodings(self, context: Context) -> tuple[HostedEncoding, ...]:
        """See `Method.hosted_encodings`; the longer documents are not known yet."""
        return ()

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Reads the labels and chooses β.

        Raises:
            SettingError: β is not whole, and the row indexes texts.
        """
        known = labels(view)
        context.announce(known.queries.texts)
        first = fit(self.first, view, context)
        by = "vectors" if isinstance(first, Encodes) else "text"
        if by == "text" and self.beta is not None and not float(self.beta).is_integer():
            raise SettingError(
                f"memory: {self.first} indexes texts, to which queries are added a whole number of times: beta must be "
                f"whole, not {self.beta:g}."
            )
        searched = partial(_vectors if by == "vectors" else _texts, first, context)
        beta, scores = self.beta if len(known.queries) else 0.0, {}
        if beta is None:
            scores = chosen(known, view.corpus, searched, BETAS[by], FOLDS if by == "vectors" else 1, context)
            beta = max(scores, key=lambda each: scores[each])  # the smallest of equal ones: they ascend
        return _Fitted(self, first, known, beta, scores, searched)


class _Fitted(FittedParts):
    def __init__(
        self,
        method: Memory,
        first: Fitted,
        known: Labelled,
        beta: float,
        scores: dict[float, float],
        searched: Searched,
    ) -> None:
        self._known, self._beta, self._searched = known, beta, searched
        resolved = {"first": resolved_part(method.first, first), "beta": beta, "queries": len(known.queries)}
        if scores:
            chosen_on = {f"{each:g}": round(score, 5) for each, score in scores.items()}
            asked = FOLDS if isinstance(first, Encodes) else 1
            chosen_by = f"{CHOSEN_BY} on {asked} of {FOLDS} folds of the labelled queries, each without its own memory"
            resolved |= {"chosen_by": chosen_by, "scores": chosen_on}
        used = TRAIN_LABELS if len(known.queries) else NO_LABELS
        super().__init__(f"memory-{digest(first.key, beta, known.revision)}", resolved, [first], used)
        if used == NO_LABELS:
            self.notes = ("no training or dev queries to remember: documents are as they are", *self.notes)

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return self._searched(corpus, self._known, self._beta)


def labels(view: TrainView) -> Labelled:
    """The training and dev queries together; empty if there are none."""
    splits = [split for split in (view.train, view.dev) if split is not None]
    queries = Queries([i for s in splits for i in s.queries.ids], [t for s in splits for t in s.queries.texts])
    qrels = {query: grades for split in splits for query, grades in split.qrels.items()}
    return Labelled(queries, qrels, frozenset().union(*(split.drop_self for split in splits)))


def chosen(
    known: Labelled, corpus: Corpus, searched: Searched, betas: Sequence[float], asked_folds: int, context: Context
) -> dict[float, float]:
    """β → nDCG@10 of the labelled queries, each ranked with the memory of the other folds'.

    Args:
        known: the labelled queries.
        corpus: the documents.
        searched: makes a searcher that remembers some queries.
        betas: to choose from.
        asked_folds: whose queries are ranked: one, if each memory takes an index of its own.
        context: its seed draws the queries if there are more than `MOST`.
    """
    ids = sorted(known.queries.ids, key=lambda query: hashlib.sha256(query.encode()).digest())
    folds = [ids[fold::FOLDS] for fold in range(FOLDS)]
    drawn = set(context.rng("memory").permutation(ids)[:MOST].tolist())
    measures = parse_measures([CHOSEN_BY])
    totals, count = dict.fromkeys(betas, 0.0), 0
    for fold in folds[:asked_folds]:
        asked = known.only([query for query in fold if query in drawn])
        others = known.only(list(set(ids) - set(fold)))
        if not len(asked.queries) or not len(others.queries):
            continue
        count += len(asked.queries)
        for beta in betas:
            top = searched(corpus, others, beta).search(asked.queries, asked.search_depth(CUT))
            values = per_query(measures, asked.qrels, Run.of_split(asked, top, corpus, CUT))
            totals[beta] += means(values)[CHOSEN_BY] * len(asked.queries)
    return {beta: total / max(1, count) for beta, total in totals.items()}


def answers(known: Labelled, corpus: Corpus) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """Each document that answers a labelled query: its row, and the queries' texts with the grades; by row."""
    found: dict[int, list[tuple[str, int]]] = {}
    for query, text in zip(known.queries.ids, known.queries.texts, strict=True):
        relevant = {document: grade for document, grade in known.qrels[query].items() if grade > 0}
        for row, grade in zip(corpus.rows(list(relevant)).tolist(), relevant.values(), strict=True):
            if row >= 0:
                found.setdefault(row, []).append((text, grade))
    yield from sorted(found.items())


def _vectors(first: Fitted, context: Context, corpus: Corpus, known: Labelled, beta: float) -> Searcher:
    """A searcher of the moved vectors."""
    assert isinstance(first, Encodes)
    encoder: Encoder = first.encoder
    rows, replacements = moved(encoder, corpus, known, beta)
    embedder = MovedDocuments(encoder, corpus, rows, replacements, digest(known.revision, beta))
    weights = encoder.folder
    size = Size(0, weights.model_bytes, weights.parameters)
    return VectorSearcher("memory", embedder, first.vector_index, size, corpus, context)


def moved(encoder: Encoder, corpus: Corpus, known: Labelled, beta: float) -> tuple[Ints, Floats]:
    """(M,) rows of the documents that answer a labelled query, ascending, and their (M, D) moved vectors."""
    answered = list(answers(known, corpus))
    rows = np.array([row for row, _ in answered], dtype=np.int64)
    texts = list(dict.fromkeys(text for _, asked in answered for text, _ in asked))
    place = {text: number for number, text in enumerate(texts)}
    vectors = encoder.vectors(corpus.texts, "document").take(rows)
    if not texts:
        return rows, vectors
    asked_vectors = encoder.vectors(texts, "query")
    queries = asked_vectors.block(0, len(asked_vectors))
    replacements = np.empty_like(vectors)
    for number, (_, asked) in enumerate(answered):
        weights = np.array([grade for _, grade in asked], dtype=np.float64)
        mean = weights @ queries[[place[text] for text, _ in asked]].astype(np.float64) / weights.sum()
        replacements[number] = vectors[number] + beta * mean
    if encoder.similarity == "cosine":
        replacements /= np.maximum(np.linalg.norm(replacements, axis=1, keepdims=True), 1e-12)
    return rows, replacements


def _texts(first: Fitted, context: Context, corpus: Corpus, known: Labelled, beta: float) -> Searcher:
    """A searcher of the documents with their queries at the end."""
    appended = {row: " ".join(text for text, _ in asked) for row, asked in answers(known, corpus)}
    times = round(beta)

    def documents() -> Iterator[Document]:
        for row, document in enumerate(document for batch in corpus.batches() for document in batch):
            added = [appended[row]] * times if row in appended else []
            yield document._replace(text=" ".join([document.text, *added]).strip())

    def build(folder: Path) -> None:
        write_corpus(folder / "corpus.arrow", documents(), "memory")

    deciding = {"memory of": known.revision, "times": times, "corpus": corpus.revision}
    folder = build_once(context, "expanded", digest(deciding), deciding, build)
    return first.index(Corpus.open(folder / "corpus.arrow"), context)
