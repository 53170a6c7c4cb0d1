"""A verdict on a contrast: better, worse, equivalent within a margin, or tied; and the evidence in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.base.defaults import MARGIN, check_margin
from harness.bench.leak_effect import shared
from harness.compare.calibration import caveats, power_sentence
from harness.compare.evidence import Contrast
from harness.methods import NO_LABELS
from harness.statistics.bootstrap import LEVEL, Interval
from harness.statistics.family import fewest
from harness.statistics.power import ALPHA, MOST_QUERIES, queries_needed

Finding = Literal["better", "worse", "equivalent", "cannot tell"]
MOST_DIGITS = 9
"""Decimals of a bound; one that is 0 to all of them is shown with an exponent."""


@dataclass(frozen=True)
class Verdict:
    """What a contrast shows.

    Args:
        finding: `equivalent` if the whole interval is within the margin, significant or not (two one-sided tests,
            Schuirmann 1987); else `better` or `worse` if the 95 % interval excludes 0; else `cannot tell`: tied.
        contrast: the comparison.
        margin: differences up to this do not matter.
        within: the interval that is compared with the margin, at 1 − 2α, with the same correction.
        parts: the same contrast on queries about old and about new documents (`harness.compare.documents`); empty if
            no label was used or no query asks about old documents.
    """

    finding: Finding
    contrast: Contrast
    margin: float
    within: Interval
    parts: tuple[Contrast, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """The evidence, one plain sentence each."""
        c = self.contrast
        measure, n = c.row.measure, len(c.pairs.ids)
        won, tied, lost = c.pairs.wins_ties_losses
        at = f" at {c.interval.level:.0%}" if math.isfinite(c.interval.high) else ""
        effect = f"{c.pairs.effect:+.2f} standard deviations of a query's difference"
        if not math.isfinite(c.pairs.effect):
            effect = "the same on every query"
        difference = f"{signed(c.difference)}{spread(c.interval)}{at}"
        of_all = "On all queries it is" if self.parts else "It is"
        lines = [
            f"{self._head()}: {measure} {c.row.mean:.4f} against {c.baseline.mean:.4f}, a difference of {difference} "
            f"over {_queries(n)}.",
            *map(_on_part, self.parts),
            f"{of_all} better on {_queries(won)}, equal on {tied:,}, worse on {lost:,}; the effect is {effect}.",
            self._chance(),
        ]
        if self.finding == "equivalent":
            lines.append(
                f"The {self.within.level:.0%} interval{spread(self.within)} is within ±{self.margin:g}: equivalent by "
                "two one-sided tests at 5%."
            )
        if both_zero(c):
            lines.append(
                "Both are 0 on every query: check with `harness data check` that relevant documents are in the corpus."
            )
        one_seed = [side.row for side in (c.row, c.baseline) if side.trained]
        if seeds := self._seeds():
            lines.append(seeds)
        elif one_seed:
            rows = " and ".join(one_seed)
            lines.append(f"{rows}: only one seed, so the result may not hold for other seeds (--seeds 3).")
        lines += caveats([(side.row, side.calibration) for side in (c.row, c.baseline)])
        return [*lines, self._power(), *self.seen]

    @property
    def seen(self) -> list[str]:
        """Both scores without the queries that training has seen; empty if neither row used labels."""
        c = self.contrast
        if all(side.records[0].supervision == NO_LABELS for side in (c.row, c.baseline)):
            return []
        row, other = (shared(side.records, c.row.measure) for side in (c.row, c.baseline))
        lines = []
        for kind in ("queries",) if self.parts else ("queries", "documents"):
            if kind in row and kind in other:
                leak, them = row[kind], "it" if row[kind].count == 1 else "them"
                scores = f"{c.row.measure} is {leak.without:.4f} against {other[kind].without:.4f}"
                lines.append(f"{leak.sentence}: without {them} {scores}.")
        for side, leaks in ((c.row, row), (c.baseline, other)):
            if taught := leaks.get("taught"):
                lines.append(f"{side.row}: {taught.sentence}; without them it has {taught.without:.4f}.")
        return lines

    @property
    def short(self) -> list[str]:
        """The finding, its p-value, how much of the uncertainty is due to the seeds, and the finding on new
        documents.
        """
        new = [_on_part(each) for each in self.parts if each.row.part == "new"]
        return list(filter(None, (self.sentences[0], self._chance(), self._seeds(), *new)))

    def _seeds(self) -> str:
        part = self.contrast.query_part
        if part is None:
            return ""
        return (
            "Interval and p-value also cover models trained with other seeds: "
            f"{part:.0%} of the uncertainty is due to the queries, the rest to the seeds."
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
        family = "single planned comparison, not corrected for others"
        if c.planned > 1:
            family = f"corrected for {c.planned} contrasts"
        draws = len(c.family.largest.drawn)
        what = "the queries" if c.groups is None else f"{c.family.queries:,} groups of queries that share documents"
        how = f"{draws:,} studentised resamples of {what}" if draws else "Student's t"
        sentence = f"p = {_p(c.p)}: the probability of a difference this large if there were none ({how}; {family})."
        differing, least = c.pairs.differing, fewest(LEVEL)
        if differing >= least:
            return sentence
        few = f"They differ on {_queries(differing)}; differences on fewer than {least} are never significant."
        return f"{sentence} {few}"

    def _power(self) -> str:
        c = self.contrast
        if c.row.calibration is not None and c.row.calibration.corrected:
            return power_sentence(c.row.calibration, c.baseline.calibration, self.margin)
        n, deviation = len(c.pairs.ids), c.deviation
        if deviation == 0:
            return "All differences are equal, so the power of more queries is unknown."
        if not math.isfinite(c.smallest):
            return f"{_queries(n)} cannot reliably detect any difference: all may favour one row by chance."
        sentence = f"{_queries(n)} detect a difference of {c.smallest:.4f} with 80 % power"
        if c.family.widened:
            return f"{sentence}; more queries reduce it little, since the judge errs; people's judgements do."
        needed = queries_needed(self.margin, deviation, max(c.alpha, ALPHA / c.planned))
        if needed <= n:
            return f"{sentence}."
        more = f"{needed:,}" if needed < MOST_QUERIES else "more than 10 million"
        return f"{sentence}; {more} queries would detect {self.margin:g}."


def verdict(contrast: Contrast, margin: float = MARGIN, parts: Sequence[Contrast] = ()) -> Verdict:
    """What a contrast shows.

    Args:
        contrast: of a row and a baseline.
        margin: differences up to this do not matter.
        parts: the same contrast on old and on new documents, if they are known.

    Raises:
        SettingError: the margin is not above 0.
    """
    check_margin(margin)
    within = contrast.interval_at(1 - 2 * ALPHA)
    finding: Finding = "cannot tell"
    if both_zero(contrast):
        return Verdict(finding, contrast, margin, within, tuple(parts))
    if -margin < within.low and within.high < margin:
        finding = "equivalent"
    elif not contrast.tied:
        finding = "better" if contrast.difference > 0 else "worse"
    return Verdict(finding, contrast, margin, within, tuple(parts))


def _on_part(contrast: Contrast) -> str:
    """The contrast on old or on new documents, in one sentence."""
    row, other = contrast.row, contrast.baseline
    head = f"On the {_queries(len(row.ids))} about {row.part} documents"
    means = f"{row.measure} {row.mean:.4f} against {other.mean:.4f}"
    direction = "better" if contrast.difference > 0 else "worse"
    finding = "tied" if contrast.tied else f"significantly {direction}"
    return f"{head}: {means}, {signed(contrast.difference)}{spread(contrast.interval)}: {finding}."


def both_zero(contrast: Contrast) -> bool:
    """Whether both rows are 0 on every query, which is no evidence on either."""
    return not contrast.row.values.any() and not contrast.baseline.values.any()


def signed(value: float, digits: int = 4) -> str:
    """A difference as shown; what rounds to 0 has no minus."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def ends(interval: Interval, digits: int = 4) -> str:
    """An interval of a difference as shown; if it excludes 0, its bounds have enough digits not to be shown as 0."""
    excludes = interval.low > 0 or interval.high < 0
    return f"[{', '.join(_bound(value, digits, excludes) for value in (interval.low, interval.high))}]"


def _bound(value: float, digits: int, excludes: bool) -> str:
    enough = digits
    while excludes and value and round(value, enough) == 0 and enough < MOST_DIGITS:
        enough += 1
    if excludes and value and round(value, enough) == 0:
        return f"{value:+.0e}"
    return signed(value, enough)


def spread(interval: Interval) -> str:
    """An interval of a difference as shown, after a space; empty with too few queries for one."""
    if not math.isfinite(interval.high - interval.low):
        return ""
    return f" {ends(interval)}"


def _queries(count: int) -> str:
    return f"{count:,} {'query' if count == 1 else 'queries'}"


def _p(value: float) -> str:
    if value < 0.001:
        return f"{value:.2g}"
    return f"{value:.4f}" if value < 0.1 else f"{value:.2f}"
