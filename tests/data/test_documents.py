"""Documents: how title and text are joined, and the content hash of many."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import strategies as st

from harness.data.corpus import Corpus
from harness.data.documents import joined

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
DOCUMENTS = st.lists(
    st.tuples(TEXT, st.none() | TEXT, st.none() | TEXT), min_size=1, max_size=12, unique_by=lambda d: d[0]
)
Rows = Sequence[tuple[str, str | None, str | None]]


@pytest.mark.parametrize(
    "other",
    [
        [("a", "", "xy"), ("b", "", "z")],
        [("b", "", "y"), ("a", "", "x")],
        [("a", "x", ""), ("b", "", "y")],
        [("a", "", "x"), ("b", "", "y"), ("c", "", "")],
        [("ab", "", "x"), ("", "", "y")],
        [("a", "", "xb"), ("", "", "y")],
    ],
)
def test_the_revision_tells_corpora_apart(other: Rows) -> None:
    assert Corpus.of([("a", "", "x"), ("b", "", "y")]).revision != Corpus.of(other).revision


@pytest.mark.parametrize(
    ("title", "text", "whole"),
    [
        ("A title", "a text", "A title a text"),
        ("", "a text", "a text"),
        ("", "  a text\n", "a text"),
        ("A title", "", "A title"),
        (" A title ", " a text ", "A title   a text"),
        ("", "", ""),
    ],
)
def test_title_and_text_are_joined_by_one_space(title: str, text: str, whole: str) -> None:
    assert joined(title, text) == whole
