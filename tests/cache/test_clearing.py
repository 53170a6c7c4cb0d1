"""What of the cache may go goes, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from harness.cache.clearing import UNFINISHED_AFTER, Removal, freed, mount_points, removals, remove
from harness.cache.folders import META, Cache
from harness.cache.manage import Entry, entries, faults
from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore
from harness.endpoints.journal import Journal

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


NAMES = {k(name): name for name in "abcdxyz"}


def gone(cache: Cache, days: float | None = None, size: int | None = None) -> list[tuple[str, str]]:
    return sorted((NAMES.get(r.path.name, r.path.name), r.why) for r in removals(cache, days, size))


def test_an_empty_cache_has_nothing_to_give(cache: Cache) -> None:
    assert gone(cache, 0, 0) == []


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
    size = {name: the(cache, name).bytes for name in "abcd"}
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
    folder = built(cache, "a").parent / f".{k('zzz')}.1234.part"
    folder.mkdir()
    (folder / "data").write_bytes(b"half")
    shard = stored(cache, "b").folder / ".1234.part"
    shard.write_bytes(b"half")
    memo = cache.root / "hashes" / f".{k('x')}.json.1234.part"
    memo.parent.mkdir(exist_ok=True)
    memo.write_bytes(b"half")
    return [folder, shard, memo]


def test_what_was_left_unfinished_goes_after_an_hour(cache: Cache) -> None:
    left = parts(cache)
    assert gone(cache) == []
    for part in left:
        age(part, 1.1 * UNFINISHED_AFTER / DAY)
    assert gone(cache) == sorted((NAMES.get(part.name, part.name), "left unfinished") for part in left)
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
    assert not any(remove(cache, removal) for removal in list(removals(cache, None, None)))
    assert not any(path.exists() for path in left)
    assert [faults(entry) for entry in entries(cache)] == [[], []]


def test_an_entry_that_is_removed_can_be_built_again(cache: Cache) -> None:
    place = built(cache, "a")
    (removal,) = removals(cache, None, 0)
    assert remove(cache, removal) == ""
    assert not place.exists()
    assert (built(cache, "a") / "data").stat().st_size == 1000


def test_what_is_gone_already_counts_as_removed(cache: Cache) -> None:
    built(cache, "a")
    assert remove(cache, Removal(cache.root / "corpora" / k("absent"), "damaged")) == ""


@pytest.mark.parametrize("what", ["entry", "folder being built", "shard being written"])
def test_what_another_process_is_at_work_on_stays(cache: Cache, what: str) -> None:
    folder, shard, _ = parts(cache)
    place, kind, key = {
        "entry": (cache.root / "corpora" / k("a"), "corpora", k("a")),
        "folder being built": (folder, "corpora", k("zzz")),
        "shard being written": (shard, "embeddings", k("b")),
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
        assert remove(cache, Removal(place, "old")) == "in use"
        assert place.exists()
        holder.communicate("")
    assert remove(cache, Removal(place, "old")) == ""
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
    assert json.loads((store.folder / META).read_text())["key"] == k("b")


def behind(tmp_path: Path) -> Path:
    """A folder of others, with what `gc` would call damaged and old if it were an entry."""
    place = tmp_path / "others"
    for name in (k("x"), f".{k('y')}.1.part", "photos"):
        (place / name).mkdir(parents=True)
        (place / name / "file").write_text("mine")
        (place / name / ".z.part").write_text("mine")
        (place / name / "old.bad").write_text("mine")
    age(place, 1000)
    return place


def everything(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))


def clear(cache: Cache) -> None:
    for removal in list(removals(cache, 0, 0)):
        assert remove(cache, removal) == ""


def test_nothing_behind_a_link_goes(cache: Cache, tmp_path: Path) -> None:
    """A linked folder of a kind, a linked entry, links inside an entry: `gc` once emptied what they led to."""
    others = behind(tmp_path)
    before = everything(others)
    (cache.root / "models").symlink_to(others, target_is_directory=True)
    (cache.root / "photos").symlink_to(others, target_is_directory=True)
    place = built(cache, "a")
    (place.parent / k("b")).symlink_to(others, target_is_directory=True)
    (place.parent / f".{k('c')}.1.part").symlink_to(others, target_is_directory=True)
    (place / "inside").symlink_to(others, target_is_directory=True)
    (place / "file").symlink_to(others / "photos" / "file")
    age(cache.root, 100)
    clear(cache)
    assert not place.exists()
    assert everything(others) == before
    assert (cache.root / "models").is_symlink()


def test_what_became_a_link_after_it_was_listed_stays(cache: Cache, tmp_path: Path) -> None:
    others = behind(tmp_path)
    before = everything(others)
    place = built(cache, "x")
    (removal,) = removals(cache, None, 0)
    place.parent.rename(tmp_path / "aside")
    place.parent.symlink_to(others, target_is_directory=True)
    assert remove(cache, removal) == "is inside a link"
    assert everything(others) == before


def test_nothing_of_others_in_the_folder_goes(cache: Cache) -> None:
    """Results, documents and folders of other programs are no damaged entries, whatever they are called."""
    others = [
        "results/beir-scifact-test/bm25",
        "Documents/letters",
        "huggingface/hub",
        "models/by-hand",
        f"own/{k('z')}",
        "corpora",
    ]
    for name in others:
        (cache.root / name).mkdir(parents=True, exist_ok=True)
        (cache.root / name / "file.json").write_text("{}")
        (cache.root / name / ".x.part").write_text("")
        (cache.root / name / "y.bad").write_text("")
    (cache.root / "data" / "beir" / f".{k('d')}.1.part").mkdir(parents=True)
    age(cache.root, 1000)
    before = everything(cache.root)
    clear(cache)
    assert [path for path in everything(cache.root) if not path.startswith("locks")] == before


def test_a_file_of_another_file_system_inside_an_entry_stays(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    place = built(cache, "a")
    (place / "mounted").mkdir()
    monkeypatch.setattr("harness.cache.clearing.mount_points", lambda: ["/", str(place / "mounted")])
    (removal,) = removals(cache, None, 0)
    assert remove(cache, removal) == "contains another file system"
    assert place.exists()


def test_mount_points_are_those_of_the_system() -> None:
    assert "/" in mount_points() or os.name == "nt"


def test_what_cannot_be_removed_is_told_and_whole(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    place = built(cache, "a")
    (removal,) = removals(cache, None, 0)

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    assert remove(cache, removal) == "cannot be removed (Permission denied)"
    assert faults(the(cache, "a")) == []
    assert [path.name for path in place.parent.iterdir()] == [k("a")]


def test_what_others_add_to_in_parts_is_in_use(cache: Cache) -> None:
    store = stored(cache, "a")
    other = Cache(cache.root)
    with other.apart("of-3-the-second"), VectorStore(other, "embeddings", k("a"), {}).lock:
        assert remove(cache, Removal(store.folder, "old")) == "in use"
    assert store.folder.exists()


def test_what_cannot_be_read_stays(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    built(cache, "a")
    stored(cache, "b")
    monkeypatch.setattr("harness.cache.manage.sha256", refuse)
    assert gone(cache) == []


def test_paid_answers_and_checkpoints_stay_when_the_words_about_them_are_gone(cache: Cache) -> None:
    Journal(cache, "answers", k("a"), {}).add("one", "paid for")
    checkpoint = cache.root / "checkpoints" / k("b") / "checkpoint-9"
    checkpoint.mkdir(parents=True)
    (checkpoint / "model.safetensors").write_bytes(b"hours")
    (cache.root / "answers" / k("a") / META).unlink()
    assert gone(cache) == []
    assert Journal(cache, "answers", k("a"), {}).read() == {"one": "paid for"}


def test_a_shared_file_is_free_when_its_last_name_goes(cache: Cache) -> None:
    first = built(cache, "a", 100_000)
    for name, days in (("b", 2), ("c", 1)):
        place = cache.folder("corpora", k(name), {}, lambda folder: os.link(first / "data", folder / "data"))
        os.utime(place / META, (time.time() - days * DAY,) * 2)
    words = {name: (cache.root / "corpora" / k(name) / META).stat().st_size for name in "abc"}
    for place in (first, *(cache.root / "corpora" / k(name) for name in "bc")):
        os.utime(place / "data", (1.0, 1.0))
    os.utime(first / META, (time.time() - 3 * DAY,) * 2)
    assert gone(cache, size=100_000 + words["b"] + words["c"]) == [("a", "over the size")]
    (removal,) = removals(cache, None, 100_000 + words["b"] + words["c"])
    assert freed(cache, [removal]) == words["a"]
    assert freed(cache, list(removals(cache, None, 0))) == 100_000 + sum(words.values())
