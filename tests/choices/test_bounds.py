"""A setting of the wrong type or out of bounds is refused by its annotation; the error names item and setting."""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pytest
from annotated_types import Gt, Interval, Le, Len, Lt, MaxLen, MinLen

from harness.analyzers.english import English
from harness.analyzers.standard import Standard
from harness.base.errors import SettingError
from harness.choices import bounds
from harness.choices.bounds import Count, NonNegative, Positive, Share, WholeNumber
from harness.choices.value import Value
from harness.fusions.rrf import RRF
from harness.methods.bm25 import BM25


@dataclasses.dataclass(frozen=True)
class Sample(Value):
    room: ClassVar[str] = "harness.analyzers"
    count: Count = 1
    optional: Count | None = None
    below: Annotated[float, Gt(0), Lt(1)] = 0.5
    size: Literal["small", "large"] = "small"
    ranks: Annotated[tuple[Count, ...], Len(2, 2)] = (1, 2)
    names: Annotated[tuple[str, ...], MinLen(1), MaxLen(3)] = ("a",)
    text: Annotated[str, MinLen(1)] = "x"
    flag: bool = False
    most: Annotated[int, Le(3)] = 3
    plain: float = 0.0

    @classmethod
    def name(cls) -> str:
        return "sample"


WRONG = [
    ({"count": 0}, "count must be 1 or more, not 0"),
    ({"count": 1.0}, "count must be a whole number, 1 or more, not 1.0"),
    ({"count": True}, "count must be a whole number, 1 or more, not True"),
    ({"count": "1"}, 'count must be a whole number, 1 or more, not "1"'),
    ({"count": None}, "count must be a whole number, 1 or more, not None"),
    ({"optional": 0}, "optional must be 1 or more, not 0"),
    ({"optional": "1"}, 'optional must be a whole number, 1 or more, or None, not "1"'),
    ({"below": 1}, "below must be above 0 and below 1, not 1"),
    ({"below": math.nan}, "below must be above 0 and below 1 and finite, not nan"),
    ({"below": 10**400}, "below must be above 0 and below 1 and finite, not 1000"),
    ({"size": "huge"}, 'size must be one of "small", "large", not "huge"'),
    ({"size": 1}, 'size must be one of "small", "large", not 1'),
    ({"ranks": (1,)}, "ranks must be 2 long, not (1,)"),
    ({"ranks": [1, 2]}, "ranks must be a tuple, each a whole number, 1 or more, 2 long, not [1, 2]"),
    ({"ranks": (0, 1)}, "ranks must be a tuple, each a whole number, 1 or more, 2 long, not (0, 1)"),
    ({"names": ()}, "names must be not empty and at most 3 long, not ()"),
    ({"names": ("a", 1)}, 'names must be a tuple, each a string, not empty and at most 3 long, not ("a", 1)'),
    ({"text": ""}, 'text must be not empty, not ""'),
    ({"text": b"x"}, "text must be a string, not empty, not b'x'"),
    ({"flag": 1}, "flag must be True or False, not 1"),
    ({"most": 4}, "most must be at most 3, not 4"),
    ({"plain": True}, "plain must be a number, not True"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG)
def test_a_wrong_setting_is_refused_in_one_form(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError) as error:
        Sample(**settings)
    assert str(error.value).startswith(f"sample: {message}")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k1": "1.2"}, 'bm25: k1 must be a number, 0 or more, not "1.2"'),
        (
            {"analyzer": "english"},
            'bm25: analyzer must be an analyzer such as cjk, english, snowball or standard, not the string "english"; '
            "write analyzer=english",
        ),
        (
            {"analyzer": "englisch"},
            'bm25: analyzer must be an analyzer such as cjk, english, snowball or standard, not the string "englisch"',
        ),
        ({"analyzer": RRF()}, "bm25: analyzer must be an analyzer such as cjk, english, snowball or standard, not rrf"),
        (
            {"analyzer": English},
            "bm25: analyzer must be an analyzer such as cjk, english, snowball or standard, not the class English",
        ),
        ({"feedback": Standard()}, "bm25: feedback must be a feedback such as rm3 or rocchio, or None, not standard"),
    ],
)
def test_a_value_of_another_room_and_a_text_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError) as error:
        BM25(**settings)
    assert str(error.value) == message


def test_whole_numbers_are_numbers_and_numbers_of_numpy_are_both() -> None:
    number: Any = np.float32(0.25)
    assert Sample(below=number, plain=3).plain == 3
    whole: Any = np.int64(2)
    assert Sample(count=whole, plain=whole).count == 2


def test_a_bound_that_is_not_understood_is_an_error_of_the_item() -> None:
    @dataclasses.dataclass(frozen=True)
    class Odd(Value):
        size: Annotated[int, "even"] = 2

    with pytest.raises(TypeError, match="'even' is not a bound"):
        Odd()


def test_annotations_are_resolved_once_for_each_class(monkeypatch: pytest.MonkeyPatch) -> None:
    Sample()
    monkeypatch.setattr("typing.get_type_hints", lambda *_, **__: pytest.fail("resolved again"))
    Sample(count=2)


@pytest.mark.parametrize(
    ("hint", "inside", "outside"),
    [
        (Count, [1, 2], [0]),
        (WholeNumber, [0, 1], [-1]),
        (NonNegative, [0, 0.5], [-0.5, math.inf]),
        (Positive, [0.5], [0, math.inf]),
        (Share, [0, 0.5, 1], [-0.1, 1.1]),
        (Annotated[float, Interval(gt=0, le=1)], [1], [0]),
    ],
)
def test_the_common_bounds(hint: Any, inside: list[float], outside: list[float]) -> None:
    assert all(bounds.fits(number, hint) for number in inside)
    assert not any(bounds.fits(number, hint) for number in outside)
