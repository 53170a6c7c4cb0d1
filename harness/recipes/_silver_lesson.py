"""The lessons of silver pairs: a ranking loss with margins, or a regression of the cosine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.base.errors import SettingError
from harness.data.dataset import TrainView
from harness.data.ranking import Floats
from harness.methods import Method
from harness.recipes._silver import Silver
from harness.recipes._silver_examples import SilverExamples, silver_examples
from harness.runtime.context import Context
from harness.training.base import Trainable, contrast
from harness.training.examples import NEGATIVE, POSITIVE, QUERY, Picked, sides
from harness.training.from_gold import Mined
from harness.training.lesson import Lesson
from harness.training.margins import Line, fitted_line, scores_of
from harness.training.schedule import Schedule

FITTED = 2000
"""Examples that the line of the labels is fitted to."""
After = Callable[[Any, Any, Any], Mapping[str, Any]] | None


@dataclass(frozen=True)
class RankingAndMargins:
    """The lesson of `augmented_sbert(loss="margin")`.

    Args:
        scale: factor of the cosine.
        weight: of the margins.
        others: mined negatives of a gold pair.
    """

    scale: float
    weight: float
    others: int

    def lesson(
        self,
        silver: Silver,
        mined: Mined | None,
        teacher: Method,
        base: Trainable,
        schedule: Schedule,
        view: TrainView,
        learnt_on: TrainView,
        context: Context,
        after: After,
    ) -> Lesson:
        """See `Recipe.lesson`; `learnt_on` is what the teacher is fitted on."""
        made = silver_examples(silver, mined, self.others, schedule, view, context)
        if made is None:
            advice = "raise per_query, or sample by both"
            raise SettingError(f"augmented_sbert: no query has two documents to compare; {advice}.")
        texts = silver.queries.texts
        by_teacher = scores_of(teacher, texts, made.queries, made.documents, view, context, learnt_on)
        few = slice(0, FITTED)
        own = scores_of(base.untrained, texts, made.queries[few], made.documents[few], view, context, view)
        line, contradicted = _line(made, by_teacher, own)
        rows, places = np.unique(made.documents, return_inverse=True)
        places = places.reshape(made.documents.shape)
        how = contrast(base, self.scale)
        labels = np.column_stack([made.queries, made.is_gold, places, how["scale"] * line.slope * by_teacher])
        known = _known(silver, rows)

        def loss(model: Any) -> Any:
            import torch

            from harness.losses._gold_and_silver import Settings, gold_and_silver

            settings = Settings(
                how["similarity_fct"],
                how["scale"],
                self.weight,
                how["scale"] * line.intercept,
                len(rows),
                torch.from_numpy(known),
            )
            return gold_and_silver(model, settings)

        facts = {**silver.facts, "contradicted": round(contradicted, 4), "labels": line.facts}
        if mined is not None:
            facts["negatives"] = mined.negatives.facts
        columns: dict[str, Any] = {QUERY: Picked(texts, made.queries)}
        for place in range(made.documents.shape[1]):
            columns[f"{NEGATIVE}_{place}" if place else POSITIVE] = Picked(view.corpus.texts, made.documents[:, place])
        return Lesson(
            columns,
            loss,
            schedule,
            labels=labels.tolist(),
            sides=sides(columns),
            order="given",
            per_pass=made.per_pass,
            after=after,
            facts=facts,
            notes=(*silver.notes, *line.notes("augmented_sbert")),
            trained_queries=silver.trained_queries(view),
        )


def _line(made: SilverExamples, by_teacher: Floats, own: Floats) -> tuple[Line, float]:
    """The line of the labels, and the share of gold margins that the teacher has the wrong way round."""
    margins = by_teacher[:, :1] - by_teacher[:, 1:]
    is_wrong = made.is_gold[:, None].astype(bool) & (margins < 0)
    gold = int(made.is_gold.sum()) * margins.shape[1]
    fitted = ~is_wrong[: len(own)]
    line = fitted_line(margins[: len(own)][fitted], (own[:, :1] - own[:, 1:])[fitted])
    return line, float(is_wrong.sum() / max(1, gold))


def _known(silver: Silver, rows: Any) -> Any:
    """Ascending keys `query · documents + document` of pairs that are never negatives, by places in `rows`."""
    keys = [np.zeros(0, np.int64)]
    if silver.gold is not None:
        for number, never in enumerate(silver.gold.never_negative):
            keys.append(number * len(rows) + np.searchsorted(rows, np.intersect1d(never, rows)))
    return np.unique(np.concatenate(keys).astype(np.int64))


def cosine_lesson(silver: Silver, schedule: Schedule, view: TrainView, after: After) -> Lesson:
    """Pairs with a label between 0 and 1: 1 for gold, the sigmoid of the teacher's score for silver."""
    assert silver.scores is not None
    numbers = np.concatenate([np.full(len(rows), i) for i, rows in enumerate(silver.rows)])
    labels = np.concatenate([1 / (1 + np.exp(-np.asarray(v, dtype=np.float64))) for v in silver.scores])
    start = 0
    for i, rows in enumerate(silver.rows):
        labels[start : start + silver.known(i)] = 1.0
        start += len(rows)
    documents = view.corpus.texts_of(np.concatenate(list(silver.rows)))[:]
    columns = {QUERY: [silver.queries.texts[i] for i in numbers], POSITIVE: documents}

    def loss(model: Any) -> Any:
        from sentence_transformers.sentence_transformer.losses import CosineSimilarityLoss

        return CosineSimilarityLoss(model)

    return Lesson(
        columns,
        loss,
        schedule,
        labels=labels.tolist(),
        sides=sides(columns),
        order="random",
        after=after,
        facts=silver.facts,
        notes=silver.notes,
        trained_queries=silver.trained_queries(view),
    )
