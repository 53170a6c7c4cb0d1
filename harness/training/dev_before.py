"""Dev before training: the score of the untrained row, from what it has encoded already."""

from __future__ import annotations

from harness.data.dataset import TrainView
from harness.methods import Method
from harness.runtime.context import Context
from harness.training.candidates import candidate_scores
from harness.training.dev import Probe


def score_of_row(row: Method, probe: Probe, view: TrainView, context: Context) -> float:
    """nDCG@10 of a row on what a probe ranks, by the row's own vectors or scores, with its engine; these are cached.

    Args:
        row: it scores given documents.
        probe: of dev.
        view: what the row is fitted on.
        context: cache, ledger.

    Raises:
        ModelError: the row cannot score given documents.
    """
    scores = candidate_scores(row, probe.pool.split.queries.texts, probe.ranked, view, context)
    return probe.pool.measure(zip(probe.ranked, scores, strict=True))
