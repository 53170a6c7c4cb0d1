"""Machines that share no folder share what they make through a store."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import CacheError, Unavailable
from harness.cache.folders import Cache
from harness.cache.remote import Remote
from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore
from harness.rows import parse_method
from harness.runtime.context import Context


@pytest.fixture(params=["memory", "file"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of its own, which the environment names."""
    named = f"memory://{uuid.uuid4().hex}" if request.param == "memory" else f"file://{tmp_path / 'store'}"
    monkeypatch.setenv("HARNESS_STORE", named)
    return named


@pytest.fixture
def built() -> list[Path]:
    return []


@pytest.fixture
def build(built: list[Path]) -> Callable[[Path], None]:
    def one(part: Path) -> None:
        built.append(part)
        (part / "inside").mkdir()
        (part / "inside" / "a.txt").write_text("built")
        (part / "b.bin").write_bytes(bytes(range(256)))

    return one


def test_what_one_machine_has_built_another_takes(
    address: str, tmp_path: Path, build: Callable[[Path], None], built: list[Path]
) -> None:
    here, there = Cache(tmp_path / "here"), Cache(tmp_path / "there")
    first = here.folder("kind", "k", {"of": "x"}, build)
    second = there.folder("kind", "k", {"of": "x"}, build)
    assert len(built) == 1
    assert (second / "inside" / "a.txt").read_text() == "built"
    assert (second / "b.bin").read_bytes() == bytes(range(256))
    assert there.meta(second) == here.meta(first)
    assert {p.name for p in second.parent.iterdir()} == {"k"}


def test_what_is_damaged_in_the_store_is_built_again(
    tmp_path: Path, build: Callable[[Path], None], built: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_STORE", f"file://{tmp_path / 'store'}")
    Cache(tmp_path / "here").folder("kind", "k", {}, build)
    (file,) = (tmp_path / "store").rglob("a.txt")
    file.write_text("other")
    assert (Cache(tmp_path / "there").folder("kind", "k", {}, build) / "inside" / "a.txt").read_text() == "built"
    assert len(built) == 2
    for meta in (tmp_path / "store").rglob("meta.json"):
        meta.write_text("{")  # cut short
    Cache(tmp_path / "third").folder("kind", "k", {}, build)
    assert len(built) == 3


def test_of_two_that_build_at_once_the_store_holds_one_whole(tmp_path: Path) -> None:
    store = Remote(f"file://{tmp_path / 'store'}")
    for name in ("one", "two"):

        def build(part: Path, name: str = name) -> None:
            (part / "a.txt").write_text(name)
            (part / "b.txt").write_text(name)

        store.keep("kind", "k", Cache(tmp_path / name).folder("kind", "k", {}, build))
    assert store.fetch("kind", "k", tmp_path / "got")
    assert {(tmp_path / "got" / f).read_text() for f in ("a.txt", "b.txt")} == {"two"}
    assert "at" not in json.loads((tmp_path / "got" / "meta.json").read_text())


def test_shards_go_both_ways_and_a_damaged_one_is_left(address: str, tmp_path: Path) -> None:
    vectors = np.arange(8, dtype=np.float32).reshape(2, 4)
    here = VectorStore(Cache(tmp_path / "here"), "embeddings", "k", {})
    there = VectorStore(Cache(tmp_path / "there"), "embeddings", "k", {})
    here.write(text_keys(["a", "b"]), vectors, 1.5)
    there.write(text_keys(["c"]), vectors[:1] + 1, 0.5)
    for store in (here, there):
        held = store.read()
        places = held.locate(text_keys(["a", "b", "c"]))
        np.testing.assert_array_equal(store.at(held, places).block(0, 3), np.concatenate([vectors, vectors[:1] + 1]))
    assert sorted(p.name for p in here.folder.glob("*.arrow")) == sorted(p.name for p in there.folder.glob("*.arrow"))
    remote = Remote(address)
    remote._write(b"cut short", remote._path("embeddings", "k", f"{'0' * 32}.arrow"))
    assert len(here.read()) == 3
    assert not list(here.folder.glob("0000*"))
    assert not [p for p in here.folder.iterdir() if p.suffix in (".part", ".bad")]


def test_many_shards_are_not_merged_where_the_small_ones_would_come_back(address: str, tmp_path: Path) -> None:
    store = VectorStore(Cache(tmp_path / "here"), "embeddings", "k", {})
    for i in range(10):
        store.write(text_keys([str(i)]), np.full((1, 4), i, np.float32), 0.1)
    store.merge()
    assert len(store.read().shards) == 10


def test_a_row_of_another_machine_encodes_and_builds_nothing(
    address: str, small_folder: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    from harness.bench.runner import Bench
    from harness.bench.store import Store

    rows = [parse_method("bm25"), parse_method(f'dense(model="{tiny_encoder}")')]

    def made(name: str) -> list[Any]:
        context = Context(cache=Cache(tmp_path / name))
        bench = Bench(rows, [str(small_folder)], context, Store(tmp_path / f"results-{name}"), ["nDCG@10"], 50)
        return [bench.run(str(small_folder), row).record for row in rows]

    here, there = made("here"), made("there")
    assert [r.run_sha256 for r in here] == [r.run_sha256 for r in there]
    computed = [sum(phase["counts"].get("computed", 0) for phase in records[1].phases) for records in (here, there)]
    assert computed == [80, 0]
    assert there[0].seconds["index"] > 0  # at what it took the machine that built it


def test_an_address_that_nothing_opens_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARNESS_STORE", "nosuch://bucket")
    with pytest.raises(Unavailable, match="the store nosuch://bucket cannot be opened"):
        Cache(tmp_path)


def test_a_store_that_does_not_answer_is_an_error_that_names_it(tmp_path: Path, build: Callable[[Path], None]) -> None:
    (tmp_path / "file").write_text("no folder")
    store = Remote(f"file://{tmp_path / 'file'}")
    place = Cache(tmp_path / "here").folder("kind", "k", {}, build)
    with pytest.raises(CacheError, match="cannot be used"):
        store.keep("kind", "k", place)
    assert (place / "b.bin").exists()


def a_store_that_says(tmp_path: Path, **changed: Any) -> Remote:
    """A store on disk with one folder, whose words about it are changed."""
    store = Remote(f"file://{tmp_path / 'store'}")

    def build(part: Path) -> None:
        (part / "a.txt").write_text("built")

    store.keep("kind", "k", Cache(tmp_path / "here").folder("kind", "k", {}, build))
    place = tmp_path / "store" / "kind" / "k" / "meta.json"
    held = json.loads(place.read_text())
    file = held["files"]["a.txt"]
    if "name" in changed:  # the file lies where the changed name leads to, so that a reader without care finds it
        name = changed.pop("name")
        held["files"] = {name: file}
        for at in (place.parent / held["at"] / name, Path("/") / name):
            if "\0" not in name and at.resolve().is_relative_to(tmp_path) and not at.is_dir():
                at.parent.mkdir(parents=True, exist_ok=True)
                at.write_text("built")
    place.write_text(json.dumps({**held, **changed}))
    return store


OUTSIDE = [
    "../escaped.txt",
    "x/../../escaped.txt",
    "{tmp}/escaped.txt",
    "..\\escaped.txt",
    "C:\\escaped.txt",
    "C:escaped.txt",
]


@pytest.mark.parametrize("name", [*OUTSIDE, "a\0b", "", ".", "..", "a//b", "meta.json", "META.json/x"])
def test_names_in_a_store_that_lead_out_of_the_folder_are_refused(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = a_store_that_says(tmp_path, name=name.replace("{tmp}", str(tmp_path / "cache")))
    cache = tmp_path / "cache" / "kind"
    cache.mkdir(parents=True)
    before = sorted(path for path in tmp_path.rglob("*") if "store" not in path.parts and "here" not in path.parts)
    assert not store.fetch("kind", "k", cache / "k")
    after = sorted(path for path in tmp_path.rglob("*") if "store" not in path.parts and "here" not in path.parts)
    assert after == before
    assert "which is not a file of the folder; the folder is built again" in caplog.text


@pytest.mark.parametrize("at", ["..", "../../other", "", "x/y", None, 3, "/etc"])
def test_a_store_cannot_name_a_folder_outside_itself(tmp_path: Path, at: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert not a_store_that_says(tmp_path, at=at).fetch("kind", "k", tmp_path / "got")
    assert "names no folder of the store" in caplog.text


@pytest.mark.parametrize(
    "files",
    [
        [],
        None,
        {"a.txt": None},
        {"a.txt": {"sha256": 3}},
        {"a": {"sha256": ""}, "a/b": {"sha256": ""}},
        {"a": {"sha256": ""}, "a/b/c": {"sha256": ""}},
        {"a": {"sha256": ""}, "A": {"sha256": ""}},
    ],
)
def test_words_of_a_store_that_no_cache_has_written_are_told_and_passed_over(
    tmp_path: Path, files: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert not a_store_that_says(tmp_path, files=files).fetch("kind", "k", tmp_path / "got")
    assert "the folder is built again" in caplog.text
    assert not (tmp_path / "got").exists()


def test_words_of_a_store_that_are_nested_too_deep_are_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = a_store_that_says(tmp_path)
    (tmp_path / "store" / "kind" / "k" / "meta.json").write_text("[" * 100_000)
    assert not store.fetch("kind", "k", tmp_path / "got")
    assert "is damaged" in caplog.text


def test_what_is_brought_is_called_by_its_place_whatever_the_store_calls_it(tmp_path: Path) -> None:
    assert a_store_that_says(tmp_path, kind="models", key="../x").fetch("kind", "k", tmp_path / "got")
    held = json.loads((tmp_path / "got" / "meta.json").read_text())
    assert (held["kind"], held["key"]) == ("kind", "k")


@pytest.mark.parametrize(
    "words",
    ['{"files": {"../../x": {"bytes": 1, "sha256": ""}}}', '{"files": 3}', "[" * 100_000, '{"files": {"a": 1}}'],
)
def test_a_folder_here_with_words_that_no_cache_writes_is_built_again(tmp_path: Path, words: str) -> None:
    def build(part: Path) -> None:
        (part / "a").write_text("built")

    place = Cache(tmp_path).folder("kind", "k", {}, build)
    (place / "meta.json").write_text(words)
    again = Cache(tmp_path).folder("kind", "k", {}, build)
    assert "built" in (again / "a").read_text()
    assert "sha256" in json.loads((again / "meta.json").read_text())["files"]["a"]
