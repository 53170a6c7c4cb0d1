from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import DatasetError, HarnessError, Unavailable, UnknownName
from harness.cache.folders import Cache
from harness.datasets import _download, load_dataset
from harness.datasets._archives import ARCHIVES, UNPUBLISHED, Archive
from harness.datasets.beir import fetch
from harness.runtime.context import Context

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_download, "WAIT", 0.001)
    monkeypatch.setattr(_download, "TIMEOUT", 2.0)


def zipped(folder: Path, name: str, extra: dict[str, bytes] | None = None) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, f"{name}/{path.relative_to(folder).as_posix()}")
        for member, data in (extra or {}).items():
            file.writestr(member, data)
    return held.getvalue()


@pytest.fixture
def publish(collection: Write, server: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bytes]:
    """Puts a collection on the server under a name of BEIR's, with its checksum in the table."""
    monkeypatch.setenv("HARNESS_BEIR_URL", server.url + "/datasets/")
    made = collection("source")

    def publish(name: str = "scifact", extra: dict[str, bytes] | None = None) -> bytes:
        data = zipped(made, name, extra)
        monkeypatch.setitem(ARCHIVES, name, Archive(hashlib.md5(data).hexdigest(), len(data), "CC0-1.0"))
        server.files[f"/datasets/{name}.zip"] = data
        return data

    return publish


# Found in a data folder


def test_where_it_is_looked_for(
    collection: Write, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection("beir/inner", queries={"q1": "inner"}, qrels={"test": {"q1": {"d1": 1}}})
    collection("outer", queries={"q1": "outer"}, qrels={"test": {"q1": {"d1": 1}}})
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    assert load_dataset("beir/inner", context).test.queries.texts == ["inner"]
    assert load_dataset("beir/outer/test", context).test.queries.texts == ["outer"]


def test_order_of_the_folders(collection: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("first", "second", "../cache/data"):
        collection(f"{place}/beir/x", queries={"q1": place}, qrels={"test": {"q1": {"d1": 1}}})
    cache, data = Cache(tmp_path / "cache"), tmp_path / "data"
    assert load_dataset("beir/x", Context(cache=cache)).test.queries.texts == ["../cache/data"]
    monkeypatch.setenv("HARNESS_DATA", str(data / "second"))
    assert load_dataset("beir/x", Context(cache=cache)).test.queries.texts == ["second"]
    assert load_dataset("beir/x", Context(cache=cache, data_dirs=(data / "first",))).test.queries.texts == ["first"]


def test_nested_names(collection: Write, tmp_path: Path) -> None:
    collection("beir/cqadupstack/android")
    context = Context(cache=Cache(tmp_path / "cache"), data_dirs=(tmp_path / "data",))
    assert load_dataset("beir/cqadupstack/android", context).name == "beir/cqadupstack/android/test"
    assert load_dataset("beir/cqadupstack/android/test", context).name == "beir/cqadupstack/android/test"
    with pytest.raises(UnknownName, match="cqadupstack/android"):
        load_dataset("beir/cqadupstack", context)


def test_msmarco_is_reported_on_dev(collection: Write, tmp_path: Path) -> None:
    collection("beir/msmarco", qrels={"dev": {"q1": {"d1": 1}}, "test": {"q2": {"d1": 1}}})
    context = Context(cache=Cache(tmp_path / "cache"), data_dirs=(tmp_path / "data",))
    assert load_dataset("beir/msmarco", context).name == "beir/msmarco/dev"
    assert load_dataset("beir/msmarco/test", context).name == "beir/msmarco/test"


def test_a_half_collection_says_what_is_missing(collection: Write, tmp_path: Path) -> None:
    (collection("beir/scifact") / "corpus.jsonl").unlink()
    context = Context(cache=Cache(tmp_path / "cache"), data_dirs=(tmp_path / "data",))
    with pytest.raises(DatasetError, match=r"scifact has no corpus\.jsonl"):
        load_dataset("beir/scifact", context)


# Not there


def test_offline_names_the_folders_and_the_command(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    with pytest.raises(
        Unavailable, match=r"scifact is not on this machine .searched: .*cache.data.beir.scifact"
    ) as caught:
        load_dataset("beir/scifact", context)
    assert "HARNESS_OFFLINE" in caught.value.reason
    assert "harness data fetch beir/scifact" in caught.value.remedy


def test_no_network_names_the_folders_and_the_command(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_BEIR_URL", "http://127.0.0.1:9")
    with pytest.raises(
        Unavailable, match=r"is not on this machine .*and http://127\.0\.0\.1:9/scifact\.zip cannot be downloaded"
    ) as caught:
        load_dataset("beir/scifact/test", context)
    assert "harness data fetch beir/scifact" in caught.value.remedy


@pytest.mark.parametrize("name", sorted(UNPUBLISHED))
def test_what_beir_may_not_publish(context: Context, name: str) -> None:
    with pytest.raises(Unavailable, match="not allowed to publish") as caught:
        load_dataset(f"beir/{name}", context)
    assert "corpus.jsonl" in caught.value.remedy


def test_an_unknown_name_asks_nobody(context: Context, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_BEIR_URL", server.url)
    with pytest.raises(UnknownName, match="did you mean 'scifact'"):
        load_dataset("beir/sifact", context)
    assert server.asked == []


@pytest.mark.parametrize("rest", ["../secret", "a/../../secret", "/etc", ".", ""])
def test_names_that_leave_the_folder(context: Context, rest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    with pytest.raises(HarnessError):
        load_dataset(f"beir/{rest}", context)


def test_a_mirror_must_be_safe(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_BEIR_URL", "http://example.org")
    with pytest.raises(HarnessError, match="must begin with https://"):
        load_dataset("beir/scifact", context)


# Downloaded


def test_download(publish: Callable[..., bytes], server: Any, context: Context) -> None:
    publish()
    dataset = load_dataset("beir/scifact/test", context)
    assert (dataset.name, dataset.licence, len(dataset.corpus)) == ("beir/scifact/test", "CC0-1.0", 3)
    assert fetch("beir/scifact", context) == context.cache.root / "data" / "beir" / "scifact"
    assert len(server.asked) == 1
    assert list((context.cache.root / "downloads").iterdir()) == []
    assert [p.name for p in (context.cache.root / "data" / "beir").iterdir()] == ["scifact"]


def test_what_a_killed_process_has_unpacked_is_removed(
    publish: Callable[..., bytes], server: Any, context: Context
) -> None:
    publish()
    left, other = (context.cache.root / "data" / "beir" / name for name in (".scifact.x1y2.part", ".others.x1y2.part"))
    for folder in (left, other):
        folder.mkdir(parents=True)
        (folder / "half").write_text("")
    load_dataset("beir/scifact/test", context)
    assert not left.exists()
    assert other.exists()


def test_a_nested_archive(publish: Callable[..., bytes], server: Any, collection: Write, context: Context) -> None:
    publish("source")
    inner = zipped(collection("forums/android").parent, "cqadupstack")
    ARCHIVES["cqadupstack"], before = Archive(hashlib.md5(inner).hexdigest(), len(inner)), ARCHIVES["cqadupstack"]
    try:
        server.files["/datasets/cqadupstack.zip"] = inner
        assert load_dataset("beir/cqadupstack/android/test", context).name == "beir/cqadupstack/android/test"
    finally:
        ARCHIVES["cqadupstack"] = before


def test_a_broken_transfer_goes_on(publish: Callable[..., bytes], server: Any, context: Context) -> None:
    publish()
    server.break_after = [100]
    assert (fetch("scifact", context) / "corpus.jsonl").exists()
    assert server.asked[1] == ("/datasets/scifact.zip", "bytes=100-")


def test_a_transfer_given_up_goes_on_next_time(publish: Callable[..., bytes], server: Any, context: Context) -> None:
    publish()
    server.break_after = [100] + [0] * _download.TRIES
    with pytest.raises(Unavailable, match="cannot be downloaded"):
        fetch("scifact", context)
    server.break_after.clear()
    server.asked.clear()
    fetch("scifact", context)
    assert server.asked == [("/datasets/scifact.zip", "bytes=100-")]


def test_a_server_without_ranges(publish: Callable[..., bytes], server: Any, context: Context) -> None:
    publish()
    server.ranges = False
    server.break_after = [100]
    assert (fetch("scifact", context) / "corpus.jsonl").exists()


def test_a_wrong_checksum_leaves_nothing(publish: Callable[..., bytes], server: Any, context: Context) -> None:
    server.files["/datasets/scifact.zip"] = publish() + b"x"
    with pytest.raises(DatasetError, match="instead of"):
        fetch("scifact", context)
    assert list((context.cache.root / "downloads").iterdir()) == []
    assert not (context.cache.root / "data").exists()


def test_a_member_that_leaves_the_folder(publish: Callable[..., bytes], context: Context, tmp_path: Path) -> None:
    publish(extra={"../../escaped.txt": b"x"})
    with pytest.raises(DatasetError, match="leads out"):
        fetch("scifact", context)
    assert not list(tmp_path.rglob("escaped.txt"))
    assert list((context.cache.root / "data" / "beir").iterdir()) == []


def test_an_archive_of_something_else(server: Any, publish: Callable[..., bytes], context: Context) -> None:
    other = publish("other")
    ARCHIVES["scifact"], before = Archive(hashlib.md5(other).hexdigest(), len(other)), ARCHIVES["scifact"]
    try:
        server.files["/datasets/scifact.zip"] = other
        with pytest.raises(DatasetError, match="has no folder scifact"):
            fetch("scifact", context)
    finally:
        ARCHIVES["scifact"] = before


def test_two_at_once_download_once(publish: Callable[..., bytes], server: Any, context: Context) -> None:
    publish()
    found: list[Path] = []

    def run() -> None:
        found.append(fetch("scifact", Context(cache=Cache(context.cache.root))))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [context.cache.root / "data" / "beir" / "scifact"] * 3
    assert len(server.asked) == 1


def test_the_table() -> None:
    for name, archive in ARCHIVES.items():
        assert name == name.lower()
        assert len(archive.md5) == 32
        assert int(archive.md5, 16) >= 0
        assert archive.size > 1_000_000
    assert not UNPUBLISHED & ARCHIVES.keys()
