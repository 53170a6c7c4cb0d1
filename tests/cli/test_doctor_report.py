"""`harness doctor`: everything it looks at has a state, and what is wrong or slow has advice."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from harness.cli import doctor_report
from harness.cli.doctor_libraries import Check
from harness.cli.doctor_report import checks, shown


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Check]:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "no data"))
    monkeypatch.setenv("HARNESS_KEY", "secret-1234")
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval: 90.0)
    return {check.name: check for check in checks([], tmp_path / "cache", tmp_path / "results")}


def test_it_looks_at_everything_and_says_what_to_do(found: dict[str, Check], tmp_path: Path) -> None:
    groups = ["machine", "libraries", "engines", "disk", "data", "environment"]
    assert list(dict.fromkeys(check.group for check in found.values())) == groups
    assert found["torch"].state == "ok"
    assert (found["processor"].state, found["cache"].state) == ("slow", "ok")
    assert found[str(tmp_path / "no data")].state == "fails"
    assert found["HARNESS_KEY"].value == "set"
    assert not (tmp_path / "cache").exists()
    for check in found.values():
        assert check.state in ("ok", "absent") or check.advice, check


def test_a_folder_that_cannot_be_written_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(folder: Path) -> float:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor_report, "_written_per_second", refused)
    disk = {check.name: check for check in doctor_report._disk(tmp_path, tmp_path)}
    assert (disk["cache"].state, disk["cache"].advice) == ("fails", "Name another with --cache-dir or HARNESS_CACHE")


def test_the_verdict_names_what_fails_and_what_is_slow() -> None:
    all_well = [Check("machine", "m", "ok", "")]
    assert shown(all_well).sentences == ["Everything that is needed works."]
    bad = [*all_well, Check("disk", "cache", "fails", "full", "make room"), Check("engines", "torch", "slow", "x")]
    verdict, *_ = shown([*bad, Check("libraries", "ray", "absent", "")]).sentences
    assert verdict == "1 thing does not work: cache; 1 may be slow: torch; 1 optional library is not installed."


@pytest.mark.parametrize("inside", ["", "results"])
def test_a_file_is_no_folder_for_the_cache_or_for_results(inside: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    found = [*doctor_report._disk(file / inside, file / inside)]
    assert [(check.name, check.state, check.value) for check in found] == [
        (name, "fails", f"{file} is a file, not a folder") for name in ("cache", "results")
    ]
    assert [check.advice for check in found] == [
        "Name another with --cache-dir or HARNESS_CACHE", "Name another with --results"
    ]  # fmt: skip
