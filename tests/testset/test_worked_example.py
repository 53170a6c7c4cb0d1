"""The worked example of docs/testset.md, run as it is written; only the encoder is a tiny one."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

from tests.testset.conftest import PARTS, SUBJECTS

GUIDE = Path(__file__).parents[2] / "docs" / "testset.md"


def commands() -> list[list[str]]:
    part = GUIDE.read_text(encoding="utf-8").partition("## A worked example")[2].partition("\n## ")[0]
    blocks = re.findall(r"```\n(.*?)```", part, re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]


def handbook(folder: Path) -> None:
    folder.mkdir()
    for i in range(60):
        one, other = SUBJECTS[i % 10], PARTS[(i * 3 + i // 10) % 10]
        text = f"The {one} of town {i} needs a {other} that fits. Workers repaired the {other} in year {1900 + i}."
        (folder / f"{one}-{i:02}.md").write_text(f"# The {one} of town {i}\n\n{text}\n", encoding="utf-8")


def fill(table: Path) -> None:
    """Grades as a person would: 3 for a document with all words of the query, 0 for one without a number of it."""
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        words = set(re.findall(r"\w+", row["query"].casefold()))
        found = set(re.findall(r"\w+", f"{row['title']} {row['text']}".casefold()))
        row["grade"] = str(round(3 * len(words & found) / max(1, len(words))) if words & found else 0)
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_the_worked_example(harness_command, tmp_path: Path, tiny_encoder: Path) -> None:
    handbook(tmp_path / "handbook")
    tiny = f'dense(model="{tiny_encoder}", precision="fp32")'
    said = []
    lines = commands()
    assert [line[0] for line in lines] == ["testset", "decide", "judge", "judge", "decide"]
    for line in lines:
        if "--import" in line:
            fill(tmp_path / "labels.csv")
        words = [tiny if word == "dense" else word for word in line]
        if "--judge" in words:  # a random model knows little: it is an easy judge
            words[words.index("--judge") + 1] = f"row({tiny}, third=0.9, second=0.4, first=0)"
        said.append(harness_command(*words))
        assert said[-1].status == 0, said[-1].err
    before, after = said[1].out, said[4].out
    assert "Uncalibrated: all labels are by row(method=dense" in before
    assert "shares a model with dense" in before
    assert "Calibrated: row(method=dense" in after
    assert "Uncalibrated" not in after
    assert "Calibrated: row(method=dense" in (tmp_path / "results" / "leaderboard.md").read_text()
    decision = next((tmp_path / "results").glob("*/decision.md")).read_text()
    assert "Calibrated: row(method=dense" in decision
