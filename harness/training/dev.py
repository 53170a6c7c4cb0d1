"""Dev: nDCG@10 on the dev queries while a model learns, on a pool of documents that is small enough to encode often."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.data.dataset import TrainView
from harness.data.measures import means, parse_measures, per_query
from harness.data.queries import Labelled
from harness.data.ranking import Floats, Ints, Run, TopK, select, stack, without_own
from harness.leaks.history import Taught
from harness.methods import Method, fit, index, search
from harness.models.batching import batch_tokens
from harness.models.encoder import Encoder, Side
from harness.models.library import vectors_by_library
from harness.models.limits import length_of
from harness.models.tokens import InputFormat
from harness.runtime.context import Context
from harness.training.schedule import Schedule

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

CUT = 10
CHOSEN_BY = f"nDCG@{CUT}"
DEEP = 100


@dataclass(frozen=True)
class Pool:
    """What dev is measured on.

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

    def taught(self) -> list[Taught]:
        """What a checkpoint is chosen on."""
        texts = zip(self.split.queries.ids, self.split.queries.texts, strict=True)
        return [Taught("dev", text, tuple(d for d, g in self.split.qrels[q].items() if g > 0)) for q, text in texts]

    def measure(self, scored: Iterable[tuple[Ints, Floats]]) -> float:
        """nDCG@10 by the scores of each query's documents, as for a record: the query's own document is left out.

        Args:
            scored: per query, rows of the corpus and their scores, in any order.
        """
        corpus, deep = self.view.corpus, self.split.search_depth(CUT)
        top: TopK = stack([select(rows, scores, corpus.id_order, deep) for rows, scores in scored], deep)
        run = Run.of_split(self.split, top, corpus, CUT)
        return means(per_query(parse_measures([CHOSEN_BY]), self.split.qrels, run))[CHOSEN_BY]


def pool(view: TrainView, first_stages: Sequence[Method], schedule: Schedule, context: Context) -> Pool | None:
    """The dev pool: relevant documents, and the best of each first stage until it is full; None without dev queries.

    A pool of hard documents orders models almost as the whole corpus does and costs a fraction; its figures are higher
    than the whole corpus would give, and are compared with each other alone.

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
    if len(corpus) <= schedule.dev_pool:
        return Pool(split, view, np.arange(len(corpus), dtype=np.int64), candidates, whole=True)
    relevant = corpus.rows(sorted({d for grades in split.qrels.values() for d, g in grades.items() if g > 0}))
    held = dict.fromkeys(int(r) for r in relevant if r >= 0)
    for rank in range(max((len(c) for c in candidates), default=0)):
        for found in candidates:
            if len(held) >= schedule.dev_pool:
                break
            if rank < len(found):
                held.setdefault(int(found[rank]))
    return Pool(split, view, np.array(sorted(held), dtype=np.int64), candidates, whole=False)


def _best(method: Method, split: Labelled, view: TrainView, context: Context) -> Ints:
    """(Q, `DEEP`) rows that a method finds for a split's queries, without the queries themselves."""
    searcher = index(method, fit(method, view, context), view.corpus, context)
    top = search(method, searcher, split.queries, split.search_depth(DEEP), context)
    return without_own(split, top, view.corpus, DEEP).indices


def interleaved(tops: Sequence[Ints]) -> Ints:
    """Rankings of one query taken in turn, each row once, −1 left out."""
    turns = [int(row) for rank in zip(*tops, strict=True) for row in rank if row >= 0]
    return np.array(list(dict.fromkeys(turns)), dtype=np.int64)


class Probe(ABC):
    """Measures a model on a pool while it learns.

    Attributes:
        pool: what it is measured on.
        prompts: side → what is put before a text; a lesson may change it.
    """

    pool: Pool
    prompts: dict[Side, str]

    @abstractmethod
    def __call__(self, model: Any) -> float:
        """nDCG@10."""


class EncoderProbe(Probe):
    """Measures a bi-encoder on a pool.

    Args:
        held: the pool.
        base: the encoder that is trained: its prompts and similarity.
        context: tokens of a batch.
        bf16: whether to encode under bf16 autocast, as the training does.
    """

    def __init__(self, held: Pool, base: Encoder, context: Context, *, bf16: bool) -> None:
        self.pool, self._context, self._bf16 = held, context, bf16
        self.prompts = dict(base.prompts)
        self._cosine = base.similarity == "cosine"
        self._texts = held.view.corpus.texts_of(held.rows)[:]

    def __call__(self, model: SentenceTransformer) -> float:
        """nDCG@10."""
        documents = self._encode(model, self._texts, "document")
        queries = self._encode(model, self.pool.split.queries.texts, "query")
        return self.pool.measure((self.pool.rows, documents @ query) for query in queries)

    def _encode(self, model: SentenceTransformer, texts: Sequence[str], side: Side) -> Floats:
        size = batch_tokens(self._context, model.device.type) // length_of(model, side)
        with autocast(model.device.type, on=self._bf16):
            return vectors_by_library(
                model, texts, InputFormat(self.prompts[side], side), normalise=self._cosine, batch=size
            )


class PairProbe(Probe):
    """Measures a cross-encoder: each dev query's candidates re-ranked.

    Args:
        held: the pool.
        depth: candidates of each query.
        context: tokens of a batch.
        bf16: whether to score under bf16 autocast.
    """

    def __init__(self, held: Pool, depth: int, context: Context, *, bf16: bool) -> None:
        self.pool, self._context, self._bf16 = held, context, bf16
        self.prompts = {}
        self._candidates = [rows[:depth] for rows in held.candidates]

    def __call__(self, model: CrossEncoder) -> float:
        """nDCG@10."""
        import torch

        corpus = self.pool.view.corpus
        texts = self.pool.split.queries.texts
        pairs = [(q, d) for q, rows in zip(texts, self._candidates, strict=True) for d in corpus.texts_of(rows)[:]]
        budget = batch_tokens(self._context, model.device.type)
        with autocast(model.device.type, on=self._bf16):
            scores = model.predict(
                pairs,
                batch_size=max(1, budget // length_of(model)),
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
