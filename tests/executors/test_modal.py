"""Modal as far as it goes without an account: what it is told, what passes through its function, what is done about
failures.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import modal
import pytest

from harness.base.errors import SettingError, Unavailable
from harness.executors import Job, Outcome, _modal_crew
from harness.executors import modal as place
from harness.executors._budget import Budget
from harness.executors._packed_job import packed_job
from harness.executors._requirements import requirements
from harness.executors.modal import Modal
from harness.runtime.context import Context

BEGUN: list[str] = []


def note(given: Mapping[str, Any], context: Context) -> dict[str, Any]:
    BEGUN.append(given["name"])
    if given.get("fail"):
        raise ValueError("as asked")
    if given.get("skip"):
        return {"skipped": "it is absent", "final": False}
    return {
        "name": given["name"],
        "seed": context.seed,
        "cache": str(context.cache.root),
        "data": [str(d) for d in context.data_dirs],
    }


def job(name: str, *after: str, **given: Any) -> Job:
    return Job(name, f"{__name__}:note", {"name": name, **given}, after=after)


def written(of: Job, context: Context, cache: str, data: str) -> str:
    return packed_job(json.dumps(dataclasses.asdict(of)), context, cache, data)


class Handle:
    """In place of a function of Modal's: fails as often as it should, then does the job here."""

    def __init__(self, *failures: Exception, seconds: float = 0.0) -> None:
        self.failures, self.seconds = list(failures), seconds
        self.at_once = self.most = 0
        self.lock = threading.Lock()

    def spawn(self, text: str) -> SimpleNamespace:
        return SimpleNamespace(get=lambda: self.answer(text), cancel=lambda: None)

    def answer(self, text: str) -> str:
        with self.lock:
            failure = self.failures.pop(0) if self.failures else None
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        try:
            time.sleep(self.seconds)
            if failure is not None:
                raise failure
            return place.work(text)
        finally:
            with self.lock:
                self.at_once -= 1


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    BEGUN.clear()
    monkeypatch.setattr(place, "CACHE", str(tmp_path / "volume"))
    monkeypatch.setattr(place, "DATA", str(tmp_path / "data"))
    monkeypatch.setattr(_modal_crew, "pause", lambda seconds: None)
    for name in ("MODAL_TOKEN_ID", "MODAL_TOKEN_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def through(context: Context) -> Callable[..., dict[str, Outcome]]:
    def one(handle: Handle, *jobs: Job, budget: Budget | None = None, **settings: Any) -> dict[str, Outcome]:
        executor = Modal(**settings)
        found = executor.through(handle, jobs, context, budget or Budget(None, None, executor.timeout))
        return {outcome.job.id: outcome for outcome in found}

    return one


def test_what_modal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}
    installed: list[str] = []
    function, pip = modal.App.function, modal.Image.pip_install

    def spy(self: Any, **settings: Any) -> Any:
        told.update(settings)
        return function(self, **settings)

    def spy_pip(self: Any, *packages: str, **more: Any) -> Any:
        installed.extend(packages)
        return pip(self, *packages, **more)

    monkeypatch.setattr(modal.App, "function", spy)
    monkeypatch.setattr(modal.Image, "pip_install", spy_pip)
    executor = Modal(gpu="T4", timeout=77, concurrency=3, secrets=("key",), cores=4, memory=1024, cache="c", data="d")
    app, handle = executor.defined(modal)
    assert isinstance(app, modal.App)
    assert isinstance(handle, modal.Function)
    assert (told["gpu"], told["timeout"], told["max_containers"], told["retries"]) == ("T4", 77, 3, 0)
    assert (told["cpu"], told["memory"], len(told["secrets"])) == (4, 1024, 1)
    assert set(told["volumes"]) == {place.CACHE, place.DATA}
    assert all(isinstance(volume, modal.Volume) for volume in told["volumes"].values())
    assert told["env"] == {"HARNESS_MODAL_CACHE": "c"}
    torch = importlib.metadata.version("torch").partition("+")[0]
    assert f"torch=={torch}" in installed
    assert any(line.startswith("sentence-transformers") for line in installed)
    assert f"modal=={importlib.metadata.version('modal')}" in installed
    installed.clear()
    Modal(gpu="", code="index", extras=("faiss",)).defined(modal)
    assert installed[0].startswith("retrieval-harness[faiss]==")
    assert told["gpu"] is None


def test_arguments_and_results_pass_through_the_function(context: Context, tmp_path: Path) -> None:
    _, function = Modal().defined(modal)
    text = written(job("a"), context.reseeded(5), str(tmp_path / "v"), str(tmp_path / "d"))
    with pytest.warns(UserWarning, match="will not have access to the mounted Volume"):
        answer = json.loads(function.local(text))
    assert answer["value"] == {"name": "a", "seed": 5, "cache": str(tmp_path / "v"), "data": [str(tmp_path / "d")]}
    assert answer["seconds"] >= 0
    with pytest.warns(UserWarning, match="mounted Volume"):
        failed = json.loads(function.local(written(job("b", fail=True), context, str(tmp_path / "v"), "d")))
    assert failed["error"] == "ValueError: as asked"


def test_a_second_attempt_finds_what_the_first_one_did(context: Context, tmp_path: Path) -> None:
    text = written(job("a"), context, str(tmp_path / "v"), "d")
    assert place.work(text) == place.work(text)
    assert BEGUN == ["a"]
    broken = written(job("b", fail=True), context, str(tmp_path / "v"), "d")
    place.work(broken)
    place.work(broken)
    absent = written(job("c", skip=True), context, str(tmp_path / "v"), "d")
    assert place.work(absent) != "" != place.work(absent)
    assert BEGUN == ["a", "b", "b", "c", "c"], "neither a failure nor a skip is kept"


def test_a_lost_container_is_begun_again_and_a_job_that_fails_is_not(
    through: Callable[..., dict[str, Outcome]],
) -> None:
    lost = [modal.exception.InternalFailure("gone"), modal.exception.ConnectionError("broken")]
    found = through(Handle(*lost), job("a"), retries=2)["a"]
    assert (found.error, found.attempts, found.value["name"], found.where) == (None, 3, "a", "modal")
    found = through(Handle(), job("b", fail=True), retries=2)["b"]
    assert (found.error, found.attempts) == ("ValueError: as asked", 1)
    found = through(Handle(*lost, *lost), job("c"), retries=1)["c"]
    why = "its worker was lost 2 times, the last time modal (ConnectionError: broken)"
    assert (found.error, found.attempts) == (why, 2)


def test_a_timeout_is_not_tried_again(through: Callable[..., dict[str, Outcome]]) -> None:
    found = through(Handle(modal.exception.FunctionTimeoutError("too long")), job("a"), retries=5)["a"]
    assert (found.error, found.attempts) == ("FunctionTimeoutError: too long", 1)


def test_jobs_wait_for_those_they_come_after(through: Callable[..., dict[str, Outcome]]) -> None:
    found = through(Handle(), job("a"), job("b", "a"), job("x", fail=True), job("y", "x"), job("z", "y"))
    assert BEGUN.index("a") < BEGUN.index("b")
    assert found["b"].error is None
    assert found["y"].error == "not tried: x failed"
    assert found["z"].error == "not tried: y failed"
    assert found["z"].attempts == 0


def test_so_many_at_a_time(through: Callable[..., dict[str, Outcome]]) -> None:
    handle = Handle(seconds=0.05)
    found = through(handle, *(job(f"j{i}") for i in range(6)), concurrency=2)
    assert all(outcome.error is None for outcome in found.values())
    assert handle.most == 2


def test_no_job_begins_that_might_pass_the_cap(through: Callable[..., dict[str, Outcome]]) -> None:
    # 3,600 dollars an hour is a dollar a second; each may take 10 s, and takes next to nothing
    budget = Budget(3600.0, 15.0, 10.0)
    handle = Handle(seconds=0.02)
    found = through(handle, *(job(f"j{i}") for i in range(4)), concurrency=4, cap=15.0, budget=budget)
    assert all(outcome.error is None for outcome in found.values())
    assert handle.most == 1, "two at their most would be over"
    assert 0.08 <= budget.spent < 5
    tight = Budget(3600.0, 9.0, 10.0)
    found = through(Handle(), job("k"), cap=9.0, budget=tight)
    assert found["k"].error == "not begun: it might pass the cap of 9 dollars, of which 0.00 are spent"
    assert found["k"].attempts == 0


def test_what_it_costs() -> None:
    assert Modal(gpu="T4").dollars(3600) == pytest.approx(0.5904)
    assert Modal(gpu="H100:2").dollars(1800) == pytest.approx(3.9492)
    assert Modal(gpu="new").dollars(1) is None
    assert Modal(gpu="new", dollars_per_hour=2.0).dollars(1800) == 1.0


def test_all_of_it_with_a_client_that_is_made_up(
    context: Context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    class App:
        def __init__(self, name: str) -> None:
            seen.append(name)

        def function(self, **settings: Any) -> Callable[[Any], Handle]:
            return lambda work: Handle()

        @contextlib.contextmanager
        def run(self) -> Iterator[None]:
            seen.append("runs")
            yield
            seen.append("ends")

    real = {name: getattr(modal, name) for name in ("Image", "Volume", "Secret", "exception", "is_local")}
    monkeypatch.setattr(place, "library", lambda name, extra: SimpleNamespace(App=App, **real))
    outcomes = list(Modal(gpu="T4", cap=100.0).map([job("b", "a"), job("a")], context))
    assert [outcome.job.id for outcome in outcomes] == ["a", "b"]
    assert seen == ["retrieval-harness", "runs", "ends"]
    assert "2 jobs of up to 3600 s on T4, 1.18 dollars at most" in caplog.text
    assert "no more than 100 dollars are spent" in caplog.text


def test_without_a_token_the_remedy_is_told(context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("modal.config.user_config_path", str(tmp_path / "none.toml"))
    with pytest.raises(Unavailable, match=r"Token missing.*`modal token new` makes a token; or set MODAL_TOKEN_ID"):
        list(Modal().map([job("a")], context))
    assert list(Modal().map([], context)) == []


def test_a_cap_without_a_price_and_jobs_that_wait_for_each_other_are_refused(context: Context) -> None:
    with pytest.raises(SettingError, match="set dollars_per_hour"):
        list(Modal(gpu="new", cap=1.0).map([job("a")], context))
    with pytest.raises(SettingError, match="wait for each other"):
        list(Modal().map([job("a", "b"), job("b", "a")], context))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"timeout": 0}, "timeout"),
        ({"retries": -1}, "retries"),
        ({"cap": 0}, "cap"),
        ({"code": "git"}, "code"),
        ({"cores": 0}, "cores"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=f"modal: {told} must be"):
        Modal(**settings)


def test_requirements_are_pinned_to_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "torch>=2.6",
        "sentence-transformers[train]>=6.2",
        'matplotlib>=3 ; extra == "plots"',
        'none-such>1; extra == "gone"',
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: lines)
    known = SimpleNamespace(get_all=lambda name: ["plots", "gone"])
    monkeypatch.setattr(importlib.metadata, "metadata", lambda name: known)
    torch = importlib.metadata.version("torch").partition("+")[0]
    encoders = f"sentence-transformers[train]=={importlib.metadata.version('sentence-transformers')}"
    assert requirements() == [f"torch=={torch}", encoders]
    assert requirements(("plots",))[2].startswith("matplotlib==")
    with pytest.raises(Unavailable, match=r'none-such is not installed here. pip install "retrieval-harness\[gone\]"'):
        requirements(("gone",))
    with pytest.raises(SettingError, match="has no extra 'new'; it has gone, plots"):
        requirements(("new",))


def test_without_the_client_the_remedy_is_told(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "modal", None)
    with pytest.raises(Unavailable, match=r"modal is not installed.*retrieval-harness\[modal\]"):
        list(Modal().map([job("a")], context))


def test_running_calls_are_cancelled_when_the_caller_stops(context: Context) -> None:
    cancelled = threading.Event()

    class Slow(Handle):
        def spawn(self, text: str) -> SimpleNamespace:
            if "quick" in text:
                return super().spawn(text)
            return SimpleNamespace(get=lambda: cancelled.wait(30) and "", cancel=cancelled.set)

    outcomes = Modal().through(Slow(), [job("slow"), job("quick")], context, Budget(None, None, 3600))
    assert next(outcomes).job.id == "quick"
    assert not cancelled.is_set()
    outcomes.close()  # type: ignore[attr-defined]
    assert cancelled.is_set()


def test_attempts_after_lost_calls_wait_longer_each_time(
    through: Callable[..., dict[str, Outcome]], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(_modal_crew, "pause", waited.append)
    lost = [modal.exception.InternalFailure("gone")] * 6
    assert through(Handle(*lost), job("a"), retries=6, concurrency=1)["a"].attempts == 7
    assert waited == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    waited.clear()
    through(Handle(), job("b"))
    assert waited == []
