"""The results of a run as tables, in Python and in a notebook."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from harness.base.errors import HarnessError
from harness.bench.published import read_all
from harness.bench.row_names import shown
from harness.bench.runner import Result
from harness.bench.store import Store
from harness.report import markdown
from harness.report.across import Across, across
from harness.report.board import Table, tables, with_published
from harness.report.comparisons import with_comparisons
from harness.report.comparisons_across import compared_across
from harness.rows import parse_method, row_name


@dataclass(frozen=True)
class Board:
    """Results of a run, one per row and dataset, in the order of the run. A notebook shows it as tables."""

    results: tuple[Result, ...]
    store: Store | None = None

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
        return compared_across(plain, self.store, self.store.stored()[0])

    def __str__(self) -> str:
        return markdown.leaderboard(self.tables, self.across)

    def _repr_markdown_(self) -> str:
        return str(self)

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
