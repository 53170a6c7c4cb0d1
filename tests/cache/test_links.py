"""Looking without following links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.cache.links import files, inside, is_file, is_folder, stats


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "big").write_bytes(bytes(1000))
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "a").write_bytes(bytes(10))
    os.link(root / "folder" / "a", root / "b")
    (root / "link").symlink_to(tmp_path / "there", target_is_directory=True)
    (root / "file").symlink_to(tmp_path / "there" / "big")
    return root


def test_a_link_is_neither_a_folder_nor_a_file(place: Path) -> None:
    assert [is_folder(place / name) for name in ("folder", "link", "b", "absent")] == [True, False, False, False]
    assert [is_file(place / name) for name in ("b", "file", "folder", "absent")] == [True, False, False, False]


def test_files_count_once_and_not_those_behind_links(place: Path) -> None:
    assert len(stats(place)) == 2
    assert list(files(stats(place)).values()) == [10]
    assert stats(place / "link") == []
    assert [held.st_size for held in stats(place / "b")] == [10]


def test_what_cannot_be_listed_is_empty(place: Path) -> None:
    assert inside(place / "absent") == inside(place / "b") == []
    assert [path.name for path in inside(place)] == ["b", "file", "folder", "link"]
