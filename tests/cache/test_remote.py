"""Machines that share no folder share what they make through a store."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cache.folders import Cache
from harness.cache.remote import Remote
from harness.cache.vectors import VectorStore, text_keys
from harness.context import Context
from harness.errors import CacheError, Unavailable
from harness.rows import parse_method


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
    with pytest.raises(CacheError, match="does not answer"):
        store.keep("kind", "k", place)
    assert (place / "b.bin").exists()
