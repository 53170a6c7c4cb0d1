"""The results of a run as tables, in Python and in a notebook."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

from harness.base.defaults import MEASURES
from harness.base.errors import HarnessError
from harness.base.optional import library
from harness.bench.published import read_all
from harness.bench.row_names import shown
from harness.bench.runner import Result
from harness.bench.store import Store, StoredRecord
from harness.compare.pairwise import Comparison, compare
from harness.report import markdown
from harness.report.across import Across, across
from harness.report.board import Table, tables, with_published
from harness.report.board_html import as_html
from harness.report.comparisons import with_comparisons
from harness.report.comparisons_across import compared_across
from harness.rows import parse_method, row_name
from harness.runtime.context import Context


@dataclass(frozen=True, repr=False)
class Board:
    """Results of a run, one per row and dataset, in the order of the run. A notebook shows it as tables.

    Args:
        results: of the run.
        store: of the records.
        context: of the run, for comparisons.
    """

    results: tuple[Result, ...]
    store: Store | None = None
    context: Context | None = None

    @property
    def tables(self) -> list[Table]:
        """One table per dataset, with intervals where the results folder has the per-query values."""
        plain = tables(result.record for result in self.results)
        if self.store is None:
            return plain
        compared = with_comparisons(plain, self.store, self.store.stored()[0])
        return with_published(compared, read_all(self.store.root)[0])

    @property
    def across(self) -> Across | None:
        """The table across datasets, None for fewer than two; with intervals as `tables` has them."""
        plain = tables(result.record for result in self.results)
        if self.store is None:
            return across(plain)
        plain = with_published(plain, read_all(self.store.root)[0])
        return compared_across(plain, self.store, self.store.stored()[0])

    def __str__(self) -> str:
        return markdown.leaderboard(self.tables, self.across)

    def __repr__(self) -> str:
        """One line for each dataset, with the first measure of each row."""
        lines = []
        for table in tables(result.record for result in self.results):
            scores = [(line.row, line.value(table.measures[0])) for line in table.lines] if table.measures else []
            shown = ", ".join(f"{row} {'–' if score is None else f'{score:.4f}'}" for row, score in scores)
            measure = f", {table.measures[0]}" if table.measures else ""
            lines.append(f"<Board {table.dataset}{measure}: {shown}>")
        return "\n".join(lines) or "<Board without results>"

    def _repr_markdown_(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return as_html(self.tables, self.across)

    def frame(self, *, by_query: bool = False) -> Any:
        """The results as a pandas DataFrame.

        Args:
            by_query: a line for each row and query, with a column for each measure; else a line for each row, with its
                measures, costs, and why it has none.

        Raises:
            Unavailable: pandas is not installed.
        """
        lines: list[dict[str, Any]] = []
        for result in self.results:
            record = result.record
            start = {"dataset": record.dataset["name"], "row": record.row, "seed": record.seed}
            if not by_query:
                seconds = {f"{kind} s": record.seconds.get(kind) for kind in ("fit", "index", "search")}
                latency = {name: (record.latency or {}).get(name) for name in ("p50_ms", "p95_ms")}
                problem = (record.problem or {}).get("reason", "")
                status = {"status": record.status, "supervision": record.supervision, "problem": problem}
                lines.append({**start, **record.measures, **status, **seconds, **latency})
            elif self.store is not None and record.status == "ok":
                place = self.store.place(record.dataset["name"], parse_method(record.method), record.seed)
                values = self.store.values(StoredRecord(record, place))
                queries = dict.fromkeys(query for each in values.values() for query in each)
                lines += [
                    {**start, "query": query, **{measure: each.get(query) for measure, each in values.items()}}
                    for query in queries
                ]
        return library("pandas", "peers").DataFrame(lines)

    def compare(self, row: str, other: str, dataset: str | None = None, measure: str | None = None) -> Comparison:
        """Compares two rows query by query, as `harness compare` does: `print(board.compare("bm25", "dense"))`.

        Args:
            row: the first row.
            other: the row that it is compared with.
            dataset: one of the board's; None if the board has one only.
            measure: in ir-measures' notation; None takes nDCG@10.

        Raises:
            HarnessError: several datasets and none is named, or the board has no results folder.
        """
        names = list(dict.fromkeys(result.record.dataset["name"] for result in self.results))
        if dataset is None and len(names) != 1:
            raise HarnessError(f"the board has {len(names)} datasets: {', '.join(names)}; name one.")
        if self.store is None:
            raise HarnessError("this board has no results folder; run the rows to compare them.")
        by = measure or MEASURES[0]
        return compare(row, other, dataset or names[0], by, results=self.store.root, context=self.context)

    def measures(self, row: str) -> dict[str, float]:
        """Measure → mean of the first result of a row, named as on the board or as it was given (`run/x.trec`).

        Raises:
            KeyError: no such row; names those that are there.
        """
        names = {row}
        with contextlib.suppress(HarnessError):
            names.add(row_name(parse_method(row)))
        for result in self.results:
            if names & {result.record.row, result.record.alias, shown(result.record)}:
                return dict(result.record.measures)
        rows = ", ".join(dict.fromkeys(result.record.row for result in self.results))
        raise KeyError(f"no such row: {row}; the rows are {rows}")
