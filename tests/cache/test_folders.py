"""A built folder is there whole or not at all, whoever builds it, kills it or cuts it short."""

from __future__ import annotations

import json
import logging
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base import files
from harness.base.errors import CacheError, SettingError
from harness.cache.folders import META, Cache

Python = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def fill(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "data").write_bytes(b"content")
    (folder / "empty").touch()


def entry(cache: Cache, build: Callable[[Path], None] = fill, key: str = "abc") -> Path:
    return cache.folder("corpora", key, {"documents": 3}, build)


def refuse(folder: Path) -> None:
    pytest.fail("built although it was there")


def test_a_folder_is_built_once_and_found_again_by_another_cache(cache: Cache) -> None:
    place = entry(cache)
    assert place == cache.root / "corpora" / "abc"
    assert (place / "inner" / "data").read_bytes() == b"content"
    assert entry(cache, refuse) == entry(Cache(cache.root), refuse) == place


def test_another_key_or_kind_is_another_folder(cache: Cache) -> None:
    places = {entry(cache), entry(cache, key="abd"), cache.folder("bm25", "abc", {}, fill)}
    assert len(places) == 3


def test_meta_tells_what_the_folder_is_and_what_is_in_it(cache: Cache) -> None:
    meta = cache.meta(entry(cache))
    assert (meta["kind"], meta["key"], meta["describe"]) == ("corpora", "abc", {"documents": 3})
    assert meta["seconds"] >= 0
    assert set(meta["files"]) == {"empty", str(Path("inner", "data"))}
    assert meta["files"]["empty"]["bytes"] == 0
    sha = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"  # of the word
    assert meta["files"][str(Path("inner", "data"))] == {"bytes": 7, "sha256": sha}


def test_a_build_that_fails_leaves_nothing_and_its_error(cache: Cache) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise RuntimeError("line 7")

    with pytest.raises(RuntimeError, match="line 7"):
        entry(cache, fail)
    assert list((cache.root / "corpora").iterdir()) == []
    assert entry(cache).is_dir()


def test_a_build_that_fails_while_a_thread_of_a_library_still_writes_leaves_nothing(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []
    remove = shutil.rmtree

    def busy(part: Path, ignore_errors: bool = False) -> None:
        """The first time, a file is written after all others were deleted."""
        tried.append(part)
        remove(part, ignore_errors=ignore_errors)
        if len(tried) == 1:
            part.mkdir()
            (part / "segment").write_text("late")

    monkeypatch.setattr("shutil.rmtree", busy)
    with pytest.raises(ValueError, match="full"):
        cache.folder("search-engines", "1" * 32, {}, lambda part: raises(ValueError("full")))
    assert list((cache.root / "search-engines").iterdir()) == []
    assert len(tried) == 2


def raises(error: Exception) -> None:
    raise error


def test_a_reader_never_sees_a_folder_that_is_being_built(cache: Cache) -> None:
    def watch(folder: Path) -> None:
        fill(folder)
        assert not (cache.root / "corpora" / "abc").exists()

    entry(cache, watch)


def test_a_build_that_is_killed_leaves_nothing_half_and_does_not_block_the_next(cache: Cache, python: Python) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from harness.cache.folders import Cache

def build(folder):
    (folder / "data").write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

Cache(Path(sys.argv[1])).folder("corpora", "abc", {}, build)
"""
    assert python(code, cache.root).returncode == -9
    assert not (cache.root / "corpora" / "abc").exists()
    assert not (entry(cache) / "data").exists()


def test_two_processes_at_one_entry_build_it_once(cache: Cache, tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from harness.cache.folders import Cache

root, mine, other = map(Path, sys.argv[1:])

def build(folder):
    with open(root / "built", "a") as log:
        log.write("once ")
    end = time.monotonic() + 20
    while not other.exists() and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.2)  # the other one is at the lock by now
    (folder / "data").write_bytes(b"content")

cache = Cache(root / "cache")
mine.touch()
place = cache.folder("corpora", "abc", {}, build)
print((place / "data").read_text())
"""
    ready = [tmp_path / "ready0", tmp_path / "ready1"]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path, *order], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for order in (ready, ready[::-1])
    ]
    assert [run.communicate(timeout=60) for run in runs] == [("content\n", ""), ("content\n", "")]
    assert (tmp_path / "built").read_text() == "once "


@pytest.mark.parametrize(
    "damage",
    [
        "file altered",
        "file cut short",
        "file missing",
        "file longer",
        "meta cut short",
        "meta missing",
        "meta no object",
    ],
)
def test_a_damaged_folder_is_built_again_with_a_warning(
    cache: Cache, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    place = entry(cache)
    data, meta = place / "inner" / "data", place / META
    match damage:
        case "file altered":
            data.write_bytes(b"c0ntent")
        case "file cut short":
            data.write_bytes(b"conten")
        case "file missing":
            data.unlink()
        case "file longer":
            data.write_bytes(b"content ")
        case "meta cut short":
            meta.write_text(meta.read_text()[:-5])
        case "meta missing":
            meta.unlink()
        case "meta no object":
            meta.write_text("[]")
    with caplog.at_level(logging.WARNING, "harness.cache"):
        assert entry(cache) == place
    assert data.read_bytes() == b"content"
    assert [record.getMessage() for record in caplog.records] == [
        f"{place} is damaged (a file is missing, cut short or altered); it is built again"
    ]
    assert entry(cache, refuse) == place


def test_what_was_built_is_not_read_again_to_be_checked(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    place = entry(cache)
    monkeypatch.setattr(files, "sha256", lambda path: pytest.fail(f"{path} was read"))
    assert entry(Cache(cache.root), refuse) == place


def test_a_build_in_place_of_a_damaged_folder_that_fails_leaves_nothing_half(cache: Cache) -> None:
    (entry(cache) / "empty").unlink()

    def fail(folder: Path) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        entry(cache, fail)
    assert list((cache.root / "corpora").iterdir()) == []


def test_being_asked_for_is_noted(cache: Cache) -> None:
    place = entry(cache)
    os.utime(place / META, (1.0, 1.0))
    entry(cache, refuse)
    assert (place / META).stat().st_mtime > 1_000_000_000


@pytest.mark.skipif(os.name == "nt", reason="no modes")
def test_others_may_read_what_the_umask_lets_them(cache: Cache) -> None:
    before = os.umask(0o022)
    try:
        place = entry(cache)
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.stat().st_mode) == 0o755
    assert stat.S_IMODE((place / META).stat().st_mode) == 0o644


def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "cache"):
        with pytest.raises(
            CacheError, match=r"cache folder .*file.* cannot be written \(.+\); name another folder with --cache-dir"
        ):
            Cache(root)


def test_a_cache_that_is_opened_holds_its_mark_and_nothing_else(tmp_path: Path) -> None:
    assert [path.name for path in Cache(tmp_path / "cache").root.iterdir()] == ["CACHEDIR.TAG"]


def test_the_root_is_the_one_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "named"))
    assert Cache().root == tmp_path / "named"
    assert Cache(tmp_path / "given").root == tmp_path / "given"


def test_the_root_may_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("HARNESS_CACHE", "~/mine")
    assert Cache().root == tmp_path / "mine"


def test_the_root_is_the_users_own_where_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    assert Cache().root == tmp_path / "retrieval-harness"


def test_meta_is_json_that_people_can_read(cache: Cache) -> None:
    text = (entry(cache) / META).read_text(encoding="utf-8")
    assert json.loads(text)["describe"] == {"documents": 3}
    assert len(text.splitlines()) > 5


def test_a_file_of_the_same_bytes_stands_once_on_disk(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")

    def build(text: str) -> Callable[[Path], None]:
        def one(part: Path) -> None:
            (part / "model").mkdir()
            (part / "model" / "weights").write_text(text)
            cache.share("models", part, "model/weights")

        return one

    first, second, other = (
        cache.folder("models", key, {}, build(text)) for key, text in (("a", "12"), ("b", "12"), ("c", "21"))
    )
    assert (first / "model/weights").stat().st_ino == (second / "model/weights").stat().st_ino
    assert (other / "model/weights").read_text() == "21"
    assert (other / "model/weights").stat().st_nlink == 1
    (first / "model/weights").write_text("1")  # cut short: not shared, though its meta still says so
    assert (cache.folder("models", "d", {}, build("12")) / "model/weights").read_text() == "12"


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_folder_whose_name_is_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"is not text .* rename the file or folder"):
        Cache(tmp_path / os.fsdecode(b"c\xff"))
    assert list(tmp_path.iterdir()) == []
