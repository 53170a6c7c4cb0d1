"""What a command prints: the verdict first, notes last."""

from __future__ import annotations

import io
import json

from harness.report.screen import Screen
from harness.report.sheet import Field, Sheet
from harness.report.sheet_formats import Shown
from harness.report.sheets import show


def sheet(title: str, notes: int = 2, importance: int = 0) -> Sheet:
    field = Field("x", "a number", [1.0], ["1.0000"], importance=importance)
    names = Field("name", "row", [f"row of {title}"], [f"row of {title}"], right=False)
    notes_of = [f"note {i} of {title}" for i in range(notes)]
    return Sheet(title, [names, field], "some facts", f"verdict on {title}", legend=[(title, "long")], notes=notes_of)


def shown(what: Shown, width: int = 80, **settings: object) -> str:
    screen = Screen(width=width)
    screen.file = io.StringIO()
    show(screen, what, **settings)  # type: ignore[arg-type]
    return screen.file.getvalue()


def test_the_verdict_is_first_then_tables_then_the_other_sentences_names_and_notes() -> None:
    text = shown(Shown([sheet("one"), sheet("two")], ["first `x`", "second"]))
    order = ["first x", "one (some facts)", "verdict on one", "row of one", "two (", "second", "one = long", "note 0"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "one: note 0 of one" in text


def test_notes_are_a_few_of_each_table_unless_all_are_requested() -> None:
    what = Shown([sheet("one", notes=9), sheet("two", notes=1)])
    short = shown(what)
    assert "note 3 of one" in short
    assert "note 4 of one" not in short
    assert "two: note 0 of two" in short
    assert "5 more with -v" in short
    assert "note 8 of one" in shown(what, verbose=True)
    assert "more with" not in shown(what, verbose=True)


def test_it_says_which_columns_do_not_fit() -> None:
    text = shown(Shown([sheet("one", importance=1)]), width=12)
    assert "too narrow for: a number" in " ".join(text.split())
    assert "narrow" not in shown(Shown([sheet("one", importance=1)]))


def test_a_column_that_counts_queries_in_its_heading_is_named_once() -> None:
    def counting(n: int) -> Sheet:
        names = ["a long name of a row"]
        score = Field.label(f"old docs ({n})", ["0.9431 [0.912, 0.966]"], 9)
        return Sheet(f"set {n}", [Field("name", "row", names, names), score])

    text = " ".join(shown(Shown([counting(14), counting(1_196)]), width=14).split())
    assert "too narrow for: old docs. " in text


def test_other_formats_are_printed_as_they_are() -> None:
    assert json.loads(shown(Shown([sheet("one")]), format="json"))["tables"][0]["title"] == "one"
    assert shown(Shown([sheet("one")]), format="csv") == "name,x\nrow of one,1.0\n"
