"""What every source has to do, tried on one collection of each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.base.errors import HarnessError, UnknownName
from harness.cache.folders import Cache
from harness.data.dataset import Dataset
from harness.datasets import SOURCES, every_name, load_dataset, split_name
from harness.runtime.context import Context

TRAIN = {f"t{n}": {"d1": 1} for n in range(10)}


@pytest.fixture
def folder(collection: Callable[..., Path]) -> Path:
    """A collection with the splits test and train."""
    queries = {"q1": "lift", **{query: f"training {query}" for query in TRAIN}}
    return collection("mine", queries=queries, qrels={"test": {"q1": {"d1": 1}}, "train": TRAIN})


@pytest.fixture
def world(folder: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A context whose data folders contain that collection, without a network."""
    monkeypatch.setenv("HARNESS_DATA", str(folder.parent))
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    return context


# For each source, `example_of_<source>` makes one collection with a train split and gives its name in that source. A
# source that cannot have one in a test says why, by `pytest.skip(…)`. Without the fixture its contract test fails.


@pytest.fixture
def example_of_beir(world: Context) -> str:
    return "mine"


@pytest.fixture
def example_of_folder(folder: Path) -> str:
    return str(folder)


@pytest.fixture(scope="module")
def stdlib_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the collection of the standard library, which takes seconds to build."""
    cache = Cache(tmp_path_factory.mktemp("stdlib"))
    load_dataset("stdlib/code", Context(cache=cache))
    return cache.root


@pytest.fixture
def example_of_stdlib(stdlib_cache: Path, world: Context) -> str:
    shutil.copytree(stdlib_cache, world.cache.root, dirs_exist_ok=True)
    return "code"


@pytest.fixture
def example_of_ir_datasets(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("ir_datasets", reason="ir_datasets is not installed")
    from tests.datasets.ir_collections import registering

    with registering(tmp_path) as put:
        put("mine/test", {"q1": "lift"}, "q1 0 d1 1\n")
        put("mine/train", {q: f"training {q}" for q in TRAIN}, "".join(f"{q} 0 d1 1\n" for q in TRAIN))
        yield "mine/test"


@pytest.fixture
def example_of_mteb(monkeypatch: pytest.MonkeyPatch) -> str:
    pytest.importorskip("mteb", reason="mteb is not installed")
    from tests.datasets.mteb_tasks import define

    define(monkeypatch, "Mine", {"test": None, "train": None, "validation": None})
    return "Mine"


@pytest.fixture
def example_of_objects(world: Context) -> str:
    corpus, queries = {"d1": "lift"}, {"q1": "lift", **{q: f"training {q}" for q in TRAIN}}
    Dataset.of(corpus, queries, {"q1": {"d1": 1}}, train=TRAIN, context=world)
    return "mine"


@pytest.fixture
def example(name: str, request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"example_of_{name}"))


@pytest.mark.parametrize("name", SOURCES.names())
def test_a_source_is_listed_with_a_summary(name: str, world: Context) -> None:
    source = SOURCES.get(name)()
    assert str(source) == name
    assert SOURCES.summary(name)
    assert set(source.available(world)) <= set(source.known(world))


@pytest.mark.parametrize("name", SOURCES.names())
def test_a_collection_is_found_without_a_download_and_loaded(name: str, example: str, world: Context) -> None:
    source = SOURCES.get(name)()
    source.check(example, world)
    dataset = source.load(example, world)
    assert isinstance(dataset, Dataset)
    assert f"{dataset.name}/".startswith(f"{name}/{example}/")
    assert len(dataset.corpus) > 0
    assert dataset.test.qrels
    assert set(dataset.test.qrels) == set(dataset.test.queries.ids)
    assert dataset.drop_self <= set(dataset.test.queries.ids)
    assert dataset.unreachable == 0
    folder = source.folder(example, world)
    assert folder is None or folder.is_dir()
    if source.available(world):
        assert example in source.available(world)
        assert source.at_hand(example, world)


@pytest.mark.parametrize("name", SOURCES.names())
def test_training_sees_train_and_dev_and_no_test_query(name: str, example: str, world: Context) -> None:
    dataset = load_dataset(f"{name}/{example}", world)
    view = dataset.train
    assert view.corpus is dataset.corpus
    for part in (view.train, view.dev):
        assert part is not None
        assert len(part.queries) > 0
        assert not set(part.queries.ids) & set(dataset.test.queries.ids)


@pytest.mark.parametrize("name", SOURCES.names())
def test_the_full_name_of_a_dataset_gives_the_same_dataset(name: str, example: str, world: Context) -> None:
    source = SOURCES.get(name)()
    dataset = source.load(example, world)
    rest = dataset.name.removeprefix(f"{name}/")
    again = source.load(rest, Context(cache=world.cache))
    assert (again.name, again.revision) == (dataset.name, dataset.revision)
    assert again.train.revision == dataset.train.revision
    assert source.spelled(source.spelled(rest)) == source.spelled(rest)
    assert load_dataset(dataset.name, world).revision == dataset.revision


@pytest.mark.parametrize("name", SOURCES.names())
def test_a_split_that_the_collection_lacks_is_refused(name: str, example: str, world: Context) -> None:
    with pytest.raises(HarnessError):
        SOURCES.get(name)().load(f"{example.removesuffix('/test')}/no-such-split", world)


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
