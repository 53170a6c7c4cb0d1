"""The verdict on a claim, from its estimates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from harness.claims.claim import Claim
from harness.statistics.family import Difference

Verdict = Literal["reproduced", "opposite", "too small to tell", "not run"]


def finding(claim: Claim, difference: Difference) -> Verdict:
    """What one estimate says of a claim, by its 95 % interval.

    `better` is reproduced if the interval is above 0, and opposite if it is below. `not worse` is reproduced if the
    interval excludes a loss of the least effect that matters (one side of an equivalence test, Schuirmann 1987, at 2.5
    %), and opposite if it is below 0.
    """
    low, high = difference.interval.low, difference.interval.high
    if claim.expects == "not worse":
        if low > -claim.least:
            return "reproduced"
    elif low > 0:
        return "reproduced"
    return "opposite" if high < 0 else "too small to tell"


def verdict(claim: Claim, pooled: Difference | None, each: Sequence[Difference]) -> Verdict:
    """The verdict on a claim: that of the pooled estimate, or of every collection if the claim is about each.

    Args:
        claim: what is claimed.
        pooled: the mean over collections; None if no collection has all rows.
        each: of each collection.
    """
    if pooled is None:
        return "not run"
    if not claim.every:
        return finding(claim, pooled)
    found = {finding(claim, difference) for difference in each}
    if "opposite" in found:
        return "opposite"
    return "reproduced" if found == {"reproduced"} else "too small to tell"


def matters(claim: Claim, difference: Difference) -> str:
    """Whether an effect of the least size that matters is shown or ruled out, in words; empty if neither."""
    low, high = difference.interval.low, difference.interval.high
    if low >= claim.least or high <= -claim.least:
        return f"an effect of {claim.least:g} or more is shown"
    if -claim.least < low and high < claim.least:
        return f"an effect of {claim.least:g} or more is ruled out"
    return ""
