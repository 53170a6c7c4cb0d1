"""A folder as a user writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.datasets._paths import as_path, canonical, names_a_path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = (tmp_path / "here").resolve()
    (folder / "mine" / "deep").mkdir(parents=True)
    (folder / "~odd").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    return folder


def test_ways_to_write_a_path(here: Path) -> None:
    assert as_path("~/mine/") == here / "mine"
    assert as_path("./mine/../mine//") == Path("mine")
    assert as_path("mine\\deep") == Path("mine/deep")
    assert as_path("mine\\new") == Path("mine/new")


def test_a_file_that_has_a_backslash_in_its_name_is_itself(here: Path) -> None:
    (here / "a\\b").mkdir()
    assert as_path("a\\b") == Path("a\\b")


@pytest.mark.parametrize("text", ["mine", "mine/", "mine/tset", "./x", "~", "/x", ".", "mine\\deep"])
def test_what_names_a_path(text: str) -> None:
    assert names_a_path(text)


@pytest.mark.parametrize("text", ["", "beir/scifact", "nothing", "nothing/test"])
def test_what_does_not(text: str) -> None:
    assert not names_a_path(text)


def test_one_name(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "link").symlink_to(here / "mine")
    assert {canonical(path) for path in (Path("mine"), here / "mine", Path("link"))} == {"mine"}
    assert canonical(Path("~odd")) == "./~odd"
    assert as_path(canonical(Path("~odd"))) == Path("~odd")
    assert canonical(Path(".")) == "."
    monkeypatch.chdir(here / "mine")
    assert canonical(Path("..")) == here.as_posix()
