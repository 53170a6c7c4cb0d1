from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.base.errors import UnknownName
from harness.cache.folders import Cache
from harness.data.dataset import Dataset
from harness.datasets import load_dataset
from harness.datasets._code_search import words
from harness.runtime.context import Context


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return load_dataset("stdlib/code", Context(cache=Cache(tmp_path_factory.mktemp("cache"))))


def beside(dataset: Dataset) -> Context:
    """A new context over the cache that the dataset was built in."""
    assert dataset.corpus.path is not None
    return Context(cache=Cache(dataset.corpus.path.parents[2]))


def test_what_it_is(context: Context) -> None:
    started = time.perf_counter()
    dataset = load_dataset("stdlib/code", context)
    # Two seconds on the slow side; the bound only says that nothing went out of hand.
    assert time.perf_counter() - started < 30
    assert dataset.name == "stdlib/code/test"
    assert dataset.licence == "PSF-2.0"
    assert any("standard library of" in note for note in dataset.notes)
    assert 2000 < len(dataset.corpus) <= 5000
    assert len(dataset.test.queries) == 300
    assert dataset.train.train is not None
    assert dataset.train.dev is not None
    assert len(dataset.train.train.queries) > 500
    assert 100 < len(dataset.train.dev.queries) <= 300
    assert dataset.unreachable == 0
    assert dataset.drop_self == frozenset()


def test_the_document_does_not_hold_its_query(dataset: Dataset) -> None:
    documents = {d.id: d for batch in dataset.corpus.batches() for d in batch}
    for query, text in zip(dataset.test.queries.ids, dataset.test.queries.texts, strict=True):
        (answer,) = dataset.test.qrels[query]
        document = documents[answer]
        assert document.title == ""
        assert len(words(text)) >= 3
        assert " ".join(text.split()) not in " ".join(document.text.split())


def test_no_module_is_in_two_splits(dataset: Dataset) -> None:
    parts = [dataset.test, dataset.train.train, dataset.train.dev]
    modules = [
        {d.split(".")[0].lstrip("_") for grades in part.qrels.values() for d in grades} for part in parts if part
    ]
    assert len(modules) == 3
    assert sum(map(len, modules)) == len(set.union(*modules))


def test_no_two_documents_are_copies(dataset: Dataset) -> None:
    texts = [" ".join(d.text.split()) for batch in dataset.corpus.batches() for d in batch]
    assert len(set(texts)) == len(texts)


def test_the_same_in_another_process_with_another_hash_seed(dataset: Dataset, tmp_path: Path) -> None:
    code = (
        "from harness.runtime.context import Context; from harness.datasets import load_dataset;"
        "d = load_dataset('stdlib/code', Context()); print(d.revision, d.train.revision)"
    )
    env = {**os.environ, "PYTHONHASHSEED": "77", "LC_ALL": "C", "HARNESS_CACHE": str(tmp_path / "other")}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [dataset.revision, dataset.train.revision]


def test_splits_share_the_corpus(dataset: Dataset) -> None:
    train = load_dataset("stdlib/code/train", beside(dataset))
    assert train.corpus.revision == dataset.corpus.revision
    assert train.train.train is None


@pytest.mark.parametrize("name", ["stdlib/code/tset", "stdlib/prose"])
def test_unknown(name: str, dataset: Dataset) -> None:
    with pytest.raises(UnknownName):
        load_dataset(name, beside(dataset))
