"""How far the outputs of an engine are from those of fp32 `torch`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from harness.data.ranking import Floats
from harness.models.engine_settings import EngineConfig

OVERLAP = 0.9
"""The least share of the sample queries' best documents that has to stay."""
TOP = 10


@dataclass(frozen=True)
class SampleOutputs:
    """Outputs of one engine for a sample of a collection.

    Args:
        scores: (Q, D) of every sample query and document.
        vectors: (Q + D, dimension); None for a cross-encoder.
        lengths: whether the lengths of vectors count.
    """

    scores: Floats
    vectors: Floats | None = None
    lengths: bool = False


@dataclass(frozen=True)
class Trial:
    """Result of the engine check for one engine and precision.

    Args:
        way: engine and precision, as `openvino bf16`.
        verdict: `taken`, `refused` (too far from fp32 torch), `unfit` (cannot run the model) or `absent` (not
            installed).
        change: the largest change; None if the engine was not run.
        overlap: share of the best documents that stayed.
        bound: the largest change allowed.
        why: reason, if the engine was not run.
    """

    way: str
    verdict: str
    change: float | None = None
    overlap: float | None = None
    bound: float | None = None
    why: str = ""

    def record(self) -> dict[str, Any]:
        """JSON-safe, without unknown values."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}

    def __str__(self) -> str:
        if self.change is None:
            return self.why
        return (
            f"{self.way} changes outputs by {self.change:g} (allowed: {self.bound:g}) and keeps {self.overlap:.0%} of "
            f"the best documents (required: {OVERLAP:.0%})"
        )


def compare(config: EngineConfig, outputs: SampleOutputs, reference: SampleOutputs, bound: float) -> Trial:
    """Compares the outputs of an engine with those of fp32 `torch`.

    Args:
        config: the engine and precision.
        outputs: its outputs.
        reference: those of fp32 `torch`.
        bound: the largest change allowed. Of vectors: of the cosine between a text's two vectors from 1 and, if lengths
            count, of the ratio of the lengths from 1. Of pair scores: in standard deviations of the reference's scores.
    """
    if outputs.scores.shape != reference.scores.shape or not np.isfinite(outputs.scores).all():
        why = "its outputs are not numbers, or too few or too many"
        return Trial(str(config), "refused", bound=bound, why=why)
    change, overlap = _change(outputs, reference), _overlap(outputs.scores, reference.scores)
    verdict = "taken" if change <= bound and overlap >= OVERLAP else "refused"
    return Trial(str(config), verdict, float(f"{change:.3g}"), round(overlap, 4), bound)


def _change(outputs: SampleOutputs, reference: SampleOutputs) -> float:
    if outputs.vectors is None or reference.vectors is None:
        spread = float(reference.scores.std()) or 1.0
        return float(np.abs(outputs.scores.astype(np.float64) - reference.scores).max(initial=0.0)) / spread
    one, other = outputs.vectors.astype(np.float64), reference.vectors.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1)
    both = lengths[0] * lengths[1]
    cosines = np.einsum("nd,nd->n", one, other) / np.where(both > 0, both, 1)
    change = float(np.max(1 - cosines[both > 0], initial=0.0))
    if not outputs.lengths:
        return max(change, 0.0)
    ratios = lengths[0] / np.where(lengths[1] > 0, lengths[1], 1)
    return max(change, float(np.abs(ratios - 1)[lengths[1] > 0].max(initial=0.0)))


def _overlap(scores: Floats, reference: Floats) -> float:
    """The share of the reference's best documents that stay among the best.

    A document counts if its reference score reaches that of the reference's last best document, so that equal texts,
    and scores that differ by less than the precision of fp32, do not count as lost.
    """
    top = min(TOP, max(1, scores.shape[1] // 2))
    if not scores.size:
        return 1.0
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    last = -np.sort(-reference, axis=1)[:, top - 1 : top]
    slack = 1e-6 * np.maximum(1.0, np.abs(last))
    return float((np.take_along_axis(reference, best, axis=1) >= last - slack).mean())
