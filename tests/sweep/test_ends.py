"""Which of the chosen settings are at an end of what was tried."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from harness.rows import parse_method
from harness.sweep.ends import at_the_end
from harness.sweep.trial import Trial


def test_a_chosen_value_at_an_end_of_three_or_more_is_named(tried: Callable[..., Trial]) -> None:
    def trial(row: str) -> Trial:
        return dataclasses.replace(tried(row, [[0.1], [0.2]]), method=parse_method(row))

    rows = [trial(f"bm25(k1={k1}, b={b})") for k1 in (0.6, 1.1, 1.6) for b in (0.2, 0.5)]
    assert at_the_end(trial("bm25(k1=1.6, b=0.5)"), rows) == {"k1": (1.6, True)}
    assert at_the_end(trial("bm25(k1=0.6, b=0.2)"), rows) == {"k1": (0.6, False)}
    assert at_the_end(trial("bm25(k1=1.1, b=0.2)"), rows) == {}
    nested = [trial(f"hybrid(methods=(bm25(k1={k1}), dense), fusion=rrf)") for k1 in (0.6, 1.1, 1.6)]
    assert at_the_end(nested[2], [*rows, *nested]) == {"methods.0.k1": (1.6, True)}
