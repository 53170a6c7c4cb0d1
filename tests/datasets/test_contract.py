"""What every source keeps to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import HarnessError, UnknownName
from harness.data.dataset import Dataset
from harness.datasets import SOURCES, every_name, load_dataset, split_name
from harness.runtime.context import Context


@pytest.fixture
def world(collection: Callable[..., Path], context: Context, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A context that finds one collection of every source that finds any."""
    train = {f"t{n}": {"d1": 1} for n in range(10)}
    queries = {"q1": "lift", **{query: f"training {query}" for query in train}}
    monkeypatch.setenv(
        "HARNESS_DATA",
        str(collection("mine", queries=queries, qrels={"test": {"q1": {"d1": 1}}, "train": train}).parent),
    )
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    return context


@pytest.mark.parametrize("name", SOURCES.names())
def test_source(name: str, world: Context) -> None:
    source = SOURCES.get(name)()
    assert str(source) == name
    assert SOURCES.summary(name)
    for rest in source.available(world):
        dataset = source.load(rest, world)
        assert isinstance(dataset, Dataset)
        assert dataset.name.startswith(f"{name}/{rest}/")
        assert set(dataset.test.qrels) == set(dataset.test.queries.ids)
        assert dataset.drop_self <= set(dataset.test.queries.ids)
        assert dataset.unreachable == 0
        view = dataset.train
        assert view.corpus is dataset.corpus
        for part in (view.train, view.dev):
            assert part is not None
            assert not set(part.queries.ids) & set(dataset.test.queries.ids)
        folder = source.folder(rest, world)
        assert folder is None or folder.is_dir()
        again = source.load(dataset.name.removeprefix(f"{name}/"), Context(cache=world.cache))
        assert (again.name, again.revision, again.train.revision) == (dataset.name, dataset.revision, view.revision)


@pytest.mark.parametrize("name", SOURCES.names())
@pytest.mark.parametrize("rest", ["", "no-such-collection", "no-such-collection/test", "../mine", "a//b"])
def test_what_is_not_there(name: str, rest: str, world: Context) -> None:
    with pytest.raises(HarnessError):
        SOURCES.get(name)().load(rest, world)


def test_every_name(world: Context) -> None:
    assert list(every_name(world)) == ["beir/mine", "stdlib/code"]


def test_a_name_without_its_source_is_offered_in_full(world: Context) -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'beir/mine'"):
        split_name("mine", world)


def test_a_dataset_is_loaded_once(world: Context) -> None:
    assert load_dataset("beir/mine", world) is load_dataset("beir/mine", world)
