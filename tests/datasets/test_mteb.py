"""Tasks that are defined here and loaded by MTEB's own code, once by `load_data` and once from a folder in the hub's
form.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import pytest

from harness.base.errors import DatasetError, HarnessError, Unavailable, UnknownName
from harness.data.documents import joined
from harness.datasets import load_dataset
from harness.datasets.mteb import Mteb
from harness.runtime.context import Context

mteb = pytest.importorskip("mteb", reason="mteb is not installed")

from mteb.abstasks import AbsTaskRetrieval, AbsTaskSTS  # noqa: E402

from tests.datasets.mteb_tasks import CORPUS, QRELS, TEXTS, Register, Rows, define, metadata, split_data  # noqa: E402


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Makes a task known to MTEB: `register("Mine", splits, ignore_identical_ids=True, metadata={…})`."""
    return partial(define, monkeypatch)


def test_the_reported_split_is_the_tasks_and_grades_are_kept(register: Register, context: Context) -> None:
    register("Mine", {"test": None, "train": None, "validation": None})
    dataset = load_dataset("mteb/Mine", context)
    assert dataset.name == "mteb/Mine/test"
    assert dict(zip(dataset.test.queries.ids, dataset.test.queries.texts, strict=True)) == {"q1": "lift", "q2": "drag"}
    assert dataset.test.qrels == QRELS["test"]
    assert [tuple(d) for batch in dataset.corpus.batches() for d in batch] == [(i, t or "", x) for i, t, x in CORPUS]
    assert dataset.licence == "cc-by-4.0"
    assert any(note.startswith(f"from mteb {mteb.__version__}, revision 1 of nobody/nothing") for note in dataset.notes)


def test_what_is_learnt_from_is_train_and_dev_and_never_the_reported_split(
    register: Register, context: Context
) -> None:
    register("Mine", {"test": None, "train": None, "validation": None})
    dataset = load_dataset("mteb/Mine/test", context)
    view = dataset.train
    assert view.train is not None
    assert view.dev is not None
    assert view.train.qrels == {"t1": {"d1": 1}, "t2": {"d2": 1}}
    assert view.dev.qrels == QRELS["validation"]
    assert "1 queries of train are about other documents: left out of train" in dataset.notes
    assert load_dataset("mteb/Mine/test", Context(cache=context.cache)).train.revision == view.revision


def test_a_query_that_test_and_train_share_by_number_alone_is_two_queries(register: Register, context: Context) -> None:
    train = split_data("train")
    train["queries"] = Rows.from_list([{"id": "q1", "text": "another question"}, {"id": "q2", "text": "drag"}])
    train["relevant_docs"] = {"q1": {"d3": 1}, "q2": {"d2": 1}}
    register("Mine", {"test": None, "train": train})
    view = load_dataset("mteb/Mine", context).train
    assert view.train is not None
    assert dict(zip(view.train.queries.ids, view.train.queries.texts, strict=True)) == {"train/q1": "another question"}


@pytest.mark.parametrize(("rule", "dropped"), [(True, {"q2"}), (False, set())])
def test_the_tasks_rule_on_queries_that_are_documents_holds(
    register: Register, context: Context, rule: bool, dropped: set[str]
) -> None:
    register("Mine", {"test": None}, ignore_identical_ids=rule)
    assert load_dataset("mteb/Mine", context).drop_self == dropped


def test_an_instruction_stands_behind_its_query(register: Register, context: Context) -> None:
    register("Mine", {"test": split_data("test", instruction="cite a law")})
    assert load_dataset("mteb/Mine", context).test.queries.texts == ["lift cite a law", "drag cite a law"]


def test_texts_are_those_that_mteb_gives_its_own_models(register: Register, context: Context) -> None:
    from mteb._create_dataloaders import create_dataloader
    from mteb.types import PromptType

    data = split_data("test", instruction="cite a law")
    data["corpus"] = Rows.from_list([{"id": i, "title": t or "", "text": x} for i, t, x in CORPUS])
    register("Mine", {"test": data})
    dataset = load_dataset("mteb/Mine", context)
    for rows, kind, ours in (
        (
            data["corpus"],
            PromptType.document,
            [joined(d.title, d.text) for batch in dataset.corpus.batches() for d in batch],
        ),
        (data["queries"], PromptType.query, dataset.test.queries.texts),
    ):
        loader = create_dataloader(rows, task_metadata=metadata("Mine"), prompt_type=kind, num_proc=None)
        assert [text for batch in loader for text in batch["text"]] == ours


def test_a_reranking_task_says_that_its_figures_are_others(register: Register, context: Context) -> None:
    register("Mine", {"test": {**split_data("test"), "top_ranked": {"q1": ["d1", "d2"]}}}, {"type": "Reranking"})
    assert any("MTEB re-ranks given candidates" in note for note in load_dataset("mteb/Mine", context).notes)


def test_the_same_documents_are_kept_once(register: Register, context: Context) -> None:
    register("Mine", {"test": None})
    register("Other", {"test": None})
    first, second = load_dataset("mteb/Mine", context), load_dataset("mteb/Other", context)
    assert first.corpus.path == second.corpus.path
    assert first.corpus.revision == second.corpus.revision


@pytest.fixture
def hub_form(tmp_path: Path) -> Path:
    """A folder as MTEB's repositories on the hub are: one configuration for corpus, queries and judgements each."""
    place = tmp_path / "repository"
    place.mkdir()
    rows = [{"_id": i, "title": t or "", "text": x} for i, t, x in CORPUS]
    files = {"corpus/corpus": rows, "queries/queries": [{"_id": q, "text": x} for q, x in TEXTS.items()]}
    for split in ("test", "train"):
        files[f"default/{split}"] = [
            {"query-id": q, "corpus-id": d, "score": grade}
            for q, grades in QRELS[split].items()
            for d, grade in grades.items()
        ]
    said = []
    for name, lines in files.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    for config in ("corpus", "queries", "default"):
        parts = [name for name in files if name.startswith(f"{config}/")]
        said += [f"- config_name: {config}", "  data_files:"]
        said += [line for name in parts for line in (f"  - split: {name.split('/')[1]}", f"    path: {name}.jsonl")]
    (place / "README.md").write_text("\n".join(["---", "configs:", *said, "---", ""]), encoding="utf-8")
    return place


@pytest.fixture
def by_mtebs_loader(hub_form: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    said = metadata("FromHub", dataset={"path": str(hub_form), "revision": "main"})
    made = type("FromHub", (AbsTaskRetrieval,), {"metadata": said})
    monkeypatch.setitem(sys.modules["mteb.get_tasks"]._TASKS_REGISTRY, "FromHub", made)
    return hub_form


def test_mtebs_own_loader_gives_train_only_where_the_judgements_have_it(
    by_mtebs_loader: Path, context: Context
) -> None:
    dataset = load_dataset("mteb/FromHub", context)
    assert dataset.test.qrels == QRELS["test"]
    assert [d.title for batch in dataset.corpus.batches() for d in batch] == ["Wings", "", "", ""]
    assert dataset.train.train is not None
    assert dataset.train.train.qrels == {"t1": {"d1": 1}, "t2": {"d2": 1}}


def test_a_task_with_one_split_does_not_give_it_to_training(by_mtebs_loader: Path, context: Context) -> None:
    told = (by_mtebs_loader / "README.md").read_text(encoding="utf-8")
    (by_mtebs_loader / "README.md").write_text(told.replace("  - split: train\n    path: default/train.jsonl\n", ""))
    view = load_dataset("mteb/FromHub", context).train
    assert view.train is None
    assert view.dev is None


def test_what_cannot_be_fetched_is_told_with_what_would_bring_it(
    monkeypatch: pytest.MonkeyPatch, context: Context
) -> None:
    made = type("Away", (AbsTaskRetrieval,), {"metadata": metadata("Away")})
    monkeypatch.setitem(sys.modules["mteb.get_tasks"]._TASKS_REGISTRY, "Away", made)
    with pytest.raises(Unavailable, match=r"data of mteb/Away cannot be loaded.*Hugging Face hub.*HF_HOME"):
        load_dataset("mteb/Away", context)


def test_names_that_mteb_does_not_know(register: Register, context: Context) -> None:
    register("Mine", {"test": None})
    with pytest.raises(UnknownName, match=r"unknown MTEB task 'SciFct'; did you mean '.*SciFact"):
        load_dataset("mteb/SciFct", context)
    with pytest.raises(UnknownName, match=r"unknown split 'train'.*Known: test"):
        load_dataset("mteb/Mine/train", context)
    with pytest.raises(UnknownName, match=r"unknown subset ''.* Known: .*deu-eng.*mteb/MLQARetrieval/"):
        load_dataset("mteb/MLQARetrieval", context)


def test_a_task_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, context: Context) -> None:
    made = type("Pairs", (AbsTaskSTS,), {"metadata": metadata("Pairs", type="STS", main_score="cosine_spearman")})
    monkeypatch.setitem(sys.modules["mteb.get_tasks"]._TASKS_REGISTRY, "Pairs", made)
    with pytest.raises(DatasetError, match="mteb/Pairs is STS over text; only retrieval and reranking"):
        load_dataset("mteb/Pairs", context)


def test_queries_that_are_conversations_are_refused(register: Register, context: Context) -> None:
    data = split_data("test")
    data["queries"] = Rows.from_list([{"id": "q1", "text": [{"role": "user", "content": "lift"}]}])
    register("Mine", {"test": data})
    with pytest.raises(DatasetError, match="query 'q1' is a conversation, not a text"):
        load_dataset("mteb/Mine", context)


def test_it_lists_nothing_it_would_have_to_fetch(context: Context) -> None:
    assert Mteb().available(context) == []
    with pytest.raises(HarnessError):
        Mteb().load("", context)
