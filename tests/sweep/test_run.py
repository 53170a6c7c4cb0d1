"""Sweeps on the made-up collection, end to end: chosen on dev alone, test asked once, resumed after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.api import sweep
from harness.base.errors import NoScores, RecordError
from harness.bench.store import Store
from harness.cache.folders import Cache
from harness.executors import Executor, Job, Outcome
from harness.executors.local import Local
from harness.methods import Method
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.sweep.run import FinishedSweep, plan

TEXT = """
dataset = "{folder}"
baseline = ["bm25", 'dense(model="{model}")']
seeds = {seeds}

[[grid]]
row = 'dense(model="{model}")'
recipe = "frozen_head"
budget = "smoke"
queries = [8, "all"]
learning_rate = [1e-3, 1e-2]
"""
ASKED: list[Job] = []
SPLIT = ("mean", "values")


@dataclass(frozen=True)
class Tilted(Executor):
    """Local, but that rows with some text in them give on dev what this says, whatever test says."""

    text: str = "no row"
    mean: float = 1.0

    def map(self, jobs: Sequence[Job], context: Context) -> Iterator[Outcome]:
        ASKED.extend(jobs)
        for outcome in Local().map(jobs, context):
            value = outcome.value
            if self.text in outcome.job.given["method"] and outcome.job.call.endswith(":dev"):
                value = {**value, "mean": self.mean, "values": dict.fromkeys(value["values"], self.mean)}
            yield Outcome(outcome.job, value, outcome.error, outcome.seconds)


@pytest.fixture
def written(tmp_path: Path, small_folder: Path, tiny_encoder: Path) -> Callable[..., Path]:
    def one(more: str = "", first: str = "", seeds: int = 2) -> Path:
        path = tmp_path / "trial.toml"
        text = TEXT.format(folder=small_folder, model=tiny_encoder, seeds=seeds)
        path.write_text(first + text + more, encoding="utf-8")
        return path

    return one


@pytest.fixture
def swept(written: Callable[..., Path], tmp_path: Path, context: Context) -> Callable[..., FinishedSweep]:
    """`swept(executor, more, first)`: the sweep; each in a context of its own, with one cache."""

    def one(executor: Executor | None = None, more: str = "", first: str = "", seeds: int = 2) -> FinishedSweep:
        ASKED.clear()
        here = Context(cache=Cache(context.cache.root))
        (found,) = sweep(written(more, first, seeds), executor or Tilted(), tmp_path / "results", here)
        return found

    return one


def on_test() -> list[Method]:
    return [parse_method(job.given["method"]) for job in ASKED if job.call.endswith(":row")]


def test_a_sweep_from_end_to_end_and_again(swept: Callable[..., FinishedSweep], tmp_path: Path) -> None:
    found = swept().found
    assert len(found.whole) == 4
    assert found.chosen is not None
    assert found.chosen.mean == max(one.mean for one in found.tried)
    assert [one.size for one in found.tried if one.config == found.chosen.config].count(24) == 1
    assert found.tested is not None
    # test saw the chosen settings with few and with all training queries, and the baselines; each with its seeds
    rows = on_test()
    assert len(rows) == 6
    configs = {str(m).replace(", queries=8", "") for m in rows if "frozen_head" in str(m)}
    assert configs == {found.chosen.config.replace(", queries=8", "")}
    assert found.tested.curve is not None
    assert [spot.size for spot in found.tested.curve.spots] == [8, 24]
    assert len(found.tested.verdicts) == 2
    assert found.tested.scores.values.shape == (20, 2)
    assert found.tested.optimism is not None
    # the records are ordinary ones
    records, faults = Store(tmp_path / "results").all()
    assert not faults
    assert len(records) == 6
    assert {r.status for r in records} == {"ok"}
    first = next(r for r in records if r.row == found.chosen.row and r.seed == 0)
    assert first.measures["nDCG@10"] == found.tested.scores.records[0].measures["nDCG@10"]
    assert first.leaks["queries"] is not None
    # again: nothing is done twice, and the same is found
    again = swept()
    assert not ASKED
    assert again.found.chosen is not None
    assert again.found.chosen.row == found.chosen.row
    assert not again.failed
    assert (again.folder / "sweep.md").read_text().startswith("# Sweep trial on folder/")
    told = json.loads((again.folder / "sweep.json").read_text())
    assert told["test"]["mean"] == pytest.approx(found.tested.scores.mean)
    assert len((again.folder / "sweep.csv").read_text().splitlines()) == 1 + 8 + 2 + 2
    # what dev chose was asked of test once
    assert list(json.loads((again.folder / "reported.json").read_text())) == [found.chosen.method.full()]
    # dry run: all is done
    (parts,) = plan(tmp_path / "trial.toml", tmp_path / "results", Context(cache=Cache(tmp_path / "cache"))).values()
    assert [(part.cells, part.kept, part.left) for part in parts] == [(8, 8, 0.0)]


def test_dev_chooses_even_where_test_says_otherwise_and_a_second_choice_is_told_of(
    swept: Callable[..., FinishedSweep], tmp_path: Path
) -> None:
    chosen = []
    for rate in ("0.001", "0.01"):
        done = swept(Tilted(text=f"learning_rate={rate}", mean=0.99), seeds=1)
        assert done.found.chosen is not None
        chosen.append(done.found.chosen.row)
        assert f"learning_rate={rate}" in chosen[-1]
        assert all(f"learning_rate={rate}" in str(m) for m in on_test() if "frozen_head" in str(m))
        for cell in tmp_path.glob("results/sweeps/cells/*/*.json"):  # the outcomes of the other world would stand
            cell.unlink()
    assert chosen[0] != chosen[1]
    assert done.found.tested is not None
    assert len(done.found.tested.looked) == 2
    told = (done.folder / "sweep.md").read_text()
    name = done.found.names(chosen[0])
    assert f"This sweep was evaluated on test 2 times: it also chose `{name}`, among other settings or" in told
    (done.folder / "reported.json").write_text("no JSON")
    with pytest.raises(RecordError, match="which rows were reported on test"):
        swept(seeds=1)


def test_rows_that_fail_are_told_and_the_others_go_on(swept: Callable[..., FinishedSweep]) -> None:
    more = '\n[[grid]]\nrow = "dense(model=\'nobody/nothing\')"\nrecipe = "frozen_head"\nbudget = "smoke"\n'
    found = swept(more=more, seeds=1)
    assert not found.failed, "a skip is no failure"
    assert [one.skipped for one in found.found.tried] == [False] * 4 + [True]
    name = found.found.names('dense(model="nobody/nothing")+frozen_head(budget="smoke")')
    assert name == "dense+frozen_head model=nobody/nothing"
    assert f"`{name}` has no scores: " in (found.folder / "sweep.md").read_text()


def test_halving_takes_the_better_half_up_and_fills_the_curve_of_the_chosen(
    swept: Callable[..., FinishedSweep],
) -> None:
    found = swept(Tilted(text="learning_rate=0.01", mean=0.5), first='search = "halving(keep=0.5)"\n', seeds=1).found
    dev = [job for job in ASKED if job.call.endswith(":dev") and "frozen_head" in job.given["method"]]
    assert len(dev) == 2 + 1
    assert found.chosen is not None
    assert len({one.size for one in found.tried if one.config == found.chosen.config}) == 2


def test_optuna_draws_and_the_chosen_has_its_curve(swept: Callable[..., FinishedSweep]) -> None:
    pytest.importorskip("optuna")
    found = swept(first='search = "optuna(trials=2, batch=2)"\n', seeds=1).found
    assert found.chosen is not None
    assert found.tested is not None
    assert found.tested.curve is not None
    assert [spot.size for spot in found.tested.curve.spots] == [8, 24]


def test_where_no_row_gives_figures_it_says_why(
    swept: Callable[..., FinishedSweep], written: Callable[..., Path], tmp_path: Path
) -> None:
    path = written()
    text = path.read_text()
    path.write_text(
        text[: text.index("[[grid]]")] + '[[grid]]\nrow = "dense(model=\'no/model\')"\nrecipe = "frozen_head"\n'
    )
    with pytest.raises(NoScores, match=r"no row of trial.toml has scores on dev .*cannot be reached") as told:
        sweep(path, results=tmp_path / "results", context=Context(cache=Cache(tmp_path / "cache")))
    assert told.value.skipped


def test_a_killed_sweep_goes_on_where_it_was(written: Callable[..., Path], tmp_path: Path) -> None:
    path = written()
    command = [sys.executable, "-m", "harness", "sweep", str(path), "--results", str(tmp_path / "r"), "--quiet"]
    environment = {**os.environ, "HARNESS_CACHE": str(tmp_path / "killed-cache")}
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    give_up = time.monotonic() + 100
    cells: dict[Path, int] = {}
    while len(cells) < 5 and running.poll() is None and time.monotonic() < give_up:
        time.sleep(0.02)
        cells = {cell: cell.stat().st_mtime_ns for cell in (tmp_path / "r").glob("sweeps/cells/*/[!.]*.json")}
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert 5 <= len(cells) < 10, "killed in the middle"
    ASKED.clear()
    there = Context(cache=Cache(tmp_path / "killed-cache"))
    (resumed,) = sweep(path, Tilted(), tmp_path / "r", there)
    asked = [job for job in ASKED if job.call.endswith(":dev")]
    assert 10 - len(cells) - len(asked) in (0, 1), "one may have been written while it died"
    assert all(cell.stat().st_mtime_ns == written_at for cell, written_at in cells.items())
    (whole,) = sweep(path, Tilted(), tmp_path / "w", Context(cache=Cache(tmp_path / "other-cache")))
    one, other = ({t.row: t.values.tolist() for t in s.found.tried} for s in (resumed, whole))
    assert one == other


def test_the_command_says_what_it_will_take_and_what_it_found(
    written: Callable[..., Path], harness_command: Callable[..., Any]
) -> None:
    path = written(seeds=1)
    dry = harness_command("sweep", path, "--dry-run")
    assert dry.status == 0
    assert "not known until one is done" in dry.out
    assert not Path("results").exists()
    said = harness_command("sweep", path, "--executor", "local")
    assert said.status == 0, said.err
    assert "Chosen on dev: dense+frozen_head " in said.out
    assert "Gain over " in said.out
    assert "seed 0: 0." in said.err
    assert Path("results/leaderboard.md").is_file()
    wrong = harness_command("sweep", path, "--executor", "locla")
    assert wrong.status == 2
    assert "did you mean 'local'" in wrong.err
