"""`harness run`, `leaderboard` and `list`: what they write and print; how commands are called is in `test_app.py`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.analyzers import ANALYZERS
from harness.fusions import FUSIONS
from harness.indexes import INDEXES
from harness.methods import METHODS
from harness.rows import DEFAULT_ROWS


def test_a_run_writes_record_run_values_and_leaderboard(harness_command, small_folder: Path, tmp_path: Path) -> None:
    said = harness_command("run", "-d", "./small", "-m", "bm25", "-m", "bm25(b=0)")
    results = tmp_path / "results"
    assert sorted(f.name for f in (next(results.glob("folder-small-test-*")) / "bm25").iterdir()) == [
        "seed0.json",
        "seed0.queries.json",
        "seed0.run.gz",
        "seed0.tops.gz",
    ]
    assert "`bm25(b=0)`" in (results / "leaderboard.md").read_text()
    assert "bm25(b=0)" in said.out


def test_a_run_shows_its_own_rows_and_the_leaderboard_holds_all(
    harness_command, small_folder: Path, tmp_path: Path
) -> None:
    harness_command("run", "-d", small_folder, "-m", "bm25(k1=2)")
    said = harness_command("run", "-d", small_folder, "-m", "bm25")
    assert "bm25(k1=2)" not in said.out
    assert "`bm25(k1=2)`" in (tmp_path / "results" / "leaderboard.md").read_text()


def test_leaderboard_regenerates_its_files_byte_for_byte(harness_command, small_folder: Path, tmp_path: Path) -> None:
    harness_command("run", "-d", small_folder, "-m", "bm25", "-m", "bm25(b=0)", "-m", "run/nowhere")
    files = [tmp_path / "results" / f"leaderboard.{ending}" for ending in ("md", "csv", "html", "tex")]
    before = [f.read_bytes() for f in files]
    for file in files:
        file.unlink()
    said = harness_command("leaderboard")
    assert said.status == 0
    assert [f.read_bytes() for f in files] == before
    assert "wrote results/leaderboard.md, .csv, .html and .tex" in said.out


def test_leaderboard_names_a_broken_record_shows_the_others_and_ends_with_1(
    harness_command, small_folder: Path, tmp_path: Path
) -> None:
    harness_command("run", "-d", "./small", "-m", "bm25", "-m", "bm25(b=0)")
    (next((tmp_path / "results").glob("folder-small-test-*")) / "bm25" / "seed0.json").write_text("{")
    said = harness_command("leaderboard")
    assert said.status == 1
    assert "bm25(b=0)" in said.out
    (line,) = said.err.strip().splitlines()
    assert re.match(r"left out of the board: results/folder-small-test-[0-9a-f]{8}/bm25/seed0\.json is not JSON", line)


def test_leaderboard_quiet_says_only_what_is_broken(harness_command, small_folder: Path, tmp_path: Path) -> None:
    harness_command("run", "-d", "./small", "-m", "bm25")
    said = harness_command("leaderboard", "-q")
    assert (said.status, said.out, said.err) == (0, "", "")
    (next((tmp_path / "results").glob("folder-small-test-*")) / "bm25" / "seed0.json").write_text("{")
    said = harness_command("leaderboard", "-q")
    assert (said.status, said.out) == (1, "")
    assert "is not JSON" in said.err


def test_leaderboard_draws_plots_where_they_are_asked_for(harness_command, small_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    harness_command("run", "-d", small_folder, "-m", "bm25")
    assert not (tmp_path / "results" / "plots").exists()
    said = harness_command("leaderboard", "--plots")
    assert said.status == 0
    assert "plots in results/plots" in said.out
    assert {p.suffix for p in (tmp_path / "results" / "plots").iterdir()} == {".svg", ".png"}


def test_leaderboard_of_an_empty_folder_is_fine(harness_command, tmp_path: Path) -> None:
    (tmp_path / "none yet").mkdir()
    said = harness_command("leaderboard", "--results", "none yet")
    assert said.status == 0
    assert "No records yet" in (tmp_path / "none yet" / "leaderboard.md").read_text()


def test_brackets_in_names_are_shown_as_they_are(harness_command, small_folder: Path, tmp_path: Path) -> None:
    small_folder.rename(tmp_path / "[bold]x[red]")
    said = harness_command("run", "-d", "./[bold]x[red]", "-m", "bm25", "-m", "run/[blue]y.trec", "--results", "[dim]r")
    assert "folder/[bold]x[red]/test" in said.out
    assert "leaderboard.html in [dim]r" in said.out
    assert "bm25 on folder/[bold]x[red]/test: nDCG@10" in said.err
    assert "there is no run file [blue]y.trec" in said.err


def test_list_names_everything_there_is_to_choose(harness_command, small_folder: Path) -> None:
    said = harness_command("list", "--data-dir", small_folder.parent)
    assert (said.status, said.err) == (0, "")
    lines = [line.split() for line in said.out.splitlines()]
    named = {words[0] for words in lines if words}
    for room in (METHODS, FUSIONS, ANALYZERS, INDEXES):
        assert set(room.names()) <= named
    assert set(DEFAULT_ROWS) <= named
    assert {"beir", "folder", "stdlib", "stdlib/code", "beir/small"} <= named


@pytest.mark.parametrize(
    ("kind", "there", "not_there"),
    [
        ("rows", "hybrid-convex", "cross_encoder "),
        ("methods", "cross_encoder", "hybrid-convex"),
        ("fusions", "rrf", "bm25"),
        ("feedback", "rm3", "rrf"),
        ("analyzers", "english", "rrf"),
        ("indexes", "exact", "rrf"),
        ("engines", "openvino", "rrf"),
        ("datasets", "stdlib/code", "rrf"),
    ],
)
def test_list_of_one_kind_lists_that_kind_alone(kind: str, there: str, not_there: str, harness_command) -> None:
    said = harness_command("list", kind)
    assert there in said.out
    assert not_there not in said.out


def test_list_tells_a_word_about_each_method(harness_command) -> None:
    said = harness_command("list", "methods")
    for line in filter(None, said.out.splitlines()[1:]):
        assert len(line.split()) > 3, line


def test_a_results_folder_that_is_not_there_is_told(harness_command, tmp_path: Path) -> None:
    said = harness_command("leaderboard", "--results", tmp_path / "typo")
    assert said.status == 2
    assert "there is no folder" in said.err
    assert not (tmp_path / "typo").exists()


def test_a_named_row_has_its_name_on_the_board_and_keeps_it(
    harness_command, small_folder: Path, tmp_path: Path
) -> None:
    said = harness_command("run", "-d", "./small", "-m", "bm25", "-m", "mine=bm25(b=0)")
    assert "mine on folder/small/test" in said.err
    assert re.search(r"^mine +0\.", said.out, re.MULTILINE)
    results = tmp_path / "results"
    assert "`mine` is `bm25(b=0)`" in (results / "leaderboard.md").read_text()
    assert re.search(r"test,mine,bm25\(b=0\),0,ok", (results / "leaderboard.csv").read_text())
    identity = {p: p.read_text() for p in results.glob("*/bm25-b-0*/seed0.json")}
    assert "up to date" in harness_command("run", "-d", "./small", "-m", "bm25(b=0)").err
    assert {p: p.read_text() for p in identity} == identity
    (tmp_path / "rows.toml").write_text('[rows]\nother = "bm25(b=0)"\n')
    said = harness_command("run", "-d", "./small", "-m", "other", "--rows", "rows.toml")
    assert "other on folder/small/test" in said.err
    assert "up to date" in said.err
    assert "`other` is `bm25(b=0)`" in (results / "leaderboard.md").read_text()
    harness_command("run", "-d", "./small", "-m", "bm25(b=0)", "--rerun")
    assert "`other` is `bm25(b=0)`" in (results / "leaderboard.md").read_text()
