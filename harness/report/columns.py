"""The columns of a dataset's table. Each is declared once, and every writer shows those that name it in `where`.

A new column is one entry of `COSTS`, or of `COLUMNS` in a plug-in. A new measure needs no edit: `score_column` makes
its column.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.bench.machine_load import why
from harness.bench.record import Record
from harness.data.measures import DEFAULT
from harness.report import formats
from harness.report.board import Line, Table
from harness.report.column import (
    ROOMY,
    Column,
    Writer,
    explained,
    interval_columns,
    plugin_columns,
    unsorted,
)
from harness.report.document_columns import CONTROL_HELP, HELP, document_columns
from harness.report.index_again import index_again


def score_column(measure: str, best: str | None, importance: int = 0) -> Column[Line]:
    """The scores by one measure."""
    return Column(
        measure, lambda line: line.value(measure), formats.score, best=best, measure=measure, importance=importance
    )


POSITION: tuple[Column[Line], ...] = (
    *interval_columns(
        lambda line: line.interval,
        "`95 %` is the confidence interval of the first measure's mean over queries (BCa bootstrap).",
    ),
    Column(
        "from the best",
        lambda line: line.position and (line.position.behind or "best"),
        lambda value: value if isinstance(value, str) else formats.difference(value),
        "`from the best` is the row's mean minus the best row's, with its simultaneous 95 % confidence interval "
        "(paired by query; max-T studentised bootstrap over all pairs of rows): in 95 of 100 cases, all these "
        "intervals contain the true differences. Each added row widens the intervals; the number of pairs is given "
        "with each table.",
        ROOMY,
        "difference",
        number=unsorted,
        importance=6,
    ),
    Column(
        "rank",
        lambda line: line.position,
        formats.position,
        "`rank` is the range of ranks that a row may have: from 1 + the number of rows that are significantly better, "
        "to the number of rows minus those that are significantly worse; a row is `tied` with the best if the interval "
        "of its difference from the best contains 0. `ranks` draws the same range as a bar.",
        ROOMY,
        "rank",
        number=unsorted,
        importance=0,
    ),
    Column(
        "ranks",
        lambda line: line.position,
        lambda position: formats.rank_bar(position.ranks, position.of),
        where=ROOMY,
        kind="bar",
        number=unsorted,
        importance=5,
    ),
)
"""Shown after the first measure, by which rows are compared."""


def _judged(line: Line) -> float | None:
    """Share of the documents within the first measure's cutoff that are judged; None if unknown."""
    unjudged = line.first.unjudged
    return next((unjudged[m]["judged"] for m in (*DEFAULT, *unjudged) if m in unjudged), None)


def _latency(name: str) -> Callable[[Line], float | None]:
    return lambda line: (line.first.latency or {}).get(name)


def _mebibytes(line: Line) -> float | None:
    """Of the index, as the heading says: JSON has the number under it."""
    size = _size("index_bytes")(line)
    return None if size is None else size / 2**20


def _size(name: str) -> Callable[[Line], float | None]:
    return lambda line: line.first.size.get(name) or None


def _busy(line: Line) -> bool:
    return why(line.first.latency) is not None


def _csv(field: str, name: str) -> Callable[[Record], object]:
    """An entry of one of a record's tables, empty if it has none."""
    return lambda record: (getattr(record, field) or {}).get(name, "")


def _word(again: bool | None) -> str:
    return "" if again is None else "yes" if again else "no"


def _cost(heading: str, value: Callable[[Line], Any], format: Callable[[Any], str], **more: Any) -> Column[Line]:
    """A column that rows without scores leave empty."""
    return Column(heading, lambda line: value(line) if line.ok else None, format, where=ROOMY, **more)


COSTS: tuple[Column[Line], ...] = (
    _cost(
        "labels used",
        lambda line: line.first.supervision,
        str,
        kind="words",
        published="published",
        importance=7,
        csv=(("supervision", lambda record: record.supervision),),
    ),
    Column("family", lambda line: line.family, str, where=("page",), kind="words"),
    _cost(
        "judged",
        _judged,
        formats.share,
        importance=12,
        help="`judged` is the share of the documents within the first measure's cutoff that are judged; unjudged "
        "documents count as not relevant.",
    ),
    _cost("training", lambda line: line.training, formats.seconds, importance=8),
    Column(
        "index again",
        lambda line: index_again(line.first.method) if line.ok else None,
        _word,
        "`index again`: whether switching to a trained row needs every document encoded again.",
        ("markdown", "page"),
        "words",
        number=_word,
        csv=(("index_again", lambda record: _word(index_again(record.method))),),
    ),
    _cost(
        "fit + index",
        lambda line: line.first.seconds.get("fit", 0.0) + line.first.seconds.get("index", 0.0),
        formats.seconds,
        importance=4,
        help="`fit + index` (with `training`) and `search` (of all queries) are times without a cache and without "
        "loading models, on the machine of the record; a re-ranker embeds its candidates in `search`.",
        csv=(("fit_seconds", _csv("seconds", "fit")), ("index_seconds", _csv("seconds", "index"))),
    ),
    _cost(
        "search",
        lambda line: line.first.seconds.get("search", 0.0),
        formats.seconds,
        importance=9,
        csv=(("search_seconds", _csv("seconds", "search")),),
    ),
    _cost(
        "query p50 ms",
        _latency("p50_ms"),
        formats.one_decimal,
        importance=3,
        help="`query p50 ms` and `p95 ms` are the latency of single queries, encoded without the cache, top 100; in "
        "brackets if the machine was busy and the measurement is unreliable.",
        doubtful=_busy,
        csv=(("query_p50_ms", _csv("latency", "p50_ms")),),
    ),
    _cost(
        "p95 ms",
        _latency("p95_ms"),
        formats.one_decimal,
        doubtful=_busy,
        importance=10,
        csv=(("query_p95_ms", _csv("latency", "p95_ms")), ("query_busy", _csv("latency", "busy"))),
    ),
    _cost(
        "index MiB",
        _mebibytes,
        formats.one_decimal,
        importance=11,
        csv=(("index_bytes", _csv("size", "index_bytes")), ("model_bytes", _csv("size", "model_bytes"))),
    ),
    _cost(
        "parameters",
        _size("parameters"),
        formats.millions,
        importance=13,
        csv=(("parameters", _csv("size", "parameters")),),
    ),
)
"""What a row used and cost. Rows without scores show only their family."""


def columns_of(table: Table, writer: Writer) -> list[Column[Line]]:
    """The columns of a dataset's table as a writer shows them, after that of the names."""
    return [column for column in _all_columns(table) if writer in column.where]


def _all_columns(table: Table) -> list[Column[Line]]:
    columns: list[Column[Line]] = []
    for place, measure in enumerate(table.measures):
        columns.append(score_column(measure, table.best(measure), 2 if place else 0))
        if place == 0 and table.has_intervals:
            columns += [*POSITION, *document_columns(table)]
    return [*columns, *costs()]


def costs() -> tuple[Column[Line], ...]:
    """What a row used and cost, with the columns of plug-ins.

    Raises:
        SettingError: a plug-in's `COLUMNS` are no columns.
    """
    return (*COSTS, *plugin_columns())


EXPLAINED = (
    "Measures are means over all judged queries, by ir-measures; an unanswered query counts 0. The best value of each "
    f"column is in bold. {explained(POSITION)} {HELP} {CONTROL_HELP} {explained(COSTS)} `–`: not measured."
)


def explanation() -> str:
    """What the columns mean, those of plug-ins too, in Markdown."""
    return f"{EXPLAINED} {explained(plugin_columns())}".rstrip()
