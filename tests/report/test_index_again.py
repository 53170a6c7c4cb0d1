"""Whether a row needs every document encoded again."""

from __future__ import annotations

import pytest

from harness.report.index_again import index_again
from harness.rows import parse_method


@pytest.mark.parametrize(
    ("row", "again"),
    [
        ("dense", None),
        ("bm25", None),
        ("dense+supervised", True),
        ("bm25>>dense+supervised", True),
        ("hybrid(methods=(bm25, dense+supervised))", True),
        ("bm25>>ce", False),
        ("splade", True),
        ("was_once_a_method(of=3)", None),
    ],
)
def test_it_is_read_from_the_expression(row: str, again: bool | None) -> None:
    assert index_again(row) is again
    if "once" not in row:
        assert index_again(parse_method(row).full()) is again
