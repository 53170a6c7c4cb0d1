"""`harness doctor` as a command."""

import json
from pathlib import Path

import pytest

from harness.cli import doctor_report
from harness.cli.doctor_libraries import Check


def test_its_status_says_whether_everything_works(harness_command, monkeypatch: pytest.MonkeyPatch) -> None:
    def of(state: str):
        return lambda *_: [Check("disk", "cache", state, "somewhere", "make room")]  # type: ignore[arg-type]

    monkeypatch.setattr(doctor_report, "checks", of("ok"))
    said = harness_command("doctor", "--format", "json")
    assert (said.status, said.err) == (0, "")
    assert json.loads(said.out)["tables"][0]["rows"] == [
        {"name": "cache", "state": "ok", "value": "somewhere", "advice": "make room"}
    ]
    monkeypatch.setattr(doctor_report, "checks", of("fails"))
    said = harness_command("doctor")
    assert said.status == 1
    assert said.out.startswith("1 thing does not work: cache.")


def test_completion_is_click_s_own(harness_command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "--install-completion" in harness_command("--help").out
