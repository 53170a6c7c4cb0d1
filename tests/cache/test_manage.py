"""Looking after the cache: it lists what is there, each file once, and finds every damage."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import numpy as np
import pytest

from harness.cache.folders import META, Cache
from harness.cache.manage import Entry, entries, faults, left_alone, total, wrong
from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore

DAY = 86400.0


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def k(name: str) -> str:
    """A key, as entries have."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def built(cache: Cache, name: str, size: int = 1000) -> Path:
    return cache.folder(
        "corpora", k(name), {"name": name}, lambda folder: (folder / "data").write_bytes(bytes(size)) and None
    )


def stored(cache: Cache, name: str) -> VectorStore:
    store = VectorStore(cache, "embeddings", k(name), {"model": name})
    store.write(text_keys(["a", "b"]), np.ones((2, 3), np.float32), 1.0)
    return store


def age(place: Path, days: float) -> None:
    then = time.time() - days * DAY
    for path in [*place.rglob("*"), place]:
        os.utime(path, (then, then), follow_symlinks=False)


def the(cache: Cache, name: str) -> Entry:
    (found,) = [entry for entry in entries(cache) if entry.key == k(name)]
    return found


def test_an_empty_cache_has_no_entries(cache: Cache) -> None:
    assert entries(cache) == []


def test_entries_are_listed_the_last_used_first_with_their_sizes_and_words(cache: Cache) -> None:
    age(built(cache, "old", 5000), 3)
    age(stored(cache, "older").folder, 5)
    built(cache, "new", 70)
    assert [(e.kind, e.describe) for e in entries(cache)] == [
        ("corpora", {"name": "new"}),
        ("corpora", {"name": "old"}),
        ("embeddings", {"model": "older"}),
    ]
    old = the(cache, "old")
    assert old.bytes == 5000 + (old.path / META).stat().st_size
    assert old.used == pytest.approx(time.time() - 3 * DAY, abs=60)


def test_locks_hashes_downloads_and_half_built_things_are_no_entries(cache: Cache) -> None:
    place = built(cache, "a")
    stored(cache, "b").read()
    (cache.root / "data" / "scifact").mkdir(parents=True)
    (place.parent / f".{k('c')}.x.part").mkdir()
    assert (cache.root / "locks").is_dir()
    assert (cache.root / "hashes").is_dir()
    assert {entry.key for entry in entries(cache)} == {k("a"), k("b")}


def test_sound_entries_have_no_faults(cache: Cache) -> None:
    built(cache, "a")
    stored(cache, "b")
    assert [faults(entry) for entry in entries(cache)] == [[], []]


def test_one_altered_byte_in_a_built_folder_is_found(cache: Cache) -> None:
    place = built(cache, "a")
    (place / "data").write_bytes(bytes(999) + b"x")
    assert faults(the(cache, "a")) == [f"{place / 'data'} does not match its hash"]


def test_a_missing_or_shortened_file_is_found(cache: Cache) -> None:
    place = built(cache, "a")
    (place / "data").write_bytes(b"")
    assert faults(the(cache, "a")) == [f"{place / 'data'} does not match its hash"]
    (place / "data").unlink()
    assert faults(the(cache, "a")) == [f"{place / 'data'} is missing"]


@pytest.mark.parametrize("meta", [None, "", "{", "[]"])
def test_an_entry_without_its_description_is_found(cache: Cache, meta: str | None) -> None:
    place = built(cache, "a")
    if meta is None:
        (place / META).unlink()
    else:
        (place / META).write_text(meta)
    assert faults(the(cache, "a")) == [f"{place / META} is missing or not JSON"]


def test_one_altered_byte_in_a_shard_is_found_whatever_its_time_says(cache: Cache) -> None:
    store = stored(cache, "a")
    store.read()  # its hash is remembered by size and times; a full check does not go by that
    (shard,) = store.folder.glob("*.arrow")
    before, content = shard.stat(), bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(bytes(content))
    os.utime(shard, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert faults(the(cache, "a")) == [f"{shard} does not match its hash"]


def test_a_shard_set_aside_is_told(cache: Cache) -> None:
    store = stored(cache, "a")
    (shard,) = store.folder.glob("*.arrow")
    shard.write_bytes(b"")
    store.read()
    assert faults(the(cache, "a")) == [f"{shard.with_suffix('.bad')} is damaged"]


def test_a_file_with_two_names_counts_once(cache: Cache) -> None:
    """Many models share one encoder's weights by hard links: 543 MiB were listed for 286."""
    one = built(cache, "a", 5000)
    os.link(one / "data", one / "again")
    other = cache.folder("corpora", k("b"), {}, lambda folder: os.link(one / "data", folder / "data"))
    metas = [(place / META).stat().st_size for place in (one, other)]
    assert [the(cache, name).bytes for name in "ab"] == [5000 + size for size in metas]
    assert total(entries(cache)) == 5000 + sum(metas)


def test_only_folders_of_known_kinds_with_names_of_keys_are_entries(cache: Cache, tmp_path: Path) -> None:
    built(cache, "a")
    (tmp_path / "elsewhere" / k("z")).mkdir(parents=True)
    (cache.root / "models").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (cache.root / "corpora" / k("link")).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (cache.root / "corpora" / k("file")).write_text("a file where a folder belongs")
    (cache.root / "corpora" / "by-hand").mkdir()
    (cache.root / "Documents" / k("z")).mkdir(parents=True)
    (cache.root / "results" / "beir-scifact-test").mkdir(parents=True)
    (cache.root / "bm25").write_text("a file")
    assert [entry.path for entry in entries(cache)] == [cache.root / "corpora" / k("a")]
    told = {str(path.relative_to(cache.root)): why for path, why in left_alone(cache)}
    assert told == {
        "models": "a link",
        f"corpora/{k('link')}": "a link",
        f"corpora/{k('file')}": "not of this cache",
        "corpora/by-hand": "not of this cache",
        "Documents": "not of this cache",
        "results": "not of this cache",
        "bm25": "not of this cache",
    }


def test_links_inside_an_entry_count_nothing(cache: Cache, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "file").write_bytes(bytes(10_000))
    place = built(cache, "a")
    before = the(cache, "a").bytes
    (place / "folder").symlink_to(tmp_path / "big", target_is_directory=True)
    (place / "file").symlink_to(tmp_path / "big" / "file")
    assert the(cache, "a").bytes == before


@pytest.mark.parametrize(
    "words", ["[" * 100_000, '{"files": {"../../x": {"bytes": 1}}}', '{"files": {"/etc/passwd": 1}}', '{"files": [1]}']
)
def test_words_about_an_entry_that_no_cache_writes_are_a_fault_and_no_traceback(cache: Cache, words: str) -> None:
    place = built(cache, "a")
    (place / META).write_text(words)
    assert len(faults(the(cache, "a"))) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_in_place_of_the_words_about_an_entry_does_not_hang(cache: Cache) -> None:
    place = built(cache, "a")
    (place / META).unlink()
    os.mkfifo(place / META)
    assert faults(the(cache, "a")) == [f"{place / META} is missing or not JSON"]


def test_what_cannot_be_read_is_told_and_is_no_damage(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    place = built(cache, "a")
    monkeypatch.setattr("harness.cache.manage.sha256", refuse)
    assert list(wrong(the(cache, "a"))) == [(False, f"{place / 'data'} cannot be read (Permission denied)")]
