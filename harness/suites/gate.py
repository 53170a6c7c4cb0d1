"""For tests of one's own rows: `assert_not_worse("my_search.py:search", than="bm25", on="./mine", margin=0.01)`."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from harness import api
from harness.base.defaults import DATASET, MARGIN, MEASURES, RESULTS, SEEDS
from harness.base.errors import NoScores
from harness.bench.record import Record
from harness.compare.verdict import Verdict
from harness.data.measures import single_measure
from harness.methods import Method
from harness.rows import parse_method, row_name
from harness.runtime.context import Context


def assert_not_worse(
    row: str | Method,
    than: str | Method,
    on: str = DATASET,
    margin: float = MARGIN,
    measure: str = MEASURES[0],
    seeds: int = SEEDS,
    results: str | Path = RESULTS,
    context: Context | None = None,
) -> Verdict:
    """Checks that a row is not worse than a baseline by more than a margin.

    It passes if the difference is significantly above −margin: the lower end of the 90 % interval, a one-sided test at
    5 %. So it fails too if there are too few queries to tell; the message says how many would do. Rows with an
    up-to-date record are not run again.

    Args:
        row: a row, an expression, or `<file>.py:<function>`.
        than: the baseline.
        on: the collection, as `source/name[/split]` or a folder.
        margin: differences up to this do not matter.
        measure: in ir-measures' notation.
        seeds: of a trained row.
        results: folder of the records.
        context: seed, device and cache; None takes the defaults.

    Returns:
        The verdict.

    Raises:
        AssertionError: it is worse, or may be; with the evidence.
        HarnessError: bad input, or a row that has no scores.
    """
    (verdict,) = api.validate(row, [than], on, measure, seeds, margin, results, context)
    low = verdict.within.low
    if not low > -margin:
        raise AssertionError(
            f"the difference may be as low as {low:+.4f}, which is beyond the margin of {margin:g}. "
            + " ".join(verdict.sentences)
        )
    return verdict


class RowUnderTest:
    """A row on a collection, as the fixture `row` gives it.

    Args:
        row: a row, an expression, or `<file>.py:<function>`.
        dataset: the collection.
        results: folder of the records.
        context: seed, device and cache; None takes the defaults.
    """

    def __init__(
        self,
        row: str | Method,
        dataset: str = DATASET,
        results: str | Path = RESULTS,
        context: Context | None = None,
    ) -> None:
        self.method = parse_method(row) if isinstance(row, str) else row
        self.dataset, self.results, self._context = dataset, Path(results), context

    def __repr__(self) -> str:
        return f"<{row_name(self.method)} on {self.dataset}>"

    @cached_property
    def record(self) -> Record:
        """Its record with the default measures; the row is run if it has none.

        Raises:
            NoScores: the row failed or was skipped; with the reason.
        """
        return self._run(MEASURES[0])

    def score(self, measure: str = MEASURES[0]) -> float:
        """Its mean score.

        Args:
            measure: in ir-measures' notation.
        """
        by = str(single_measure(measure))
        record = self.record
        return (record if by in record.measures else self._run(by)).measures[by]

    def assert_not_worse(
        self, than: str | Method, margin: float = MARGIN, measure: str = MEASURES[0], seeds: int = SEEDS
    ) -> Verdict:
        """As `harness.assert_not_worse`, on this row's collection."""
        return assert_not_worse(
            self.method, than, self.dataset, margin, measure, seeds, self.results, self._context
        )

    def _run(self, measure: str) -> Record:
        measures = list(dict.fromkeys((*MEASURES, measure)))
        board = api.run(
            self.method, dataset=self.dataset, measures=measures, results=self.results, context=self._context
        )
        record = board.results[0].record
        if record.status != "ok":
            problem = record.problem or {}
            why = " ".join(f"{problem.get('reason', '')} {problem.get('remedy', '')}".split())
            raise NoScores(f"{record.row} has no scores ({record.status}): {why}", skipped=record.status == "skipped")
        return record
