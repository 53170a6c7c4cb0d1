"""`harness cache`: what a person sees, and that nothing of others is touched."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cache.folders import Cache
from harness.cache.marker import MARKER

DAY = 86400


@pytest.fixture
def kept(harness_command, small_folder: Path, tmp_path: Path) -> Path:
    """The cache folder after one run of BM25: a corpus and an index; what was kept of leaks and pages is taken away
    again.
    """
    assert harness_command("run", "-d", small_folder, "-m", "bm25").status == 0
    for other in {path.name for path in (tmp_path / "cache").iterdir()} - {
        "corpora",
        "bm25",
        "locks",
        "hashes",
        "CACHEDIR.TAG",
    }:
        shutil.rmtree(tmp_path / "cache" / other)
    return tmp_path / "cache"


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
    assert "all intact" in said.out


def test_cache_verify_is_1_where_a_file_was_altered_and_names_it(harness_command, kept: Path) -> None:
    file = next((kept / "corpora").glob("*/corpus.arrow"))
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    said = harness_command("cache", "verify")
    assert said.status == 1
    assert f"{file} does not match its hash" in said.out
    assert "harness cache gc" in said.out


def test_cache_verify_for_other_programs(harness_command, kept: Path) -> None:
    verify = ("cache", "verify", "--format")
    data = json.loads(harness_command(*verify, "json").out)
    assert data["intact"] is True
    assert data["entries"] == 2
    assert data["tables"][0]["rows"] == []
    file = next((kept / "corpora").glob("*/corpus.arrow"))
    file.write_bytes(file.read_bytes()[:-1])
    said = harness_command(*verify, "json")
    assert said.status == 1
    data = json.loads(said.out)
    assert data["intact"] is False
    assert {row["key"] for row in data["tables"][0]["rows"]} == {file.parent.name}
    assert any(str(file) in row["fault"] for row in data["tables"][0]["rows"])
    assert harness_command(*verify, "csv").out.splitlines()[0] == "kind,key,fault"
    assert "1 faults in 2 entries" in harness_command(*verify, "md").out
    data = json.loads(harness_command(*verify, "json", "--cache-dir", "typo").out)
    assert "there is no such folder" in data["sentences"][0]


def test_cache_verify_reads_kept_vectors_too(
    harness_command, kept: Path, small_folder: Path, tiny_encoder: Path
) -> None:
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
    assert "removed 0 entries" in said.out
    assert len(list(kept.glob("[bc]*/*/meta.json"))) == 2


def test_cache_gc_removes_what_was_not_used_for_so_many_days(harness_command, kept: Path) -> None:
    index, corpus = next((kept / "bm25").iterdir()), next((kept / "corpora").iterdir())
    age(index, 40)
    said = harness_command("cache", "gc", "--older-than", "30", "--dry-run")
    assert "would remove 1 entry" in said.out
    assert str(index) in said.out
    assert index.exists()
    said = harness_command("cache", "gc", "--older-than", "30")
    assert "removed 1 entry" in said.out
    assert not index.exists()
    assert corpus.exists()


def test_cache_gc_removes_the_longest_unused_until_the_size_fits(harness_command, kept: Path) -> None:
    index, corpus = next((kept / "bm25").iterdir()), next((kept / "corpora").iterdir())
    age(corpus, 2)
    size = sum(f.stat().st_size for f in index.rglob("*")) / 2**30
    said = harness_command("cache", "gc", "--max-size", f"{size * 1.01:.12f}")
    assert "removed 1 entry" in said.out
    assert index.exists()
    assert not corpus.exists()
    assert "removed 1 entry" in harness_command("cache", "gc", "--max-size", "0").out
    assert not index.exists()


def test_cache_gc_removes_what_was_left_unfinished(harness_command, kept: Path) -> None:
    old, fresh = kept / "bm25" / f".{'a' * 32}.1.part", kept / "bm25" / f".{'b' * 32}.2.part"
    for part in (old, fresh):
        part.mkdir()
        (part / "half").write_text("x")
    age(old, 1)
    said = harness_command("cache", "gc")
    assert f"{old}: left unfinished" in said.out
    assert not old.exists()
    assert fresh.exists()


def test_cache_gc_leaves_alone_what_another_process_is_at_work_on(harness_command, kept: Path) -> None:

    index = next((kept / "bm25").iterdir())
    with Cache(kept).lock("bm25", index.name):
        said = harness_command("cache", "gc", "--max-size", "0")
    assert f"{index}: in use, not touched" in said.out
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


def home(tmp_path: Path, harness_command: Callable[..., object]) -> Path:
    """A home folder that was once given as the cache: entries of ours among folders of the user and of other
    programs.
    """
    root = tmp_path / "home"
    for name in ("Documents/letters", "huggingface/hub/models--x", ".ssh", "models/llama"):
        (root / name).mkdir(parents=True)
        (root / name / "file").write_text("mine")
    assert harness_command("run", "-d", tmp_path / "small", "-m", "bm25", "--cache-dir", root).status == 0  # type: ignore[attr-defined]
    return root


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


@pytest.mark.parametrize(
    "command", [["gc", "--max-size", "0"], ["gc", "--older-than", "0", "--yes"], ["gc", "--dry-run"], ["verify"]]
)
def test_a_home_folder_loses_nothing(harness_command, small_folder: Path, tmp_path: Path, command: list[str]) -> None:
    root = home(tmp_path, harness_command)
    age(root, 1000)
    before = everything(root)
    said = harness_command("cache", *command, "--cache-dir", root)
    assert said.status == 2
    assert "Nothing was changed. Name the cache's own folder" in said.err
    assert everything(root) == before


def test_a_folder_that_is_not_there_or_empty_is_told_and_not_made(harness_command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for command in ("ls", "verify", "gc"):
        assert "there is no such folder" in harness_command("cache", command, "--cache-dir", tmp_path / "typo").out
        assert "it is empty" in harness_command("cache", command, "--cache-dir", tmp_path / "empty").out
    assert not (tmp_path / "typo").exists()
    assert everything(tmp_path / "empty") == []


def test_a_file_in_place_of_the_cache_is_told(harness_command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for command in ("ls", "verify", "gc"):
        said = harness_command("cache", command, "--cache-dir", tmp_path / "file")
        assert said.status == 2
        assert "is not a folder" in said.err


def test_an_old_cache_without_a_mark_is_looked_after_and_gets_one(harness_command, kept: Path) -> None:
    (kept / MARKER).unlink()
    said = harness_command("cache", "gc", "--max-size", "0")
    assert "removed 2 entries" in said.out
    assert (kept / MARKER).is_file()


def test_results_in_the_cache_folder_stay_and_are_told(harness_command, kept: Path) -> None:
    (kept / "results" / "beir-x-test").mkdir(parents=True)
    (kept / "results" / "beir-x-test" / "record.json").write_text("{}")
    age(kept, 1000)
    assert "all intact" in harness_command("cache", "verify").out
    said = harness_command("cache", "gc", "--older-than", "1")
    assert "removed 2 entries" in said.out
    assert "not touched: results (not of this cache)" in said.out
    assert (kept / "results" / "beir-x-test" / "record.json").is_file()


def test_what_would_go_is_said_in_words_that_a_person_knows(harness_command, kept: Path) -> None:
    index = next((kept / "bm25").iterdir())
    before = everything(kept)
    said = harness_command("cache", "gc", "--max-size", "0", "--dry-run")
    (line,) = (line for line in said.out.splitlines() if line.startswith(str(index)))
    assert line.startswith(f"{index}: over the size; an index of BM25, ")
    assert "documents 60, method bm25(" in line
    assert "1 × an index of BM25, 1 × the documents of a collection" in said.out
    assert everything(kept) == before


class Terminal:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)
        monkeypatch.setattr("harness.cli.cache_report._on_a_terminal", lambda: True)
        monkeypatch.setattr("rich.console.Console.input", self)

    def __call__(self, question: str, **given: object) -> str:
        self.asked.append(question)
        if not self._answers:
            raise EOFError
        return self._answers.pop(0)


@pytest.mark.parametrize("answers", [["n"], [""], ["nonsense"], []])
def test_on_a_terminal_it_shows_what_goes_and_asks_first(
    harness_command, kept: Path, monkeypatch: pytest.MonkeyPatch, answers: list[str]
) -> None:
    terminal = Terminal(monkeypatch, *answers)
    before = everything(kept)
    said = harness_command("cache", "gc", "--max-size", "0")
    assert len(terminal.asked) == 1
    assert terminal.asked[0].startswith("remove 2 entries")
    assert said.out.count("over the size") == 2
    assert "nothing was removed" in said.out
    assert everything(kept) == before


def test_yes_at_the_terminal_or_beforehand_removes(
    harness_command, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, corpus = next((kept / "bm25").iterdir()), next((kept / "corpora").iterdir())
    age(index, 40)
    terminal = Terminal(monkeypatch, "y")
    said = harness_command("cache", "gc", "--older-than", "30")
    assert said.out.count(str(index)) == 1
    assert not index.exists()
    assert "removed 1 entry" in harness_command("cache", "gc", "--max-size", "0", "--yes").out
    assert not corpus.exists()
    assert len(terminal.asked) == 1


def test_where_nothing_goes_it_does_not_ask(harness_command, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch)
    assert "removed 0 entries" in harness_command("cache", "gc").out
    assert terminal.asked == []


def test_only_a_terminal_on_both_sides_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.cli.cache_report import _on_a_terminal

    class Stream:
        def __init__(self, tty: bool) -> None:
            self._tty = tty

        def isatty(self) -> bool:
            return self._tty

    for reads, writes in ((True, True), (True, False), (False, True)):
        monkeypatch.setattr(sys, "stdin", Stream(reads))
        monkeypatch.setattr(sys, "stdout", Stream(writes))
        assert _on_a_terminal() is (reads and writes)


def test_a_file_with_two_names_is_listed_once(harness_command, kept: Path) -> None:
    place = next((kept / "corpora").iterdir())
    size = sum(path.stat().st_size for path in kept.glob("[bc]*/*/**/*") if path.is_file())
    with open(place / "weights", "wb") as file:
        file.truncate(3 << 20)
    (place / "again").hardlink_to(place / "weights")
    twin = kept / "models" / ("a" * 32)
    twin.mkdir(parents=True)
    (twin / "weights").hardlink_to(place / "weights")
    said = harness_command("cache", "ls")
    assert f"3 entries, {3 + size / 2**20:.1f} MiB in {kept}" in said.out
    assert "(3.0 MiB that entries share are counted once)" in said.out


@pytest.mark.skipif(os.name == "nt", reason="Windows has no read-only folders")
def test_a_read_only_cache_is_listed_and_verified(harness_command, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object, **more: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert "2 entries" in harness_command("cache", "ls").out
    assert "all intact" in harness_command("cache", "verify").out
