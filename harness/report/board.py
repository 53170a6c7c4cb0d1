"""The board: records arranged into one table per dataset. Depends on nothing but the records."""

from __future__ import annotations

import dataclasses
import functools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.bench.document_split import DocumentSplit, common_split
from harness.bench.published import Published
from harness.bench.record import Record
from harness.bench.row_names import RowNames
from harness.compare.comparison import Comparison, Position
from harness.compare.control import AgainstControl
from harness.compare.documents import PartComparison
from harness.compare.evidence import Scores
from harness.compare.ties import family_sentence
from harness.data.measures import DEFAULT
from harness.report import formats
from harness.statistics.bootstrap import Interval


@dataclass(frozen=True)
class Line:
    """One row of a table: its records, one per seed, and their means.

    Args:
        row: name on the board (`harness.bench.row_names`).
        records: of one dataset, by seed; either all `ok`, or one that is not.
        position: among the table's rows, by its first measure; None without per-query values.
        failed: records of other seeds, without scores.
        unclear: whether the name leaves out a part of the expression, so that a legend must have it.
    """

    row: str
    records: tuple[Record, ...] = field(hash=False)
    position: Position | None = None
    failed: tuple[Record, ...] = field(default=(), hash=False)
    unclear: bool = False

    @property
    def expression(self) -> str:
        """The row as it is written in a command."""
        return self.first.row

    @property
    def interval(self) -> Interval | None:
        """95 % confidence interval of the mean of the table's first measure."""
        return self.position.interval if self.position else None

    @property
    def first(self) -> Record:
        """The record whose settings and costs are shown."""
        return self.records[0]

    @property
    def ok(self) -> bool:
        """Whether there are scores."""
        return self.first.status == "ok"

    @property
    def family(self) -> str:
        """The kind of its method, the head of its expression: `dense(model=…)` is `dense`, `run/x.trec` is `run`."""
        return self.first.method.partition("(")[0].partition("/")[0].partition("+")[0]

    def value(self, measure: str) -> float | None:
        """Mean of a measure over the seeds; None if it was not measured."""
        return _mean([r.measures[measure] for r in self.records if measure in r.measures])

    @property
    def training(self) -> float | None:
        """Seconds of training, preparation included, the mean over the seeds; None if nothing was trained."""
        return _mean([r.training_seconds for r in self.records if r.training_seconds])

    def seeds(self, measure: str) -> str:
        """The scores of each seed and their standard deviation, in words; empty for fewer than two seeds."""
        values = [r.measures[measure] for r in self.records if measure in r.measures]
        if len(values) < 2:
            return ""
        shown = ", ".join(map(formats.score, values))
        deviation = formats.score(statistics.stdev(values))
        return f"{measure} of {len(values)} seeds: {shown} (standard deviation {deviation})"

    @property
    def problem(self) -> str:
        """Why there are no scores, in one line."""
        problem = self.first.problem or {}
        return " ".join(f"{problem.get('reason', '')} {problem.get('remedy', '')}".split())


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


@dataclass(frozen=True)
class Table:
    """One dataset's rows, best first by the first measure; rows without scores last.

    Args:
        dataset: full name.
        measures: shown, in this order.
        lines: the rows.
        more_notes: on the comparison.
        power: the smallest difference that the queries detect, in words.
        decision: which row to use, in words; empty with one row.
        caveats: the parts of it that limit the verdict.
        published: scores of others, shown below the rows and compared with none.
        comparison: of the rows by the first measure; each one's `position.place` is its number in it.
        scores: of the compared rows by the first measure, per query, in the order of the comparison.
        parts: the compared rows on queries about old and about new documents, if a row used labels.
        against_control: place of a trained row in the comparison → how it compares with the control.
        lacks_control: whether there are trained rows and no control.
    """

    dataset: str
    measures: tuple[str, ...]
    lines: tuple[Line, ...]
    more_notes: tuple[str, ...] = ()
    power: str = ""
    decision: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    published: tuple[Published, ...] = field(default=(), hash=False)
    comparison: Comparison | None = field(default=None, compare=False, repr=False)
    scores: tuple[Scores, ...] = field(default=(), compare=False, repr=False)
    parts: tuple[PartComparison, ...] = field(default=(), compare=False, repr=False)
    against_control: Mapping[int, AgainstControl] = field(default_factory=dict, compare=False, repr=False)
    lacks_control: bool = False

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Name and expression of each row whose name leaves something out."""
        return list(dict.fromkeys((line.row, line.expression) for line in self.lines if line.unclear))

    @property
    def has_intervals(self) -> bool:
        """Whether rows have intervals."""
        return any(line.interval is not None for line in self.lines)

    @property
    def ties(self) -> str:
        """The family of tests behind ties and ranks, in one sentence; empty without a comparison."""
        return family_sentence(self.comparison) if self.comparison is not None else ""

    @functools.cached_property  # used for each row, as are the next two
    def first(self) -> Record:
        """A record of the revision that most rows are of, for what they share about the dataset."""
        records = [line.first for line in self.lines if line.ok] or [self.lines[0].first]
        # Of equally frequent revisions the first, which has the best row.
        most = statistics.mode(record.dataset["revision"] for record in records)
        return next(record for record in records if record.dataset["revision"] == most)

    @property
    def both_parts(self) -> tuple[PartComparison, ...]:
        """The parts that are shown: none if one has all queries, since its scores are those of all."""
        return self.parts if len(self.parts) > 1 else ()

    @functools.cached_property
    def split(self) -> DocumentSplit | None:
        """The queries about old and about new documents; None if no record has them."""
        revision = self.first.dataset["revision"]
        records = [record for line in self.lines if line.ok for record in line.records]
        return common_split(record for record in records if record.dataset["revision"] == revision)

    def line(self, row: str) -> Line | None:
        """The first line of that name that has scores."""
        return self._by_row.get(row)

    @functools.cached_property
    def _by_row(self) -> dict[str, Line]:
        return {line.row: line for line in reversed(self.lines) if line.ok}

    def by(self, measure: str) -> Table:
        """The same rows with that measure first and in its order; intervals of the former measure are dropped."""
        measures = (measure, *(m for m in self.measures if m != measure))
        bare = [dataclasses.replace(line, position=None) for line in self.lines]
        lines = tuple(sorted(bare, key=lambda line: _order_of(line, measures)))
        return Table(self.dataset, measures, lines, published=self.published)

    @property
    def published_rows(self) -> list[tuple[str, dict[str, str]]]:
        """Name and scores as shown, by measure, of each published row; best first by the first measure they have."""
        rows = [(each.row, [each.figures[self.dataset].get(m) for m in self.measures]) for each in self.published]
        rows.sort(key=lambda row: (*((value is None, -(value or 0.0)) for value in row[1]), row[0]))
        return [(row, dict(zip(self.measures, map(formats.score, values), strict=True))) for row, values in rows]

    def best(self, measure: str) -> str | None:
        """The best score as it is shown, so that equal scores are equally bold."""
        return self._best.get(measure)

    @functools.cached_property
    def _best(self) -> dict[str, str]:
        best: dict[str, str] = {}
        for measure in self.measures:
            values = [value for line in self.lines if line.ok and (value := line.value(measure)) is not None]
            if values:
                best[measure] = formats.score(max(values))
        return best


def tables(records: Iterable[Record]) -> list[Table]:
    """One table per dataset, by name."""
    every = list(records)
    names = RowNames.of(every)
    by_dataset: dict[str, dict[tuple[str, str], list[Record]]] = {}
    for record in every:  # two methods share a name if a later version has other defaults
        by_dataset.setdefault(record.dataset["name"], {}).setdefault((record.row, record.method), []).append(record)
    return [_table(name, rows, names) for name, rows in sorted(by_dataset.items())]


def with_published(tables: Sequence[Table], published: Sequence[Published]) -> list[Table]:
    """The tables with the published scores of their datasets, if they share a measure."""
    return [dataclasses.replace(table, published=_published_of(table, published)) for table in tables]


def _published_of(table: Table, published: Sequence[Published]) -> tuple[Published, ...]:
    return tuple(each for each in published if {*each.figures.get(table.dataset, ())} & {*table.measures})


def _table(dataset: str, rows: dict[tuple[str, str], list[Record]], names: RowNames) -> Table:
    lines = [_line(row, records, names) for (row, _), records in rows.items()]
    measures = _ordered({m for line in lines if line.ok for record in line.records for m in record.measures})
    return Table(dataset, measures, tuple(sorted(lines, key=lambda line: _order_of(line, measures))))


def _line(row: str, records: list[Record], names: RowNames) -> Line:
    records.sort(key=lambda record: (record.seed, record.identity, record.started))
    ok = [record for record in records if record.status == "ok"]
    failed = [record for record in records if ok and record.status != "ok"]
    return Line(names(row), tuple(ok or records[:1]), failed=tuple(failed), unclear=row in names.unclear)


def _order_of(line: Line, measures: Sequence[str]) -> tuple[bool, float, str, str]:
    """Best first by the first measure; rows without a score last."""
    value = line.value(measures[0]) if measures and line.ok else None
    return value is None, -(value or 0.0), line.row, line.first.method


def _ordered(names: set[str]) -> tuple[str, ...]:
    """The default measures first, in their order, then the others by name."""
    return (*(m for m in DEFAULT if m in names), *sorted(names - set(DEFAULT)))
