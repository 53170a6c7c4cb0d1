"""`pytest suites/ --benchmark -k indexes`."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest


def run(suites: Any, *options: object) -> Any:
    return suites("--benchmark", *options, file="test_indexes.py")


@pytest.fixture
def encoder(tiny_encoder: Path) -> str:
    return f'dense(model="{tiny_encoder}")'


def table(folder: Path) -> dict[tuple[str, str], dict[str, str]]:
    with open(folder / "indexes.csv", encoding="utf-8", newline="") as file:
        return {(line["dataset"], line["index"]): line for line in csv.DictReader(file)}


def test_indexes_are_held_against_exact_search_printed_and_kept(
    suites: Any, small_folder: Path, encoder: str, tmp_path: Path
) -> None:
    options = ("--dataset", "./small", "--encoder", encoder, "--index", "exact", "--index", "int8")
    outcome = run(suites, *options, "--index", "binary(rescore=60)")
    assert outcome.counts() == {"passed": 3}, outcome.out
    assert "indexes against exact search" in outcome.out
    assert "60 vectors of 32 dimensions" in outcome.out
    assert "binary(rescore=60)" in outcome.out
    lines = table(tmp_path / "results")
    assert {index for _, index in lines} == {"exact", "int8", "binary(rescore=60)"}
    for line in lines.values():
        assert (line["recall_10"], line["recall_100"], line["lost"]) == ("1.0", "1.0", "0.0")
        assert (line["vectors"], line["dimensions"]) == ("60", "32")
    assert len({line["ndcg"] for line in lines.values()}) == 1


def test_made_vectors_need_no_dataset_and_nothing_is_judged(suites: Any, tmp_path: Path) -> None:
    outcome = run(suites, "--synthetic", 500, "--index", "int8", "--index", "exact")
    assert outcome.counts() == {"passed": 2}, outcome.out
    lines = table(tmp_path / "results")
    assert set(lines) == {("synthetic/500", "int8"), ("synthetic/500", "exact")}
    assert all(line["ndcg"] == line["lost"] == "" for line in lines.values())
    assert float(lines["synthetic/500", "int8"]["recall_10"]) > 0.95


def test_an_index_whose_library_is_absent_is_skipped_by_name(suites: Any, tmp_path: Path) -> None:
    (tmp_path / "faiss.py").write_text("raise ModuleNotFoundError('no', name='faiss')\n", encoding="utf-8")
    outcome = run(suites, "--synthetic", 50, "--index", "hnsw", "--index", "exact", "-rs")
    assert outcome.counts() == {"passed": 1, "skipped": 1}, outcome.out
    assert "faiss is not installed" in outcome.out


def test_an_index_that_finds_less_than_half_fails(suites: Any) -> None:
    pytest.importorskip("faiss")
    outcome = run(suites, "--synthetic", 3000, "--index", "ivf_flat(nlist=200, nprobe=1)")
    assert outcome.counts() == {"failed": 1}, outcome.out
    assert "recall_100" in outcome.out


def test_a_row_without_vectors_is_refused(suites: Any, small_folder: Path) -> None:
    outcome = run(suites, "--dataset", "./small", "--encoder", "bm25", "--index", "exact")
    assert outcome.counts() == {"failed": 1}
    assert "--encoder bm25: it has no vectors; name a dense row" in outcome.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--index", "hsnw"), "hnsw"),
        (("--index", "int8(rescore=0)"), "rescore must be 1"),
        (("--synthetic", -1), "--synthetic"),
        (("--encoder", "dens"), "dense"),
    ],
)
def test_bad_options_are_told_before_the_first_step(suites: Any, options: tuple[object, ...], words: str) -> None:
    outcome = run(suites, *options)
    assert outcome.status == 4
    assert words in outcome.err + outcome.out
