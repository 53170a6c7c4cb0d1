"""Names of rows, on the command line and in tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.bench.aliases import aliases_of, row_table, spelled
from harness.methods.bm25 import BM25
from harness.rows import methods_of, parse_method


def test_a_row_with_a_name_is_the_row_without_it() -> None:
    assert methods_of(["mine=bm25(k1=2)", "bm25"]) == [BM25(k1=2.0), BM25()]
    assert aliases_of(["mine = bm25(k1=2)", "bm25", BM25(k1=3.0)]) == {BM25(k1=2.0): "mine"}


def test_the_precision_of_a_run_is_that_of_the_named_row_too() -> None:
    assert aliases_of(["mine=dense"], "fp32") == {parse_method('dense(precision="fp32")'): "mine"}


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["dense=bm25"], "dense is a row already"),
        (["recipes=bm25"], "recipes is a row already"),
        (["dense+supervised=bm25"], "is a row already"),
        (["a=bm25", "a=dense"], "a names two rows"),
        (["a=bm25", "b=bm25"], "a and b name the same row"),
        (["a=default"], "default is a group"),
        ([f"{'a' * 61}=bm25"], "60 characters at most"),
    ],
)
def test_names_that_cannot_be_are_refused(rows: list[str], problem: str) -> None:
    with pytest.raises(SettingError, match=problem):
        aliases_of(rows)


def test_a_table_names_rows_which_may_be_in_other_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.toml"
    path.write_text('[rows]\nbase = "bm25(k1=2)"\n"my best" = "base>>dense"\n')
    table = row_table(path)
    assert table == {"base": "bm25(k1=2)", "my best": "base>>dense"}
    for row in ("my best", "x=base>>dense", "base>>dense", "my best=base>>dense"):
        assert parse_method(spelled(row, table)) == parse_method("bm25(k1=2)>>dense")
    assert aliases_of([spelled("my best", table)]) == {parse_method("bm25(k1=2)>>dense"): "my best"}
    assert aliases_of([spelled("base>>dense", table), spelled("bm25", table)]) == {}
    assert spelled("default", table) == "default"


def test_a_project_s_table_is_found_from_folders_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert row_table() == {}
    (tmp_path / "pyproject.toml").write_text('[tool.harness.rows]\nmine = "bm25"\n')
    assert row_table() == {"mine": "bm25"}
    (tmp_path / "deep" / "pyproject.toml").write_text("[project]\n")
    assert row_table() == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[rows]\nx = "bm26"\n', "line 2.*bm26"),
        ("[rows]\nx = 3\n", 'rows are written as name = "expression"'),
        ('[rows]\n"a/b" = "bm25"\n', "line 2: 'a/b' cannot be a name"),
        ('[rows]\nbm25 = "dense"\n', "line 2: bm25 is a row already"),
        ('[rows]\na = "b"\nb = "a"\n', "line [23]: (a → b → a|b → a → b): these names stand for each other"),
        ('[rows]\nmy-row = "bm25"\na = "bm25 >> b"\nb = "hybrid(methods=(bm25, c))"\nc = "a"\n', "a → b → c|b → c → a"),
        ('[rows]\nown = "own(k1=2)"\n', "line 2: own → own: these names"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "rows.toml"
    path.write_text(text)
    with pytest.raises(SettingError, match=problem):
        row_table(path)
