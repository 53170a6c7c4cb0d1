"""Rows over folds, end to end: their records, by whatever runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import api
from harness.bench.record import Record
from harness.runtime.context import Context
from tests.conftest import Said

FEW = 'budget="smoke", choose="last"'


@pytest.fixture
def records(small_folder: Path, tiny_encoder: Path, tmp_path: Path, context: Context) -> Callable[..., list[Record]]:
    """Folds → the records of BM25, the fusion that is tuned on dev, and a trained encoder."""

    def one(folds: str, where: str = "results", **more: object) -> list[Record]:
        dense = f'dense(model="{tiny_encoder}")'
        rows = ["bm25", f"hybrid(methods=(bm25, {dense}), fusion=convex)", f"{dense}+supervised({FEW}, negatives=0)"]
        board = api.run(
            *rows,
            dataset=str(small_folder),
            folds=folds,
            results=tmp_path / where,
            context=context,
            measures=["nDCG@10"],
            **more,  # type: ignore[arg-type]
        )
        found = [result.record for result in board.results]
        assert [record.status for record in found] == ["ok"] * 3, [record.problem for record in found]
        return found

    return one


def test_records_say_how_the_folds_were_made_and_what_each_learnt(records: Callable[..., list[Record]]) -> None:
    bm25, fused, trained = records("3")
    for record in (bm25, fused, trained):
        assert record.dataset["name"].endswith("/small/folds-3")
        assert record.dataset["queries"] == 30
        about = record.dataset["folds"]
        assert (about["folds"], about["by"], about["groups"], about["queries"]) == (3, "documents", 10, [12, 9, 9])
        together = [query for group in about["together"] for query in group]
        assert len(together) == len(set(together)) == 30 - (10 - len(about["together"]))
        assert min(map(len, about["together"])) > 1
        assert [sum(three) for three in zip(about["queries"], about["train"], about["dev"], strict=True)] == [30] * 3
        assert any("3 folds by documents: 30 queries in 10 groups" in note for note in record.dataset["notes"])
        assert any("cut by documents" in note for note in record.dataset["notes"])
        assert record.leaks["documents"]["count"] == 0
        assert record.latency is not None
        assert "documents_per_second" not in record.throughput
    assert [record.supervision for record in (bm25, fused, trained)] == ["none", "dev labels", "train labels"]
    assert "folds" not in bm25.resolved
    assert fused.resolved["chosen_by"] == "dev nDCG@10"
    assert all(one["dev"] for one in fused.resolved["folds"])  # the weight is chosen for each fold by itself
    assert len(trained.resolved["folds"]) == len(trained.trainings) == 3
    assert trained.leaks["taught"]["queries"]["count"] == 0
    assert max(trained.dataset["folds"]["train"]) == trained.leaks["taught"]["texts"]["gold"]
    assert trained.size["parameters"] == fused.size["parameters"]  # of one system, not of three


def test_folds_by_queries_share_documents_and_the_record_counts_them(records: Callable[..., list[Record]]) -> None:
    _, _, trained = records("3-queries")
    assert trained.dataset["name"].endswith("/small/folds-3-queries")
    assert trained.leaks["documents"]["count"] > 20
    assert trained.leaks["taught"]["queries"]["count"] == 0


def test_a_worker_gives_the_same_scores(records: Callable[..., list[Record]]) -> None:
    here = records("3")
    there = records("3", "elsewhere", executor="processes(workers=1)")
    assert [(r.identity, r.measures, r.run_sha256) for r in there] == [
        (r.identity, r.measures, r.run_sha256) for r in here
    ]


def test_the_command_line_names_folds(harness_command: Callable[..., Said], small_folder: Path) -> None:
    plan = harness_command("run", "-d", small_folder, "-m", "bm25", "--folds", "5", "--plan")
    assert f"load {small_folder}/folds-5" in plan.out
    done = harness_command("run", "-d", small_folder, "-m", "bm25", "--folds", "5", "--measure", "nDCG@10")
    assert done.status == 0
    (path,) = Path("results").glob("*/bm25/seed0.json")
    assert json.loads(path.read_text())["dataset"]["folds"]["folds"] == 5
    few = harness_command("run", "-d", small_folder, "-m", "bm25", "--folds", "11")
    assert few.status == 2
    assert "its 30 queries are in 10 groups" in few.err
    assert harness_command("run", "-d", small_folder, "-m", "bm25", "--folds", "one").status == 2
