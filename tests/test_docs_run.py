"""The commands of the tutorial and of two how-tos are run as they are written, with a tiny encoder for `dense`.

Those of the other pages are parsed only (`tests/test_docs.py`), but for docs/testset.md, whose worked example is run by
`tests/testset/test_worked_example.py`, and CONTRIBUTING.md (`tests/test_contributing.py`).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def lines(page: str) -> list[str]:
    """The commands of a page, in order, as they are written."""
    blocks = re.findall(r"```\w*\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("harness ")]


@pytest.fixture
def run(harness_command: Callable[..., object], tiny_encoder: Path) -> Callable[..., object]:
    """Runs a command, the rows of an encoder replaced by those of a tiny one, trained for a few steps, and with two
    folds or seeds if it has more.
    """
    dense = f'dense(model="{tiny_encoder}", precision="fp32")'
    rows = {
        "5": "2",
        "3": "2",
        "dense": dense,
        "bm25>>dense": f"bm25>>{dense}",
        "memory": f"memory({dense})",
        "dense+frozen_head": f'{dense}+frozen_head(budget="smoke")',
        "dense+supervised": f'{dense}+supervised(budget="smoke")',
    }

    def one(line: str, *more: str) -> object:
        words = shlex.split(line.partition(" || ")[0], comments=True)[1:]
        return harness_command(*(rows.get(word, word) for word in words), *(rows.get(word, word) for word in more))

    return one


def test_the_tutorial(run: Callable[..., object], tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / "tutorial.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(block, "tutorial.md", "exec"), {})
    doctor, check, decide, compare, audit, leaderboard = lines("tutorial.md")
    assert doctor.startswith("harness doctor")  # run by tests/cli/test_doctor.py
    said = run(check)
    assert said.status == 0
    assert said.out.startswith("./my-corpus: usable")
    said = run(decide, "-m", "bm25", "-m", "dense", "-m", "bm25>>dense")
    assert said.status == 0
    assert said.out.startswith("Best: bm25")
    assert "can detect" in said.out or "queries detect a difference" in said.out
    (decision,) = (tmp_path / "results").glob("*/decision.md")
    assert "# Which row on" in decision.read_text(encoding="utf-8")
    said = run(compare)
    assert said.status == 0
    assert "queries on which" in said.out
    said = run(audit)
    assert said.status == 0
    assert "judged within the cutoff" in said.out
    assert run(leaderboard).status == 0
    assert {"leaderboard.html", "leaderboard.md", "leaderboard.csv", "leaderboard.tex"} <= {
        path.name for path in (tmp_path / "results").iterdir()
    }


def test_text_files_become_a_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "handbook" / "set up").mkdir(parents=True)
    (tmp_path / "handbook" / "set up" / "first.md").write_text("# Start\n\nPress the button.\n", encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "ecosystem.md").read_text(encoding="utf-8"), re.DOTALL)
    (block,) = (each for each in blocks if "handbook" in each)
    exec(compile(block, "ecosystem.md", "exec"), {})
    (line,) = (tmp_path / "my-corpus" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {"_id": "set_up/first.md", "title": "first", "text": "# Start\n\nPress the button.\n"}


def test_fine_tuning(run: Callable[..., object], small_folder: Path, tmp_path: Path) -> None:
    small_folder.rename(tmp_path / "my-corpus")
    check, several, folds, validate, export = lines("fine-tune.md")
    said = run(check)
    assert said.status == 0
    assert "queries that share a relevant document with training" in " ".join(said.out.split())
    said = run(several, "--format", "json")
    assert said.status == 0
    first = json.loads(said.out)["tables"][0]["rows"]
    assert len(first) == 4
    assert run(folds).status == 0
    assert run(validate).status in (0, 1, 4)
    assert run(export).status == 0
    assert (tmp_path / "my-model" / "README.md").is_file()


def test_the_gate(run: Callable[..., object], small_folder: Path, tmp_path: Path) -> None:
    small_folder.rename(tmp_path / "my-corpus")
    gate, with_ties, _ = lines("ci.md")
    assert with_ties == f"{gate} || [ $? -eq 4 ]"
    search = "def search(query, k):\n    return [(str(n), -n) for n in range(k)]\n"
    (tmp_path / "my_search.py").write_text(search, encoding="utf-8")
    assert run(gate).status == 1
