"""What holds for every file of the room."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import SettingError
from harness.cache.folders import Cache
from harness.choices.expression import parse
from harness.executors import EXECUTORS, Executor, Job
from harness.runtime.context import Context
from harness.runtime.progress import Advance

ROOMS = {EXECUTORS.package: EXECUTORS}
HERE = {"local": "local", "processes": "processes(workers=2)", "ray": "ray(workers=2)"}
"""What runs jobs on this machine, without an account anywhere."""


@pytest.fixture(params=EXECUTORS.names())
def executor(request: pytest.FixtureRequest) -> Executor:
    return EXECUTORS.get(request.param)()


def test_an_executor_is_a_frozen_value_that_needs_no_setting(executor: Executor) -> None:
    assert parse(str(executor), EXECUTORS, ROOMS) == executor
    assert parse(executor.full(), EXECUTORS, ROOMS) == executor
    assert json.loads(json.dumps(executor.settings())) == executor.settings()
    for field in dataclasses.fields(executor):  # type: ignore[arg-type]
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(executor, field.name, 1)


def test_it_says_in_one_line_what_it_is(executor: Executor) -> None:
    assert EXECUTORS.summary(executor.name())


@pytest.fixture(params=HERE)
def here(request: pytest.FixtureRequest) -> Executor:
    if request.param == "ray":
        request.getfixturevalue("ray_here")
    return parse(HERE[request.param], EXECUTORS, ROOMS)


@pytest.fixture(params=[name for name in HERE if name != "local"])
def elsewhere(request: pytest.FixtureRequest) -> Executor:
    """One whose workers can be lost."""
    if request.param == "ray":
        request.getfixturevalue("ray_here")
    return parse(HERE[request.param], EXECUTORS, ROOMS)


@pytest.fixture
def job(job_module: str) -> Callable[..., Job]:
    """`job("a", "echo", "b", word=1)`: job a, after b, of a function of `conftest.JOBS`."""

    def one(name: str, function: str, *after: str, **given: Any) -> Job:
        return Job(name, f"{job_module}:{function}", given, after=after)

    return one


def test_jobs_are_done_after_those_they_come_after_with_the_callers_context(
    here: Executor, job: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_DATA", "somewhere")
    context = Context(seed=3, cache=Cache(tmp_path / "c"), data_dirs=(tmp_path / "data",))
    jobs = [job("c", "echo", "b", word="c"), job("a", "echo", word="a"), job("b", "echo", "a", word="b")]
    outcomes = list(here.map(jobs, context))
    assert [o.job.id for o in outcomes] == ["a", "b", "c"]
    own = {
        "seed": 3,
        "cache": str(tmp_path / "c"),
        "data": [str(tmp_path / "data")],
        "at": str(tmp_path),
        "named": "somewhere",
    }
    assert [o.value for o in outcomes] == [{"word": word, **own} for word in "abc"]
    assert all(o.error is None and o.attempts == 1 and o.seconds >= 0 for o in outcomes)


def test_what_fails_by_itself_is_an_outcome_is_not_tried_again_and_takes_down_only_what_comes_after(
    here: Executor, job: Callable[..., Job], context: Context, tmp_path: Path
) -> None:
    jobs = [
        job("a", "fail", mark=str(tmp_path / "a")),
        job("b", "echo", "a", word=1),
        job("c", "echo", "b", word=1),
        job("d", "refuse"),
        job("e", "echo", word=1),
    ]
    outcomes = {o.job.id: o for o in here.map(jobs, context)}
    assert sorted(outcomes) == list("abcde")
    assert (outcomes["a"].error, outcomes["a"].attempts) == ("ValueError: as asked", 1)
    assert (tmp_path / "a").read_text() == "x"
    assert (outcomes["b"].error, outcomes["b"].attempts) == ("not tried: a failed", 0)
    assert (outcomes["c"].error, outcomes["c"].attempts) == ("not tried: b failed", 0)
    assert outcomes["d"].error == "not like this; like that."
    assert outcomes["e"].value["word"] == 1


def test_a_worker_that_is_killed_is_replaced_and_its_job_begun_again(
    elsewhere: Executor, job: Callable[..., Job], context: Context, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [
        job("once", "die", mark=str(tmp_path / "once"), times=1),
        job("next", "echo", "once", word=2),
        job("other", "echo", word=3),
    ]
    with caplog.at_level(logging.WARNING):
        outcomes = {o.job.id: o for o in elsewhere.map(jobs, context)}
    assert (outcomes["once"].value, outcomes["once"].attempts) == ("lived", 2)
    assert [outcomes[name].value["word"] for name in ("next", "other")] == [2, 3]
    assert "was lost with once" in caplog.text


def test_a_job_that_kills_every_worker_is_given_up_and_the_others_are_done(
    elsewhere: Executor, job: Callable[..., Job], context: Context, tmp_path: Path
) -> None:
    fatal = dataclasses.replace(elsewhere, tries=2)  # type: ignore[type-var]
    outcomes = {
        o.job.id: o
        for o in fatal.map([job("a", "die", mark=str(tmp_path / "a"), times=9), job("b", "echo", word=1)], context)
    }
    assert (outcomes["a"].value, outcomes["a"].attempts) == (None, 2)
    assert "lost 2 times" in str(outcomes["a"].error)
    assert outcomes["b"].value["word"] == 1


def test_what_a_worker_holds_serves_its_next_job_and_what_it_logs_is_told_here_once(
    elsewhere: Executor, job: Callable[..., Job], context: Context, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = dataclasses.replace(elsewhere, workers=1)  # type: ignore[type-var]
    with caplog.at_level(logging.WARNING):
        built = [
            o.value for o in one.map([job(str(i), "hold", mark=str(tmp_path / "built")) for i in range(3)], context)
        ]
    assert built == [1, 1, 1]
    assert (tmp_path / "built").read_text() == "x"
    assert [r.getMessage() for r in caplog.records].count("mind this") == 1


def test_it_shows_each_job_on_the_callers_bar(elsewhere: Executor, job: Callable[..., Job], tmp_path: Path) -> None:
    shown: list[Any] = []

    @contextmanager
    def bar(label: str, total: int, unit: str) -> Iterator[Advance]:
        shown.append((label, total, unit))
        yield lambda n=1, note=None: shown.append((n, note))

    context = Context(cache=Cache(tmp_path / "cache"), progress=bar)
    list(elsewhere.map([job("a", "echo", word=1)], context))
    assert shown == [("jobs", 1, "jobs"), (1, "a")]


def test_jobs_that_cannot_be_done_are_refused_before_any_is(
    here: Executor, job: Callable[..., Job], context: Context
) -> None:
    with pytest.raises(SettingError, match="names no function"):
        list(here.map([job("a", "no_such_function")], context))
    with pytest.raises(SettingError, match="two jobs are called 'a'"):
        list(here.map([job("a", "echo"), job("a", "echo")], context))
