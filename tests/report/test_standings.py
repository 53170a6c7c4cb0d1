"""Tables with what the per-query values say."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from harness.bench.store import Store, StoredRecord
from harness.compare.evidence import Scores
from harness.report import markdown, standings, terminal
from harness.report.board import Across, Table, tables
from harness.report.standings import across_with_standing, by_each_measure, with_standings

BASE = np.random.default_rng(1).uniform(0.3, 0.7, 200)


def by_query(column: np.ndarray) -> dict[str, float]:
    return {f"q{i}": round(float(v), 6) for i, v in enumerate(column)}


def tabled(store: Store) -> list[Table]:
    held, _ = store.stored()
    return with_standings(tables(s.record for s in held), store, held)


def test_rows_have_intervals_and_ranks_and_the_table_says_what_can_be_seen(
    put: Callable[..., StoredRecord], results: Store
) -> None:
    noise = np.random.default_rng(2).normal(0, 0.05, (200, 2))
    put("good", by_query(BASE + 0.1 + noise[:, 0]))
    put("twin", by_query(BASE + 0.1 + noise[:, 0] + 0.01 * noise[:, 1]))
    put("poor", by_query(BASE))
    (found,) = tabled(results)
    ranks = {line.row: line.placed.ranks for line in found.lines if line.placed}
    assert ranks == {"good": (1, 2), "twin": (1, 2), "poor": (3, 3)}
    behind = [line.placed.behind for line in found.lines if line.placed]
    assert [each.tied for each in behind if each] == [True, False]
    for line in found.lines:
        assert line.interval is not None
        assert line.interval.low < (line.value("nDCG@10") or 0) < line.interval.high
    assert found.seen.startswith("with 200 queries and 3 pairs of 3 rows (c = ")
    text = markdown.leaderboard([found])
    low, high = (getattr(found.lines[0].interval, end) for end in ("low", "high"))
    assert re.search(rf"{low:.3f} – {high:.3f} \| +best \|  1–2 \|", text)
    assert re.search(r"\| +[−+]0\.\d{4} \[[−+]0\.\d{3}, \+0\.\d{3}\] tied \|  1–2 \|", text)
    assert re.search(r"\| +−0\.\d{4} \[−0\.\d{3}, −0\.\d{3}\] \|    3 \|", text)
    assert f"By nDCG@10, {found.seen}." in text


def test_a_row_over_several_seeds_stands_once(scored: Callable[..., Scores], results: Store) -> None:
    scored("trained", by_query(BASE), by_query(BASE + 0.01), by_query(BASE - 0.01))
    scored("other", by_query(BASE - 0.2))
    (found,) = tabled(results)
    assert [(line.row, line.placed and line.placed.ranks) for line in found.lines] == [
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
    assert any(note.startswith("`two`: without an interval: the per-query values ") for note in found.notes)
    assert "–" in markdown.leaderboard([found])


def test_rows_of_another_revision_or_of_other_queries_stay_without(
    put: Callable[..., StoredRecord], results: Store
) -> None:
    put("a", by_query(BASE + 0.1))
    put("b", by_query(BASE), revision="0" * 32)
    put("c", by_query(BASE[:50] - 0.1))
    (found,) = tabled(results)
    assert [line.row for line in found.lines if line.interval] == ["a"]
    notes = " ".join(found.notes)
    assert "`b`: made on another revision" in notes
    assert "`c`: of other queries than most rows; not compared with them." in notes


def test_without_any_values_a_table_is_as_it_was(put: Callable[..., StoredRecord], results: Store) -> None:
    put("a", by_query(BASE)).place.queries.unlink()
    (found,) = tabled(results)
    assert not found.stands
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
    terminal.show(tabled(results), Console(width=80))
    narrow = " ".join(capsys.readouterr().out.split())
    assert "−0.1000" not in narrow
    assert "shows differences from the best, and what each row costs" in narrow


def test_a_narrow_terminal_says_who_is_tied(
    put: Callable[..., StoredRecord], results: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    noise = np.random.default_rng(5).normal(0, 0.05, 200)
    for name, shift in (("a", 0.1), ("b", 0.098 + noise - noise.mean()), ("c", -0.1)):
        put(name, by_query(BASE + shift))
    terminal.show(tabled(results), Console(width=80))
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
    assert [line.placed and line.placed.ranks for line in other.lines] == [(1, 1), (2, 2)]
    assert other.standing is not None
    assert other.standing.rows == ("b", "a")
    for line in other.lines:
        assert line.interval is not None
        assert line.interval.low < (line.value("R@100") or 0) < line.interval.high
    monkeypatch.setattr(standings, "MOST_WORK", 1)
    ((_, other),) = by_each_measure(found, results, held)
    assert not other.stands


# Across datasets

There = Callable[[], tuple[list[Table], Across]]


def test_rows_with_figures_on_every_dataset_stand_across_them(two_datasets: There) -> None:
    _, over = two_datasets()
    assert {name: held.ranks for name, held in over.standing.items()} == {
        "best": (1, 2),
        "twin": (1, 2),
        "last": (3, 3),
    }
    (note,) = over.notes
    assert note.startswith("Intervals of differences and ranks are corrected for 3 pairs of 3 rows (c = ")
    assert [bool(placed.against) for placed in over.standing.values()] == [False, True, True]
    assert over.columns[:3] == ("mean", "95 %", "rank")
    assert over.cells("last")[-2] != "–"
    assert set(over.cells("half")) == {"–"}
    assert [len(over.cells(name)) + 1 for name, _ in over.rows] == [len(over.columns)] * 4


def test_one_dataset_has_none_across(put: Callable[..., StoredRecord], results: Store) -> None:
    held = [put("a", by_query(BASE))]
    assert across_with_standing(tables(s.record for s in held), results, held) is None


def test_a_broken_file_of_values_is_named_and_the_others_are_compared(two_datasets: There, results: Store) -> None:
    (results.root / "d2" / "best" / "seed0.queries.json").write_text("{")
    _, over = two_datasets()
    assert [name for name, _ in over.rows] == ["best", "twin", "last", "half"]
    assert list(over.standing) == ["twin", "last"]
    assert over.standing["twin"].against is None
    _, note = over.notes
    assert note.startswith("`best`: without an interval: the per-query values ")
    assert set(over.cells("best")) == {"–"}


def test_the_odd_one_out_stands_without_even_where_it_is_the_best(
    two_datasets: There, put: Callable[..., StoredRecord], results: Store
) -> None:
    put("best", {f"q{i}": 0.9 for i in range(30)}, dataset="d1", revision="0" * 32)
    put("last", {f"p{i}": 0.1 for i in range(90)}, dataset="d2")
    put("third", {f"q{i}": 0.2 for i in range(30)}, dataset="d1")
    put("third", {f"q{i}": 0.2 for i in range(90)}, dataset="d2")
    _, over = two_datasets()
    assert list(over.standing) == ["twin", "third"]
    told = "of another revision or other queries than most rows on"
    assert over.notes[1:] == (
        f"`best`: {told} d1; not compared across datasets.",
        f"`last`: {told} d2; not compared across datasets.",
    )


def test_rows_with_no_dataset_in_common_are_told_of(put: Callable[..., StoredRecord], results: Store) -> None:
    held = [put("a", by_query(BASE), dataset="d1"), put("b", by_query(BASE), dataset="d2")]
    over = across_with_standing(tables(s.record for s in held), results, held)
    assert over is not None
    assert (over.stands, over.columns) == (False, ("mean",))
    assert over.notes == ("No row has figures on every dataset: there are no means to compare.",)


def test_single_queries_several_seeds_and_one_name_for_two_methods_are_noted(
    put: Callable[..., StoredRecord], results: Store
) -> None:
    held = [put(row, {"q": value}, dataset="d1") for row, value in (("a", 0.5), ("b", 0.5))]
    held += [put(row, by_query(BASE), dataset="d2") for row in ("a", "b")]
    held += [put("a", by_query(BASE), 1, "d2"), put("b", by_query(BASE), 1, "d2", method="other")]
    over = across_with_standing(tables(s.record for s in held), results, held)
    assert over is not None
    assert over.notes[1:] == (
        "`b`: several methods bear this name on d2; the best of them is taken.",
        "d1 has one query: the intervals take its figures for surer than they are.",
        "the mean of several seeds counts; nothing is said of models trained with others: `a`.",
    )
    assert [held.ranks for held in over.standing.values()] == [(1, 2), (1, 2)]
    against = over.standing["b"].against
    assert against is not None
    assert (against.difference.mean, against.difference.p) == (0.0, 1.0)
    assert (against.datasets, against.queries) == ((0, 2, 0), (0, 201, 0))


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
    notes = " ".join(found.notes)
    assert "`alien`: made on another revision of the collection" in notes
    assert "`few`: of other queries than most rows" in notes


def test_a_seed_that_failed_is_noted(put: Callable[..., StoredRecord], results: Store) -> None:
    put("a", by_query(BASE))
    put("a", by_query(BASE), 1, status="error", problem={"reason": "no memory"}, measures={})
    (found,) = tabled(results)
    assert "`a`: seed 1 gave no figures: error: no memory" in found.notes


def test_a_board_that_is_too_large_says_who_decides(
    put: Callable[..., StoredRecord], results: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, shift in (("a", 0.1), ("b", 0.0)):
        put(name, by_query(BASE + shift))
    monkeypatch.setattr(standings, "MOST_WORK", 1)
    (found,) = tabled(results)
    assert "harness decide" in found.decision[0]
