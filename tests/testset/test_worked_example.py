"""The worked example of docs/testset.md, run as it is written."""

from __future__ import annotations

import csv
import itertools
import re
import shlex
from pathlib import Path

THINGS = ("printer", "lift", "boiler", "gate", "projector", "ventilation", "dishwasher", "alarm", "server", "bicycle")
FAULTS = (
    ("display", "stays dark"),
    ("motor", "makes a noise"),
    ("cable", "is torn"),
    ("lock", "cannot be turned"),
    ("filter", "is full of dust"),
    ("battery", "loses its charge"),
)
CHECKERS = ("the caretaker", "an outside firm", "the electricians", "the safety officer", "two apprentices")
GUIDE = Path(__file__).parents[2] / "docs" / "testset.md"


def commands() -> list[list[str]]:
    part = GUIDE.read_text(encoding="utf-8").partition("## A worked example")[2].partition("\n## ")[0]
    blocks = re.findall(r"```\n(.*?)```", part, re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]


def handbook(folder: Path) -> None:
    """60 short pages, each on another matter."""
    folder.mkdir()
    for i, (thing, (part, fault)) in enumerate(itertools.product(THINGS, FAULTS)):
        text = (
            f"When the {part} of the {thing} {fault}, call the workshop before you open it. "
            f"The {thing} is checked by {CHECKERS[i % 5]} every {i + 2} weeks."
        )
        (folder / f"page-{i:02}.md").write_text(f"# {thing.title()}: the {part} {fault}\n\n{text}\n", encoding="utf-8")


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


def test_the_worked_example(harness_command, tmp_path: Path) -> None:
    handbook(tmp_path / "handbook")
    said = []
    lines = commands()
    assert [line[0] for line in lines] == ["testset", "decide", "judge", "judge", "decide"]
    for line in lines:
        if "--import" in line:
            fill(tmp_path / "labels.csv")
        # In fp32, so that no engine is tried; the example takes the default.
        said.append(harness_command(*("dense(precision='fp32')" if word == "dense" else word for word in line)))
        assert said[-1].status == 0, said[-1].err
    before, after = said[1].out, said[4].out
    assert "Uncalibrated: all labels are by panel" in before
    assert "shares a model with dense" in before
    assert "Calibrated: panel" in after
    assert "Uncalibrated" not in after
    assert "Calibrated: panel" in (tmp_path / "results" / "leaderboard.md").read_text()
    assert "Calibrated: panel" in next((tmp_path / "results").glob("*/decision.md")).read_text()
