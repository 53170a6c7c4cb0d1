"""Tables with what the per-query values say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.bench.evidence import Scores
from harness.bench.store import Store, Stored
from harness.report import markdown, standings, terminal
from harness.report.board import Table, tables
from harness.report.standings import by_each_measure, with_standings

BASE = np.random.default_rng(1).uniform(0.2, 0.8, 200)


def by_query(column: np.ndarray) -> dict[str, float]:
    return {f"q{i}": round(float(v), 6) for i, v in enumerate(column)}


def tabled(store: Store) -> list[Table]:
    held, _ = store.stored()
    return with_standings(tables(s.record for s in held), store, held)


def test_rows_have_intervals_and_letters_and_the_table_says_what_can_be_seen(put: Callable[..., Stored], results: Store) -> None:
    noise = np.random.default_rng(2).normal(0, 0.1, (200, 2))
    put("good", by_query(BASE + 0.1 + noise[:, 0]))
    put("twin", by_query(BASE + 0.1 + noise[:, 0] + 0.01 * noise[:, 1]))
    put("poor", by_query(BASE))
    (found,) = tabled(results)
    letters = {line.row: line.letters for line in found.lines}
    assert letters["good"] == letters["twin"] == "a"
    assert letters["poor"] == "b"
    for line in found.lines:
        assert line.interval is not None
        assert line.interval.low < (line.value("nDCG@10") or 0) < line.interval.high
    assert found.seen.startswith("with 200 queries you can see a difference of ")
    text = markdown.leaderboard([found])
    low, high = (getattr(found.lines[0].interval, end) for end in ("low", "high"))
    assert f"{low:.3f} – {high:.3f} |     a |" in text
    assert f"By nDCG@10, {found.seen}." in text


def test_a_row_over_several_seeds_stands_once(scored: Callable[..., Scores], results: Store) -> None:
    scored("trained", by_query(BASE), by_query(BASE + 0.01), by_query(BASE - 0.01))
    scored("other", by_query(BASE - 0.2))
    (found,) = tabled(results)
    assert [(line.row, line.letters) for line in found.lines] == [("trained", "a"), ("other", "b")]


def test_a_row_whose_values_cannot_be_read_stays_without_and_is_named(put: Callable[..., Stored], results: Store) -> None:
    put("one", by_query(BASE))
    put("two", by_query(BASE)).place.queries.write_text("{")
    (found,) = tabled(results)
    assert {line.row: line.interval is None for line in found.lines} == {"one": False, "two": True}
    assert any(note.startswith("`two`: without an interval: the per-query values ") for note in found.notes)
    assert "–" in markdown.leaderboard([found])


def test_rows_of_another_revision_or_of_other_queries_stay_without(put: Callable[..., Stored], results: Store) -> None:
    put("a", by_query(BASE + 0.1))
    put("b", by_query(BASE), revision="0" * 32)
    put("c", by_query(BASE[:50] - 0.1))
    (found,) = tabled(results)
    assert [line.row for line in found.lines if line.interval] == ["a"]
    notes = " ".join(found.notes)
    assert "`b`: made on another revision" in notes
    assert "`c`: of other queries than `a`; not compared with it." in notes


def test_without_any_values_a_table_is_as_it_was(put: Callable[..., Stored], results: Store) -> None:
    put("a", by_query(BASE)).place.queries.unlink()
    (found,) = tabled(results)
    assert not found.stands
    assert "| 95 %" not in markdown.leaderboard([found])


def test_a_terminal_shows_them_too(put: Callable[..., Stored], results: Store, capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    put("a", by_query(BASE + 0.1))
    put("b", by_query(BASE))
    terminal.show(tabled(results), Console(width=200))
    said = capsys.readouterr().out
    assert "95 %" in said
    assert "nDCG@10: with 200 queries you can see" in said or "all" in said


def test_every_measure_has_intervals_of_its_own_where_the_table_is_small(
    put: Callable[..., Stored], results: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(3).normal(0, 0.01, 200)
    for row, column in (("a", BASE + 0.1 + noise), ("b", BASE)):
        stored = put(row, by_query(column), measures={"nDCG@10": float(column.mean()), "R@100": float(1 - column.mean())})
        results.save(stored.place, stored.record, {"nDCG@10": by_query(column), "R@100": by_query(1 - column)})
    held, _ = results.stored()
    found = tabled(results)
    ((first, other),) = by_each_measure(found, results, held)
    assert first is found[0]
    assert [[line.row for line in table.lines] for table in (first, other)] == [["a", "b"], ["b", "a"]]
    assert [line.letters for line in other.lines] == ["a", "b"]
    for line in other.lines:
        assert line.interval is not None
        assert line.interval.low < (line.value("R@100") or 0) < line.interval.high
    monkeypatch.setattr(standings, "MOST_WORK", 1)
    ((_, other),) = by_each_measure(found, results, held)
    assert not other.stands
