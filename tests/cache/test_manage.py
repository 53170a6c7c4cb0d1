"""Looking after the cache: it lists what is there, finds every damage and takes away only what it should."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from harness.cache.folders import META, Cache
from harness.cache.manage import UNFINISHED_AFTER, Entry, Removal, entries, faults, removals, remove
from harness.cache.vectors import VectorStore, text_keys

DAY = 86400.0


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def built(cache: Cache, key: str, size: int = 1000) -> Path:
    return cache.folder("corpora", key, {"name": key}, lambda folder: (folder / "data").write_bytes(bytes(size)) and None)


def stored(cache: Cache, key: str) -> VectorStore:
    store = VectorStore(cache, "embeddings", key, {"model": key})
    store.write(text_keys(["a", "b"]), np.ones((2, 3), np.float32), 1.0)
    return store


def age(place: Path, days: float) -> None:
    then = time.time() - days * DAY
    for path in [*place.rglob("*"), place]:
        os.utime(path, (then, then))


def the(cache: Cache, key: str) -> Entry:
    (found,) = [entry for entry in entries(cache) if entry.key == key]
    return found


def gone(cache: Cache, days: float | None = None, size: int | None = None) -> list[tuple[str, str]]:
    return sorted((removal.path.name, removal.why) for removal in removals(cache, days, size))


def test_an_empty_cache_has_no_entries(cache: Cache) -> None:
    assert entries(cache) == []
    assert gone(cache, 0, 0) == []


def test_entries_are_listed_the_last_used_first_with_their_sizes_and_words(cache: Cache) -> None:
    age(built(cache, "old", 5000), 3)
    age(stored(cache, "older").folder, 5)
    built(cache, "new", 70)
    assert [(e.kind, e.key, e.describe) for e in entries(cache)] == [
        ("corpora", "new", {"name": "new"}),
        ("corpora", "old", {"name": "old"}),
        ("embeddings", "older", {"model": "older"}),
    ]
    old = the(cache, "old")
    assert old.bytes == 5000 + (old.path / META).stat().st_size
    assert old.used == pytest.approx(time.time() - 3 * DAY, abs=60)


def test_locks_hashes_downloads_and_half_built_things_are_no_entries(cache: Cache) -> None:
    place = built(cache, "a")
    stored(cache, "b").read()
    (cache.root / "data" / "scifact").mkdir(parents=True)
    (place.parent / ".c.x.part").mkdir()
    assert (cache.root / "locks").is_dir()
    assert (cache.root / "hashes").is_dir()
    assert {entry.key for entry in entries(cache)} == {"a", "b"}


def test_sound_entries_have_no_faults(cache: Cache) -> None:
    built(cache, "a")
    stored(cache, "b")
    assert [faults(entry) for entry in entries(cache)] == [[], []]


def test_one_altered_byte_in_a_built_folder_is_found(cache: Cache) -> None:
    place = built(cache, "a")
    (place / "data").write_bytes(bytes(999) + b"x")
    assert faults(the(cache, "a")) == [f"{place / 'data'} does not answer to its hash"]


def test_a_missing_or_shortened_file_is_found(cache: Cache) -> None:
    place = built(cache, "a")
    (place / "data").write_bytes(b"")
    assert faults(the(cache, "a")) == [f"{place / 'data'} does not answer to its hash"]
    (place / "data").unlink()
    assert faults(the(cache, "a")) == [f"{place / 'data'} is missing"]


@pytest.mark.parametrize("meta", [None, "", "{", "[]"])
def test_an_entry_without_its_description_is_found(cache: Cache, meta: str | None) -> None:
    place = built(cache, "a")
    if meta is None:
        (place / META).unlink()
    else:
        (place / META).write_text(meta)
    assert faults(the(cache, "a")) == [f"{place / META} is missing or no JSON"]


def test_one_altered_byte_in_a_shard_is_found_whatever_its_time_says(cache: Cache) -> None:
    store = stored(cache, "a")
    store.read()  # its hash is remembered by size and times; a full check does not go by that
    (shard,) = store.folder.glob("*.arrow")
    before, content = shard.stat(), bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(bytes(content))
    os.utime(shard, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert faults(the(cache, "a")) == [f"{shard} does not answer to its hash"]


def test_a_shard_set_aside_is_told(cache: Cache) -> None:
    store = stored(cache, "a")
    (shard,) = store.folder.glob("*.arrow")
    shard.write_bytes(b"")
    store.read()
    assert faults(the(cache, "a")) == [f"{shard.with_suffix('.bad')} is damaged"]


def test_nothing_goes_unasked(cache: Cache) -> None:
    age(built(cache, "a"), 1000)
    stored(cache, "b")
    assert gone(cache) == []


def test_what_was_not_used_for_some_days_goes(cache: Cache) -> None:
    age(built(cache, "a"), 31)
    age(built(cache, "b"), 29)
    age(stored(cache, "c").folder, 40)
    assert gone(cache, days=30) == [("a", "not used for 31 days"), ("c", "not used for 40 days")]


def test_what_is_asked_for_again_stays(cache: Cache) -> None:
    age(built(cache, "a"), 31)
    store = stored(cache, "b")
    age(store.folder, 31)
    built(cache, "a")
    store.read()
    assert gone(cache, days=30) == []


def test_beyond_a_size_the_longest_unused_goes_first_and_no_more_than_needed(cache: Cache) -> None:
    for key, days in (("a", 1), ("b", 3), ("c", 2), ("d", 4)):
        age(built(cache, key, 10_000), days)
    size = {entry.key: entry.bytes for entry in entries(cache)}
    assert gone(cache, size=sum(size.values())) == []
    assert gone(cache, size=sum(size.values()) - 1) == [("d", "over the size")]
    assert gone(cache, size=size["a"] + size["c"]) == [("b", "over the size"), ("d", "over the size")]
    assert len(gone(cache, size=0)) == 4


def test_what_is_old_does_not_count_towards_the_size(cache: Cache) -> None:
    age(built(cache, "a", 10_000), 9)
    built(cache, "b", 10_000)
    assert gone(cache, days=5, size=the(cache, "b").bytes) == [("a", "not used for 9 days")]


def test_damaged_things_go(cache: Cache) -> None:
    (built(cache, "a") / META).write_text("{")
    store = stored(cache, "b")
    (shard,) = store.folder.glob("*.arrow")
    shard.write_bytes(b"")
    store.read()
    assert gone(cache) == sorted([("a", "damaged"), (f"{shard.stem}.bad", "damaged")])


def parts(cache: Cache) -> list[Path]:
    """Things half-written, as a kill leaves them: a folder, a shard, a memo."""
    folder = built(cache, "a").parent / ".zzz.1234.part"
    folder.mkdir()
    (folder / "data").write_bytes(b"half")
    shard = stored(cache, "b").folder / ".1234.part"
    shard.write_bytes(b"half")
    memo = cache.root / "hashes" / ".x.json.1234.part"
    memo.parent.mkdir(exist_ok=True)
    memo.write_bytes(b"half")
    return [folder, shard, memo]


def test_what_was_left_unfinished_goes_after_an_hour(cache: Cache) -> None:
    left = parts(cache)
    assert gone(cache) == []
    for part in left:
        age(part, 1.1 * UNFINISHED_AFTER / DAY)
    assert gone(cache) == sorted((part.name, "left unfinished") for part in left)
    assert all(removal.bytes == 4 for removal in removals(cache, None, None))


def test_a_build_that_is_still_writing_stays(cache: Cache) -> None:
    folder = parts(cache)[0]
    age(folder, 1)
    (folder / "data").write_bytes(b"more")
    os.utime(folder, (1.0, 1.0))
    assert gone(cache) == []


def test_what_is_removed_is_gone_and_the_rest_is_not(cache: Cache) -> None:
    left = parts(cache)
    for part in left:
        age(part, 1)
    doomed = [removal.path for removal in removals(cache, None, None)]
    assert sorted(doomed) == sorted(left)
    assert all(remove(cache, removal) for removal in list(removals(cache, None, None)))
    assert not any(path.exists() for path in left)
    assert [faults(entry) for entry in entries(cache)] == [[], []]


def test_an_entry_that_is_removed_can_be_built_again(cache: Cache) -> None:
    place = built(cache, "a")
    (removal,) = removals(cache, None, 0)
    assert remove(cache, removal)
    assert not place.exists()
    assert (built(cache, "a") / "data").stat().st_size == 1000


def test_what_is_gone_already_counts_as_removed(cache: Cache) -> None:
    removal = Removal(cache.root / "corpora" / "absent", 0, "damaged")
    assert remove(cache, removal)


@pytest.mark.parametrize("what", ["entry", "folder being built", "shard being written"])
def test_what_another_process_is_at_work_on_stays(cache: Cache, what: str) -> None:
    folder, shard, _ = parts(cache)
    place, kind, key = {
        "entry": (cache.root / "corpora" / "a", "corpora", "a"),
        "folder being built": (folder, "corpora", "zzz"),
        "shard being written": (shard, "embeddings", "b"),
    }[what]
    code = """
import sys
from pathlib import Path
from harness.cache.folders import Cache
with Cache(Path(sys.argv[1])).lock(sys.argv[2], sys.argv[3]):
    print("held", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", code, cache.root, kind, key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert not remove(cache, Removal(place, 0, "old"))
        assert place.exists()
        holder.communicate("")
    assert remove(cache, Removal(place, 0, "old"))
    assert not place.exists()


def test_what_was_altered_without_a_change_of_length_goes(cache: Cache) -> None:
    place, store = built(cache, "a"), stored(cache, "b")
    (shard,) = store.folder.glob("*.arrow")
    for path in (next(p for p in place.iterdir() if p.name != META), shard):
        held = bytearray(path.read_bytes())
        held[-1] ^= 1
        path.write_bytes(bytes(held))
    assert gone(cache) == sorted([("a", "damaged"), (shard.name, "damaged")])


def test_vectors_stay_when_only_the_words_about_them_are_damaged(cache: Cache) -> None:
    store = stored(cache, "b")
    (store.folder / META).write_text("{")
    assert gone(cache) == []
    assert len(stored(cache, "b").read()) > 0
    assert json.loads((store.folder / META).read_text())["key"] == "b"
