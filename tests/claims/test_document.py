"""The page of verdicts."""

from __future__ import annotations

from harness.claims.assess import Assessment, Estimate
from harness.claims.claim import Claim
from harness.claims.document import counts, verdict_of, verdicts_page
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference

CLAIM = Claim(
    id="a-claim",
    paper="A paper, 1234.5678",
    says="One <b>is</b> better.",
    plus=("bm25",),
    minus=("dense",),
    differs="Everything.",
    collections=("d1", "d2"),
    part="new",
)
GAIN = Difference(0.05, Interval(0.02, 0.08), 0.001, 0.01)
OPEN = Difference(0.005, Interval(-0.02, 0.03), 0.5, 0.01)
RUN = "harness run --dataset d2 --method dense"


def test_a_claim_has_its_contrast_estimates_verdict_and_command() -> None:
    found = Assessment(CLAIM, "reproduced", GAIN, (Estimate("d1", 40, GAIN, 3),), {"d2": "no records of `dense`"}, RUN)
    text = verdicts_page([found], "nDCG@10")
    where = "1 of 2 collections, 40 queries, new documents"
    assert f"| a-claim | A paper, 1234.5678 | {where} | +0.0500 [+0.020, +0.080] | reproduced |" in text
    assert max(map(len, [each for each in text.splitlines() if not each.startswith("|")])) <= 116
    text = text.replace("\n  ", " ")
    assert "Contrast: `bm25` − `dense`, nDCG@10 over queries about new documents; expected: better" in text
    assert "Verdict: reproduced; an effect of 0.01 or more is shown." in text
    assert "- d2: no records of `dense`" in text
    assert f"```\n{RUN}\n```" in text
    assert "<b>" not in text
    assert "*reproduced*" in text
    assert verdict_of(found) == "reproduced"


def test_open_and_missing_verdicts_are_counted() -> None:
    unclear = Assessment(CLAIM, "too small to tell", OPEN, (Estimate("d1", 40, OPEN, 0),), {}, "")
    missing = Assessment(CLAIM, "not run", None, (), {"d1": "no", "d2": "no"}, RUN)
    assert counts([unclear, missing]) == "2 claims: 0 reproduced, 0 opposite, 1 too small to tell, 1 not run."
    assert verdict_of(unclear) == "too small to tell with 40 queries"
    assert verdict_of(missing) == "not run"
    text = verdicts_page([unclear, missing], "nDCG@10")
    assert "- d1, d2: no" in text
    assert text == verdicts_page([unclear, missing], "nDCG@10")
