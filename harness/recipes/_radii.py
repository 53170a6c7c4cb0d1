"""How far relevant and random documents are from their queries before training, on the unit sphere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.dataset import TrainView
from harness.data.ranking import Floats
from harness.methods import Method
from harness.runtime.context import Context
from harness.training.candidates import candidate_scores
from harness.training.gold import Gold

QUERIES = 200
RANDOM = 5
"""Queries of the sample, and random documents of each."""


@dataclass(frozen=True)
class Distances:
    """Euclidean distances of unit vectors, 0 to 2.

    Args:
        positive: (P,) of the queries and their relevant documents.
        random: (R,) of the queries and random documents that are not relevant.
    """

    positive: Floats
    random: Floats


def sampled_distances(untrained: Method, gold: Gold, view: TrainView, context: Context) -> Distances:
    """The distances of a sample of the gold queries, by the cosines of the model before training."""
    rng = context.rng("distances")
    chosen = np.sort(rng.permutation(len(gold))[:QUERIES]).tolist()
    texts, rows, known = [], [], []
    for number in chosen:
        drawn = np.setdiff1d(rng.integers(len(view.corpus), size=RANDOM), gold.never_negative[number])
        texts.append(gold.queries.texts[number])
        rows.append(np.concatenate([gold.relevant[number], drawn]).astype(np.int64))
        known.append(len(gold.relevant[number]))
    scores = candidate_scores(untrained, texts, rows, view, context)
    positive = np.concatenate([values[:count] for values, count in zip(scores, known, strict=True)])
    others = np.concatenate([values[count:] for values, count in zip(scores, known, strict=True)])
    return Distances(distance(positive), distance(others))


def distance(cosines: Floats) -> Floats:
    """√(2 − 2cos)."""
    return np.sqrt(2 - 2 * np.clip(cosines, -1, 1))
