"""Evidence: rows held against each other, query by query, from their records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.base.errors import ComparisonError
from harness.bench.record import Record
from harness.bench.store import Store, StoredRecord
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference, Family, family
from harness.statistics.largest import DRAWS
from harness.statistics.paired import Paired, Values, paired
from harness.statistics.power import smallest_difference
from harness.statistics.seeds import components


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


def scores(held: Sequence[StoredRecord], store: Store, measure: str) -> Scores:
    """The values of a row's records, one per seed.

    Raises:
        ComparisonError: they lack the measure, or are not of one collection, split and set of queries.
        RecordError: per-query values that cannot be read or contradict their record.
    """
    records = [stored.record for stored in held]
    same_collection(records)
    columns: list[Mapping[str, float]] = []
    for stored in held:
        found = store.values(stored)
        if measure not in found:
            known = ", ".join(found)
            raise ComparisonError(
                f"{stored.record.row} has no {measure} (it has {known}); run it with --measure {measure}."
            )
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
                    f"{first.row} was run on {'revision ' if what == 'revision' else ''}{told[0]} and {record.row} on "
                    f"{told[1]}: "
                    f"run both on one."
                )


def family_of(
    rows: Sequence[Scores], pairs: Sequence[tuple[int, int]] | None = None, seed: int = 0, draws: int = DRAWS
) -> Family:
    """Rows of one dataset as a family of contrasts: all pairs, or those that are planned.

    Several seeds of a row are a sample of what its recipe gives: values are averaged over them query by query, and the
    variance between seeds over their number is added to the squared standard error.

    Args:
        rows: all of the same queries.
        pairs: places of a row and of what it is held against; None takes all pairs.
        seed: of the resamples.
        draws: of the queries, at most.

    Raises:
        ComparisonError: not of the same collection or queries.
    """
    same_collection(record for row in rows for record in row.records)
    for row in rows:
        if row.ids != rows[0].ids:
            paired(rows[0].by_query, row.by_query, (rows[0].row, row.row))  # says which queries are of one only
    means = np.stack([row.values.mean(1) for row in rows], axis=1)
    seeds = [_seed_error(row) for row in rows]
    error, freedom = (np.array([each[i] for each in seeds], np.float64) for i in (0, 1))
    first, second = (None, None) if pairs is None else (np.array([p[i] for p in pairs], np.intp) for i in (0, 1))
    return family([means], first, second, error, freedom, seed, draws)


def _seed_error(row: Scores) -> tuple[float, int]:
    """The squared standard error of a row's mean that is due to its seeds, and its degrees of freedom."""
    queries, seeds = row.values.shape
    if seeds < 2 or queries < 2:
        return 0.0, 0
    return components(row.values).seed / seeds, seeds - 1


@dataclass(frozen=True)
class Contrast:
    """A row held against another.

    Args:
        row: the first's scores.
        baseline: the other's.
        pairs: query by query, the mean over the seeds of each.
        found: the difference with its interval at 95 % and its p-value, both corrected for the contrasts asked for
            together.
        family: of these contrasts.
        places: of the row and the baseline in it.
    """

    row: Scores
    baseline: Scores
    pairs: Paired
    found: Difference
    family: Family
    places: tuple[int, int]

    @property
    def difference(self) -> float:
        """Mean difference."""
        return self.found.mean

    @property
    def interval(self) -> Interval:
        """Of the mean difference, over queries, and over seeds where there are several, at 95 %."""
        return self.found.interval

    @property
    def p(self) -> float:
        """Corrected for all contrasts asked for together; at most 0.05 just where the interval does not contain 0."""
        return self.found.p

    @property
    def tied(self) -> bool:
        """Whether the interval contains 0."""
        return self.found.tied

    @property
    def asked(self) -> int:
        """For how many contrasts the interval and the p-value are corrected; 1 for a single planned comparison."""
        return self.family.contrasts

    @property
    def alpha(self) -> float:
        """The level of one paired t-test with the same critical value."""
        return self.family.pairwise_alpha()

    @property
    def smallest(self) -> float:
        """What these queries show with chance 0.8: the minimum detectable effect, by the critical value of the
        interval.
        """
        return smallest_difference(self.pairs.deviation, len(self.pairs.ids), self.alpha)

    @property
    def query_part(self) -> float | None:
        """Share of the squared standard error that more queries would lessen; None where neither side has several
        seeds.
        """
        seeds = float(self.family.seed_error[list(self.places)].sum())
        if max(side.values.shape[1] for side in (self.row, self.baseline)) < 2 or len(self.pairs.ids) < 2:
            return None
        return 1.0 - seeds / self.found.error**2 if self.found.error > 0 else 1.0

    def interval_at(self, level: float) -> Interval:
        """Of the mean difference, at another level, corrected likewise."""
        return self.family.difference(*self.places, level).interval


def contrasts(asked: Sequence[tuple[Scores, Scores]], seed: int = 0, draws: int = DRAWS) -> list[Contrast]:
    """Holds rows against each other; intervals and p-values are corrected for all of them, and for nothing else.

    Args:
        asked: row and baseline, planned before their values were seen; all of the same queries.
        seed: of the resamples.
        draws: of the queries, at most.

    Raises:
        ComparisonError: not of the same collection, measure or queries.
    """
    if not asked:
        return []
    rows = list({id(side): side for pair in asked for side in pair}.values())
    place = {id(row): i for i, row in enumerate(rows)}
    places = [(place[id(one)], place[id(other)]) for one, other in asked]
    held = family_of(rows, places, seed, draws)
    return [
        Contrast(
            one, other, paired(one.by_query, other.by_query, (one.row, other.row)), held.difference(*here), held, here
        )
        for (one, other), here in zip(asked, places, strict=True)
    ]
