"""Settings of a value and of the values inside it, by their names."""

from __future__ import annotations

import pytest

from harness.base.errors import HarnessError
from harness.choices.paths import with_paths
from harness.methods import METHODS
from harness.rows import NAMED, ROOMS, parse_method, row_name


def changed(row: str, **settings: object) -> str:
    """`first__k1=2` is the setting `first.k1`."""
    named = {name.replace("__", "."): value for name, value in settings.items()}
    return row_name(with_paths(parse_method(row), named, METHODS, ROOMS, NAMED))


@pytest.mark.parametrize(
    ("row", "settings", "expected"),
    [
        ("bm25", {"k1": 1.2, "b": 0.3}, "bm25(k1=1.2, b=0.3)"),
        ("bm25>>dense", {"k1": 1.2, "depth": 50}, "rerank(first=bm25(k1=1.2), depth=50)"),
        ("bm25>>dense", {"first__k1": 1.2}, "bm25(k1=1.2)>>dense"),
        ("hybrid-convex", {"k1": 1.2}, "hybrid(methods=(bm25(k1=1.2), dense), fusion=convex)"),
        ("hybrid(methods=(bm25, bm25(k1=2)))", {"methods__1__k1": 3}, "hybrid(methods=(bm25, bm25(k1=3)))"),
        ("hybrid-rrf", {"bm25__k1": 3, "fusion": "convex"}, "hybrid(methods=(bm25(k1=3), dense), fusion=convex)"),
        ("bm25", {"feedback__fb_terms": 20, "feedback": "rm3"}, "bm25(feedback=rm3(fb_terms=20))"),
        ("bm25(feedback=rm3)", {"feedback": "None"}, "bm25"),
        ("dense", {"index": "hnsw", "index__m": 8}, "dense(index=hnsw(m=8))"),
        ("dense+supervised", {"learning_rate": 1e-4, "max_length": 64}, None),
        ("chunked(bm25)", {"words": 100, "k1": 1}, "chunked(row=bm25(k1=1), words=100)"),
    ],
)
def test_a_setting_is_changed_where_it_is(row: str, settings: dict[str, object], expected: str | None) -> None:
    if expected is None:
        with pytest.raises(HarnessError, match=r"have a setting 'max_length': write method\.max_length or rec"):
            changed(row, **settings)
        return
    assert changed(row, **settings) == expected


@pytest.mark.parametrize(
    ("row", "settings", "message"),
    [
        ("bm25", {"kk": 3}, r"unknown setting of bm25 'kk'; did you mean 'k1'\?"),
        ("bm25>>dense", {"scond__k1": 3}, r"unknown part of rerank 'scond'; did you mean 'scorer"),
        (
            "hybrid(methods=(bm25, bm25(k1=2)))",
            {"k1": 3},
            r"have a setting 'k1': write methods\.0\.k1 or methods\.1\.k1\.",
        ),
        ("bm25", {"k1": "high"}, r'bm25: k1 must be a number, 0 or more, not "high"'),
        ("bm25", {"feedback__fb_terms": 3}, r"unknown part of bm25 'feedback'"),
    ],
)
def test_a_setting_that_is_nowhere_or_twice_is_named(row: str, settings: dict[str, object], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        changed(row, **settings)
