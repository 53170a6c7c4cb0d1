from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.api import run
from harness.base.errors import DatasetError, SettingError, UnknownName
from harness.datasets import load_dataset, spelled
from harness.runtime.context import Context

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
def test_absolute_paths(home: Path, context: Context, monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    assert load_dataset(f"{prefix}{home}/mine/hard", context).name == "folder/mine/hard"
    (home / "elsewhere").mkdir()
    monkeypatch.chdir(home / "elsewhere")
    dataset = load_dataset(f"{prefix}{home}/mine/hard", context)
    assert dataset.name == f"folder/{home}/mine/hard"
    assert load_dataset(dataset.name, context).test.queries.ids == ["q2"]


WRITTEN = [
    "mine",
    "mine/",
    "./mine",
    "./mine//",
    "folder/mine",
    "../data/mine",
    "~/mine",
    "{home}/mine",
    ".\\mine",
    "mine\\",
]
WRITTEN += ["linked"]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("ending", ["", "/hard"])
def test_one_folder_is_one_dataset_however_it_is_written(
    home: Path, context: Context, written: str, ending: str
) -> None:
    (home / "linked").symlink_to(home / "mine")
    name = written.format(home=home) + ending
    assert load_dataset(name, context).name == (f"folder/mine{ending}" if ending else "folder/mine/test")
    assert spelled(name, context) == f"folder/mine{ending}"


def test_a_board_of_one_folder_written_three_ways_has_one_table(home: Path, context: Context, tmp_path: Path) -> None:
    board = run("bm25", dataset=["mine", f"{home}/mine/", "./mine"], results=tmp_path / "results", context=context)
    assert len(board.results) == len(board.tables) == 1


def test_a_file_is_not_a_folder(home: Path, context: Context) -> None:
    for name in ("mine/corpus.jsonl", "./mine/corpus.jsonl"):
        with pytest.raises(DatasetError, match=r"corpus\.jsonl is not a folder; name the folder with"):
            load_dataset(name, context)


def test_a_path_that_is_empty_or_too_long(home: Path, context: Context) -> None:
    with pytest.raises(DatasetError, match=r"no folder named; write folder/<path> or \./<path>"):
        load_dataset("folder/", context)
    with pytest.raises(DatasetError, match="there is no folder"):
        load_dataset("./" + "x" * 5000, context)
    with pytest.raises(DatasetError, match="there is no folder"):
        load_dataset("~no-such-user/mine", context)


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("bier/scifact", "beir/scifact"),
        ("scifact", "beir/scifact"),
        ("BEIR/SciFact", "beir/scifact"),
        ("stdlib-code", "stdlib/code"),
    ],
)
def test_an_unknown_name_offers_what_could_be_meant(home: Path, context: Context, name: str, offered: str) -> None:
    with pytest.raises(UnknownName, match=f"did you mean '{offered}'"):
        load_dataset(name, context)


def test_the_working_folder_itself(home: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "mine")
    assert load_dataset(".", context).test.queries.ids == ["q1"]
    assert load_dataset("./hard", context).test.queries.ids == ["q2"]


def test_no_such_folder(home: Path, context: Context) -> None:
    with pytest.raises(DatasetError, match=r"there is no folder theirs; name a folder with corpus\.jsonl"):
        load_dataset("./theirs", context)


def test_no_such_split(home: Path, context: Context) -> None:
    with pytest.raises(
        UnknownName, match=r"unknown split 'tset'; did you mean 'test'\? Known: hard, test\. .*folder/mine"
    ):
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


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_folder_whose_name_is_not_text_is_refused(small_folder: Path, context: Context) -> None:
    odd = small_folder.rename(small_folder.parent / os.fsdecode(b"odd\xff"))
    with pytest.raises(SettingError, match=r"is not text .* rename the file or folder"):
        load_dataset(str(odd), context)
