"""A decision in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.compare.advice import difference, sentences
from harness.compare.decision import decide
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


def test_rows_that_are_called_tied_have_an_interval_with_0_and_the_pairs_are_counted(
    rows: Callable[..., list[Scores]],
) -> None:
    found = decide(rows(low=(0.0, 1, 1), twin=(0.099, 5, 9), top=(0.1, 20, 50)))
    told = sentences(found)
    assert told[0].startswith("Best: `top`, nDCG@10 ")
    assert told[0].endswith(" queries; tied with it: `twin`; 1 other row is significantly worse.")
    assert told[-1].startswith("Tied: the 95 % interval of the difference contains 0; ")
    assert "hold together for 3 pairs of 3 rows (c = " in told[-1]
    twin = found.tied[0].behind
    assert twin is not None
    assert twin.interval.low < 0 < twin.interval.high


def test_a_step_between_tied_rows_may_be_chance(rows: Callable[..., list[Scores]]) -> None:
    told = "\n".join(sentences(decide(rows(twin=(0.099, 5, 9), top=(0.1, 20, 50)))))
    assert "`twin` → `top`: 15.0 ms more a query for +0.0010 [" in told
    assert ", not significant: the two are tied." in told
    clear = "\n".join(sentences(decide(rows(low=(0.0, 5, 9), top=(0.1, 20, 50)))))
    assert "may be chance" not in clear
    assert "the other row is significantly worse." in clear
    assert "hold together for one pair of rows (c = " in clear


def test_without_an_interval_none_is_shown(scored: Scored) -> None:
    found = decide([scored("a", {"q": 0.5}), scored("b", {"q": 0.4})])
    assert difference(found.options[0]) == "–"
    assert difference(found.options[1]) == "-0.1000"
    assert not any("inf" in sentence or "nan" in sentence for sentence in sentences(found))


def test_zeros_say_nothing(scored: Scored) -> None:
    nothing = {f"q{i}": 0.0 for i in range(9)}
    (said,) = sentences(decide([scored("c", nothing), scored("d", nothing)]))
    assert said.startswith("Every score is 0")


def test_a_control_with_the_highest_mean_is_named_as_one(rows: Callable[..., list[Scores]]) -> None:
    found = rows(memory=(0.1, 1, 1), bm25=(0.05, 1, 1), low=(0.0, 1, 1))
    told = sentences(decide(found))[1]
    assert told.startswith("`memory` is a control: it learns nothing and looks up which documents answered similar")
    assert told.endswith(f"; of the other rows `bm25` has the highest mean, {found[1].mean:.4f}.")
    assert not any("is a control" in line for line in sentences(decide(rows(bm25=(0.1, 1, 1), memory=(0.0, 1, 1)))))
    assert sentences(decide(rows(memory=(0.1, 1, 1))))[1].endswith("which does not help on new documents.")
