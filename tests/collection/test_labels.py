"""Labels with their judge: people decide before machines, and a query counts as people's only if it is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import DatasetError
from harness.collection.labels import Label, Labels, digest, labels_file, labels_giving, read_labels, write_labels
from harness.collection.qrels import read_qrels

MACHINE = [Label("q1", "a", 3, "dense", "machine"), Label("q1", "b", 0, "dense", "machine")]
OTHER = [Label("q2", "a", 1, "dense", "machine")]
PEOPLE = [Label("q1", "a", 1, "ann", "person"), Label("q1", "a", 2, "bob", "person")]


def test_people_decide_before_machines_and_their_median_counts() -> None:
    labels = Labels((*MACHINE, *OTHER, *PEOPLE))
    assert labels.qrels() == {"q1": {"a": 1, "b": 0}, "q2": {"a": 1}}
    assert labels.of_machines() == {"q1": {"a": 3, "b": 0}, "q2": {"a": 1}}


def test_a_query_is_peoples_only_when_they_judged_all_that_machines_judged() -> None:
    labels = Labels((*MACHINE, *OTHER, *PEOPLE))
    assert labels.of_people() == {}
    complete = Labels((*labels.every, Label("q1", "b", 2, "ann", "person")))
    assert complete.of_people() == {"q1": {"a": 1, "b": 2}}
    assert complete.summary() == {
        "pairs": {"machine": 1, "person": 2},
        "judges": {"ann": "person", "bob": "person", "dense": "machine"},
        "people_queries": 1,
        "qrels": digest({"q2": {"a": 1}, "q1": {"b": 2, "a": 1}}),
    }


def test_a_second_label_of_one_judge_replaces_the_first() -> None:
    labels = Labels((*PEOPLE, Label("q1", "a", 0, "ann", "person"), Label("q1", "a", 0, "bob", "person")))
    assert labels.qrels() == {"q1": {"a": 0}}


def test_files_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    write_labels(tmp_path, [*MACHINE, *PEOPLE])
    assert read_labels(labels_file(tmp_path)) == Labels((*MACHINE, *PEOPLE))
    assert read_qrels(tmp_path / "qrels" / "test.tsv") == {"q1": {"a": 1, "b": 0}}
    assert read_labels(tmp_path / "none") is None


@pytest.mark.parametrize(
    "line",
    ["[", "{}", '{"query": "q", "document": "d", "grade": "2", "judge": "x", "kind": "person"}',
     '{"query": "q", "document": "d", "grade": 2, "judge": "x", "kind": "robot"}'],
)  # fmt: skip
def test_a_line_that_is_no_label_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.labels.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(DatasetError, match="line 1: no label"):
        read_labels(path)


def test_an_id_that_qrels_cannot_contain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot contain the id"):
        write_labels(tmp_path, [Label("q\t1", "a", 1, "x", "person")])


def test_labels_that_give_judgements_are_found_in_whichever_split_they_are(tmp_path: Path) -> None:
    write_labels(tmp_path, MACHINE, "test")
    write_labels(tmp_path, [*OTHER, Label("q3", "a", 2, "dense", "machine")], "train")
    write_labels(tmp_path, [Label("q4", "b", 1, "ann", "person")], "dev")

    def found(qrels: dict[str, dict[str, int]], split: str | None = None, *queries: str) -> list[str] | None:
        labels = labels_giving(tmp_path, digest(qrels), split, queries or None)
        return None if labels is None else sorted({label.query for label in labels.every})

    assert found({"q1": {"a": 3, "b": 0}}, "test") == ["q1"]
    assert found({"q3": {"a": 2}}, "dev", "q3") == ["q3"]  # dev is cut from train
    assert found({"q2": {"a": 1}, "q3": {"a": 2}, "q4": {"b": 1}}) == ["q2", "q3", "q4"]  # folds
    assert found({"q3": {"a": 2}}) is None
    assert found({"q1": {"a": 2, "b": 0}}, "test") is None
    assert labels_giving(tmp_path / "none", digest({})) is None


def test_a_faulty_file_of_another_split_is_no_matter(tmp_path: Path) -> None:
    write_labels(tmp_path, MACHINE, "test")
    (tmp_path / "qrels" / "dev.labels.jsonl").write_text("{")
    assert labels_giving(tmp_path, digest({"q1": {"a": 3, "b": 0}}), "test") == Labels(tuple(MACHINE))
    with pytest.raises(DatasetError, match="line 1: no label"):
        labels_giving(tmp_path, digest({"q1": {"a": 1}}), "test")
