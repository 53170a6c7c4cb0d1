"""A decision between rows: its table, and the file with its sentences."""

from __future__ import annotations

from collections.abc import Sequence

from harness.bench.row_names import RowNames
from harness.compare.decision import Decision
from harness.report import formats
from harness.report.markdown import code, escaped
from harness.report.sheet import Field, Sheet
from harness.report.sheet_fields import difference_fields, interval_fields, rank_fields
from harness.report.sheet_formats import as_table


def document(dataset: str, decision: Decision, lines: Sequence[str]) -> str:
    """The file; the same bytes for the same records.

    Args:
        dataset: full name.
        decision: between its rows.
        lines: sentences, the verdict first.
    """
    sheet = decision_sheet(dataset, decision)
    named = [f"- {code(name)} is {code(row)}" for name, row in sheet.legend]
    parts = [
        f"# Which row on {escaped(dataset)}",
        "\n".join(f"- {escaped(sentence)}" for sentence in lines),
        as_table(sheet),
        *(["\n".join(named)] if named else []),
        "Differences are paired by query; `rank` is the range of ranks that a row may have, and `ranks` draws it. A "
        "query's time is the median of single queries, encoded without the cache, – if the machine was busy; MiB are "
        "of index and model; costs are those of the machine of the records.",
    ]
    return "\n\n".join(parts) + "\n"


def decision_sheet(dataset: str, decision: Decision) -> Sheet:
    """The rows of a decision, best first: mean, interval, difference from the best, ranks, costs."""
    options = decision.options
    names = [option.row for option in options]
    rows = [option.scores.records[0].row for option in options]
    measure, count = decision.best.scores.measure, len(options)
    ranks = [formats.ranks(option.ranks) for option in options]
    ties = [" tied" if option.tied and option.behind else "" for option in options]
    latencies = [None if option.latency is None else option.latency * 1000 for option in options]
    sizes = [None if option.memory is None else option.memory * 1024 for option in options]
    trainings = [option.scores.records[0].training_seconds for option in options]
    fields = [
        Field("name", "row", names, names, right=False),
        Field.hidden("row", rows),
        Field.of(measure, measure, [option.scores.mean for option in options], formats.score, best=True),
        *interval_fields([option.interval for option in options]),
        *difference_fields([option.behind for option in options]),
        Field.label("rank", [f"{r}{tied}" for r, tied in zip(ranks, ties, strict=True)]),
        *rank_fields([option.ranks for option in options], [option.tied for option in options]),
        Field.label("ranks", [formats.rank_bar(option.ranks, count) for option in options], importance=6),
        *(
            Field.of(
                f"{part.part}_documents",
                f"{part.part} docs ({part.queries:,})",
                [part.mean(place) for place in range(count)],
                formats.score,
                1 if part.part == "new" else 5,
            )
            for part in (decision.parts if len(decision.parts) > 1 else ())
        ),
        Field.of("query_p50_ms", "ms a query", latencies, formats.one_decimal, importance=2),
        Field.of("mib", "MiB", sizes, formats.one_decimal, importance=3),
        Field.of("training_seconds", "training", [t or None for t in trainings], formats.seconds, importance=5),
    ]
    tied = [not tie and i > 0 for i, tie in enumerate(ties)]
    first = tied.index(True) if True in tied else count
    groups = [first] if first < count and all(tied[first:]) else []
    unclear = RowNames.of(option.scores.records[0] for option in options).unclear
    legend = [(name, row) for name, row in zip(names, rows, strict=True) if row in unclear and name != row]
    return Sheet(dataset, fields, groups=groups, legend=legend)
