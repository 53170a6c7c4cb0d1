"""A full disk and a cache that cannot be written end in words."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.disk import is_full, writing
from harness.base.errors import CacheError, ModelError
from harness.cache import folders, shard_store
from harness.cache.folders import Cache
from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore
from harness.endpoints.journal import Journal

KEY = "0123456789abcdef" * 2
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EFBIG, "File too large"),
        OSError("100 requested and 12 written"),
        RuntimeError("[enforce fail at inline_container.cc:595] . unexpected pos 64 vs 0"),
        OSError("[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left on device"),
    ],
)
def test_what_writers_say_when_a_disk_is_full(error: Exception, tmp_path: Path) -> None:
    assert is_full(error)
    with (
        pytest.raises(CacheError, match="no space left for the cache") as told,
        writing(tmp_path),
    ):
        raise error
    assert "harness cache gc --max-size" in str(told.value)
    assert "--cache-dir or HARNESS_CACHE" in str(told.value)


def test_a_folder_that_cannot_be_written_is_told_by_name(tmp_path: Path) -> None:
    with (
        pytest.raises(CacheError, match=r"cannot be written \(Read-only file system: .*x\): fix the permissions"),
        writing(tmp_path),
    ):
        raise OSError(errno.EROFS, "Read-only file system", str(tmp_path / "x"))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "denied", "/elsewhere/of/others"),
        ModelError("words"),
        KeyError("x"),
        RuntimeError("shapes differ"),
    ],
)
def test_other_errors_pass(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)) as told, writing(tmp_path):
        raise error
    assert told.value is error


def build_into_nothing(cache: Cache) -> None:
    def build(part: Path) -> None:
        (part / "a").write_bytes(b"half")
        raise FULL

    cache.folder("bm25", KEY, {}, build)


def add_vectors(cache: Cache) -> None:
    VectorStore(cache, "embeddings", KEY, {}).write(text_keys(["a"]), np.ones((1, 3), np.float32), 1.0)


def add_answer(cache: Cache) -> None:
    Journal(cache, "answers", KEY, {}).add("one", "text")


@pytest.mark.parametrize("write", [build_into_nothing, add_vectors, add_answer])
def test_a_disk_that_fills_while_the_cache_is_written_is_told_and_leaves_nothing(
    write: Callable[[Cache], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: Any) -> None:
        raise FULL

    cache = Cache(tmp_path / "cache")
    monkeypatch.setattr(shard_store, "_save", full)
    monkeypatch.setattr("harness.endpoints.journal.os.fsync", full) if write is add_answer else None
    with pytest.raises(CacheError, match="no space left for the cache"):
        write(cache)
    assert not list(cache.root.rglob("*.part"))
    assert not list(cache.root.glob("bm25/*"))


@pytest.mark.parametrize("write", [build_into_nothing, add_vectors, add_answer])
def test_a_file_in_place_of_a_kinds_folder_is_told(write: Callable[[Cache], None], tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    for kind in ("bm25", "embeddings", "answers"):
        (cache.root / kind).write_text("")
    with pytest.raises(CacheError, match="cannot be written"):
        write(cache)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no bound on the size of files")
def test_a_run_whose_disk_fills_ends_in_words(python: Callable[..., Any], small_folder: Path) -> None:
    """The bound on the size of a file stands for the disk: the system itself refuses to write."""
    told = python(
        "import resource, signal, sys\n"
        "sys.dont_write_bytecode = True\n"  # Python 3.11 would leave truncated modules behind
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "sys.argv = ['harness', 'run', '-d', sys.argv[1], '-m', 'bm25']\n"
        "from harness.cli.app import main\n"
        "main()\n",
        small_folder,
    )
    assert told.returncode == 2, told.stderr
    assert "no space left for the cache" in told.stderr
    assert "Traceback" not in told.stderr


def test_what_a_killed_build_left_is_cleaned_when_it_is_built_again(tmp_path: Path) -> None:
    """Half a model of a killed training lay there for good: each try left another."""
    cache = Cache(tmp_path / "cache")
    mine, others = cache.root / "models" / f".{KEY}.x.part", cache.root / "models" / f".{'f' * 32}.x.part"
    for left in (mine, others):
        left.mkdir(parents=True)
        (left / "half").write_text("")
    place = cache.folder("models", KEY, {}, lambda part: (part / "a").write_text("whole") and None)
    assert sorted(path.name for path in place.parent.iterdir()) == sorted([KEY, others.name]), (
        "the other may be at work"
    )
    assert folders.META in {path.name for path in place.iterdir()}
