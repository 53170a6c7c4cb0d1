"""Cached vectors are the ones that were made, whatever happens to the files between."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.cache import shard_store as module
from harness.cache.folders import META, Cache
from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore
from tests.cache.vector_stores import got, keep, open_store, vectors_of


@pytest.fixture
def store(tmp_path: Path) -> VectorStore:
    return open_store(tmp_path)


def shards(store: VectorStore) -> list[Path]:
    return sorted(store.folder.glob("*.arrow"))


def test_a_shard_is_named_by_the_hash_of_its_bytes(store: VectorStore) -> None:
    keep(store, "a")
    (shard,) = shards(store)
    assert module.sha256(shard).startswith(shard.stem)
    assert len(shard.stem) == 32
    keep(store, "a")
    assert shards(store) == [shard], "the same vectors are the same file"


@pytest.mark.parametrize("damage", ["cut short", "emptied", "altered", "no arrow"])
def test_a_damaged_shard_is_set_aside_with_a_warning_and_made_again(
    store: VectorStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    keep(store, "a", "b")
    (shard,) = shards(store)
    keep(store, "c")
    whole = shard.read_bytes()
    flipped = bytes([whole[len(whole) // 2] ^ 1])
    altered = whole[: len(whole) // 2] + flipped + whole[len(whole) // 2 + 1 :]
    shard.write_bytes(
        {"cut short": whole[:-9], "emptied": b"", "altered": altered, "no arrow": b"x" * len(whole)}[damage]
    )
    os.utime(shard, (1.0, 1.0))
    with caplog.at_level(logging.WARNING, "harness.cache"):
        held = open_store(tmp_path).read()
    assert [record.getMessage() for record in caplog.records] == [
        f"{shard} is damaged: set aside as .bad, its vectors will be made again"
    ]
    assert got(held, ["c"]).tolist() == vectors_of(["c"]).tolist()
    assert held.locate(text_keys(["a", "b"])).tolist() == [-1, -1]
    assert shard.with_suffix(".bad").exists()
    keep(store, "a", "b")
    assert got(store.read(), ["a", "b", "c"]).tolist() == vectors_of(["a", "b", "c"]).tolist()


def test_a_writer_that_is_killed_leaves_what_was_kept_before(
    store: VectorStore, tmp_path: Path, python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    keep(store, "a")
    code = """
import os, signal, sys
from pathlib import Path
import numpy as np
from harness.cache.folders import Cache
from harness.cache.vectors import VectorStore
from harness.cache.shards import text_keys
store = VectorStore(Cache(Path(sys.argv[1])), "embeddings", "abc", {})
os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL)
with store.lock:
    store.write(text_keys(["b"]), np.ones((1, 4), np.float32), 1.0)
"""
    assert python(code, tmp_path / "cache").returncode == -9
    assert len(list(store.folder.glob(".*.part"))) == 1
    assert len(store.read()) == 1
    with store.lock.acquire(timeout=5):
        keep(store, "b")
    assert got(store.read(), ["a", "b"]).tolist() == vectors_of(["a", "b"]).tolist()


def test_a_write_that_fails_leaves_no_part(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> str:
        raise OSError("disk full")

    monkeypatch.setattr(module, "sha256", full)
    with pytest.raises(OSError, match="disk full"):
        keep(store, "a")
    assert [path.name for path in store.folder.iterdir()] == [META]


def test_two_processes_add_to_one_entry_at_once(store: VectorStore, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
import numpy as np
from harness.cache.folders import Cache
from harness.cache.vectors import VectorStore
from harness.cache.shards import text_keys
store = VectorStore(Cache(Path(sys.argv[1])), "embeddings", "abc", {})
for i in range(20):
    store.write(text_keys([f"{sys.argv[2]}{i}", "shared"]), np.full((2, 4), 7, np.float32), 1.0)
    assert len(store.read()) >= 2 * (i + 1)
    if i % 5 == 4:
        with store.lock:
            store.merge(3)
"""
    command = [sys.executable, "-c", code, tmp_path / "cache"]
    runs = [subprocess.Popen([*command, name], stderr=subprocess.PIPE, text=True) for name in "ab"]
    assert [run.communicate(timeout=60)[1] for run in runs] == ["", ""]
    held = store.read()
    assert (held.locate(text_keys([f"{name}{i}" for name in "ab" for i in range(20)])) >= 0).all()
    assert (got(held, ["shared", "a3", "b19"]) == 7).all()
    assert not list(store.folder.glob("*.bad"))


def test_merging_keeps_every_vector_and_the_time_they_took(store: VectorStore) -> None:
    texts = [f"text {i}" for i in range(12)]
    for text in texts:
        keep(store, text, seconds=0.5)
    store.merge(8)
    assert len(shards(store)) == 1
    held = store.read()
    assert got(held, texts).tobytes() == vectors_of(texts).tobytes()
    assert held.seconds(held.locate(text_keys(texts))).sum() == 6.0


def test_few_shards_are_left_as_they_are(store: VectorStore) -> None:
    for text in "abcd":
        keep(store, text)
    before = shards(store)
    store.merge(4)
    assert shards(store) == before
    store.merge(3)
    assert len(shards(store)) == 1


def test_merging_takes_no_more_memory_than_a_merged_shard(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MERGED_BYTES", 1 << 20)
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal((256, 256), np.float32) for _ in range(40)]  # 256 KiB each, 10 MiB
    for i, part in enumerate(parts):
        store.write(text_keys([f"{i} {j}" for j in range(256)]), part, 1.0)
    tracemalloc.start()
    store.merge(8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
    assert len(shards(store)) <= 10 + 8
    held = store.read()
    for i, part in enumerate(parts):
        assert got(held, [f"{i} {j}" for j in range(256)]).tobytes() == part.tobytes()
    assert held.seconds(np.arange(len(held))).sum() == pytest.approx(40)
    before = shards(store)
    store.merge(8)
    assert shards(store) == before, "large shards are not merged over and over"


def test_a_reader_holds_what_another_process_merges_away(store: VectorStore) -> None:
    keep(store, "a")
    keep(store, "b")
    held = store.read()
    store.merge(1)
    assert got(held, ["a", "b"]).tolist() == vectors_of(["a", "b"]).tolist()


def test_shards_that_vanish_once_listed_are_listed_again(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, "a")
    keep(store, "b")
    gone = shards(store)[0]
    real = store._cache.hashes.sha256

    def merged_meanwhile(path: Path) -> str:
        gone.unlink(missing_ok=True)
        return real(path)

    monkeypatch.setattr(store._cache.hashes, "sha256", merged_meanwhile)
    assert len(store.read()) == 1


def test_an_unchanged_shard_is_hashed_once(store: VectorStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store, "a")
    store.read()
    monkeypatch.setattr("harness.base.files.sha256", lambda path: pytest.fail("read again"))
    assert len(open_store(tmp_path).read()) == 1


def test_the_entry_is_described_once(store: VectorStore, tmp_path: Path) -> None:
    before = (store.folder / META).read_text()
    VectorStore(Cache(tmp_path / "cache"), "embeddings", "abc", {"model": "other words"})
    assert (store.folder / META).read_text() == before
    assert '"model": "tiny"' in before


def test_being_read_is_noted(store: VectorStore) -> None:
    os.utime(store.folder / META, (1.0, 1.0))
    store.read()
    assert (store.folder / META).stat().st_mtime > 1_000_000_000


@pytest.mark.skipif(os.name == "nt", reason="no modes")
def test_others_may_read_what_the_umask_lets_them(store: VectorStore) -> None:
    before = os.umask(0o022)
    try:
        keep(store, "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE(shards(store)[0].stat().st_mode) == 0o644
