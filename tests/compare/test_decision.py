"""Which row to take, from rows whose values are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.base.errors import ComparisonError, SettingError
from harness.compare.advice import difference, sentences
from harness.compare.comparison import compare
from harness.compare.decision import Decision, caveats, decide
from harness.compare.evidence import Scores

Scored = Callable[..., Scores]
RNG = np.random.default_rng(4)
BASE = RNG.uniform(0.2, 0.7, 200)
NOISE = RNG.normal(0, 0.05, (200, 4))
NOISE -= NOISE.mean(0)


@pytest.fixture
def rows(scored: Scored) -> Callable[..., list[Scores]]:
    """Rows by name: their lift over the base, the milliseconds of a query, MiB of the index."""

    def made(**told: tuple[float, float | None, int]) -> list[Scores]:
        found = []
        for i, (name, (lift, ms, mib)) in enumerate(told.items()):
            values = {f"q{n}": round(float(v), 6) for n, v in enumerate(BASE + lift + NOISE[:, i % 4])}
            latency = None if ms is None else {"p50_ms": ms, "p95_ms": 2 * ms}
            found.append(scored(name, values, latency=latency, size={"index_bytes": mib * 2**20}))
        return found

    return made


def test_the_best_its_equals_and_the_rest(rows: Callable[..., list[Scores]]) -> None:
    found = decide(rows(low=(0.0, 1, 1), twin=(0.099, 5, 9), top=(0.1, 20, 50)))
    assert found.best.row == "top"
    assert [o.row for o in found.tied] == ["twin"]
    assert [o.row for o in found.options] == ["top", "twin", "low"]
    told = sentences(found)
    assert told[0].startswith("Best: `top`, nDCG@10 ")
    assert told[0].endswith("; tied with it: `twin`; 1 other row is significantly worse.")
    assert "3 pairs of 3 rows (c = " in told[-1]


def test_a_clear_winner_is_called_one(rows: Callable[..., list[Scores]]) -> None:
    told = sentences(decide(rows(low=(0.0, 1, 1), top=(0.1, 20, 50))))
    assert told[0].endswith("; the other row is significantly worse.")
    assert "one pair of rows (c = " in told[-1]


def test_the_cheapest_within_the_margin_and_whether_that_is_shown(rows: Callable[..., list[Scores]]) -> None:
    found = decide(rows(top=(0.1, 20, 50), near=(0.0999, 5, 60), far=(0.05, 1, 1)), margin=0.02)
    assert {of: o.row for of, o in found.cheapest.items()} == {"latency": "near", "memory": "top"}
    near = found.cheapest["latency"]
    assert found.loses_no_more(near)
    assert (
        not decide(rows(top=(0.1, 20, 50), near=(0.0999, 5, 60)), margin=0.001).loses_no_more(near)
        or near.behind is None
    )
    told = "\n".join(sentences(found))
    assert "Cheapest within 0.02 of the best: `near`" in told
    assert "5.0 ms a query; a larger loss is ruled out by these queries." in told
    assert "No cheaper row is within 0.02 of the best: it takes 50.0 MiB of index and model." in told


def test_steps_lead_over_the_rows_that_nothing_beats_at_their_cost(rows: Callable[..., list[Scores]]) -> None:
    found = decide(rows(cheap=(0.0, 1, 10), beaten=(-0.05, 3, 20), middle=(0.1, 10, 30), top=(0.2, 1010, 2058)))
    path = [(s.before.row, s.after.row) for s in found.upgrades["latency"]]
    assert path == [("cheap", "middle"), ("middle", "top")]
    last = found.upgrades["latency"][-1]
    assert last.more == pytest.approx(1.0)
    assert last.gain.mean == pytest.approx(0.1, abs=1e-6)
    told = "\n".join(sentences(found))
    assert "`middle` → `top`: 1000.0 ms more a query for +0.1000 [" in told
    assert "0.1 per second." in told
    assert "`middle` → `top`: 1.98 GiB more of index and model for +0.1000" in told


def test_rows_of_all_but_the_same_cost_are_no_step(rows: Callable[..., list[Scores]]) -> None:
    found = decide(rows(cheap=(0.0, 1, 10), one=(0.1, 10.0, 30), better=(0.15, 10.2, 30)))
    assert [(s.before.row, s.after.row) for s in found.upgrades["latency"]] == [("cheap", "better")]


def test_rows_without_costs_are_said_to_be_left_out(rows: Callable[..., list[Scores]]) -> None:
    found = decide(rows(file=(0.1, None, 0), bm25=(0.0, 1, 10)))
    assert found.cheapest == {}
    assert found.upgrades == {"latency": (), "memory": ()}
    assert "Without a latency, and therefore left out of comparisons of cost: `file`." in sentences(found)


def test_one_row_alone_is_the_best(rows: Callable[..., list[Scores]]) -> None:
    found = decide(rows(only=(0.0, 1, 1)))
    assert (found.best.row, found.tied, difference(found.best)) == ("only", (), "–")
    assert len(sentences(found)) == 2  # the best, and that nothing is cheaper


def test_rows_that_are_equal_everywhere_are_tied(rows: Callable[..., list[Scores]], scored: Scored) -> None:
    same = {f"q{i}": 0.5 for i in range(30)}
    found = decide([scored("one", same), scored("two", same)])
    assert [o.row for o in found.tied] == ["two"]
    assert sentences(found)


def test_a_standing_that_is_known_is_not_made_again(rows: Callable[..., list[Scores]]) -> None:
    held = sorted(rows(low=(0.0, 1, 1), top=(0.1, 2, 2)), key=lambda r: -r.mean)
    known = compare(held)
    found: Decision = decide(held, comparison=known)
    assert found.comparison is known
    assert sentences(found) == sentences(decide(held))


def test_costs_that_are_alike_do_not_make_a_row_the_cheapest(rows: Callable[..., list[Scores]]) -> None:
    found = decide(rows(top=(0.1, 10.1, 50), near=(0.0999, 10.0, 50)), margin=0.02)
    assert {o.row for o in found.cheapest.values()} == {"top"}


def test_one_query_shows_nothing_and_zeros_are_no_figures(scored: Scored) -> None:
    cost = {"latency": {"p50_ms": 1.0, "p95_ms": 1.0}}
    one = decide([scored("a", {"q": 0.5}, latency={"p50_ms": 9.0, "p95_ms": 9.0}), scored("b", {"q": 0.499}, **cost)])
    told = " ".join(sentences(one))
    assert "[0.5" not in told
    assert "a larger loss is not ruled out by these queries" in told
    nothing = {f"q{i}": 0.0 for i in range(9)}
    (said,) = sentences(decide([scored("c", nothing), scored("d", nothing)]))
    assert said.startswith("Every score is 0")


def test_who_leads_without_what_training_has_seen_is_told(scored: Scored) -> None:
    def leaks(queries: float, documents: float, taught: int = 0) -> dict[str, object]:
        def part(count: int, value: float) -> dict[str, object]:
            return {"count": count, "without": {"nDCG@10": value}, "only": {"nDCG@10": 1.0}}

        own = {"taught": {"known": True, "queries": part(taught, 0.11), "pairs": part(0, 0.1)}} if taught else {}
        return {"queries": part(7, queries), "documents": part(20, documents), **own}

    values = {f"q{i}": 0.5 + i / 100 for i in range(40)}
    low = {q: v - 0.1 for q, v in values.items()}
    best = scored("best", values, supervision="train labels", leaks=leaks(0.6, 0.3, taught=8))
    plain = scored("plain", low, leaks=leaks(0.5, 0.4))
    told = caveats(decide([best, plain]))
    assert told[0].startswith("7 test queries also occur in train or dev; over the others `best` still has the highest")
    assert told[1].endswith("over the others `plain` has the highest mean, 0.4000, `best` 0.3000.")
    assert told[2] == "`best`: 8 test queries occur in its training data; over the others its mean is 0.1100."
    assert caveats(decide([plain, scored("other", values, leaks=leaks(0.6, 0.3))])) == [], "no row used labels"


def test_who_is_tied_is_what_the_interval_next_to_it_says(rows: Callable[..., list[Scores]]) -> None:
    found = decide(rows(**{f"row{i}": (0.1 - i / 90, 1 + i, 1 + i) for i in range(9)}))
    for option in found.options[1:]:
        assert option.behind is not None
        assert option.tied is (option.behind.interval.low <= 0 <= option.behind.interval.high)
    steps = [step for of in found.upgrades.values() for step in of]
    places = {option.row: i for i, option in enumerate(found.options)}
    for step in steps:
        board = found.comparison.difference(places[step.after.row], places[step.before.row])
        assert step.gain == board, "one pair has one verdict"


def test_bad_input_is_told(rows: Callable[..., list[Scores]], scored: Scored) -> None:
    with pytest.raises(SettingError, match="margin"):
        decide(rows(one=(0.0, 1, 1)), margin=0)
    with pytest.raises(ComparisonError, match="nothing to decide between"):
        decide([])
    with pytest.raises(ComparisonError):
        decide([scored("one", {"a": 1.0}), scored("two", {"a": 1.0}, revision="0" * 32)])
