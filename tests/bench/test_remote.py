"""A board made elsewhere is the board made here, whatever is lost on the way."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness import api
from harness.base.errors import SettingError, Unavailable
from harness.bench.record import Record
from harness.bench.remote import RemoteBench
from harness.bench.runner import Bench, Result
from harness.bench.store import Store
from harness.cache.folders import Cache
from harness.executors import Executor, Job, Outcome
from harness.executors.local import Local
from harness.executors.processes import Processes
from harness.executors.ray import Ray
from harness.rows import parse_method, row_name
from harness.runtime.context import Context

MEASURES = ["nDCG@10", "R@100"]
SAME = (
    *(
        "row",
        "method",
        "identity",
        "dataset",
        "status",
        "seed",
        "depth",
        "supervision",
        "resolved",
        "measures",
        "size",
        "leaks",
    ),
    *("unjudged", "notes", "run_sha256"),
)
Make = Callable[..., Bench]


@dataclass(frozen=True)
class Recorded(Executor):
    """Does jobs here, and keeps them."""

    jobs: tuple[list[Job], ...] = ()

    @classmethod
    def name(cls) -> str:
        return "recorded"

    def map(self, jobs: Sequence[Job], context: Context) -> Iterator[Outcome]:
        for kept in self.jobs:
            kept.extend(jobs)
        yield from Local().map(jobs, context)


@pytest.fixture
def make(tmp_path: Path, small_folder: Path) -> Make:
    """`make("bm25", …, executor=…)`: a bench over the made-up collection; with an executor, elsewhere."""

    def one(
        *rows: str, name: str, cache: str = "", executor: Executor | None = None, seed: int = 0, **settings: Any
    ) -> Bench:
        context = Context(seed=seed, cache=Cache(tmp_path / (cache or f"cache-{name}")), batch_tokens=64)
        given = (list(map(parse_method, rows)), [str(small_folder)], context, Store(tmp_path / name), MEASURES, 50)
        return Bench(*given, **settings) if executor is None else RemoteBench(*given, executor=executor, **settings)

    return one


def ran(bench: Bench) -> list[Result]:
    return [bench.run(name, method) for name in bench.datasets for method in bench.methods]


def settled(value: Any) -> Any:
    """What a record tells, without the time that training took."""
    if isinstance(value, dict):
        return {k: settled(v) for k, v in value.items() if k not in ("seconds", "preparation")}
    return [settled(v) for v in value] if isinstance(value, (list, tuple)) else value


def differences(here: Sequence[Result], there: Sequence[Result]) -> list[tuple[str, str]]:
    pairs = zip(here, there, strict=True)
    return [
        (a.record.row, k)
        for a, b in pairs
        for k in SAME
        if settled(getattr(a.record, k)) != settled(getattr(b.record, k))
    ]


@pytest.fixture
def rows(tiny_encoder: Path) -> list[str]:
    dense = f'dense(model="{tiny_encoder}")'
    return [
        *(
            "bm25",
            dense,
            f'dense(model="{tiny_encoder}", dimensions=8)',
            f"hybrid(methods=(bm25, {dense}), fusion=convex)",
        ),
        *(f"bm25 >> {dense}", f'{dense}+supervised(budget="smoke")', f'bm25 >> ({dense}+supervised(budget="smoke"))'),
        'dense(model="no/such-model")',
    ]


def test_a_board_made_by_two_workers_is_the_board_made_here(
    make: Make, rows: list[str], ray_here: None, tmp_path: Path
) -> None:
    here = ran(make(*rows, name="here"))
    there = make(*rows, name="there", executor=Ray(workers=2))
    assert differences(here, found := ran(there)) == []
    assert [r.record.status for r in found] == ["ok"] * (len(rows) - 1) + ["skipped"]
    files = {path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("seed0.*")}
    assert files == {path.relative_to(tmp_path / "there") for path in (tmp_path / "there").rglob("seed0.*")}
    for path in files:
        if path.name in ("seed0.queries.json", "seed0.run.gz"):
            assert (tmp_path / "here" / path).read_bytes() == (tmp_path / "there" / path).read_bytes()
    assert all(
        r.record.provenance["executor"] == "ray(workers=2)" and r.record.provenance["attempts"] == 1 for r in found
    )
    again = make(*rows[:-1], name="there", executor=Ray(workers=2))
    assert all(result.kept for result in ran(again))
    assert not any(result.kept for result in ran(make("bm25", name="there", executor=Ray(workers=1), rerun=True)))


def kill_workers(began: Path, killed: list[int]) -> None:
    """Kills every worker of this process as soon as something begins."""
    until = time.monotonic() + 60
    while not began.exists() and time.monotonic() < until:
        time.sleep(0.005)
    for child in psutil.Process().children(recursive=True):
        told = " ".join(child.cmdline())
        if "ray::_Actor" in told or "spawn_main" in told:
            child.kill()
            killed.append(child.pid)


def test_workers_that_are_killed_while_they_encode_change_nothing(
    make: Make, rows: list[str], tmp_path: Path, ray_here: None, caplog: pytest.LogCaptureFixture
) -> None:
    here = ran(make(*rows[:3], name="here"))
    killed: list[int] = []
    there = make(*rows[:3], name="there", executor=Ray(workers=2))
    killer = threading.Thread(target=kill_workers, args=(tmp_path / "cache-there" / "embeddings", killed))
    killer.start()
    found = ran(there)
    killer.join()
    assert killed
    assert "it is started again" in caplog.text
    assert differences(here, found) == []


def test_two_boards_at_once_with_one_cache_are_the_board_made_here(make: Make, rows: list[str]) -> None:
    here = ran(make(*rows[1:3], name="here"))
    found: dict[str, list[Result]] = {}

    def one(name: str) -> None:
        found[name] = ran(make(*rows[1:3], name=name, cache="shared", executor=Processes(workers=1)))

    threads = [threading.Thread(target=one, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert differences(here, found["first"]) == differences(here, found["second"]) == []


# Which rows go to the executor


def test_rows_that_cost_money_or_that_no_text_names_are_made_here(
    make: Make, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    kept: list[Job] = []
    bench = make("bm25", 'api(model="text-embedding-3-small")', name="planned", executor=Recorded((kept,)))
    free, paid = ran(bench)
    assert [row_name(parse_method(job.given["method"])) for job in kept] == ["bm25"]
    assert (free.record.status, paid.record.status) == ("ok", "skipped")
    assert "executor" not in paid.record.provenance


def test_only_the_cells_that_are_asked_for_are_made(make: Make, small_folder: Path) -> None:
    kept: list[Job] = []
    bench = make(
        "bm25",
        "bm25(k1=2)",
        name="planned",
        executor=Recorded((kept,)),
        cells={(str(small_folder), parse_method("bm25"))},
    )
    assert bench.run(str(small_folder), parse_method("bm25")).record.status == "ok"
    assert [row_name(parse_method(job.given["method"])) for job in kept] == ["bm25"]


# What goes wrong


@dataclass(frozen=True)
class Failing(Executor):
    """Every job fails, or the place is not to be had."""

    there: bool = True

    @classmethod
    def name(cls) -> str:
        return "failing"

    def map(self, jobs: Sequence[Job], context: Context) -> Iterator[Outcome]:
        if not self.there:
            raise Unavailable("no cluster.", "Start one.")
        for job in jobs:
            yield Outcome(job, error="its worker was lost 3 times", attempts=3, where="somewhere")


def test_a_row_whose_job_failed_has_a_record_that_says_so(make: Make) -> None:
    bench = make("bm25", name="lost", executor=Failing())
    (result,) = ran(bench)
    assert (result.record.status, result.record.problem) == (
        "error",
        {"reason": "its worker was lost 3 times", "trace": ""},
    )
    assert result.record.provenance["attempts"] == 3
    (stored,), _ = bench.store.stored()
    assert stored.record == result.record


def test_a_place_that_is_not_to_be_had_is_no_skipped_row(make: Make) -> None:
    with pytest.raises(SettingError, match=r"failing\(there=False\): no cluster\. Start one\."):
        ran(make("bm25", name="lost", executor=Failing(there=False)))


@dataclass(frozen=True)
class Lacking(Executor):
    """Its workers lack what a row needs."""

    @classmethod
    def name(cls) -> str:
        return "lacking"

    def map(self, jobs: Sequence[Job], context: Context) -> Iterator[Outcome]:
        for outcome in Local().map(jobs, context):
            record = Record.from_json(outcome.value["record"], "there")
            problem = {"reason": "no model.", "remedy": "Get it."}
            skipped = dataclasses.replace(record, status="skipped", problem=problem, measures={})
            yield dataclasses.replace(outcome, value={"record": skipped.to_json(), "files": {}})


def test_figures_made_when_a_model_could_be_had_still_stand(make: Make) -> None:
    (made,) = ran(make("bm25", name="kept"))
    bench = make("bm25", name="kept", executor=Lacking(), rerun=True)
    (found,) = ran(bench)
    assert (found.record.status, found.kept) == ("skipped", True)
    (stored,), _ = bench.store.stored()
    assert stored.record == made.record
    (new,) = ran(make("bm25", name="new", executor=Lacking()))
    assert (new.record.status, new.kept) == ("skipped", False)


# The ways in


def test_from_python_an_executor_is_a_text_or_a_value(small_folder: Path, tmp_path: Path, context: Context) -> None:
    here = api.run("bm25", dataset=str(small_folder), results=tmp_path / "a", context=context)
    for executor in ("processes(workers=1)", Processes(workers=1)):
        there = api.run(
            "bm25", dataset=str(small_folder), results=tmp_path / "b", context=context, executor=executor, rerun=True
        )
        assert there.measures("bm25") == here.measures("bm25")
        assert there.results[0].record.provenance["executor"] == "processes(workers=1)"
    local = api.run(
        "bm25", dataset=str(small_folder), results=tmp_path / "b", context=context, executor="local", rerun=True
    )
    assert "executor" not in local.results[0].record.provenance


def test_the_command_takes_an_executor_and_tells_what_is_wrong_with_one(
    harness_command: Callable[..., Any], small_folder: Path, tmp_path: Path
) -> None:
    done = harness_command("run", "-d", small_folder, "-m", "bm25", "--executor", "processes(workers=1)")
    assert done.status == 0
    (path,) = (tmp_path / "results").glob("*/bm25/seed0.json")
    assert json.loads(path.read_text())["provenance"]["executor"] == "processes(workers=1)"
    wrong = harness_command("run", "-d", small_folder, "-m", "bm25", "--executor", "rya")
    assert wrong.status == 2
    assert "did you mean 'ray'" in wrong.err


def test_a_cluster_that_is_not_there_ends_the_command_and_skips_no_row(
    python: Callable[..., Any], small_folder: Path
) -> None:
    pytest.importorskip("ray")
    code = "import sys; from harness.cli.app import main; sys.argv[0] = 'harness'; main()"
    where = ("--executor", 'ray(address="127.0.0.1:1")')
    nowhere = python(code, "run", "-d", small_folder, "-m", "bm25", *where)
    assert nowhere.returncode == 2
    assert "no Ray cluster can be joined at 127.0.0.1:1" in nowhere.stderr


def test_what_is_told_of_a_row_is_the_executor_and_nothing_else_of_the_figures(make: Make) -> None:
    (here,), (there,) = ran(make("bm25", name="here")), ran(make("bm25", name="there", executor=Local()))
    told = set(there.record.provenance) - set(here.record.provenance)
    assert told == {"executor", "worker", "attempts"}
    assert dataclasses.replace(there.record, provenance={}).measures == here.record.measures
