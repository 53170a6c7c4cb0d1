"""The plan of a board as jobs: shared work first, rows after what they need, ids by all that decides a result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.bench.board_jobs import BoardJobs
from harness.bench.plan import plan
from harness.bench.worker import ENCODE, ROW
from harness.data.dataset import Dataset
from harness.executors import Job
from harness.rows import parse_method
from harness.runtime.context import Context

Planned = Callable[..., dict[str, Job]]


@pytest.fixture
def planned(small: Dataset, small_folder: Path, context: Context) -> Planned:
    """`planned("bm25", …)`: label → job of these rows on the made-up collection."""

    def jobs(*rows: str, repetition: str = "", measures: tuple[str, ...] = ("nDCG@10",)) -> dict[str, Job]:
        methods = list(map(parse_method, rows))
        board = BoardJobs(plan(methods, ["small"], 50), context, methods, measures, 50, repetition)
        return {job.label.replace(small.name, "it"): job for job in board.jobs("small", small, methods)}

    return jobs


def test_what_rows_share_is_made_once_before_them(planned: Planned, tiny_encoder: Path) -> None:
    dense = f'dense(model="{tiny_encoder}")'
    trained = f'{dense}+supervised(budget="smoke")'
    jobs = planned(
        "bm25", dense, f"hybrid(methods=(bm25, {dense}))", f"bm25 >> {dense}", trained, f"bm25 >> ({trained})"
    )
    shared = [
        label.partition(" of ")[0]
        for label in jobs
        if " on " not in label.partition(" for ")[0] or label.startswith("train")
    ]
    assert [label.partition(" on ")[0] for label in shared] == [
        f"train {trained}",
        "encode documents 0–60",
        "encode documents 0–60",
    ]
    needs = {
        str(parse_method(job.given["method"])): [name.partition("/")[0] for name in job.after]
        for job in jobs.values()
        if job.call == ROW
    }
    assert needs == {
        "bm25": [],
        dense: ["encode"],
        str(parse_method(f"hybrid(methods=(bm25, {dense}))")): ["encode"],
        str(parse_method(f"bm25 >> {dense}")): ["encode"],
        trained: ["train", "encode"],
        str(parse_method(f"bm25 >> ({trained})")): ["train", "encode"],
    }


def test_what_is_one_rows_own_it_makes_itself(planned: Planned, tiny_encoder: Path) -> None:
    jobs = planned(
        "bm25", f'dense(model="{tiny_encoder}")', f'dense(model="{tiny_encoder}")+supervised(budget="smoke")'
    )
    assert all(job.call == ROW and not job.after for job in jobs.values())


def test_a_corpus_of_several_chunks_is_encoded_in_parts(
    planned: Planned, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.bench.corpus_parts.CHUNK", 25)
    monkeypatch.setattr("harness.models.encode_once.CHUNK", 25)
    jobs = planned(f'dense(model="{tiny_encoder}")')
    parts = [job.given["part"] for job in jobs.values() if job.call == ENCODE]
    assert [(part["start"], part["stop"], part["queries"]) for part in parts] == [
        (0, 25, True),
        (25, 50, False),
        (50, 60, False),
    ]
    assert len(next(job for job in jobs.values() if job.call == ROW).after) == 3


def test_rows_that_encode_candidates_with_one_model_follow_each_other(planned: Planned, tiny_encoder: Path) -> None:
    dense = f'dense(model="{tiny_encoder}")'
    first, second, other = planned(f"bm25 >> {dense}", f"bm25(k1=1.2) >> {dense}", "bm25").values()
    assert (first.after, second.after, other.after) == ((), (first.id,), ())


def test_an_id_is_decided_by_all_that_decides_the_result(planned: Planned) -> None:
    """An executor that stores outcomes by id would else return those of other code, models or measures."""

    def row_id(**settings: Any) -> str:
        (job,) = planned("bm25", **settings).values()
        return job.id

    assert row_id() == row_id()
    assert len({row_id(), row_id(measures=("R@100",)), row_id(repetition="again")}) == 3
