"""What the commands do; how they are called is in `test_cli.py`."""

import json
import os
import re
import shutil
import time
from pathlib import Path

import pytest

from harness.analyzers import ANALYZERS
from harness.fusions import FUSIONS
from harness.indexes import INDEXES
from harness.methods import METHODS
from harness.rows import DEFAULT_ROWS

DAY = 86400


@pytest.fixture
def kept(harness_command, small_folder: Path, tmp_path: Path) -> Path:
    """The cache folder after one run of BM25: a corpus and an index; what was kept of leaks and pages is taken away again."""
    assert harness_command("run", "-d", small_folder, "-m", "bm25").status == 0
    for other in {path.name for path in (tmp_path / "cache").iterdir()} - {"corpora", "bm25", "locks", "hashes"}:
        shutil.rmtree(tmp_path / "cache" / other)
    return tmp_path / "cache"


# run and leaderboard


def test_a_run_writes_record_run_values_and_leaderboard(harness_command, small_folder: Path, tmp_path: Path) -> None:
    said = harness_command("run", "-d", "./small", "-m", "bm25", "-m", "bm25(b=0)")
    results = tmp_path / "results"
    assert sorted(f.name for f in (next(results.glob("folder-small-test-*")) / "bm25").iterdir()) == [
        "seed0.json",
        "seed0.queries.json",
        "seed0.run.gz",
    ]
    assert "`bm25(b=0)`" in (results / "leaderboard.md").read_text()
    assert "bm25(b=0)" in said.out


def test_a_run_shows_its_own_rows_and_the_leaderboard_holds_all(harness_command, small_folder: Path, tmp_path: Path) -> None:
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


# list


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
    for line in said.out.splitlines()[1:]:
        assert len(line.split()) > 3, line


# data


def test_data_check_of_a_sound_collection_is_0_and_counts(harness_command, small_folder: Path) -> None:
    said = harness_command("data", "check", small_folder)
    assert said.status == 0
    assert "usable" in said.out
    assert "60" in said.out


def test_data_check_of_a_broken_collection_is_1_and_lists_every_fault(harness_command, small_folder: Path) -> None:
    with open(small_folder / "corpus.jsonl", "a") as file:
        file.write("not json\n" + json.dumps({"_id": "d00", "title": "", "text": "again"}) + "\n")
    said = harness_command("data", "check", "./small")
    assert said.status == 1
    assert "not usable" in said.out
    assert "corpus.jsonl, line 61" in said.out
    assert "duplicate-document-id" in said.out


def test_data_fetch_of_what_is_here_says_where_and_fetches_nothing(
    harness_command, small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    said = harness_command("data", "fetch", "beir/small")
    assert said.status == 0
    assert said.out == f"beir/small is in {small_folder}\n"


def test_data_fetch_without_a_network_says_where_to_put_it_by_hand(harness_command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    said = harness_command("data", "fetch", "beir/scifact")
    assert said.status == 2
    assert "HARNESS_DATA" in said.err


# cache


def test_cache_ls_lists_what_is_kept_with_its_size_and_what_it_is_of(harness_command, kept: Path) -> None:
    said = harness_command("cache", "ls")
    assert said.status == 0
    assert "2 entries" in said.out
    assert str(kept) in said.out
    (index,) = (line for line in said.out.splitlines() if line.startswith("bm25"))
    assert next((kept / "bm25").iterdir()).name[:12] in index
    assert "0.0 d" in index


def test_cache_ls_of_an_empty_cache_is_fine(harness_command) -> None:
    assert "0 entries" in harness_command("cache", "ls").out


def test_cache_verify_is_0_where_all_is_sound(harness_command, kept: Path) -> None:
    said = harness_command("cache", "verify")
    assert said.status == 0
    assert "2 entries" in said.out
    assert "all sound" in said.out


def test_cache_verify_is_1_where_a_file_was_altered_and_names_it(harness_command, kept: Path) -> None:
    file = next((kept / "corpora").glob("*/corpus.arrow"))
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    said = harness_command("cache", "verify")
    assert said.status == 1
    assert f"{file} does not answer to its hash" in said.out
    assert "harness cache gc" in said.out


def test_cache_verify_reads_kept_vectors_too(harness_command, kept: Path, small_folder: Path, tiny_encoder: Path) -> None:
    harness_command("run", "-d", small_folder, "-m", f'dense(model="{tiny_encoder}")')
    assert harness_command("cache", "verify").status == 0
    shard = next((kept / "embeddings").glob("*/*.arrow"))
    raw = bytearray(shard.read_bytes())
    raw[-20] ^= 1
    shard.write_bytes(raw)
    said = harness_command("cache", "verify")
    assert said.status == 1
    assert str(shard) in said.out


def age(folder: Path, days: float) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (time.time() - days * DAY,) * 2)


def test_cache_gc_without_limits_leaves_what_is_sound(harness_command, kept: Path) -> None:
    said = harness_command("cache", "gc")
    assert said.status == 0
    assert "removed 0 things" in said.out
    assert len(list(kept.glob("[bc]*/*/meta.json"))) == 2


def test_cache_gc_removes_what_was_not_used_for_so_many_days(harness_command, kept: Path) -> None:
    index, corpus = next((kept / "bm25").iterdir()), next((kept / "corpora").iterdir())
    age(index, 40)
    said = harness_command("cache", "gc", "--older-than", "30", "--dry-run")
    assert "would remove 1 things" in said.out
    assert str(index) in said.out
    assert index.exists()
    said = harness_command("cache", "gc", "--older-than", "30")
    assert "removed 1 things" in said.out
    assert not index.exists()
    assert corpus.exists()


def test_cache_gc_removes_the_longest_unused_until_the_size_fits(harness_command, kept: Path) -> None:
    index, corpus = next((kept / "bm25").iterdir()), next((kept / "corpora").iterdir())
    age(corpus, 2)
    size = sum(f.stat().st_size for f in index.rglob("*")) / 2**30
    said = harness_command("cache", "gc", "--max-size", f"{size * 1.01:.12f}")
    assert "removed 1 things" in said.out
    assert index.exists()
    assert not corpus.exists()
    assert "removed 1 things" in harness_command("cache", "gc", "--max-size", "0").out
    assert not index.exists()


def test_cache_gc_removes_what_was_left_unfinished(harness_command, kept: Path) -> None:
    old, fresh = kept / "bm25" / ".abc.1.part", kept / "bm25" / ".def.2.part"
    for part in (old, fresh):
        part.mkdir()
        (part / "half").write_text("x")
    age(old, 1)
    said = harness_command("cache", "gc")
    assert f"{old}: left unfinished" in said.out
    assert not old.exists()
    assert fresh.exists()


def test_cache_gc_leaves_alone_what_another_process_is_at_work_on(harness_command, kept: Path) -> None:
    from harness.cache.folders import Cache

    index = next((kept / "bm25").iterdir())
    with Cache(kept).lock("bm25", index.name):
        said = harness_command("cache", "gc", "--max-size", "0")
    assert f"{index}: in use, left alone" in said.out
    assert index.exists()


def test_what_gc_removed_is_built_again_with_the_same_figures(harness_command, kept: Path, tmp_path: Path) -> None:
    record = next((tmp_path / "results").glob("*/bm25/seed0.json"))
    before = json.loads(record.read_text())
    harness_command("cache", "gc", "--max-size", "0")
    harness_command("run", "-d", tmp_path / "small", "-m", "bm25", "--rerun")
    after = json.loads(record.read_text())
    assert after["run_sha256"] == before["run_sha256"]
    assert after["measures"] == before["measures"]
    assert len(list(kept.glob("[bc]*/*/meta.json"))) == 2


def test_another_cache_folder_is_looked_after_where_it_is_named(harness_command, kept: Path, tmp_path: Path) -> None:
    shutil.copytree(kept, tmp_path / "other")
    harness_command("cache", "gc", "--max-size", "0", "--cache-dir", "other")
    assert "2 entries" in harness_command("cache", "ls").out
    assert "0 entries" in harness_command("cache", "ls", "--cache-dir", "other").out


def test_a_decision_and_a_verdict_without_figures_say_why_by_their_status(harness_command, small_folder: Path) -> None:
    ask = ("-d", small_folder)
    assert harness_command("decide", small_folder, "-m", "bm25", "-m", "run/nowhere").status == 1
    assert harness_command("decide", small_folder, "-m", "run/nowhere").status == 1
    assert harness_command("decide", small_folder, "-m", "bm25>>cross-encoder").status == 3
    assert harness_command("validate", "bm25>>cross-encoder", "-b", "bm25", *ask).status == 3
    assert harness_command("validate", "run/nowhere", "-b", "bm25", *ask).status == 1
    said = harness_command("decide", small_folder, "-m", "bm25", "--measure", "P@3", "--measure", "P@5")
    assert said.status == 2
    assert "one measure decides" in said.err


def test_a_results_folder_that_is_not_there_is_told(harness_command, tmp_path: Path) -> None:
    said = harness_command("leaderboard", "--results", tmp_path / "typo")
    assert said.status == 2
    assert "there is no folder" in said.err
    assert not (tmp_path / "typo").exists()
