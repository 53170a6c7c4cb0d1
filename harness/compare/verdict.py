"""A verdict on a contrast: better, worse, equivalent within a margin, or tied; and why, in plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.base.defaults import MARGIN, check_margin
from harness.bench.leak_effect import shared
from harness.compare.evidence import Contrast
from harness.methods import NO_LABELS
from harness.statistics.bootstrap import LEVEL, Interval
from harness.statistics.family import fewest
from harness.statistics.power import ALPHA, MOST_QUERIES, queries_needed

Finding = Literal["better", "worse", "equivalent", "cannot tell"]


@dataclass(frozen=True)
class Verdict:
    """What a contrast shows.

    Args:
        finding: `equivalent` where the whole interval lies within the margin, real difference or not (two one-sided
            tests, Schuirmann 1987); else `better` or `worse` where the 95 % interval does not contain 0; else `cannot
            tell`: tied.
        contrast: the figures.
        margin: differences up to this do not matter.
        within: the interval that is compared with the margin, at 1 − 2α, corrected for the contrasts as the other one
            is.
    """

    finding: Finding
    contrast: Contrast
    margin: float
    within: Interval

    @property
    def sentences(self) -> list[str]:
        """The figures behind it, one plain sentence each."""
        c = self.contrast
        measure, n = c.row.measure, len(c.pairs.ids)
        won, tied, lost = c.pairs.wins_ties_losses
        at = f" at {c.interval.level:.0%}" if math.isfinite(c.interval.high) else ""
        effect = f"{c.pairs.effect:+.2f} standard deviations of a query's difference"
        if not math.isfinite(c.pairs.effect):
            effect = "the same on every query"
        told = [
            f"{self._head()}: {measure} {c.row.mean:.4f} against {c.baseline.mean:.4f}, a difference of "
            f"{signed(c.difference)}"
            f"{spread(c.interval)}{at} over {_queries(n)}.",
            f"It is better on {_queries(won)}, equal on {tied:,}, worse on {lost:,}; the effect is {effect}.",
            self._chance(),
        ]
        if self.finding == "equivalent":
            told.append(
                f"The {self.within.level:.0%} interval{spread(self.within)} is within ±{self.margin:g}, "
                "which two one-sided tests at 5% ask for."
            )
        if nothing_found(c):
            told.append(
                "Both are 0 on every query: is anything judged relevant, and in the corpus? `harness data check` says."
            )
        if seeds := self._seeds():
            told.append(seeds)
        elif one_seed := [s.row for s in (c.row, c.baseline) if s.trained]:
            told.append(
                f"{' and '.join(one_seed)}: one seed, so nothing is known of models trained with another (--seeds 3)."
            )
        told.append(self._reach())
        return [*told, *self.seen]

    @property
    def seen(self) -> list[str]:
        """What both are without the queries that training has seen; nothing where neither used labels."""
        c = self.contrast
        if all(side.records[0].supervision == NO_LABELS for side in (c.row, c.baseline)):
            return []
        row, other = (shared(side.records, c.row.measure) for side in (c.row, c.baseline))
        told = [
            f"{row[kind].told}: without {'it' if row[kind].count == 1 else 'them'} {c.row.measure} is "
            f"{row[kind].without:.4f} "
            f"against {other[kind].without:.4f}."
            for kind in ("queries", "documents")
            if kind in row and kind in other
        ]
        for side, seen in ((c.row, row), (c.baseline, other)):
            if "taught" in seen:
                told.append(f"{side.row}: {seen['taught'].told}; without them it has {seen['taught'].without:.4f}.")
        return told

    @property
    def short(self) -> list[str]:
        """What is found, its p-value, and how much of the uncertainty is the seeds'."""
        return [self.sentences[0], self._chance(), *([self._seeds()] if self._seeds() else [])]

    def _seeds(self) -> str:
        part = self.contrast.query_part
        if part is None:
            return ""
        return (
            "Interval and p-value are for models trained with other seeds too: "
            f"{part:.0%} of the uncertainty is the choice of queries, the rest the seed's."
        )

    def _head(self) -> str:
        row, baseline = self.contrast.row.row, self.contrast.baseline.row
        with_these = _queries(len(self.contrast.pairs.ids))
        return {
            "better": f"{row} is significantly better than {baseline}",
            "worse": f"{row} is significantly worse than {baseline}",
            "equivalent": f"{row} and {baseline} are equivalent within {self.margin:g}",
            "cannot tell": f"{row} and {baseline} are tied with {with_these}",
        }[self.finding]

    def _chance(self) -> str:
        c = self.contrast
        if not c.pairs.differing:
            return "They do not differ on any query, so there is nothing to test."
        family = (
            "single planned comparison, not corrected for others"
            if c.asked == 1
            else f"corrected for {c.asked} contrasts"
        )
        draws = len(c.family.largest.drawn)
        how = f"{draws:,} studentised resamples of the queries" if draws else "Student's t"
        told = f"p = {_p(c.p)}: the chance of so large a difference if there were none ({how}; {family})."
        if (few := c.pairs.differing) < (least := fewest(LEVEL)):
            told += f" They differ on {_queries(few)}; fewer than {least} can always be chance."
        return told

    def _reach(self) -> str:
        c = self.contrast
        n, deviation = len(c.pairs.ids), c.pairs.deviation
        if deviation == 0:
            return "All differences are equal, so nothing can be said of what more queries would show."
        if not math.isfinite(c.smallest):
            return f"With {_queries(n)} no difference can be shown reliably: few signs are too often alike by chance."
        told = f"With {_queries(n)} a true difference of {c.smallest:.4f} would be seen four times in five"
        needed = queries_needed(self.margin, deviation, max(c.alpha, ALPHA / c.asked))
        if needed <= n:
            return f"{told}."
        more = f"{needed:,}" if needed < MOST_QUERIES else "more than 10 million"
        return f"{told}; one of {self.margin:g} would take {more} queries."


def verdict(contrast: Contrast, margin: float = MARGIN) -> Verdict:
    """What a contrast shows.

    Raises:
        SettingError: the margin is not above 0.
    """
    check_margin(margin)
    within = contrast.interval_at(1 - 2 * ALPHA)
    finding: Finding = "cannot tell"
    if nothing_found(contrast):
        return Verdict(finding, contrast, margin, within)
    if -margin < within.low and within.high < margin:
        finding = "equivalent"
    elif not contrast.tied:
        finding = "better" if contrast.difference > 0 else "worse"
    return Verdict(finding, contrast, margin, within)


def nothing_found(contrast: Contrast) -> bool:
    """Whether both rows are 0 on every query, which says nothing of either."""
    return not contrast.row.values.any() and not contrast.baseline.values.any()


def signed(value: float) -> str:
    """A difference as shown; what rounds to 0 has no minus."""
    return f"{round(value, 4) + 0.0:+.4f}"


def spread(interval: Interval) -> str:
    """An interval of a difference as shown, after a space; empty where there are too few queries for one."""
    if not math.isfinite(interval.high - interval.low):
        return ""
    return f" [{signed(interval.low)}, {signed(interval.high)}]"


def _queries(count: int) -> str:
    return f"{count:,} {'query' if count == 1 else 'queries'}"


def _p(value: float) -> str:
    return f"{value:.2g}" if value < 0.001 else f"{value:.4f}" if value < 0.1 else f"{value:.2f}"
