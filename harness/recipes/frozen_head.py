"""Frozen head: a dense layer is trained on the cached vectors of an unchanged encoder; seconds instead of minutes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from harness.base.errors import ModelError
from harness.choices.bounds import Count, NonNegative, Positive, WholeNumber
from harness.data.dataset import TrainView
from harness.data.ranking import Floats
from harness.runtime.context import Context
from harness.training.base import EncoderBase, Trainable
from harness.training.dev import pool
from harness.training.from_gold import FromGold
from harness.training.lesson import Lesson, Report
from harness.training.loop import own_randomness, save, seed_of
from harness.training.schedule import Budget, Schedule


@dataclass(frozen=True)
class FrozenHead(FromGold):
    """A dense layer over the frozen encoder's vectors, for both sides, trained by in-batch and mined negatives.

    Source: Modal's "Beating Proprietary Models with a Quick Fine-Tune" (Liu et al., 2024) freezes the encoder and
    trains a dense layer with tanh on question pairs, by their AUC; here the measure is retrieval, dev chooses, and the
    encoder's vectors are computed once and cached, so that an epoch is a few matrix products.

    Args:
        out: dimensions of the new vectors; None takes the encoder's.
        activation: after the layer: `none` (the layer starts as the identity if `out` allows it) or `tanh`.
        decay: pull of the layer towards where it starts, as weight decay has towards 0.
        scale: factor of the cosine in the softmax.
    """

    out: Count | None = None
    activation: Literal["none", "tanh"] = "none"
    decay: NonNegative = 0.01
    scale: Positive = 20.0
    negatives: WholeNumber = 3

    frozen: ClassVar[bool] = True
    unused: ClassVar[frozenset[str]] = frozenset({"accumulate", "max_length", "dropout"})
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(epochs=2, batch=8, learning_rate=1e-3, evaluations=2, dev_pool=100, precision="fp32"),
        "small": Schedule(
            epochs=40, batch=128, learning_rate=5e-4, evaluations=20, patience=5, dev_pool=10_000, precision="fp32"
        ),
        "full": Schedule(
            epochs=100, batch=256, learning_rate=5e-4, evaluations=50, patience=10, dev_pool=1_000_000, precision="fp32"
        ),
    }

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """There is no lesson for the loop, since the encoder does not run in training; see `train`."""
        raise NotImplementedError

    def train(self, base: Trainable, view: TrainView, context: Context, place: Path, checkpoints: Path) -> Report:
        """See `Recipe.train`. There are no checkpoints: a run takes seconds."""
        import torch
        from sentence_transformers.sentence_transformer.modules import Dense, Normalize

        assert isinstance(base, EncoderBase)
        schedule = self.schedule()
        mined = self.mined(base, view, context)
        encoder = base.encoder
        queries = _block(encoder.vectors(mined.gold.queries.texts, "query"))
        positives = [row for _, row in mined.pairs]
        rows = np.unique(np.concatenate([positives, mined.negatives.rows.ravel()]).astype(np.int64))
        documents = _block(encoder.vectors(view.corpus.texts_of(rows), "document"))
        width = documents.shape[1]
        out = self.out or width
        started = time.perf_counter()
        with own_randomness():
            torch.manual_seed(seed_of(context, "head"))
            activation = torch.nn.Tanh() if self.activation == "tanh" else torch.nn.Identity()
            head = Dense(width, out, bias=False, activation_function=activation)
            if out <= width and self.activation == "none":
                torch.nn.init.eye_(head.linear.weight)
            else:
                torch.nn.init.orthogonal_(head.linear.weight)
            probe = _probe(head, base, view, schedule, context) if self.choose == "dev" else None
            self.announce(mined.gold.taught(view), probe.pool if probe is not None else None, context, place)
            report = self._fit(head, mined, queries, documents, rows, probe, schedule)
        model = base.fresh(context)
        # The head was trained on the encoder's cached vectors, which are normalised where the similarity is the cosine.
        modules = list(model.children())
        if encoder.similarity == "cosine" and type(modules[-1]).__name__ != "Normalize":
            modules.append(Normalize())
        for number, module in enumerate([*modules, head, Normalize()]):
            model.add_module(str(number), module)
        model.prompts, model.default_prompt_name = dict(base.prompts), None
        save(model, place, self.name())
        for weights in place.glob("*.safetensors"):  # the encoder's, the same in every model with a head
            context.cache.share("models", place.parent, f"{place.name}/{weights.name}")
        return dataclasses.replace(
            report,
            seconds=round(time.perf_counter() - started, 2),
            dev_pool=probe.pool.describe() if probe is not None else None,
            facts={**mined.facts, "head_parameters": int(head.linear.weight.numel())},
        )

    def _fit(
        self, head: Any, mined: Any, queries: Floats, documents: Floats, rows: Any, probe: Any, schedule: Schedule
    ) -> Report:
        import torch

        pair_queries = [number for number, _ in mined.pairs]
        query_vectors = torch.from_numpy(queries[pair_queries])
        document_vectors = torch.from_numpy(documents)
        positives = torch.from_numpy(np.searchsorted(rows, [row for _, row in mined.pairs]))
        negatives = torch.from_numpy(np.searchsorted(rows, mined.negatives.rows))
        numbers = torch.tensor(pair_queries)
        # Query and document as one number, of all that must not be a negative: the relevant documents of a query, which
        # are all in a pair, and the document that is the query itself.
        excluded = []
        for number in range(len(mined.gold)):
            known_rows = np.intersect1d(mined.gold.never[number], rows)
            excluded.append(number * len(rows) + np.searchsorted(rows, known_rows))
        never = torch.from_numpy(np.concatenate(excluded))
        start = head.linear.weight.detach().clone()
        optimiser = torch.optim.Adam(head.parameters(), lr=schedule.learning_rate)
        steps = schedule.total(len(numbers))
        every = schedule.every(steps)
        losses: list[tuple[int, float]] = []
        dev: list[tuple[int, float]] = [(0, probe())] if probe is not None else []
        best_weight, best_value, best_step = None, -1.0, 0
        waited, step = 0, 0

        while step < steps:
            for batch in torch.split(torch.randperm(len(numbers)), schedule.batch):
                targets = torch.cat([positives[batch], negatives[batch].reshape(-1)])
                logits = (
                    self.scale * _embedded(head, query_vectors[batch]) @ _embedded(head, document_vectors[targets]).T
                )
                # Not a negative: another relevant document of the query, or its own at another place of the batch.
                known = torch.isin(numbers[batch][:, None] * len(rows) + targets[None, :], never)
                known &= ~torch.eye(len(batch), len(targets), dtype=torch.bool)
                loss = torch.nn.functional.cross_entropy(
                    logits.masked_fill(known, -torch.inf), torch.arange(len(batch))
                )
                if not torch.isfinite(loss):
                    raise ModelError(
                        f"frozen_head: the loss is not a number at step {step + 1} of {steps}; lower learning_rate."
                    )
                optimiser.zero_grad()
                (loss + self.decay * (head.linear.weight - start).square().sum()).backward()
                optimiser.step()
                step += 1
                losses.append((step, round(loss.item(), 6)))
                if probe is not None and step % every == 0:
                    value = probe()
                    dev.append((step, value))
                    waited += 1
                    if value > best_value:
                        best_weight, best_value, best_step = head.linear.weight.detach().clone(), value, step
                        waited = 0
                if step >= steps or waited >= schedule.patience:
                    break
            if step >= steps or waited >= schedule.patience:
                break
        if best_weight is not None:
            head.linear.weight.data.copy_(best_weight)
        return Report(
            examples=len(numbers),
            steps=step,
            epochs=round(step * schedule.batch / len(numbers), 3),
            seconds=0.0,
            schedule=dataclasses.asdict(schedule),
            precision="fp32",
            device="cpu",
            loss=tuple(losses[:: max(1, len(losses) // 100)]),
            dev=tuple((s, round(v, 6)) for s, v in dev),
            chosen=step if best_weight is None else best_step,
        )


def _probe(head: Any, base: EncoderBase, view: TrainView, schedule: Schedule, context: Context) -> Any:
    """() → nDCG@10 on dev with the present weights of the head; None without dev queries."""
    import torch

    dev_pool = pool(view, base.first_stages, schedule, context)
    if dev_pool is None:
        return None
    documents = torch.from_numpy(_block(base.encoder.vectors(view.corpus.texts_of(dev_pool.rows), "document")))
    queries = torch.from_numpy(_block(base.encoder.vectors(dev_pool.split.queries.texts, "query")))

    def measure() -> float:
        with torch.no_grad():
            scores = (_embedded(head, queries) @ _embedded(head, documents).T).numpy()
        return dev_pool.measure((dev_pool.rows, row) for row in scores)

    measure.pool = dev_pool  # type: ignore[attr-defined]
    return measure


def _embedded(head: Any, vectors: Any) -> Any:
    import torch

    return torch.nn.functional.normalize(head({"sentence_embedding": vectors})["sentence_embedding"], dim=-1)


def _block(vectors: Any) -> Floats:
    return np.array(vectors.block(0, len(vectors)))
