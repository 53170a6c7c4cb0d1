"""What the annotation of a setting says."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import pytest
from annotated_types import Ge, Gt, Interval, Le

from harness.analyzers import Analyzer
from harness.choices import hints as type_hints
from harness.choices.bounds import Count, Share


@dataclasses.dataclass
class Sample:
    count: Count | None = None


def test_a_field_keeps_its_bounds() -> None:
    assert type_hints.hints(Sample) == {"count": Count | None}


@pytest.mark.parametrize(
    ("hint", "alternatives"), [(Count | None, (Count, type(None))), (Count, (Count,)), (int | str, (int, str))]
)
def test_a_union_has_alternatives(hint: Any, alternatives: tuple[Any, ...]) -> None:
    assert type_hints.options(hint) == alternatives


@pytest.mark.parametrize(("hint", "plain"), [(Count, int), (int, int), (tuple[Count, ...], tuple[Count, ...])])
def test_the_type_without_its_bounds(hint: Any, plain: Any) -> None:
    assert type_hints.unbounded(hint) == plain


@pytest.mark.parametrize(
    ("hint", "element"), [(tuple[Count, ...], Count), (tuple[int, int], None), (int, None), (list[int], None)]
)
def test_only_a_tuple_of_any_length_has_elements(hint: Any, element: Any) -> None:
    assert type_hints.element(hint) is element


@pytest.mark.parametrize(("hint", "contract"), [(Analyzer, Analyzer), (Analyzer | None, Analyzer), (Count, None)])
def test_the_class_of_items_that_a_setting_accepts(hint: Any, contract: Any) -> None:
    assert type_hints.contract(hint) is contract


@pytest.mark.parametrize(
    ("hint", "is_float"), [(Share, True), (Share | None, True), (Count, False), (int | float, False)]
)
def test_a_setting_that_may_be_whole_is_no_float(hint: Any, is_float: bool) -> None:
    assert type_hints.is_float(hint) is is_float


def test_groups_of_bounds_are_split() -> None:
    assert [*type_hints.limits(Annotated[int, Interval(ge=1, le=3), Gt(0)])] == [Ge(1), Le(3), Gt(0)]
    assert [*type_hints.limits(int)] == []
