"""A corpus without judgements gets the command that makes a test set, from every command that refuses it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.base.errors import DatasetError
from harness.collection.files import Collection
from harness.collection.offer import offer
from harness.datasets.folder import locate


def test_a_folder_of_texts(tmp_path: Path) -> None:
    assert offer(tmp_path) == ""
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "x.md").write_text("text")
    command = f"harness testset '{tmp_path / 'a b'}' --out ./mine"
    assert offer(tmp_path / "a b") == f" Without judgements, make a test set of its documents: `{command}`."
    with pytest.raises(DatasetError, match="harness testset"):
        Collection.find(tmp_path / "a b")


def test_a_file_of_documents(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("text\n")
    with pytest.raises(DatasetError, match=r"is not a folder; .* `harness testset .*notes\.csv --out \./mine`"):
        locate(str(path))
    (tmp_path / "x.png").write_text("")
    with pytest.raises(DatasetError) as refused:
        locate(str(tmp_path / "x.png"))
    assert "testset" not in str(refused.value)


def test_queries_without_judgements_are_used_as_they_are(small_folder: Path) -> None:
    shutil.rmtree(small_folder / "qrels")
    with pytest.raises(DatasetError, match="has no qrels") as refused:
        Collection.find(small_folder)
    assert f"--queries {small_folder / 'queries.jsonl'}" in str(refused.value)


@pytest.mark.parametrize("command", ["decide", "run"])
def test_commands_offer_it(harness_command, small_folder: Path, command: str) -> None:
    shutil.rmtree(small_folder / "qrels")
    (small_folder / "queries.jsonl").unlink()
    option = ["-d"] if command == "run" else []
    said = harness_command(command, *option, "./small", "-m", "bm25")
    assert said.status == 2
    assert "`harness testset small --out ./mine`" in said.err
