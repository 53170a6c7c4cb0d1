"""Rows compared with each other, query by query, from their records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.base.errors import ComparisonError
from harness.bench.document_split import DocumentSplit, Part
from harness.bench.record import Record
from harness.bench.store import Store, StoredRecord
from harness.compare.calibration import Calibration, calibration_of, joined_strata, judge_sizes, weighed_together
from harness.compare.groups import by_seed, deviation, groups_of_rows, seed_error, units
from harness.statistics.bootstrap import Interval
from harness.statistics.clusters import Groups
from harness.statistics.family import Difference, Family
from harness.statistics.family import family as family_between
from harness.statistics.largest import DRAWS
from harness.statistics.paired import Paired, Values, paired
from harness.statistics.power import smallest_difference


@dataclass(frozen=True)
class Scores:
    """A row's per-query scores on one dataset.

    Args:
        records: one per seed.
        measure: which.
        ids: (n,) query ids, sorted as text.
        values: (n, seeds).
        part: the queries are those about old or about new documents; None for all.
        name: of the row where it is shown; empty for its expression.
        calibration: where machines judged; None where they did not.
    """

    records: tuple[Record, ...]
    measure: str
    ids: tuple[str, ...]
    values: Values
    part: Part | None = None
    name: str = ""
    calibration: Calibration | None = None

    @property
    def row(self) -> str:
        """Name on the board."""
        return self.name or self.records[0].row

    @property
    def trained(self) -> bool:
        """Whether another seed trains another model."""
        return bool(self.records[0].trainings)

    @property
    def mean(self) -> float:
        """From the records: per-query values are rounded. Of a part from its values; corrected where people judged."""
        if self.part is not None:
            return float(self.values.mean())
        if self.calibration is not None and self.calibration.corrected:
            return self.calibration.mean
        return sum(record.measures[self.measure] for record in self.records) / len(self.records)

    @property
    def by_query(self) -> dict[str, float]:
        """Query id → mean over the seeds."""
        return dict(zip(self.ids, self.values.mean(1).tolist(), strict=True))

    def only(self, part: Part, split: DocumentSplit) -> Scores:
        """The same row on the queries of one part; there may be none."""
        places = split.places(part, self.ids)
        own, ids = self.calibration and self.calibration.uncorrected, tuple(self.ids[i] for i in places)
        return replace(self, ids=ids, values=self.values[places], part=part, calibration=own)


def scores(stored: Sequence[StoredRecord], store: Store, measure: str, name: str = "") -> Scores:
    """The values of a row's records, one per seed.

    Args:
        stored: the records.
        store: of their per-query values.
        measure: in ir-measures' notation.
        name: of the row where it is shown; empty for its expression.

    Raises:
        ComparisonError: they lack the measure, or are not of one collection, split and set of queries.
        RecordError: per-query values that cannot be read or contradict their record.
    """
    records = [each.record for each in stored]
    same_collection(records)
    columns: list[Mapping[str, float]] = []
    for each in stored:
        values = store.values(each)
        if measure not in values:
            known = ", ".join(values)
            raise ComparisonError(
                f"{each.record.row} has no {measure} (it has {known}); run it with --measure {measure}."
            )
        columns.append(values[measure])
    seeds = [f"seed {record.seed} of {record.row}" for record in records]
    pairs = [paired(columns[0], column, (seeds[0], seed)) for column, seed in zip(columns, seeds, strict=True)]
    table, own = np.stack([pair.second for pair in pairs], axis=1), calibration_of(stored, measure)
    return Scores(tuple(records), measure, pairs[0].ids, table, name=name, calibration=own)


def same_collection(records: Iterable[Record]) -> None:
    """Raises ComparisonError if records are not of one dataset, split and revision."""
    first: Record | None = None
    for record in records:
        first = first or record
        own, other = first.dataset, record.dataset
        if own["name"] != other["name"]:
            names = own["name"], other["name"]
        elif own["revision"] != other["revision"]:
            names = f"revision {own['revision'][:12]}", other["revision"][:12]
        else:
            continue
        raise ComparisonError(f"{first.row} was run on {names[0]} and {record.row} on {names[1]}: run both on one.")


def family_of(
    rows: Sequence[Scores], pairs: Sequence[tuple[int, int]] | None = None, seed: int = 0, draws: int = DRAWS
) -> Family:
    """Rows of one dataset as a family of contrasts: all pairs, or the planned ones.

    Several seeds are a sample of what a recipe gives: values are averaged over them, and the variance between seeds
    over their number is added to the squared standard error. Where machines alone judged, intervals cover their errors.

    Args:
        rows: all of the same queries.
        pairs: places of a row and of its baseline; None takes all pairs.
        seed: of the resamples.
        draws: of the queries, at most.

    Raises:
        ComparisonError: not of the same collection or queries.
    """
    same_collection(record for row in rows for record in row.records)
    for row in rows:
        if row.ids != rows[0].ids:
            paired(rows[0].by_query, row.by_query, (rows[0].row, row.row))  # says which queries are of one only
    corrected = joined_strata([row.calibration for row in rows])
    strata = corrected or [units(by_seed(rows), groups_of_rows(rows))]
    error, freedom = (np.array(each, np.float64) for each in zip(*map(seed_error, rows), strict=True))
    first, second = (None, None) if pairs is None else (np.array([p[i] for p in pairs], np.intp) for i in (0, 1))
    judge = [None if corrected else judge_sizes([row.calibration for row in rows])] * len(strata)
    return family_between(strata, first, second, error, freedom, seed, draws, judge)


@dataclass(frozen=True)
class Contrast:
    """A row compared with a baseline.

    Args:
        row: the first's scores.
        baseline: the other's.
        pairs: query by query, the mean over the seeds of each.
        tested: the difference, its 95 % interval and p-value, corrected for the contrasts requested together.
        family: of these contrasts.
        places: of the row and the baseline in it.
        groups: (n,) numbers, if queries that share documents are compared as groups.
    """

    row: Scores
    baseline: Scores
    pairs: Paired
    tested: Difference
    family: Family
    places: tuple[int, int]
    groups: Groups | None = None

    @property
    def difference(self) -> float:
        """Mean difference."""
        return self.tested.mean

    @property
    def interval(self) -> Interval:
        """Of the mean difference, over queries, and over seeds where there are several, at 95 %."""
        return self.tested.interval

    @property
    def p(self) -> float:
        """Corrected for all contrasts requested together; at most 0.05 if and only if the interval excludes 0."""
        return self.tested.p

    @property
    def tied(self) -> bool:
        """Whether the interval contains 0."""
        return self.tested.tied

    @property
    def planned(self) -> int:
        """For how many contrasts the interval and the p-value are corrected; 1 for a single planned comparison."""
        return self.family.contrasts

    @property
    def alpha(self) -> float:
        """The level of one paired t-test with the same critical value."""
        return self.family.pairwise_alpha()

    @property
    def smallest(self) -> float:
        """The difference detected with 80 % power (the minimum detectable effect), by the interval's critical value."""
        judge = self.family.judge_size(*self.places)
        return smallest_difference(self.deviation, len(self.pairs.ids), self.alpha, size=judge)

    @property
    def deviation(self) -> float:
        """The standard deviation of a query's difference, larger where queries are compared as groups."""
        return float(deviation(self.pairs.differences[:, None], self.groups)[0])

    @property
    def query_part(self) -> float | None:
        """Share of the squared standard error that more queries would reduce; None if both sides have one seed."""
        seeds = float(self.family.seed_error[list(self.places)].sum())
        if max(side.values.shape[1] for side in (self.row, self.baseline)) < 2 or len(self.pairs.ids) < 2:
            return None
        return 1.0 - seeds / self.tested.error**2 if self.tested.error > 0 else 1.0

    def interval_at(self, level: float) -> Interval:
        """Of the mean difference, at another level, with the same correction."""
        return self.family.difference(*self.places, level).interval


def contrasts(planned: Sequence[tuple[Scores, Scores]], seed: int = 0, draws: int = DRAWS) -> list[Contrast]:
    """Compares rows with baselines; intervals and p-values are corrected for all these contrasts and no others.

    Args:
        planned: row and baseline, chosen before their scores were seen; all of the same queries.
        seed: of the resamples.
        draws: of the queries, at most.

    Raises:
        ComparisonError: not of the same collection, measure or queries.
    """
    if not planned:
        return []
    rows = list({id(side): side for pair in planned for side in pair}.values())
    place = {id(row): i for i, row in enumerate(rows)}
    places = [(place[id(row)], place[id(baseline)]) for row, baseline in planned]
    rows = weighed_together(rows)
    family, groups = family_of(rows, places, seed, draws), groups_of_rows(rows)
    found = []
    for i, j in places:
        pairs = paired(rows[i].by_query, rows[j].by_query, (rows[i].row, rows[j].row))
        found.append(Contrast(rows[i], rows[j], pairs, family.difference(i, j), family, (i, j), groups))
    return found
