"""Kept vectors are the ones that were made, whatever happens to the files between."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cache import vectors as module
from harness.cache.folders import META, Cache
from harness.cache.vectors import Held, StoredVectors, VectorStore, text_keys
from harness.data.ranking import Floats


@pytest.fixture
def store(tmp_path: Path) -> VectorStore:
    return open_store(tmp_path)


def open_store(tmp_path: Path) -> VectorStore:
    return VectorStore(Cache(tmp_path / "cache"), "embeddings", "abc", {"model": "tiny"})


def vectors_of(texts: list[str], dimension: int = 4) -> Floats:
    """A vector per text that depends on the text alone."""
    rows = [
        np.random.default_rng(list(text.encode("utf-8", "surrogatepass"))).standard_normal(dimension) for text in texts
    ]
    return np.array(rows, np.float32).reshape(len(texts), dimension)


def keep(store: VectorStore, *texts: str, seconds: float = 1.0) -> None:
    store.write(text_keys(texts), vectors_of(list(texts)), seconds)


def got(held: Held[Floats], texts: list[str]) -> Floats:
    places = held.locate(text_keys(texts))
    assert (places >= 0).all()
    return StoredVectors(held, places).gather(places)


def shards(store: VectorStore) -> list[Path]:
    return sorted(store.folder.glob("*.arrow"))


@given(st.lists(st.text(st.characters(codec=None))))
@example(["\ud800", "\ud801", "?", "\ufffd"])
def test_texts_have_one_key_each(texts: list[str]) -> None:
    keys = text_keys(texts).to_pylist()
    assert len(set(keys)) == len(set(texts))
    assert all(len(key) == 16 for key in keys)
    assert text_keys(iter(texts)).to_pylist() == keys


def test_a_key_is_the_start_of_sha256_on_every_machine() -> None:
    assert text_keys(["abc"]).to_pylist()[0].hex() == "ba7816bf8f01cfea414140de5dae2223"


def test_vectors_come_back_bit_for_bit_in_the_order_asked(store: VectorStore, tmp_path: Path) -> None:
    keep(store, "a", "b", "c")
    keep(store, "d", "e")
    for held in (store.read(), open_store(tmp_path).read()):
        assert len(held) == 5
        for texts in (["a", "b", "c", "d", "e"], ["e", "a", "e", "c"], ["d"], []):
            assert got(held, texts).tobytes() == vectors_of(texts).tobytes()


def test_what_is_not_kept_has_no_place(store: VectorStore) -> None:
    assert store.read().locate(text_keys(["a"])).tolist() == [-1]
    keep(store, "a")
    assert store.read().locate(text_keys(["x", "a", "y"])).tolist() == [-1, 0, -1]
    assert store.read().locate(text_keys([])).tolist() == []


def test_special_numbers_survive(store: VectorStore) -> None:
    values = np.array([[0.0, -0.0, 1e-45, 3.4e38]], np.float32)
    store.write(text_keys(["a"]), values, 0.0)
    assert got(store.read(), ["a"]).tobytes() == values.tobytes()


def test_vectors_need_not_lie_in_one_piece(store: VectorStore) -> None:
    whole = np.arange(24, dtype=np.float32).reshape(4, 6)
    store.write(text_keys("abc"), whole.T[:3], 0.0)
    assert got(store.read(), ["a", "b", "c"]).tolist() == whole.T[:3].tolist()


def test_stored_vectors_are_read_by_block_and_by_row(store: VectorStore) -> None:
    keep(store, "a", "b", "c")
    keep(store, "d", "e")
    texts = ["e", "d", "c", "b", "a", "e"]
    held = store.read()
    stored = store.at(held, held.locate(text_keys(texts)))
    expected = vectors_of(texts)
    assert (len(stored), stored.dimension) == (6, 4)
    assert stored.block(0, 6).tolist() == expected.tolist()
    assert stored.block(2, 5).tolist() == expected[2:5].tolist()
    assert stored.take(np.array([5, 0, 0, 3])).tolist() == expected[[5, 0, 0, 3]].tolist()
    assert stored.block(3, 3).shape == (0, 4)


def test_no_vector_has_no_dimension(store: VectorStore) -> None:
    stored = store.at(store.read(), np.zeros(0, np.int64))
    assert (len(stored), stored.dimension, stored.block(0, 0).shape) == (0, 0, (0, 0))


def test_the_time_that_vectors_took_is_shared_out(store: VectorStore) -> None:
    keep(store, "a", "b", "c", "d", seconds=8.0)
    keep(store, "e", seconds=3.0)
    held = store.read()
    assert held.seconds(held.locate(text_keys(["a"]))).sum() == 2.0
    assert held.seconds(held.locate(text_keys(["a", "e", "b"]))).sum() == 7.0
    assert held.seconds(np.zeros(0, np.int64)).sum() == 0.0
    assert store.read().seconds(np.zeros(0, np.int64)).sum() == 0.0


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
from harness.cache.vectors import VectorStore, text_keys
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
from harness.cache.vectors import VectorStore, text_keys
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


@given(
    parts=st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True), min_size=1, max_size=4),
    wanted=st.lists(st.integers(0, 30), min_size=1, max_size=40),
    size=st.integers(1, 9),
)
def test_pieces_are_all_vectors_once_in_the_order_of_the_disk(
    parts: list[list[int]], wanted: list[int], size: int
) -> None:
    """Whatever else the shards hold, wherever texts stand twice."""
    here = {number for part in parts for number in part}
    texts = [str(number) for number in wanted if number in here]
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        for part in parts:
            keep(store, *map(str, part))
        held = store.read()
        stored = StoredVectors(held, held.locate(text_keys(texts)))
        whole = stored.block(0, len(texts))
        pieces = list(stored.pieces(size))
    assert sorted(row for rows, _ in pieces for row in rows.tolist()) == list(range(len(texts)))
    for rows, vectors in pieces:
        assert 0 < len(rows) <= size
        assert np.array_equal(vectors, whole[rows])


def test_a_piece_that_lies_end_to_end_is_not_copied(store: VectorStore) -> None:
    keep(store, "a", "b", "c", "d")
    held = store.read()
    stored = StoredVectors(held, held.locate(text_keys(["d", "c", "b"])))
    ((rows, vectors),) = stored.pieces(8)
    assert rows.tolist() == [2, 1, 0]
    assert np.shares_memory(vectors, held.shards[0].vectors)
    assert not any(
        np.shares_memory(piece, held.shards[0].vectors) for _, piece in StoredVectors(held, np.array([0, 2])).pieces(8)
    )
