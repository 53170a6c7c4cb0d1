from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.base.threads import cores
from harness.executors import Job
from harness.executors.processes import Processes
from harness.runtime.context import Context


def test_each_worker_computes_with_its_share_of_the_cores(
    job_module: str, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    (told,) = Processes(workers=2).map([Job("a", f"{job_module}:threads")], context)
    assert told.value == str(max(1, cores() // 2))
    assert "OMP_NUM_THREADS" not in os.environ


def test_what_the_user_says_of_threads_stands(
    job_module: str, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    (told,) = Processes(workers=1).map([Job("a", f"{job_module}:threads")], context)
    assert told.value == "7"


@pytest.mark.parametrize("setting", [{"workers": 0}, {"tries": 0}])
def test_settings_out_of_range_are_refused(setting: dict[str, int]) -> None:
    with pytest.raises(SettingError, match="must be 1 or more"):
        Processes(**setting)


def test_no_secret_is_told_and_the_rest_comes_through(
    context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from harness.executors._setup import Setup

    monkeypatch.setenv("HF_TOKEN", "hf_abc")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    text = Setup.of(context).to_json()
    assert "hf_abc" not in text
    assert Setup.from_json(text) == Setup.of(context)
    assert Setup.from_json(text).environment["HF_HOME"] == str(tmp_path)
