"""Verdicts on claims as a table."""

from __future__ import annotations

import json

from harness.claims.assess import Assessment, Estimate
from harness.claims.sheet import HOW, shown
from harness.report.sheet_formats import as_json
from tests.claims.test_document import CLAIM, GAIN, OPEN, RUN

CLAIMS = [
    Assessment(CLAIM, "reproduced", GAIN, (Estimate("d1", 40, GAIN, 3),), {"d2": "no records of `dense`"}, RUN),
    Assessment(CLAIM, "too small to tell", OPEN, (Estimate("d1", 1040, OPEN, 0),), {}, ""),
    Assessment(CLAIM, "not run", None, (), {"d1": "no", "d2": "no"}, RUN),
]


def test_the_numbers_of_each_claim() -> None:
    data = json.loads(as_json(shown(CLAIMS, "nDCG@10")))
    assert data["sentences"] == ["3 claims: 1 reproduced, 0 opposite, 1 too small to tell, 1 not run."]
    assert data["measure"] == "nDCG@10"
    first, unclear, missing = data["tables"][0]["rows"]
    assert (first["difference"], first["difference_low"], first["difference_high"]) == (0.05, 0.02, 0.08)
    assert (first["collections"], first["collections_wanted"], first["part"]) == (1, 2, "new")
    assert (unclear["verdict"], unclear["queries"]) == ("too small to tell", 1040)
    assert (missing["verdict"], missing["difference"], missing["command"]) == ("not run", None, RUN)


def test_a_note_says_where_the_commands_are() -> None:
    assert list(shown(CLAIMS, "nDCG@10").sheets[0].notes) == [HOW]
    assert not shown(CLAIMS[1:2], "nDCG@10").sheets[0].notes
