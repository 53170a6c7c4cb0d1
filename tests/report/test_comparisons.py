"""Tables with what the per-query values say."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from harness.bench.store import Store, StoredRecord
from harness.compare.evidence import Scores
from harness.report import comparisons, markdown, terminal
from harness.report.board import Table, tables
from harness.report.comparisons import by_each_measure, with_comparisons
from harness.report.notes import notes_of

BASE = np.random.default_rng(1).uniform(0.2, 0.8, 200)


def by_query(column: np.ndarray) -> dict[str, float]:
    """Values of a measure, which are not above 1."""
    return {f"q{i}": round(float(v), 6) for i, v in enumerate(np.clip(column, 0, 1))}


def tabled(store: Store) -> list[Table]:
    held, _ = store.stored()
    return with_comparisons(tables(s.record for s in held), store, held)


def test_rows_have_intervals_and_ranks_and_the_table_says_what_can_be_seen(
    put: Callable[..., StoredRecord], results: Store
) -> None:
    noise = np.random.default_rng(2).normal(0, 0.1, (200, 2))
    put("good", by_query(BASE + 0.1 + noise[:, 0]))
    put("twin", by_query(BASE + 0.1 + noise[:, 0] + 0.01 * noise[:, 1]))
    put("poor", by_query(BASE))
    (found,) = tabled(results)
    ranks = {line.row: line.position.ranks for line in found.lines if line.position}
    assert ranks == {"good": (1, 2), "twin": (1, 2), "poor": (3, 3)}
    behind = [line.position.behind for line in found.lines if line.position]
    assert [each.tied for each in behind if each] == [True, False]
    for line in found.lines:
        assert line.interval is not None
        assert line.interval.low < (line.value("nDCG@10") or 0) < line.interval.high
    assert found.power.startswith("200 queries detect a difference of 0.")
    text = markdown.leaderboard([found])
    low, high = (getattr(found.lines[0].interval, end) for end in ("low", "high"))
    assert re.search(rf"{low:.3f} – {high:.3f} \| +best \| +1–2 \|", text)
    assert re.search(r"\| +[−+]0\.\d{4} \[[−+]0\.\d{3}, \+0\.\d{3}\] \| +1–2 tied \|", text)
    assert re.search(r"\| +−0\.\d{4} \[−0\.\d{3}, −0\.\d{3}\] \| +3 \|", text)
    assert f"By nDCG@10, {found.power}." in text


def test_a_row_over_several_seeds_stands_once(scored: Callable[..., Scores], results: Store) -> None:
    scored("trained", by_query(BASE), by_query(BASE + 0.01), by_query(BASE - 0.01))
    scored("other", by_query(BASE - 0.2))
    (found,) = tabled(results)
    assert [(line.row, line.position and line.position.ranks) for line in found.lines] == [
        ("trained", (1, 1)),
        ("other", (2, 2)),
    ]


def test_a_row_whose_values_cannot_be_read_stays_without_and_is_named(
    put: Callable[..., StoredRecord], results: Store
) -> None:
    put("one", by_query(BASE))
    put("two", by_query(BASE)).place.queries.write_text("{")
    (found,) = tabled(results)
    assert {line.row: line.interval is None for line in found.lines} == {"one": False, "two": True}
    assert any(note.startswith("`two`: without an interval: the per-query values ") for note in notes_of(found))
    assert "–" in markdown.leaderboard([found])


def test_rows_of_another_revision_or_of_other_queries_stay_without(
    put: Callable[..., StoredRecord], results: Store
) -> None:
    put("a", by_query(BASE + 0.1))
    put("b", by_query(BASE), revision="0" * 32)
    put("c", by_query(BASE[:50] - 0.1))
    (found,) = tabled(results)
    assert [line.row for line in found.lines if line.interval] == ["a"]
    notes = " ".join(notes_of(found))
    assert "`b`: made on another revision" in notes
    assert "`c`: of other queries than most rows; not compared with them." in notes


def test_without_any_values_a_table_is_as_it_was(put: Callable[..., StoredRecord], results: Store) -> None:
    put("a", by_query(BASE)).place.queries.unlink()
    (found,) = tabled(results)
    assert not found.has_intervals
    assert "| 95 %" not in markdown.leaderboard([found])


def test_a_terminal_shows_them_too(
    put: Callable[..., StoredRecord], results: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    put("a", by_query(BASE + 0.1))
    put("b", by_query(BASE))
    terminal.show(tabled(results), Console(width=200))
    said = capsys.readouterr().out
    assert "95 %" in said
    assert "−0.1000 [−0.100, −0.100]" in said
    assert "rank" in said
    terminal.show(tabled(results), Console(width=60))
    narrow = " ".join(capsys.readouterr().out.split())
    assert "−0.1000" not in narrow
    assert "60 columns are too narrow for: " in narrow
    assert "from the best" in narrow


def test_a_narrow_terminal_says_who_is_tied(
    put: Callable[..., StoredRecord], results: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    noise = np.random.default_rng(5).normal(0, 0.1, 200)
    for name, shift in (("a", 0.1), ("b", 0.098 + noise - noise.mean()), ("c", -0.1)):
        put(name, by_query(BASE + shift))
    terminal.show(tabled(results), Console(width=60))
    said = capsys.readouterr().out
    assert said.count("1–2 tied") == 1
    assert "…" not in said


def test_every_measure_has_intervals_of_its_own_where_the_table_is_small(
    put: Callable[..., StoredRecord], results: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(3).normal(0, 0.01, 200)
    for row, column in (("a", BASE + 0.1 + noise), ("b", BASE)):
        stored = put(
            row, by_query(column), measures={"nDCG@10": float(column.mean()), "R@100": float(1 - column.mean())}
        )
        results.save(stored.place, stored.record, {"nDCG@10": by_query(column), "R@100": by_query(1 - column)})
    held, _ = results.stored()
    found = tabled(results)
    ((first, other),) = by_each_measure(found, results, held)
    assert first is found[0]
    assert [[line.row for line in table.lines] for table in (first, other)] == [["a", "b"], ["b", "a"]]
    assert [line.position and line.position.ranks for line in other.lines] == [(1, 1), (2, 2)]
    assert other.comparison is not None
    assert other.comparison.rows == ("b", "a")
    for line in other.lines:
        assert line.interval is not None
        assert line.interval.low < (line.value("R@100") or 0) < line.interval.high
    monkeypatch.setattr(comparisons, "MOST_WORK", 1)
    ((_, other),) = by_each_measure(found, results, held)
    assert not other.has_intervals


def test_one_record_of_another_revision_does_not_take_the_board_away(
    put: Callable[..., StoredRecord], results: Store
) -> None:
    put("alien", by_query(BASE + 0.3), revision="0" * 32)
    put("few", by_query(BASE[:50] + 0.2))
    for name, shift in (("a", 0.1), ("b", 0.0)):
        put(name, by_query(BASE + shift))
    (found,) = tabled(results)
    assert [line.row for line in found.lines if line.interval] == ["a", "b"]
    assert found.first.row in ("few", "a")
    assert found.decision[0].startswith("Best: `a`")
    notes = " ".join(notes_of(found))
    assert "`alien`: made on another revision of the collection" in notes
    assert "`few`: of other queries than most rows" in notes


def test_a_seed_that_failed_is_noted(put: Callable[..., StoredRecord], results: Store) -> None:
    put("a", by_query(BASE))
    put("a", by_query(BASE), 1, status="error", problem={"reason": "no memory"}, measures={})
    (found,) = tabled(results)
    assert "`a`: seed 1 gave no scores: error: no memory" in notes_of(found)


def test_a_board_that_is_too_large_says_who_decides(
    put: Callable[..., StoredRecord], results: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, shift in (("a", 0.1), ("b", 0.0)):
        put(name, by_query(BASE + shift))
    monkeypatch.setattr(comparisons, "MOST_WORK", 1)
    (found,) = tabled(results)
    assert "harness decide" in found.decision[0]
