"""`harness export` and `import`: what they print; the files are checked in `tests/exchange`."""

from __future__ import annotations

import json
from pathlib import Path

from harness.base.owned import STAMP


def test_a_dataset_and_a_stored_run_are_exported(harness_command, small_folder: Path, tmp_path: Path) -> None:
    said = harness_command("export", "beir", small_folder, "--to", "beir")
    assert (said.status, said.err) == (0, "")
    assert "60 documents" in said.out
    assert (tmp_path / "beir" / "corpus.jsonl").is_file()
    assert harness_command("run", "-q", "-d", small_folder, "-m", "bm25").status == 0
    said = harness_command("export", "trec", small_folder, "-m", "bm25", "--topics", "xml", "--to", "trec")
    assert said.status == 0, said.err
    assert sorted(path.name for path in (tmp_path / "trec").iterdir()) == [STAMP, "bm25.run", "qrels.txt", "topics.xml"]


def test_a_run_or_model_that_does_not_exist_is_bad_input(harness_command, small_folder: Path) -> None:
    said = harness_command("export", "trec", small_folder, "-m", "bm25", "--to", "trec")
    assert said.status == 2
    assert "makes one" in said.err
    said = harness_command("export", "model", "bm25", small_folder, "--to", "model")
    assert said.status == 2
    assert "bm25 trains no model" in said.err


def test_published_scores_are_imported_and_shown_on_the_board(
    harness_command, small_folder: Path, tmp_path: Path
) -> None:
    assert harness_command("run", "-q", "-d", "./small", "-m", "bm25").status == 0
    scores = {"title": "Another BM25", "source": "a paper", "figures": {"folder/small/test": {"nDCG@10": 0.5}}}
    (tmp_path / "theirs.json").write_text(json.dumps(scores))
    said = harness_command("import", "theirs.json")
    assert said.status == 0, said.err
    assert "Another BM25: folder/small/test" in said.out
    assert "Another BM25" in (tmp_path / "results" / "leaderboard.md").read_text()
    assert harness_command("import", "nowhere.json").status == 2
