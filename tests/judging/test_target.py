"""Labels are written into a made collection, never into one with judgements of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import DatasetError, SettingError
from harness.collection.labels import Label, labels_file, read_labels
from harness.collection.qrels import read_qrels
from harness.datasets import load_dataset
from harness.judging.target import Target, locked, open_target
from harness.runtime.context import Context


def test_labels_and_qrels_are_written_at_once(target: Target, made: Path) -> None:
    target.add([Label("q0", "d0", 1, "ann", "person")])
    assert read_qrels(made / "qrels" / "test.tsv")["q0"]["d0"] == 1
    labels = read_labels(labels_file(made))
    assert labels is not None
    assert labels.every[-1] == Label("q0", "d0", 1, "ann", "person")
    assert len(labels.every) == 25
    assert target.people() == ["ann"]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (Label("other", "d0", 1, "ann", "person"), "no query 'other': are these labels of another collection"),
        (Label("q0", "other", 1, "ann", "person"), "no document 'other': are these labels of another collection"),
        (Label("q0", "d0", 4, "ann", "person"), "grades are 0 to 3"),
    ],
)
def test_labels_of_another_collection_are_refused_as_a_whole(target: Target, label: Label, message: str) -> None:
    before = len(target.labels)
    with pytest.raises(DatasetError, match=message):
        target.add([Label("q0", "d0", 1, "ann", "person"), label])
    assert len(target.labels) == before


def test_judgements_of_its_own_are_copied_first(small_folder: Path, tmp_path: Path, context: Context) -> None:
    with pytest.raises(SettingError, match="never changed: name a folder for a copy with --out"):
        open_target(str(small_folder), None, context)
    before = (small_folder / "qrels" / "test.tsv").read_bytes()
    target = open_target(str(small_folder), tmp_path / "copy", context)
    query, document = target.labels[0].query, target.labels[0].document
    target.add([Label(query, document, 0, "ann", "person")])
    assert (small_folder / "qrels" / "test.tsv").read_bytes() == before
    again = open_target(str(small_folder), tmp_path / "copy", Context(cache=context.cache))
    assert again.labels == target.labels
    assert {label.kind for label in again.labels} == {"given", "person"}
    qrels = small_folder / "qrels" / "test.tsv"
    qrels.write_bytes(b"\n".join(before.rstrip().split(b"\n")[:-1]) + b"\n")
    with pytest.raises(SettingError, match=r"has labels of another collection than .*, or its judge"):
        open_target(str(small_folder), tmp_path / "copy", Context(cache=context.cache))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    with pytest.raises(SettingError, match="is not empty"):
        open_target(str(small_folder), tmp_path / "full", Context(cache=context.cache))


def test_qrels_that_were_changed_by_hand_are_reported(made: Path, context: Context) -> None:
    qrels = made / "qrels" / "test.tsv"
    qrels.write_text(qrels.read_text().replace("\t3\n", "\t0\n", 1))
    with pytest.raises(DatasetError, match="changed by hand"):
        open_target("./mine", None, context)


def test_two_processes_do_not_write_at_once(target: Target) -> None:
    with locked(target), pytest.raises(SettingError, match="another process"), locked(target):
        pass
    with locked(target):
        pass


def test_a_copy_leaves_out_the_documents_that_the_original_leaves_out(
    made: Path, tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the rule hangs on the name: `beir/arguana` has no manifest."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    arguana = tmp_path / "data" / "arguana"
    arguana.parent.mkdir()
    made.rename(arguana)
    (arguana / "qrels" / "test.labels.jsonl").unlink()
    for name in ("queries.jsonl", "qrels/test.tsv"):
        text = (arguana / name).read_text()
        (arguana / name).write_text(text.replace("q0", "d0"))
    original = open_target("beir/arguana", tmp_path / "copy", context).dataset
    assert original.drop_self == {"d0"}
    assert load_dataset(str(tmp_path / "copy"), context).drop_self == {"d0"}


def test_folds_are_not_judged(made: Path, context: Context) -> None:
    with pytest.raises(SettingError, match="folder/mine/folds-2-queries has folds; judge the collection itself"):
        open_target("./mine/folds-2-queries", None, context)


def test_dev_that_is_cut_otherwise_is_no_other_split(made: Path, context: Context) -> None:
    assert labels_file(open_target("./mine/test-dev-queries", None, context).folder) == labels_file(Path("mine"))
