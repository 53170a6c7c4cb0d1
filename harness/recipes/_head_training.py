"""Training of a head on fixed vectors: the encoder does not run, so that a step is a few matrix products."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.base.errors import ModelError
from harness.data.dataset import TrainView
from harness.data.ranking import Floats, Ints
from harness.methods import Encodes, fit
from harness.models.encoder import Encoder, Side
from harness.runtime.context import Context
from harness.training.base import EncoderBase
from harness.training.dev import Pool, pool
from harness.training.from_gold import Mined
from harness.training.lesson import Report
from harness.training.schedule import Schedule

if TYPE_CHECKING:
    import torch

LOSSES_REPORTED = 100
"""Approximate number of losses that are reported."""


@dataclass(frozen=True)
class PairVectors:
    """Vectors of P (query, relevant document) pairs with mined negatives.

    Args:
        queries: (Q, D) vectors of all queries.
        documents: (R, D) vectors of all relevant documents and mined negatives.
        numbers: (P,) each pair's query, by its place in `queries`.
        positives: (P,) each pair's relevant document, by its place in `documents`.
        negatives: (P, count) its mined negatives, likewise.
        never_negative: the values of `keys` for each query with each document that must not be its negative.
    """

    queries: torch.Tensor
    documents: torch.Tensor
    numbers: torch.Tensor
    positives: torch.Tensor
    negatives: torch.Tensor
    never_negative: torch.Tensor

    @classmethod
    def of(cls, mined: Mined, rows: Ints, queries: Floats, documents: Floats) -> PairVectors:
        """The vectors of mined pairs.

        Args:
            mined: the pairs.
            rows: (R,) rows of the corpus, ascending: the documents of the pairs.
            queries: (Q, D).
            documents: (R, D), in the order of `rows`.
        """
        import torch

        # All known relevant documents of a query are in its pairs; the query's own document may be here as well.
        excluded = []
        for number, never in enumerate(mined.gold.never_negative):
            places = np.searchsorted(rows, np.intersect1d(never, rows))
            excluded.append(number * len(rows) + places)
        return cls(
            queries=torch.from_numpy(queries),
            documents=torch.from_numpy(documents),
            numbers=torch.tensor([number for number, _ in mined.pairs]),
            positives=torch.from_numpy(np.searchsorted(rows, [row for _, row in mined.pairs])),
            negatives=torch.from_numpy(np.searchsorted(rows, mined.negatives.rows)),
            never_negative=torch.from_numpy(np.concatenate(excluded)),
        )

    def keys(self, numbers: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """(B, C) whole numbers, one for each combination of B queries and C documents."""
        return numbers[:, None] * len(self.documents) + places[None, :]


class DevProbe:
    """Measures a head on the dev pool, with the encoder's cached vectors.

    Args:
        dev_pool, encoder: what it is measured on; what is behind the head.
        documents: whether documents go through the head too.
    """

    def __init__(self, dev_pool: Pool, encoder: Encoder, *, documents: bool) -> None:
        import torch

        self.pool, self._headed_documents = dev_pool, documents
        texts = dev_pool.view.corpus.texts_of(dev_pool.rows)
        self._documents = torch.from_numpy(cached_vectors(encoder, texts, "document"))
        self._queries = torch.from_numpy(cached_vectors(encoder, dev_pool.split.queries.texts, "query"))

    @classmethod
    def of(
        cls, base: EncoderBase, view: TrainView, schedule: Schedule, context: Context, *, documents: bool = True
    ) -> DevProbe | None:
        """The probe of a view; None without dev queries."""
        dev_pool = pool(view, base.first_stages, schedule, context)
        return None if dev_pool is None else cls(dev_pool, unchanged(base, view, context), documents=documents)

    def __call__(self, head: Any) -> float:
        """nDCG@10."""
        import torch

        with torch.no_grad():
            documents = _embedded(head if self._headed_documents else None, self._documents)
            scores = (_embedded(head, self._queries) @ documents.T).numpy()
        return self.pool.measure((self.pool.rows, row) for row in scores)


class HeadTraining:
    """Trains a head in place; afterwards it has the weights with the best score on dev, or the last ones without dev.

    Args:
        head: a dense layer of sentence-transformers.
        data: what it is trained on, by a schedule.
        probe: measures it on dev; None trains to the end.
        scale: factor of the cosine in the softmax.
        decay: weight of the squared distance between the head's weights and those it starts from.
        documents: whether documents go through the head too, or queries only.
    """

    def __init__(
        self,
        head: Any,
        data: PairVectors,
        probe: DevProbe | None,
        schedule: Schedule,
        scale: float,
        decay: float,
        *,
        documents: bool,
    ) -> None:
        import torch

        self._head, self._data, self._probe, self._schedule = head, data, probe, schedule
        self._scale, self._decay, self._documents = scale, decay, documents
        self._start = head.linear.weight.detach().clone()
        self._optimiser = torch.optim.Adam(head.parameters(), lr=schedule.learning_rate)
        self._steps = schedule.total(len(data.numbers))
        self._best: torch.Tensor | None = None
        self._best_value, self._best_step, self._not_better = -1.0, 0, 0

    def run(self) -> Report:
        """Trains; the caller fills in the seconds.

        Raises:
            ModelError: the loss is not a number.
        """
        count = len(self._data.numbers)
        every = self._schedule.every(self._steps)
        losses: list[tuple[int, float]] = []
        dev: list[tuple[int, float]] = []
        if self._probe is not None:
            dev.append((0, self._probe(self._head)))
        step = 0
        for step, batch in enumerate(islice(_batches(count, self._schedule.batch), self._steps), 1):
            losses.append((step, round(self._step(batch, step), 6)))
            if self._probe is not None and step % every == 0:
                dev.append((step, self._probe(self._head)))
                self._compare(step, dev[-1][1])
            if self._not_better >= self._schedule.patience:
                break
        chosen = step
        if self._best is not None:
            self._head.linear.weight.data.copy_(self._best)
            chosen = self._best_step
        return Report(
            examples=count,
            steps=step,
            epochs=round(step * self._schedule.batch / count, 3),
            seconds=0.0,
            schedule=dataclasses.asdict(self._schedule),
            precision="fp32",
            device="cpu",
            loss=tuple(losses[:: max(1, len(losses) // LOSSES_REPORTED)]),
            dev=tuple((at, round(value, 6)) for at, value in dev),
            chosen=chosen,
        )

    def _step(self, batch: torch.Tensor, step: int) -> float:
        """One step of the optimiser; returns the loss without the weight decay."""
        loss = self._loss(batch)
        if not loss.isfinite():
            raise ModelError(
                f"frozen_head: the loss is not a number at step {step} of {self._steps}; lower learning_rate."
            )
        distance = (self._head.linear.weight - self._start).square().sum()
        self._optimiser.zero_grad()
        (loss + self._decay * distance).backward()
        self._optimiser.step()
        return float(loss.item())

    def _loss(self, batch: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of each pair's document among all documents of the batch, positives and mined negatives."""
        import torch

        data = self._data
        numbers = data.numbers[batch]
        places = torch.cat([data.positives[batch], data.negatives[batch].reshape(-1)])
        queries = _embedded(self._head, data.queries[numbers])
        documents = _embedded(self._head if self._documents else None, data.documents[places])
        logits = self._scale * queries @ documents.T
        # Not a negative: another relevant document of the query, or its own at another place of the batch.
        masked = torch.isin(data.keys(numbers, places), data.never_negative)
        masked &= ~torch.eye(len(batch), len(places), dtype=torch.bool)
        return torch.nn.functional.cross_entropy(logits.masked_fill(masked, -torch.inf), torch.arange(len(batch)))

    def _compare(self, step: int, value: float) -> None:
        """Keeps the weights if they are the best so far; otherwise counts towards `Schedule.patience`."""
        if value > self._best_value:
            self._best = self._head.linear.weight.detach().clone()
            self._best_value, self._best_step, self._not_better = value, step, 0
        else:
            self._not_better += 1


def unchanged(base: EncoderBase, view: TrainView, context: Context) -> Encoder:
    """The encoder behind the head, in the engine that computes texts while a model is trained."""
    fitted = fit(base.untrained, view, context)
    assert isinstance(fitted, Encodes)
    return fitted.encoder


def cached_vectors(encoder: Encoder, texts: Any, side: Side) -> Floats:
    """(N, D) vectors, read from the cache where they are in it."""
    vectors = encoder.vectors(texts, side)
    return np.array(vectors.block(0, len(vectors)))


def _batches(count: int, size: int) -> Iterator[torch.Tensor]:
    """Batches of pairs without end; each pass over the pairs has another order."""
    import torch

    while True:
        yield from torch.split(torch.randperm(count), size)


def _embedded(head: Any, vectors: torch.Tensor) -> Any:
    """(N, out) unit vectors; without a head, the given ones."""
    import torch

    outputs = vectors if head is None else head({"sentence_embedding": vectors})["sentence_embedding"]
    return torch.nn.functional.normalize(outputs, dim=-1)
