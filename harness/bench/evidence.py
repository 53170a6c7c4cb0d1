"""Evidence: rows held against each other, query by query, from their records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.bench.record import Record
from harness.bench.store import Store, Stored
from harness.errors import ComparisonError
from harness.statistics.bootstrap import LEVEL, Interval, intervals
from harness.statistics.holm import holm
from harness.statistics.paired import Paired, Values, paired
from harness.statistics.power import ALPHA, smallest_difference
from harness.statistics.randomisation import DRAWS, Randomised, many_sign_flips
from harness.statistics.seeds import NewSeed, for_a_new_seed


@dataclass(frozen=True)
class Scores:
    """One row's values of one measure on one dataset.

    Args:
        records: one per seed.
        measure: which.
        ids: (n,) query ids, sorted as text.
        values: (n, seeds).
    """

    records: tuple[Record, ...]
    measure: str
    ids: tuple[str, ...]
    values: Values

    @property
    def row(self) -> str:
        """Name on the board."""
        return self.records[0].row

    @property
    def trained(self) -> bool:
        """Whether a seed makes another model of it."""
        return bool(self.records[0].trainings)

    @property
    def mean(self) -> float:
        """Over queries and seeds, as the records have it: per-query values are rounded."""
        return sum(record.measures[self.measure] for record in self.records) / len(self.records)

    @property
    def by_query(self) -> dict[str, float]:
        """Query id → mean over the seeds."""
        return dict(zip(self.ids, self.values.mean(1).tolist(), strict=True))


def scores(held: Sequence[Stored], store: Store, measure: str) -> Scores:
    """The values of a row's records, one per seed.

    Raises:
        ComparisonError: they lack the measure, or are not of one collection, split and set of queries.
        RecordError: per-query values that cannot be read.
    """
    records = [stored.record for stored in held]
    same_collection(records)
    columns: list[Mapping[str, float]] = []
    for stored in held:
        found = store.values(stored.place)
        if measure not in found:
            known = ", ".join(found)
            raise ComparisonError(f"{stored.record.row} has no {measure} (it has {known}); run it with --measure {measure}.")
        columns.append(found[measure])
    seeds = [f"seed {record.seed} of {record.row}" for record in records]
    pairs = [paired(columns[0], column, (seeds[0], seed)) for column, seed in zip(columns, seeds, strict=True)]
    return Scores(tuple(records), measure, pairs[0].ids, np.stack([pair.second for pair in pairs], axis=1))


def same_collection(records: Iterable[Record]) -> None:
    """Raises ComparisonError where records are not of one dataset, split and revision."""
    first: Record | None = None
    for record in records:
        first = first or record
        for what in ("name", "revision"):
            here, there = (r.dataset[what] for r in (first, record))
            if here != there:
                told = here[:12] if what == "revision" else here, there[:12] if what == "revision" else there
                raise ComparisonError(
                    f"{first.row} was run on {'revision ' if what == 'revision' else ''}{told[0]} and {record.row} on {told[1]}: "
                    f"run both on one."
                )


@dataclass(frozen=True)
class Contrast:
    """A row held against another.

    Args:
        row: the first's scores.
        baseline: the other's.
        pairs: query by query, the mean over the seeds of each.
        interval: of the mean difference, over queries, at 95 %.
        test: sign flips, for the models at hand.
        new_seed: for models trained with other seeds; None where neither side has several.
        adjusted: the larger of both p-values, after Holm over all contrasts asked for.
        asked: how many these were.
    """

    row: Scores
    baseline: Scores
    pairs: Paired
    interval: Interval
    test: Randomised
    new_seed: NewSeed | None
    adjusted: float
    asked: int

    @property
    def difference(self) -> float:
        """Mean difference."""
        return self.pairs.mean

    @property
    def smallest(self) -> float:
        """What these queries show with chance 0.8: the minimum detectable effect, at α shared among the contrasts."""
        return smallest_difference(self.pairs.deviation, len(self.pairs.ids), ALPHA / self.asked)

    def interval_at(self, level: float) -> Interval:
        """Of the mean difference, over queries, and over seeds where there are several."""
        if self.new_seed is not None:
            return for_a_new_seed(self.row.values, self.baseline.values, level).interval
        return intervals(self.pairs.differences, level=level)[0]


def of_seeds(one: Scores, other: Scores) -> NewSeed | None:
    """The difference for models trained with other seeds; None where neither row has several, or there is one query."""
    if max(one.values.shape[1], other.values.shape[1]) < 2 or len(one.ids) < 2:
        return None
    return for_a_new_seed(one.values, other.values)


def contrasts(asked: Sequence[tuple[Scores, Scores]], seed: int = 0, draws: int = DRAWS) -> list[Contrast]:
    """Holds rows against each other; p-values are adjusted over all of them.

    Args:
        asked: row and baseline, all of the same queries.
        seed: of the draws.
        draws: of signs.

    Raises:
        ComparisonError: not of the same collection, measure or queries.
    """
    if not asked:
        return []
    same_collection(record for pair in asked for side in pair for record in side.records)
    pairs = [paired(one.by_query, other.by_query, (one.row, other.row)) for one, other in asked]
    differences = np.stack([pair.differences for pair in pairs], axis=1)
    tests = many_sign_flips(differences, seed, draws)
    ranges = intervals(differences, seed, LEVEL)
    several = [of_seeds(one, other) for one, other in asked]
    decisive = [max(test.p, new.p if new else 0.0) for test, new in zip(tests, several, strict=True)]
    adjusted = holm(decisive)
    return [
        Contrast(one, other, pairs[i], ranges[i], tests[i], several[i], adjusted[i], len(asked))
        for i, (one, other) in enumerate(asked)
    ]
