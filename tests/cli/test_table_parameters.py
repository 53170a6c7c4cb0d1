"""`--format` and `-v`, on every command that prints a table."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
import typer

from harness.cli.app import app

WITH_TABLES = {"run", "decide", "validate", "compare", "sweep", "leaderboard", "list", "doctor"}
WITH_TABLES |= {"audit", "claims", "tune", "recipes", "data check", "cache ls", "cache verify"}


def commands() -> dict[str, set[str]]:
    """Name → options of every command."""
    found: dict[str, set[str]] = {}

    def walk(group: object, start: str) -> None:
        for name, command in group.commands.items():  # type: ignore[attr-defined]
            if hasattr(command, "commands"):
                walk(command, f"{name} ")
            else:
                found[f"{start}{name}"] = {option for param in command.params for option in param.opts}

    walk(typer.main.get_command(app), "")
    return found


def test_every_command_with_a_table_has_both_options() -> None:
    having = {name for name, options in commands().items() if {"--format", "--verbose"} <= options}
    assert having == WITH_TABLES


def test_no_help_has_a_word_in_brackets_which_the_terminal_takes_for_markup_and_drops() -> None:
    def helps(group: object, start: str = "") -> list[tuple[str, str]]:
        found = []
        for name, command in group.commands.items():  # type: ignore[attr-defined]
            found += helps(command, f"{start}{name} ") if hasattr(command, "commands") else []
            found += [(f"{start}{name} {param.name}", getattr(param, "help", None) or "") for param in command.params]
        return found

    texts = helps(typer.main.get_command(app))
    assert "run rows_file" in dict(texts)
    assert not [each for each in texts if re.search(r"\[[a-z]", each[1])]


def test_a_board_is_the_same_in_every_form(harness_command, small_folder: Path, tmp_path: Path) -> None:
    run = ("run", "-d", "./small", "-m", "bm25", "-m", "plain=bm25(b=0)", "--format")
    data = json.loads(harness_command(*run, "json").out)
    by_name = {row["name"]: row for row in data["tables"][0]["rows"]}
    assert by_name["plain"]["row"] == "bm25(b=0)"
    assert data["tables"][0]["names"] == {"plain": "bm25(b=0)"}
    said = harness_command(*run, "csv")
    lines = list(csv.DictReader(io.StringIO(said.out)))
    scores = {line["name"]: float(line["value"]) for line in lines if line["measure"] == "nDCG@10"}
    assert scores == {name: pytest.approx(row["nDCG@10"]) for name, row in by_name.items()}
    assert "leaderboard.html in results" in said.err
    assert harness_command("leaderboard", "--format", "md").out == (tmp_path / "results/leaderboard.md").read_text()


def test_decisions_verdicts_and_lists_are_data_too(harness_command, small_folder: Path) -> None:
    rows = ("-m", "bm25", "-m", "bm25(b=0)")
    decided = json.loads(harness_command("decide", "./small", *rows, "--format", "json").out)
    assert decided["sentences"][0].startswith("Best: `bm25")
    assert {"low", "high", "rank_first", "tied_with_best"} <= decided["tables"][0]["rows"][0].keys()
    said = harness_command("validate", "bm25(b=0)", "-b", "bm25", "-d", "./small", "--format", "csv")
    assert said.out.splitlines()[0].startswith("baseline,finding,nDCG@10,difference,difference_low")
    listed = json.loads(harness_command("list", "fusions", "--format", "json").out)
    assert {row["name"] for row in listed["tables"][0]["rows"]} >= {"rrf", "convex"}
    checked = json.loads(harness_command("data", "check", "./small", "--format", "json").out)
    assert checked["usable"] is True
    assert json.loads(harness_command("cache", "ls", "--format", "json").out)["tables"]
