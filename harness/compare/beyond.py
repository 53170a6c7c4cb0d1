"""Rows against the first over several datasets: on new documents, for other collections, and dataset by dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.compare.across_datasets import Counts, Overall, compare_across
from harness.compare.documents import split_between
from harness.compare.evidence import Scores, family_of
from harness.statistics.collections import FEWEST, over_collections
from harness.statistics.family import Difference
from harness.statistics.power import smallest_difference


@dataclass(frozen=True)
class Beyond:
    """A row's means over datasets, and the row compared with the first row.

    Args:
        mean: over the datasets.
        overall: its interval and ranks, and its difference from the first row, all datasets fixed.
        collections: the difference for other collections; None for the first row or with fewer than three datasets.
        significant: datasets on which it is significantly better than, tied with and significantly worse than the
            first row, corrected for the comparisons with that row there; None for that row.
    """

    mean: float
    overall: Overall
    collections: Difference | None
    significant: Counts | None

    @property
    def difference(self) -> Difference | None:
        """From the first row, of all queries of these datasets; None for that row."""
        return self.overall.against.difference if self.overall.against else None


def beyond(rows: Sequence[Sequence[Scores]], overall: Sequence[Overall] | None = None, seed: int = 0) -> list[Beyond]:
    """Compares each row with the first.

    Args:
        rows: for each row its scores on each dataset; the datasets in the same order.
        overall: of these rows, if it is known already.
        seed: of the draws.
    """
    overall = compare_across(rows, seed)[1] if overall is None else overall
    datasets = list(zip(*rows, strict=True))
    against = [(i, 0) for i in range(1, len(rows))]
    families = [family_of(columns, against, seed) for columns in datasets] if against else []
    found = []
    for i, row in enumerate(rows):
        mean = sum(scores.mean for scores in row) / len(row)
        if i == 0:
            found.append(Beyond(mean, overall[i], None, None))
            continue
        each = [family.difference(i, 0) for family in families]
        counts = _counts(each)
        sample = over_collections([difference.mean for difference in each]) if len(each) >= FEWEST else None
        found.append(Beyond(mean, overall[i], sample, counts))
    return found


def _counts(differences: Sequence[Difference]) -> Counts:
    better = sum(not each.tied and each.mean > 0 for each in differences)
    worse = sum(not each.tied and each.mean < 0 for each in differences)
    return better, len(differences) - better - worse, worse


def on_new_documents(rows: Sequence[Sequence[Scores]]) -> tuple[list[int], list[list[Scores]]]:
    """The rows on the queries about new documents.

    Args:
        rows: for each row its scores on each dataset.

    Returns:
        The places of the datasets with such queries; and for each row its scores on these. Both are empty if no dataset
        has queries about old documents, so that all queries are about new ones.
    """
    kept: list[int] = []
    columns: list[list[Scores]] = []
    split_any = False
    for place, scores in enumerate(zip(*rows, strict=True)):
        split = split_between(scores)
        split_any = split_any or split is not None
        if split is None or split.count("new"):
            kept.append(place)
            columns.append(list(scores) if split is None else [each.only("new", split) for each in scores])
    if not split_any or not columns:
        return [], []
    return kept, [list(row) for row in zip(*columns, strict=True)]


def support(datasets: int) -> str:
    """What so many datasets, `FEWEST` or more, say about other collections, in one sentence."""
    detected = smallest_difference(1.0, datasets)
    sentence = (
        f"{datasets} datasets as a sample of collections: `over collections` is Student's t over their differences, "
        "each interval for a comparison that was planned, not corrected for others"
    )
    if detected == float("inf"):
        return f"{sentence}; with this few, no difference can be detected reliably."
    return (
        f"{sentence}; a mean difference is detected with 80 % power if it is {detected:.1f} times its standard "
        "deviation between collections."
    )
