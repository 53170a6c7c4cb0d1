from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import DatasetError
from harness.collection.files import Collection, collections_in
from harness.runtime.context import Context

Write = Callable[..., Path]


def test_all_parts(collection: Write, context: Context) -> None:
    found = Collection.find(collection())
    corpus = found.open_corpus("mine", context)
    assert [d.id for batch in corpus.batches() for d in batch] == ["d1", "d2", "d3"]
    assert found.read_queries().ids == ["q1", "q2", "q3"]
    assert {split: read() for split, read in found.readers().items()} == {
        "test": {"q1": {"d1": 1}, "q2": {"d2": 2, "d1": 0}}
    }


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_part_is_named_with_its_folder(collection: Write, name: str) -> None:
    folder = collection()
    (folder / name).unlink()
    with pytest.raises(
        DatasetError, match=rf"mine has no {name.replace('test', '<split>')}; a collection is a folder with corpus"
    ):
        Collection.find(folder)


def test_packed_files(collection: Write, context: Context) -> None:
    folder = collection()
    for name in ("corpus.jsonl", "queries.jsonl"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()
    found = Collection.find(folder)
    assert len(found.open_corpus("mine", context)) == 3
    assert len(found.read_queries()) == 3


@pytest.mark.parametrize(
    ("name", "split"), [("qrels.txt", "test"), ("qrels/val.trec", "dev"), ("qrels/hard.qrels", "hard")]
)
def test_trec_files(collection: Write, name: str, split: str) -> None:
    folder = collection(qrels={})
    (folder / name).write_text("q1 0 d1 1\n")
    assert {s: read() for s, read in Collection.find(folder).readers().items()} == {split: {"q1": {"d1": 1}}}


def test_two_files_of_one_split(collection: Write) -> None:
    folder = collection(qrels={"dev": {"q1": {"d1": 1}}, "valid": {"q1": {"d1": 1}}})
    with pytest.raises(DatasetError, match=r"valid\.tsv: .*dev\.tsv contains judgements of split 'dev' too"):
        Collection.find(folder)


def test_no_judgement_and_no_query(collection: Write) -> None:
    folder = collection(qrels={"test": {}}, queries={})
    with pytest.raises(DatasetError, match=r"test\.tsv contains no judgement"):
        Collection.find(folder).readers()["test"]()
    with pytest.raises(DatasetError, match=r"queries\.jsonl contains no query"):
        Collection.find(folder).read_queries()


def test_an_empty_corpus(collection: Write, context: Context) -> None:
    with pytest.raises(DatasetError, match="the corpus is empty"):
        Collection.find(collection(documents=[])).open_corpus("mine", context)


def test_a_corpus_is_read_once_and_again_when_it_changes(collection: Write, context: Context) -> None:
    found = Collection.find(collection())
    first = found.open_corpus("mine", context)
    assert found.open_corpus("mine", context).path == first.path
    with open(found.corpus, "a", encoding="utf-8") as file:
        file.write('{"_id": "d4", "text": "more"}\n')
    second = found.open_corpus("mine", context)
    assert len(second) == 4
    assert second.revision != first.revision


def test_nothing_is_left_of_a_corpus_that_cannot_be_read(collection: Write, context: Context) -> None:
    found = Collection.find(collection())
    with open(found.corpus, "a", encoding="utf-8") as file:
        file.write("nonsense\n")
    with pytest.raises(DatasetError, match=r"corpus\.jsonl, line 4: not JSON"):
        found.open_corpus("mine", context)
    assert list((context.cache.root / "corpora").iterdir()) == []


def test_collections_below_a_folder(collection: Write, tmp_path: Path) -> None:
    for name in ("one", "forums/android", "forums/unix", ".half"):
        collection(name)
    assert collections_in(tmp_path / "data") == ["forums/android", "forums/unix", "one"]
    assert collections_in(tmp_path / "nowhere") == []


@pytest.mark.parametrize("cached", [False, True])
def test_a_file_that_only_its_name_calls_packed_is_refused_whether_its_content_is_cached_or_not(
    small_folder: Path, context: Context, cached: bool
) -> None:
    plain = small_folder / "corpus.jsonl"
    if cached:
        Collection.find(small_folder).open_corpus("small", context)
    plain.rename(small_folder / "corpus.jsonl.gz")
    with pytest.raises(DatasetError, match="the file is not gzip or is damaged: rename it"):
        Collection.find(small_folder).open_corpus("small", context)
