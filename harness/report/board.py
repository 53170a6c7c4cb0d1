"""The board: records arranged into one table per dataset and one across datasets. Depends on the records alone."""

from __future__ import annotations

import dataclasses
import functools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.bench.machine_load import why
from harness.bench.published import FOLDER, Published
from harness.bench.record import Record
from harness.compare.across_datasets import Overall
from harness.compare.ties import Placed, Standing
from harness.data.measures import DEFAULT
from harness.report.intervals import ACROSS, AGAINST, against, rank, span
from harness.statistics.bootstrap import Interval


@dataclass(frozen=True)
class Line:
    """One row of a table: its records, one per seed, and what they give together.

    Args:
        row: name on the board.
        records: of one dataset, by seed; all `ok`, or one that is not.
        placed: what is said of it by the table's first measure; None where the per-query values are not at hand.
        failed: records of other seeds, without figures.
    """

    row: str
    records: tuple[Record, ...] = field(hash=False)
    placed: Placed | None = None
    failed: tuple[Record, ...] = field(default=(), hash=False)

    @property
    def interval(self) -> Interval | None:
        """Of the mean of the table's first measure, at 95 %."""
        return self.placed.interval if self.placed else None

    @property
    def first(self) -> Record:
        """The record that stands for the row's settings and costs."""
        return self.records[0]

    @property
    def ok(self) -> bool:
        """Whether there are figures."""
        return self.first.status == "ok"

    def value(self, measure: str) -> float | None:
        """Mean of a measure over the seeds; None where it was not measured."""
        held = [r.measures[measure] for r in self.records if measure in r.measures]
        return sum(held) / len(held) if held else None

    @property
    def training(self) -> float | None:
        """Seconds that training took, preparation included, the mean over the seeds; None where nothing was trained."""
        spent = [r.training_seconds for r in self.records if r.training_seconds]
        return sum(spent) / len(spent) if spent else None

    def seeds(self, measure: str) -> str:
        """The figures of each seed and their standard deviation, in words; empty for fewer than two seeds."""
        held = [r.measures[measure] for r in self.records if measure in r.measures]
        if len(held) < 2:
            return ""
        told = ", ".join(figure(value) for value in held)
        return f"{measure} of {len(held)} seeds: {told} (standard deviation {figure(statistics.stdev(held))})"

    @property
    def problem(self) -> str:
        """Why there are no figures, in one line."""
        told = self.first.problem or {}
        return " ".join(f"{told.get('reason', '')} {told.get('remedy', '')}".split())


@dataclass(frozen=True)
class Table:
    """One dataset's rows, best first by the first measure; rows without figures last.

    Args:
        dataset: full name.
        measures: the columns.
        lines: the rows.
        more: notes on the evidence.
        seen: what this number of queries can show, in words.
        decision: which row to take, in words; empty where there is nothing to decide, or too much to compare.
        published: figures of others, to look at beside the rows; nothing here is compared with them.
        standing: of the rows that are compared, by the first measure; their `placed.place` is their number in it.
    """

    dataset: str
    measures: tuple[str, ...]
    lines: tuple[Line, ...]
    more: tuple[str, ...] = ()
    seen: str = ""
    decision: tuple[str, ...] = ()
    published: tuple[Published, ...] = field(default=(), hash=False)
    standing: Standing | None = field(default=None, compare=False, repr=False)

    @property
    def stands(self) -> bool:
        """Whether rows have intervals."""
        return any(line.interval is not None for line in self.lines)

    @functools.cached_property  # asked for with every row, as are the next two
    def first(self) -> Record:
        """A record of the revision that most rows are of, for what they share about the dataset."""
        records = [line.first for line in self.lines if line.ok] or [self.lines[0].first]
        most = statistics.mode(
            r.dataset["revision"] for r in records
        )  # of equally many the first, which has the best row
        return next(r for r in records if r.dataset["revision"] == most)

    def line(self, row: str) -> Line | None:
        """The first line of that name that has figures."""
        return self._by_row.get(row)

    @functools.cached_property
    def _by_row(self) -> dict[str, Line]:
        return {line.row: line for line in reversed(self.lines) if line.ok}

    def by(self, measure: str) -> Table:
        """The same rows with that measure first and in its order, without what was said of them by another."""
        measures = (measure, *(m for m in self.measures if m != measure))
        bare = [dataclasses.replace(line, placed=None) for line in self.lines]
        lines = tuple(sorted(bare, key=lambda line: _place(line, measures)))
        return Table(self.dataset, measures, lines, published=self.published)

    @property
    def beside(self) -> list[tuple[str, list[str]]]:
        """The published figures as rows: the name, and each measure as shown; best first by the first measure they
        have.
        """
        held = [(each.row, [each.figures[self.dataset].get(m) for m in self.measures]) for each in self.published]
        held.sort(key=lambda row: (*((value is None, -(value or 0.0)) for value in row[1]), row[0]))
        return [(row, [figure(value) for value in values]) for row, values in held]

    def best(self, measure: str) -> str | None:
        """The best value as it is shown, so that equal figures are equally bold."""
        return self._best.get(measure)

    @functools.cached_property
    def _best(self) -> dict[str, str]:
        held = {
            m: [value for line in self.lines if line.ok and (value := line.value(m)) is not None] for m in self.measures
        }
        return {measure: figure(max(values)) for measure, values in held.items() if values}

    @property
    def notes(self) -> list[str]:
        """What a reader must know: of the dataset, of each row, of each row without figures, each once."""
        dataset, depth = self.first.dataset, self.first.depth
        found = list(dataset["notes"])
        if dataset["unreachable"]:
            lost = f"{dataset['unreachable']} relevant documents are not in the corpus"
            found.append(f"{lost}; they stay in the judgements and cap recall.")
        found += shared([(f"`{line.row}`", note) for line in self.lines for note in line.first.notes])
        for line in self.lines:
            if line.ok and self.measures and (told := line.seeds(self.measures[0])):
                found.append(f"`{line.row}`: {told}")
            if not line.ok:
                found.append(f"`{line.row}`: {line.first.status}: {line.problem}")
            if line.ok and any(r.dataset["revision"] != dataset["revision"] for r in line.records):
                other = f"`{line.row}`: made on another revision of the collection"
                found.append(f"{other}; do not compare it with `{self.first.row}`.")
            for r in line.failed:
                found.append(
                    f"`{line.row}`: seed {r.seed} gave no figures: {r.status}: {(r.problem or {}).get('reason', '')}"
                )
            if line.ok and any(r.depth != depth for r in line.records):
                found.append(f"`{line.row}`: ranked to depth {line.first.depth}, `{self.first.row}` to {depth}.")
        dirty = [
            f"`{line.row}`" for line in self.lines if line.ok and any(r.provenance.get("dirty") for r in line.records)
        ]
        if dirty:
            found.append(f"made with uncommitted changes to the code: {', '.join(dirty)}")
        busy = [f"`{line.row}` ({reason})" for line in self.lines if line.ok and (reason := why(line.first.latency))]
        if busy:
            again = "harness run --rerun on an idle machine measures it"
            found.append(
                f"latency in brackets: the machine was busy, so that it is not the row's own ({again}): "
                f"{', '.join(busy)}"
            )
        for each in self.published:
            told = "; ".join(filter(None, (each.source, each.note)))
            found.append(f"`{each.row}`: {FOLDER} figures, not measured here: {told}")
        return list(dict.fromkeys((*found, *self.more)))


def shared(notes: Iterable[tuple[str, str]]) -> list[str]:
    """Row and note as lines, the rows of one note in one line, in the order in which the notes first come."""
    rows: dict[str, list[str]] = {}
    for row, note in notes:
        rows.setdefault(note, []).append(row)
    return [f"{', '.join(dict.fromkeys(named))}: {note}" for note, named in rows.items()]


def tables(records: Iterable[Record]) -> list[Table]:
    """One table per dataset, by name."""
    by_dataset: dict[str, dict[tuple[str, str], list[Record]]] = {}
    for record in records:  # one name may stand for two methods, where a later version has other defaults
        by_dataset.setdefault(record.dataset["name"], {}).setdefault((record.row, record.method), []).append(record)
    return [_table(name, rows) for name, rows in sorted(by_dataset.items())]


def with_published(found: Sequence[Table], published: Sequence[Published]) -> list[Table]:
    """The tables with the published figures of their datasets, where they have a measure in common."""
    return [
        dataclasses.replace(
            table, published=tuple(p for p in published if set(p.figures.get(table.dataset, ())) & {*table.measures})
        )
        for table in found
    ]


def _table(dataset: str, rows: dict[tuple[str, str], list[Record]]) -> Table:
    lines = []
    for (row, _), records in rows.items():
        records.sort(key=lambda r: (r.seed, r.identity, r.started))
        ok = [r for r in records if r.status == "ok"]
        failed = tuple(r for r in records if ok and r.status != "ok")
        lines.append(Line(row, tuple(ok or records[:1]), failed=failed))
    measures = _order({m for line in lines if line.ok for r in line.records for m in r.measures})
    return Table(dataset, measures, tuple(sorted(lines, key=lambda line: _place(line, measures))))


def _place(line: Line, measures: Sequence[str]) -> tuple[bool, float, str, str]:
    """Best first by the first measure; rows without a figure last."""
    value = line.value(measures[0]) if measures and line.ok else None
    return value is None, -(value or 0.0), line.row, line.first.method


def _order(names: set[str]) -> tuple[str, ...]:
    """The default measures first, in their order, then the others by name."""
    return (*(m for m in DEFAULT if m in names), *sorted(names - set(DEFAULT)))


@dataclass(frozen=True)
class Across:
    """One measure over all datasets.

    Args:
        measure: which.
        datasets: the columns.
        rows: row → its value on each dataset, None where there is none; those with all of them first, by their mean.
        standing: row → what the per-query values say of it; empty where they are not at hand.
        notes: on the evidence.
    """

    measure: str
    datasets: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]
    standing: Mapping[str, Overall] = field(default_factory=dict, hash=False)
    notes: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether rows have intervals."""
        return bool(self.standing)

    @property
    def compared(self) -> bool:
        """Whether rows are held against the first."""
        return any(each.against for each in self.standing.values())

    @property
    def best(self) -> tuple[str | None, ...]:
        """The best value of each dataset and the best mean, as shown."""
        columns = zip(*((*values, Across.mean(values)) for _, values in self.rows), strict=True)
        held = [[value for value in column if value is not None] for column in columns]
        return tuple(figure(max(values)) if values else None for values in held)

    @property
    def columns(self) -> tuple[str, ...]:
        """The heads after the datasets'."""
        return ("mean", *(ACROSS if self.stands else ()), *(AGAINST if self.compared else ()))

    def cells(self, row: str) -> tuple[str, ...]:
        """What stands under `columns`, but for the mean."""
        held = self.standing.get(row)
        found = (span(held.interval if held else None), rank(held.ranks if held else None)) if self.stands else ()
        return (*found, *against(held.against if held else None)) if self.compared else found

    @staticmethod
    def mean(values: Sequence[float | None]) -> float | None:
        """The mean, None unless the row has a value on every dataset: means over different datasets do not compare."""
        held = [v for v in values if v is not None]
        return sum(held) / len(held) if held and len(held) == len(values) else None


def across(found: Sequence[Table]) -> Across | None:
    """The table across datasets by the first measure they share; None for fewer than two datasets."""
    shared = [m for m in found[0].measures if all(m in t.measures for t in found)] if found else []
    if len(found) < 2 or not shared:
        return None
    measure = shared[0]
    names = sorted({line.row for table in found for line in table.lines if line.ok})
    rows = []
    for name in names:
        lines = [table.line(name) for table in found]
        rows.append((name, tuple(line.value(measure) if line else None for line in lines)))
    rows.sort(key=lambda r: (Across.mean(r[1]) is None, -(Across.mean(r[1]) or 0.0), r[0]))
    return Across(measure, tuple(t.dataset for t in found), tuple(rows))


def figure(value: float | None) -> str:
    """A measure as shown: four decimals, as trec_eval and Anserini print."""
    return "–" if value is None else f"{value:.4f}"


def seconds(value: float | None) -> str:
    """Seconds as shown."""
    if value is None:
        return "–"
    return f"{value:.0f} s" if value >= 100 else f"{value:.1f} s"


def millions(value: int) -> str:
    """Parameters as shown."""
    return f"{value / 1e6:.1f} M" if value else "–"


def megabytes(value: int) -> str:
    """Bytes as shown, in MiB."""
    return f"{value / 2**20:.1f}" if value else "–"


def query_time(latency: Mapping[str, Any], name: str) -> str:
    """`p50_ms` or `p95_ms` as shown: in brackets if it was measured on a busy machine."""
    value = latency.get(name)
    if value is None:
        return "–"
    return f"({value:.1f})" if why(latency) else f"{value:.1f}"


def judged(line: Line) -> float | None:
    """Share of the documents within the first measure's cutoff that are judged; None where it is not known."""
    told = line.first.unjudged
    return next((told[m]["judged"] for m in (*DEFAULT, *told) if m in told), None)


def share(value: float | None) -> str:
    """A share as shown."""
    return "–" if value is None else f"{value:.0%}"


def costs(line: Line) -> tuple[str, ...]:
    """The other columns of a row, in the order of `COSTS`."""
    record = line.first
    if record.status != "ok":
        return ("–",) * len(COSTS)
    latency = record.latency or {}
    return (
        record.supervision,
        share(judged(line)),
        seconds(line.training),
        seconds(record.seconds.get("fit", 0.0) + record.seconds.get("index", 0.0)),
        seconds(record.seconds.get("search", 0.0)),
        query_time(latency, "p50_ms"),
        query_time(latency, "p95_ms"),
        megabytes(record.size.get("index_bytes", 0)),
        millions(record.size.get("parameters", 0)),
    )


COSTS = (
    "labels used",
    "judged",
    "training",
    "fit + index",
    "search",
    "query p50 ms",
    "p95 ms",
    "index MiB",
    "parameters",
)
