"""Dev: nDCG@10 on the dev queries during training, over a pool of documents that is small enough to encode often."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.measures import means, parse_measures, per_query
from harness.data.queries import Labelled
from harness.data.ranking import Floats, Ints, Run, TopK, select, stack, without_own
from harness.leaks.history import TrainedQuery
from harness.methods import Method, fit, index, search
from harness.models.encoder import Encoder, Side
from harness.models.library import vectors_by_library
from harness.models.limits import length_of
from harness.models.tokens import InputFormat
from harness.runtime.context import Context
from harness.training.dev_batches import CPU_PAIRS, CPU_TEXTS, batch_size
from harness.training.schedule import Schedule

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

CUT = 10
CHOSEN_BY = f"nDCG@{CUT}"
DEEP = 100
SAMPLE = 256
"""Documents, at even distances, whose characters are counted."""
READ = 1000
"""Characters of a document that are counted: most encoders cut at 256 tokens, about so many."""


@dataclass(frozen=True)
class Pool:
    """The dev queries and the documents that are ranked for them.

    Args:
        split: the dev queries and their judgements.
        view: whose corpus the rows point into.
        rows: (P,) rows that are ranked, ascending.
        candidates: per query, the best rows of each first stage, interleaved: what a cross-encoder re-ranks. The
            document that is the query itself is not among them.
        whole: whether the pool is the whole corpus.
    """

    split: Labelled
    view: TrainView
    rows: Ints
    candidates: tuple[Ints, ...]
    whole: bool

    def describe(self) -> dict[str, Any]:
        """JSON-safe, for the report."""
        return {"queries": len(self.split.queries), "documents": len(self.rows), "whole_corpus": self.whole}

    def trained_queries(self) -> list[TrainedQuery]:
        """The dev queries with their relevant documents: the checkpoint is chosen on them."""
        found = []
        for query, text in zip(self.split.queries.ids, self.split.queries.texts, strict=True):
            relevant = tuple(document for document, grade in self.split.qrels[query].items() if grade > 0)
            found.append(TrainedQuery("dev", text, relevant))
        return found

    def measure(self, scored: Iterable[tuple[Ints, Floats]]) -> float:
        """Mean nDCG@10 from the scores of each query's documents, without the query's own document, as in a record.

        Args:
            scored: per query, rows of the corpus and their scores, in any order.
        """
        corpus, deep = self.view.corpus, self.split.search_depth(CUT)
        top: TopK = stack([select(rows, scores, corpus.id_order, deep) for rows, scores in scored], deep)
        run = Run.of_split(self.split, top, corpus, CUT)
        return means(per_query(parse_measures([CHOSEN_BY]), self.split.qrels, run))[CHOSEN_BY]


def pool(view: TrainView, first_stages: Sequence[Method], schedule: Schedule, context: Context) -> Pool | None:
    """The dev pool: relevant documents, and the best of each first stage until it is full; None without dev queries.

    A pool of hard documents orders models almost as the whole corpus does, at a fraction of the cost. Its scores are
    higher than over the whole corpus, so that they can only be compared with each other.

    Args:
        view: what training may see.
        first_stages: whose best documents fill the pool; the untrained encoder should be one of them.
        schedule: how many queries and documents.
        context: seed of the choice of queries.
    """
    if view.dev is None:
        return None
    ids = view.dev.queries.ids
    if len(ids) > schedule.dev_queries:
        chosen = context.rng("dev queries").permutation(len(ids))[: schedule.dev_queries]
        ids = [ids[i] for i in chosen]
    split, corpus = view.dev.only(ids), view.corpus
    tops = [_best(method, split, view, context) for method in first_stages]
    candidates = tuple(interleaved([top[i] for top in tops]) for i in range(len(split.queries)))
    size = _size(corpus, schedule)
    if len(corpus) <= size:
        return Pool(split, view, np.arange(len(corpus), dtype=np.int64), candidates, whole=True)
    relevant: set[str] = set()
    for grades in split.qrels.values():
        relevant.update(document for document, grade in grades.items() if grade > 0)
    in_corpus = [int(row) for row in corpus.rows(sorted(relevant)) if row >= 0]
    return Pool(split, view, _filled(in_corpus, candidates, size), candidates, whole=False)


def _size(corpus: Corpus, schedule: Schedule) -> int:
    """Documents of the pool: fewer if they are long."""
    if schedule.dev_characters is None or not len(corpus):
        return schedule.dev_pool
    rows = np.unique(np.linspace(0, len(corpus) - 1, SAMPLE, dtype=np.int64))
    characters = sum(min(len(text), READ) for text in corpus.texts_of(rows)[:])
    return min(schedule.dev_pool, int(schedule.dev_characters * len(rows) / max(1, characters)) + 1)


def _filled(relevant: Sequence[int], candidates: Sequence[Ints], size: int) -> Ints:
    """The relevant rows, filled up to `size` with the candidates of all queries, rank by rank; ascending."""
    rows = set(relevant)
    for rank in range(max((len(own) for own in candidates), default=0)):
        for own in candidates:
            if len(rows) >= size:
                break
            if rank < len(own):
                rows.add(int(own[rank]))
    return np.array(sorted(rows), dtype=np.int64)


def _best(method: Method, split: Labelled, view: TrainView, context: Context) -> Ints:
    """(Q, `DEEP`) rows that a method finds for a split's queries, without the queries themselves."""
    searcher = index(method, fit(method, view, context), view.corpus, context)
    top = search(method, searcher, split.queries, split.search_depth(DEEP), context)
    return without_own(split, top, view.corpus, DEEP).indices


def interleaved(tops: Sequence[Ints]) -> Ints:
    """Rankings of one query taken in turn, each row once, −1 left out."""
    turns = chain.from_iterable(zip(*tops, strict=True))
    return np.array(list(dict.fromkeys(int(row) for row in turns if row >= 0)), dtype=np.int64)


class Probe(ABC):
    """Measures a model on a dev pool during training.

    Attributes:
        pool: queries and documents.
        prompts: side → what is put before a text; a lesson may change it.
    """

    pool: Pool
    prompts: dict[Side, str]

    @property
    def ranked(self) -> Sequence[Ints]:
        """Per query, the rows that are ranked."""
        return [self.pool.rows] * len(self.pool.split.queries)

    @abstractmethod
    def __call__(self, model: Any) -> float:
        """nDCG@10."""


class EncoderProbe(Probe):
    """Measures a bi-encoder on a pool.

    Args:
        dev_pool: the pool.
        base: the encoder that is trained: its prompts and similarity.
        context: tokens of a batch.
        bf16: whether to encode under bf16 autocast, as the training does.
    """

    def __init__(self, dev_pool: Pool, base: Encoder, context: Context, *, bf16: bool) -> None:
        self.pool, self._context, self._bf16 = dev_pool, context, bf16
        self.prompts = dict(base.prompts)
        self._cosine = base.similarity == "cosine"
        self._texts = dev_pool.view.corpus.texts_of(dev_pool.rows)[:]

    def __call__(self, model: SentenceTransformer) -> float:
        """nDCG@10."""
        documents = self._encode(model, self._texts, "document")
        queries = self._encode(model, self.pool.split.queries.texts, "query")
        return self.pool.measure((self.pool.rows, documents @ query) for query in queries)

    def _encode(self, model: SentenceTransformer, texts: Sequence[str], side: Side) -> Floats:
        size = batch_size(self._context, model.device.type, length_of(model, side), CPU_TEXTS)
        with autocast(model.device.type, on=self._bf16):
            return vectors_by_library(
                model, texts, InputFormat(self.prompts[side], side), normalise=self._cosine, batch=size
            )


class PairProbe(Probe):
    """Measures a cross-encoder: each dev query's candidates re-ranked.

    Args:
        dev_pool: the pool.
        depth: candidates of each query.
        context: tokens of a batch.
        bf16: whether to score under bf16 autocast.
    """

    def __init__(self, dev_pool: Pool, depth: int, context: Context, *, bf16: bool) -> None:
        self.pool, self._context, self._bf16 = dev_pool, context, bf16
        self.prompts = {}
        self._candidates = [rows[:depth] for rows in dev_pool.candidates]

    @property
    def ranked(self) -> Sequence[Ints]:
        """See `Probe.ranked`."""
        return self._candidates

    def __call__(self, model: CrossEncoder) -> float:
        """nDCG@10."""
        import torch

        corpus = self.pool.view.corpus
        pairs: list[tuple[str, str]] = []
        for query, rows in zip(self.pool.split.queries.texts, self._candidates, strict=True):
            pairs.extend((query, document) for document in corpus.texts_of(rows)[:])
        size = batch_size(self._context, model.device.type, length_of(model), CPU_PAIRS)
        with autocast(model.device.type, on=self._bf16):
            scores = model.predict(
                pairs,
                batch_size=size,
                activation_fn=torch.nn.Identity(),
                convert_to_tensor=True,
                show_progress_bar=False,
            )
        flat = scores.float().cpu().numpy().reshape(-1)
        parts = np.split(flat, np.cumsum([len(rows) for rows in self._candidates])[:-1])
        return self.pool.measure(zip(self._candidates, parts, strict=True))


def autocast(device: str, *, on: bool) -> contextlib.AbstractContextManager[Any]:
    """bf16 autocast, or nothing."""
    import torch

    return torch.autocast(device, dtype=torch.bfloat16) if on else contextlib.nullcontext()
