"""The context that a command's parameters open."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness.base.errors import RecordError
from harness.cli.board import Leaderboard
from harness.cli.parameters import CacheFolder, Resources
from harness.cli.progress import CURRENT, Activity
from harness.cli.session import open_session, report_faults
from harness.report.screen import Screen


def test_declared_parameters_reach_the_context(tmp_path: Path) -> None:
    parameters = Resources(
        cache_dir=tmp_path / "cache", data_dir=[tmp_path], seed=3, device="cpu", batch_tokens=100, memory="1GB"
    )
    context = open_session(parameters).context
    assert (context.seed, context.device, context.batch_tokens) == (3, "cpu", 100)
    assert (context.cache.root, context.data_dirs) == (tmp_path / "cache", (tmp_path,))


def test_other_settings_have_their_defaults(tmp_path: Path) -> None:
    context = open_session(CacheFolder(cache_dir=tmp_path)).context
    assert (context.seed, context.device, context.batch_tokens, context.data_dirs) == (0, None, None, ())


def test_a_quiet_session_prints_nothing_but_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = open_session(Leaderboard(cache_dir=tmp_path, quiet=True))
    session.say(["a result"])
    report_faults([RecordError("seed0.json is\nnot JSON")])
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("left out of the board: seed0.json is")
    assert len(printed.err.splitlines()) == 1
    open_session(Leaderboard(cache_dir=tmp_path)).say(["a result"])
    assert capsys.readouterr().out == "a result\n"


def test_while_a_command_waits_for_people_it_is_not_said_to_be_busy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    activity = Activity(Screen(stderr=True), patience=0.01)
    activity.start()
    before = CURRENT.set(activity)
    try:
        open_session(CacheFolder(cache_dir=tmp_path)).wait_for_people()
        capsys.readouterr()
        time.sleep(0.2)
    finally:
        CURRENT.reset(before)
    assert capsys.readouterr().err == ""
