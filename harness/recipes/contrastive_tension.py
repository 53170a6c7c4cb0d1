"""Contrastive Tension: two towers that start alike must agree on the same text and differ on others; no labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from harness.base.errors import SettingError
from harness.choices.bounds import Count
from harness.data.dataset import TrainView
from harness.data.text import sentences
from harness.recipes import Recipe
from harness.runtime.context import Context
from harness.training.base import Trainable
from harness.training.lesson import Lesson
from harness.training.pooled import Removed, put_back, without_normalisation
from harness.training.schedule import Budget, Schedule, small

TEXTS: Mapping[Budget, int] = {"smoke": 60, "small": 8000, "full": 1_000_000}


@dataclass(frozen=True)
class ContrastiveTension(Recipe):
    """Two copies of the encoder, trained apart: f1(s)·f2(s) is pulled up, f1(s)·f2(s′) pushed down.

    Source: Carlsson et al., "Semantic Re-tuning with Contrastive Tension" (ICLR 2021), section 3: one positive to K
    negatives, dot products of mean-pooled vectors without normalisation, RMSProp without weight decay, the learning
    rate falling from 1e-5 (here linearly after a warm-up, there in four steps), no dropout. The paper is about the
    similarity of sentences, and alone it is known to harm retrieval (Wang et al., GPL, 2112.07577, table 1: nDCG@10 of
    0.7 of 100); the row to look at is `dense+contrastive_tension+supervised`.
    `form="in_batch"` is sentence-transformers' variant: all other texts of the batch are negatives, with a learnt scale
    of the cosine.

    Args:
        form: `pairs` is the paper's, `in_batch` the variant.
        negatives: K, of each positive; for `pairs`.
        unit: what a text is: a `sentence` of a document, or a whole `document`.
        texts: how many are drawn; None takes the budget's.
    """

    form: Literal["pairs", "in_batch"] = "pairs"
    negatives: Count = 7
    unit: Literal["sentence", "document"] = "sentence"
    texts: Annotated[int, Ge(2)] | None = None

    unused = frozenset({"matryoshka"})
    schedules: ClassVar[Mapping[Budget, Schedule]] = {
        "smoke": Schedule(
            steps=3,
            batch=16,
            max_length=32,
            dropout=0.0,
            evaluations=1,
            dev_pool=100,
            optimiser="rmsprop",
            weight_decay=0.0,
        ),
        "small": small(
            steps=250, batch=32, learning_rate=1e-5, max_length=75, optimiser="rmsprop", weight_decay=0.0
        ),
        "full": Schedule(
            steps=50_000,
            batch=16,
            learning_rate=1e-5,
            max_length=200,
            dropout=0.0,
            evaluations=10,
            optimiser="rmsprop",
            weight_decay=0.0,
        ),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        batch = self.schedule().batch
        if self.form == "pairs" and batch % (self.negatives + 1):
            raise SettingError(
                f"contrastive_tension: batch={batch} must be a multiple of negatives + 1 = {self.negatives + 1}"
            )

    def lesson(self, base: Trainable, view: TrainView, context: Context) -> Lesson:
        """See `Recipe.lesson`."""
        rng = context.rng("contrastive tension")
        schedule = self.schedule()
        drawn = self._texts(view, rng, self.texts or TEXTS[self.budget])
        if self.form == "in_batch":
            columns, labels = {"text": drawn, "same": drawn}, None
        else:
            first, second, labels = pairing(
                drawn, self.negatives, rng, schedule.steps or 0, schedule.batch * schedule.accumulate
            )
            columns = {"first": first, "second": second}

        def loss(model: Any) -> Any:
            from sentence_transformers.sentence_transformer import losses

            if self.form == "in_batch":
                return losses.ContrastiveTensionLossInBatchNegatives(model)
            return losses.ContrastiveTensionLoss(model)

        normalised: Removed = []
        return Lesson(
            columns,
            loss,
            schedule,
            labels=labels,
            sides=dict.fromkeys(columns, "document"),
            order="given" if self.form == "pairs" else "random",
            before=lambda model: without_normalisation(model, normalised),
            after=lambda model, built, probe: better_tower(model, built, probe, normalised),
            facts={"texts": len(drawn), "unit": self.unit, "form": self.form},
        )

    def _texts(self, view: TrainView, rng: np.random.Generator, count: int) -> list[str]:
        rows = rng.permutation(len(view.corpus))
        texts: list[str] = []
        for start in range(0, len(rows), 1000):
            for document in view.corpus.texts_of(np.sort(rows[start : start + 1000]))[:]:
                if self.unit == "sentence":
                    texts.extend(" ".join(sentence.split()) for sentence in sentences(document))
                else:
                    texts.append(document)
            if len(texts) >= count:
                break
        distinct = [text for text in dict.fromkeys(texts) if text.strip()]
        order = rng.permutation(len(distinct))[:count]
        return [distinct[i] for i in order]


def pairing(
    texts: Sequence[str], negatives: int, rng: np.random.Generator, steps: int, batch: int
) -> tuple[list[str], list[str], list[int]]:
    """Blocks of one positive pair (s, s) and K pairs (s, s′), as many as the steps need; each pass over the texts is
    shuffled.

    Returns:
        Texts of the first tower, texts of the second, labels 1 or 0.

    Raises:
        SettingError: fewer than two texts.
    """
    if len(texts) < 2:
        raise SettingError("contrastive_tension needs at least two different texts in the corpus.")
    blocks = max(1, steps * batch // (negatives + 1)) if steps else len(texts)
    first: list[str] = []
    second: list[str] = []
    order: list[int] = []
    for _ in range(blocks):
        if not order:
            order = rng.permutation(len(texts)).tolist()
        own = order.pop()
        others = [(own + 1 + int(i)) % len(texts) for i in rng.integers(len(texts) - 1, size=negatives)]
        first.extend([texts[own]] * (negatives + 1))
        second.extend([texts[own], *(texts[i] for i in others)])
    return first, second, ([1] + [0] * negatives) * blocks


def better_tower(
    model: Any, loss: Any, probe: Callable[[Any], float] | None, removed: Sequence[tuple[str, Any]]
) -> dict[str, Any]:
    """Keeps the tower with the better score on dev (the second without dev, as sentence-transformers does).

    The removed modules are put back.

    Returns:
        The tower, the scores of both on dev, and as `dev` that of the tower that is kept; the rest of the curve in the
        report is the second's.
    """
    facts: dict[str, Any] = {"tower": 2}
    if probe is not None:
        first, second = probe(loss.model1), probe(model)
        facts["dev_of_towers"] = [round(first, 6), round(second, 6)]
        if first > second:
            facts["tower"] = 1
            model.load_state_dict(loss.model1.state_dict())
            facts["dev"] = first
    put_back(model, removed)
    return facts
