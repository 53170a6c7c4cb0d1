"""Values of a setting as they are written on the command line."""

from __future__ import annotations

import pytest

from harness.base.errors import SettingError
from harness.choices.spans import Span, parse_axis


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("k1=0.6:1.6", "k1", Span(0.6, 1.6)),
        ("depth=50:200", "depth", Span(50, 200)),
        ("learning-rate=1e-5:1e-3:log", "learning_rate", Span(1e-5, 1e-3, log=True)),
        ("first.k1=0.6,0.9", "first.k1", (0.6, 0.9)),
        ("methods.0.k1=1", "methods.0.k1", (1,)),
        ("index=exact,hnsw(m=8, efs=64)", "index", ("exact", "hnsw(m=8, efs=64)")),
        ("feedback=None,rm3", "feedback", ("None", "rm3")),
        ('model="a:b","c, d"', "model", ("a:b", "c, d")),
        ("flag=True,False", "flag", (True, False)),
        ("model=a:b", "model", ("a:b",)),
    ],
)
def test_a_list_or_a_span(text: str, name: str, values: object) -> None:
    assert parse_axis(text) == (name, values)


@pytest.mark.parametrize("text", ["k1", "k1=", "=3", "k 1=3", "k1=2:1", "k1=1:1", "k1=0:1:log", "k1=1:2:3"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=r"gives no values of a setting|is not a range"):
        parse_axis(text)


@pytest.mark.parametrize(
    ("span", "most", "values"),
    [
        (Span(0.6, 1.6), 11, (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6)),
        (Span(0.6, 1.6), 6, (0.6, 0.8, 1.0, 1.2, 1.4, 1.6)),
        (Span(0.25, 0.9), 5, (0.25, 0.4, 0.6, 0.8, 0.9)),
        (Span(5, 30), 11, (5, 10, 15, 20, 25, 30)),
        (Span(1, 3), 11, (1, 2, 3)),
        (Span(1e-5, 1e-3, log=True), 5, (1e-5, 3.2e-5, 1e-4, 3.2e-4, 1e-3)),
        (Span(1, 1000, log=True), 4, (1, 10, 100, 1000)),
        (Span(15, 1555, log=True), 3, (15, 150, 1555)),
        (Span(0.1, 0.996, log=True), 3, (0.1, 0.32, 0.996)),
        (Span(1.04, 1.06, log=True), 3, (1.04, 1.06)),
    ],
)
def test_a_span_is_listed_in_round_numbers(span: Span, most: int, values: tuple[float, ...]) -> None:
    assert span.values(most) == values
    assert all(isinstance(value, int) == isinstance(span.low, int) for value in span.values(most))
