"""A decision as Markdown: the sentences, then a table of the rows."""

from __future__ import annotations

from collections.abc import Sequence

from harness.compare.advice import difference
from harness.compare.decision import Decision, Option
from harness.report import formats
from harness.report.markdown import code, escaped, grid


def document(dataset: str, decision: Decision, lines: Sequence[str]) -> str:
    """The file; the same bytes for the same records.

    Args:
        dataset: full name.
        decision: between its rows.
        lines: sentences, the verdict first.
    """
    head, rows = board(decision)
    parts = [
        f"# Which row on {escaped(dataset)}",
        "\n".join(f"- {escaped(sentence)}" for sentence in lines),
        grid(head, [[code(row[0]), *row[1:]] for row in rows], words=[head.index("rank")]),
        "Differences are paired by query, with simultaneous 95 % confidence intervals over all pairs of rows; a row is "
        "tied with the best if its interval contains 0, and `rank` is the range of ranks that it may have. A query's "
        "time is the median of single queries, encoded without the cache, – if the machine was busy; MiB are of index "
        "and model; costs are those of the machine of the records.",
    ]
    return "\n\n".join(parts) + "\n"


def board(decision: Decision) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of its table, best first."""
    parts = {f"{part.part} docs ({part.queries:,})": part for part in decision.parts if len(decision.parts) > 1}
    head = ["row", decision.best.scores.measure, "95 %", "from the best", "rank", *parts]
    rows = []
    for place, option in enumerate(decision.options):
        position, costs = _row(option)
        rows.append([*position, *(formats.score(part.mean(place)) for part in parts.values()), *costs])
    return [*head, "ms a query", "MiB", "training"], rows


def _row(option: Option) -> tuple[list[str], list[str]]:
    """What is shown of a row's score, and of its costs."""
    training = option.scores.records[0].training_seconds
    position = [
        option.row,
        formats.score(option.scores.mean),
        formats.interval(option.interval),
        difference(option) + (" tied" if option.tied and option.behind else ""),
        formats.ranks(option.ranks),
    ]
    return position, [
        "–" if option.latency is None else f"{option.latency * 1000:.1f}",
        "–" if option.memory is None else f"{option.memory * 1024:.1f}",
        f"{training:.0f} s" if training else "–",
    ]
