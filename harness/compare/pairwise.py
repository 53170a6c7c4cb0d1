"""Two rows compared query by query: a verdict, and the queries on which each gains most."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from itertools import islice
from pathlib import Path

from harness.base.defaults import DATASET, MEASURES, RESULTS, SEEDS, TOP
from harness.base.plain import one_line
from harness.bench.runner import Result
from harness.compare.validate import differences, validate
from harness.compare.verdict import Verdict
from harness.datasets import load_dataset
from harness.methods import Method
from harness.runtime.context import Context, open_context
from harness.statistics.paired import ROUNDING


@dataclass(frozen=True)
class QueryPair:
    """A query with the values of both rows.

    Args:
        id: of the query.
        value: of the first row.
        other: of the second.
        text: of the query.
    """

    id: str
    value: float
    other: float
    text: str


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two rows on one dataset; `print` shows the evidence, a notebook the queries too.

    Args:
        verdict: on the difference of their means.
        gains: queries on which the first row gains most, the largest gain first.
        losses: those on which the second does.
    """

    verdict: Verdict
    gains: tuple[QueryPair, ...]
    losses: tuple[QueryPair, ...]

    @property
    def rows(self) -> tuple[str, str]:
        """Names of both rows."""
        return self.verdict.contrast.row.row, self.verdict.contrast.baseline.row

    def __repr__(self) -> str:
        return f"<Comparison: {self.verdict.sentences[0]}>"

    def __str__(self) -> str:
        lines = [" ".join(self.verdict.sentences)]
        for row, pairs in zip(self.rows, (self.gains, self.losses), strict=True):
            lines += [f"{row} is better on"] * bool(pairs)
            lines += [f"  {each.id}: {each.value:.4f}, {each.other:.4f}: {one_line(each.text)[:80]}" for each in pairs]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cells = [
            "".join(f"<td>{escape(cell)}</td>" for cell in (each.id, one_line(each.text), *_values(each)))
            for each in (*self.gains, *reversed(self.losses))
        ]
        head = "".join(f"<th>{escape(name)}</th>" for name in ("query", "text", *self.rows, "difference"))
        body = "".join(f"<tr>{line}</tr>" for line in cells)
        evidence = escape(" ".join(self.verdict.sentences))
        return f"<p>{evidence}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def compare(
    row: str | Method,
    other: str | Method,
    dataset: str = DATASET,
    measure: str = MEASURES[0],
    top: int = TOP,
    seeds: int = SEEDS,
    results: str | Path = RESULTS,
    context: Context | None = None,
    tell: Callable[[Result], None] | None = None,
) -> Comparison:
    """Compares two rows; runs those without a record.

    Args:
        row: the first row.
        other: the row it is compared with.
        dataset: as `source/name[/split]` or a path.
        measure: in ir-measures' notation.
        top: how many queries are listed on each side.
        seeds: training seeds; rows that train nothing are run once.
        results: folder of the records.
        context: cache, device, progress and the first seed.
        tell: called after each run.

    Raises:
        NoScores: a row has no scores; says why.
        HarnessError: bad input, or a dataset that is not available.
    """
    context = context or open_context()
    (verdict,) = validate(row, [other], dataset, measure, seeds, results=results, context=context, tell=tell)
    queries = load_dataset(dataset, context).test.queries
    texts = dict(zip(queries.ids, queries.texts, strict=True))
    by_query = differences((verdict.contrast.row, verdict.contrast.baseline))
    pairs = [QueryPair(query, value, their, texts.get(query, "")) for query, value, their in by_query]
    return Comparison(verdict, _gains(pairs, top, 1), _gains(reversed(pairs), top, -1))


def _values(pair: QueryPair) -> tuple[str, str, str]:
    return f"{pair.value:.4f}", f"{pair.other:.4f}", f"{pair.value - pair.other:+.4f}"


def _gains(pairs: Iterable[QueryPair], top: int, sign: int) -> tuple[QueryPair, ...]:
    """The first queries whose difference, times the sign, is more than rounding."""
    return tuple(islice((pair for pair in pairs if sign * (pair.value - pair.other) > ROUNDING), top))
