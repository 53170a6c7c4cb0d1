"""Capped recall, `CappedRecall@100`: recall that divides by the cutoff if more documents than that are relevant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.choices.bounds import Count
from harness.measures import Measure


@dataclass(frozen=True)
class CappedRecall(Measure):
    """Relevant documents in the top k, divided by the most that k documents can contain, so that 1 can be reached.

    `R@100` of a query with 500 relevant documents (TREC-COVID) is at most 0.2; capped recall is at most 1.

    Source: Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models"
    (NeurIPS Datasets and Benchmarks 2021): relevant in the top k / min(k, relevant); `R_cap@k` in BEIR's code.

    Args:
        cutoff: k.
        rel: the lowest grade that counts as relevant.
    """

    cutoff: Count
    rel: Count = 1

    def score(self, judged: Mapping[str, int], ranking: Sequence[str]) -> float:
        """See `Measure.score`; 0 if no document is relevant."""
        relevant = {document for document, grade in judged.items() if grade >= self.rel}
        if not relevant:
            return 0.0
        return len(relevant.intersection(ranking)) / min(self.cutoff, len(relevant))
