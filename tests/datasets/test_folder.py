from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.context import Context
from harness.datasets import load_dataset
from harness.errors import DatasetError, UnknownName

Write = Callable[..., Path]
QRELS = {"test": {"q1": {"d1": 1}}, "hard": {"q2": {"d2": 1}}}


@pytest.fixture
def home(collection: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that holds the collection `mine`, made the working folder and the user's home."""
    folder = collection(qrels=QRELS).parent
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


@pytest.mark.parametrize("path", ["folder/mine", "folder/./mine", "./mine", "./mine/", "~/mine", "../data/mine"])
@pytest.mark.parametrize(("ending", "split", "query"), [("", "test", "q1"), ("/hard", "hard", "q2")])
def test_relative_paths(home: Path, context: Context, path: str, ending: str, split: str, query: str) -> None:
    dataset = load_dataset(path.rstrip("/") + ending, context)
    assert dataset.test.queries.ids == [query]
    assert dataset.name.startswith("folder/")
    assert dataset.name.endswith(f"mine/{split}")
    assert load_dataset(dataset.name, context).revision == dataset.revision


@pytest.mark.parametrize("prefix", ["folder/", ""])
def test_absolute_paths(home: Path, context: Context, prefix: str) -> None:
    dataset = load_dataset(f"{prefix}{home}/mine/hard", context)
    assert dataset.name == f"folder/{home}/mine/hard"
    assert load_dataset(dataset.name, context).test.queries.ids == ["q2"]


def test_the_working_folder_itself(home: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "mine")
    assert load_dataset(".", context).test.queries.ids == ["q1"]
    assert load_dataset("./hard", context).test.queries.ids == ["q2"]


def test_no_such_folder(home: Path, context: Context) -> None:
    with pytest.raises(DatasetError, match=r"there is no folder theirs; name one that holds corpus\.jsonl"):
        load_dataset("./theirs", context)


def test_no_such_split(home: Path, context: Context) -> None:
    with pytest.raises(UnknownName, match=r"unknown split 'tset'; did you mean 'test'\? Known: hard, test\. .*folder/mine"):
        load_dataset("./mine/tset", context)


def test_a_folder_without_the_files(home: Path, context: Context) -> None:
    (home / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"empty has no corpus\.jsonl and no queries\.jsonl and no qrels"):
        load_dataset("./empty", context)


@pytest.mark.parametrize("name", ["x" * 300, "./" + "x" * 300, "beir/" + "x" * 300])
def test_a_name_that_is_too_long_for_a_file_system_is_an_unknown_one(
    name: str, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    with pytest.raises((DatasetError, UnknownName), match="x" * 300):
        load_dataset(name, context)
