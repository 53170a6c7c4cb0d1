"""`harness judge`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.judging.conftest import made  # noqa: F401 - a fixture


def test_without_an_option_it_says_what_is_missing(harness_command, made: Path) -> None:  # noqa: F811
    assert harness_command("run", "-d", "./mine", "-m", "bm25", "-q").status == 0
    said = harness_command("judge", "./mine")
    assert said.status == 0, said.err
    assert "24 judged pairs (24 by machines)" in said.out
    assert "pool of 1 rows on the board" in said.out


def test_a_table_out_and_in(harness_command, made: Path) -> None:  # noqa: F811
    said = harness_command("judge", "./mine", "--export", "t.csv", "-n", "5")
    assert "5 pairs to judge are in t.csv" in said.out
    table = Path("t.csv")
    table.write_text(table.read_text().replace(",,", ",1,"))
    said = harness_command("judge", "./mine", "--import", "t.csv", "--annotator", "ann")
    assert said.status == 0, said.err
    assert said.out.startswith("5 labels added\n")
    assert "1 queries judged completely by people" in said.out


def test_clicks_become_labels(harness_command, made: Path) -> None:  # noqa: F811
    lines = "q0,d0,1,80,100\nq0,d0,2,40,100\nq0,d8,2,45,100\n"
    Path("log.csv").write_text("query,document,position,clicks,views\n" + lines)
    said = harness_command("judge", "./mine", "--clicks", "log.csv")
    assert said.status == 0, said.err
    assert said.out.startswith("2 labels added; positions 1 to 2 are examined in a ratio of 1.00, 0.50")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--serve", "--export", "t.csv"), "name one of"),
        (("--judge", "bm25(k1=-1)"), "k1"),
        (("--import", "none.csv", "--annotator", "a"), "there is no file none.csv"),
    ],
)
def test_bad_input(harness_command, made: Path, arguments: tuple[str, ...], message: str) -> None:  # noqa: F811
    said = harness_command("judge", "./mine", *arguments)
    assert said.status == 2
    assert message in said.err
