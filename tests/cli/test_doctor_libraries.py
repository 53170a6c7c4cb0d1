"""Libraries: installed with their versions, or absent with what installs them."""

from __future__ import annotations

import importlib.metadata

import pytest

from harness.cli.doctor_libraries import Check, libraries, shortened


def test_required_libraries_that_are_missing_fail_and_optional_ones_are_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    optional = ['nowhere-2>=1; extra == "plots"', 'ruff; extra == "dev"', 'numpy; extra == "x"']
    requires = ["numpy>=2", "nowhere-1>=3", *optional]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: requires)
    found = {check.name: check for check in libraries()}
    assert list(found) == ["numpy", "nowhere-1", "nowhere-2"]
    assert found["numpy"].value.startswith(importlib.metadata.version("numpy"))
    assert (found["nowhere-1"].state, found["nowhere-1"].advice) == ("fails", "pip install 'nowhere-1'")
    assert (found["nowhere-2"].state, found["nowhere-2"].advice) == (
        "absent",
        "pip install 'retrieval-harness[plots]'",
    )


def test_what_is_as_it_should_be_is_one_line() -> None:
    others = [Check("libraries", name, "ok", "1.0") for name in ("a", "torch", "b")]
    absent, disk = Check("libraries", "c", "absent", ""), Check("disk", "d", "ok", "")
    checks = [Check("machine", "m", "ok", ""), *others, absent, disk]
    assert [check.name for check in shortened(checks)] == ["m", "torch", "c", "2 others", "d"]
