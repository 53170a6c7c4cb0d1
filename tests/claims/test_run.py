"""All claims on a results folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import RecordError
from harness.bench.store import Store, StoredRecord
from harness.claims.assess import Assessment
from harness.claims.claim import Claim, read_claims
from harness.claims.judge import Verdict
from harness.claims.run import claims, with_given
from harness.statistics.bootstrap import Interval
from harness.statistics.family import Difference


def test_an_empty_folder_has_run_no_claim_and_every_command_is_there(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    found, faults = claims(tmp_path / "results")
    assert [each.claim for each in found] == read_claims()
    assert {each.verdict for each in found} == {"not run"}
    assert faults == []


def test_a_folder_that_is_not_there_is_no_folder_without_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    for wrong in ("typo", "file"):
        with pytest.raises(RecordError, match=f"there is no folder {wrong}: name the folder of the records"):
            claims(wrong)
    assert {each.verdict for each in claims()[0]} == {"not run"}  # nothing was run yet


def test_a_record_that_cannot_be_read_is_reported(put: Callable[..., StoredRecord], results: Store) -> None:
    put("bm25", {"q": 0.5}).place.record.write_text("{")
    assert len(claims(results.root)[1]) == 1


def test_a_claim_is_not_reproduced_without_what_it_presupposes() -> None:
    claim = Claim(id="b", paper="p", says="s.", plus=("bm25",), minus=("dense",), differs="d.", given="a")
    gain = Difference(0.1, Interval(0.05, 0.15), 0.001, 0.02)

    def assessed(verdict: Verdict) -> Assessment:
        return Assessment(claim, verdict, gain, (), {}, "")

    assert with_given(assessed("reproduced"), {"a": assessed("reproduced")}).verdict == "reproduced"
    assert with_given(assessed("opposite"), {"a": assessed("not run")}).verdict == "opposite"
    others: tuple[Verdict, ...] = ("opposite", "too small to tell", "not run")
    for before in others:
        found = with_given(assessed("reproduced"), {"a": assessed(before)})
        assert found.verdict == "too small to tell"
        assert f"presupposes a, which is {before}" in found.notes[-1]
