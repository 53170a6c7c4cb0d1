"""Collections registered here with ir_datasets' own readers, and read through its own catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.base.errors import DatasetError, Unavailable, UnknownName
from harness.datasets import load_dataset
from harness.runtime.context import Context

catalogue = pytest.importorskip("ir_datasets", reason="ir_datasets is not installed")

from tests.datasets.ir_collections import DOCUMENTS, Put, registering, tsv_docs  # noqa: E402


@pytest.fixture
def put(tmp_path: Path) -> Iterator[Put]:
    """See `tests.datasets.ir_collections.registering`."""
    with registering(tmp_path) as put:
        yield put


def test_a_collection_by_its_id_with_its_grades(put: Put, context: Context) -> None:
    put("mine/test", {"q1": "lift", "q2": "drag", "q3": "unjudged"}, "q1 0 d1 2\nq1 0 d2 0\nq2 0 d2 -1\nq2 0 d3 1\n")
    dataset = load_dataset("ir_datasets/mine/test", context)
    assert dataset.name == "ir_datasets/mine/test"
    assert dict(zip(dataset.test.queries.ids, dataset.test.queries.texts, strict=True)) == {"q1": "lift", "q2": "drag"}
    assert dataset.test.qrels == {"q1": {"d1": 2, "d2": 0}, "q2": {"d2": -1, "d3": 1}}
    assert [tuple(d) for batch in dataset.corpus.batches() for d in batch] == [
        (d, "", text) for d, text in DOCUMENTS.items()
    ]
    assert dataset.notes == (f"from ir_datasets {catalogue.__version__}, id mine/test",)


@pytest.mark.parametrize("asked", ["ir_datasets/whole", "ir_datasets/whole/test"])
def test_an_id_that_names_no_split_is_its_own_test(put: Put, context: Context, asked: str) -> None:
    put("whole", {"q1": "lift"}, "q1 0 d1 1\n")
    dataset = load_dataset(asked, context)
    assert dataset.name == "ir_datasets/whole/test"
    assert load_dataset(dataset.name, Context(cache=context.cache)).revision == dataset.revision


@pytest.mark.parametrize("reported", ["mine/test", "mine/trec/judged"])
def test_what_is_learnt_from_stands_beside_or_above_and_has_the_same_documents(
    put: Put, context: Context, tmp_path: Path, reported: str
) -> None:
    put(reported, {"q1": "lift"}, "q1 0 d1 1\n")
    put("mine/train", {f"t{n}": f"question {n}" for n in range(3)}, "t0 0 d1 1\nt1 0 d2 1\nt2 0 d3 1\n")
    put("mine/valid", {"v": "what warms"}, "v 0 d3 1\n")
    view = load_dataset(f"ir_datasets/{reported}", context).train
    assert view.train is not None
    assert view.dev is not None
    assert set(view.train.qrels) == {"t0", "t1", "t2"}
    assert view.dev.qrels == {"v": {"d3": 1}}


def test_a_train_split_of_other_documents_is_not_taken(put: Put, context: Context, tmp_path: Path) -> None:
    put("mine/test", {"q1": "lift"}, "q1 0 d1 1\n")
    put("mine/train", {"t": "question"}, "t 0 d1 1\n", docs=tsv_docs(tmp_path / "others.tsv", {"d1": "something else"}))
    view = load_dataset("ir_datasets/mine/test", context).train
    assert (view.train, view.dev) == (None, None)


def test_the_reported_split_is_not_learnt_from(put: Put, context: Context) -> None:
    put("mine/train", {"t": "question", "u": "another"}, "t 0 d1 1\nu 0 d2 1\n")
    put("mine/dev", {"t": "question", "v": "third"}, "t 0 d1 1\nv 0 d2 1\n")
    dataset = load_dataset("ir_datasets/mine/train", context)
    assert set(dataset.test.qrels) == {"t", "u"}
    assert dataset.train.train is None
    assert dataset.train.dev is not None
    assert set(dataset.train.dev.qrels) == {"v"}


class Titled(NamedTuple):
    """A document as many collections of the catalogue have it."""

    doc_id: str
    text: str
    title: str

    def default_text(self) -> str:
        return f"{self.title} {self.text}"


def test_a_title_is_kept_apart_and_joined_gives_the_default_text(put: Put, context: Context, tmp_path: Path) -> None:
    path = tmp_path / "titled.tsv"
    path.write_text("d1\tlift of a wing\tWings\nd2\tdrag\t\n", encoding="utf-8")
    docs = catalogue.formats.TsvDocs(catalogue.util.LocalDownload(path), doc_cls=Titled)
    put("mine/test", {"q1": "lift"}, "q1 0 d1 1\n", docs=docs)
    corpus = load_dataset("ir_datasets/mine/test", context).corpus
    assert tuple(corpus[0]) == ("d1", "Wings", "lift of a wing")
    assert list(corpus.texts) == [" ".join(d.default_text().split()) for d in docs.docs_iter()]


def test_of_a_pair_judged_for_several_subtopics_the_highest_grade_counts(put: Put, context: Context) -> None:
    put("mine/test", {"q1": "lift"}, "q1 1 d1 1\nq1 2 d1 3\nq1 3 d1 0\n")
    assert load_dataset("ir_datasets/mine/test", context).test.qrels == {"q1": {"d1": 3}}


def test_judged_queries_without_text_are_left_out_and_told(put: Put, context: Context) -> None:
    put("mine/test", {"q1": "lift"}, "q1 0 d1 1\nq7 0 d1 1\n")
    dataset = load_dataset("ir_datasets/mine/test", context)
    assert set(dataset.test.qrels) == {"q1"}
    assert "1 judged queries have no text: left out" in dataset.notes


def test_what_is_not_there_is_told(put: Put, context: Context) -> None:
    put("mine", None)
    put("mine/test", {"q1": "lift"}, "q1 0 d1 1\n")
    with pytest.raises(UnknownName, match=r"unknown ir_datasets id 'mine/tset'; did you mean 'mine/test'"):
        load_dataset("ir_datasets/mine/tset", context)
    with pytest.raises(DatasetError, match=r"ir_datasets/mine has no queries; these ids have: mine/test\."):
        load_dataset("ir_datasets/mine", context)


def test_files_that_cannot_be_had_are_told_with_where_to_get_them(put: Put, context: Context, tmp_path: Path) -> None:
    absent = catalogue.formats.TsvDocs(catalogue.util.LocalDownload(tmp_path / "absent.tsv"))
    put("mine/test", {"q1": "lift"}, "q1 0 d1 1\n", docs=absent)
    with pytest.raises(
        Unavailable, match=r"cannot load mine/test: .*absent\.tsv.*ir-datasets\.com/mine\.html.*IR_DATASETS_HOME"
    ):
        load_dataset("ir_datasets/mine/test", context)


def test_offline_nothing_is_fetched(
    put: Put, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fetched:
        def path(self, force: bool = True) -> Path:
            assert not force, "it would be fetched"
            return tmp_path / "remote.tsv"

    put("mine/test", {"q1": "lift"}, "q1 0 d1 1\n", docs=catalogue.formats.TsvDocs(Fetched()))
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    with pytest.raises(Unavailable, match=r"remote\.tsv of mine/test is missing, and HARNESS_OFFLINE forbids"):
        load_dataset("ir_datasets/mine/test", context)
