"""Values print as the expressions that make them."""

from __future__ import annotations

import dataclasses
import json
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.choices.value import LATER, Value


class Thing(Value):
    room: ClassVar[str] = "a.room"

    @classmethod
    def name(cls) -> str:
        return "thing"


@dataclasses.dataclass(frozen=True)
class Leaf(Thing):
    size: float = 1.0
    label: str | None = None


@dataclasses.dataclass(frozen=True)
class Tree(Thing):
    leaf: Leaf = dataclasses.field(default_factory=Leaf)
    others: tuple[Leaf, ...] = ()
    height: int = 3
    tall: bool = False


@dataclasses.dataclass(frozen=True)
class Named(Thing):
    needed: str


def test_a_values_name_is_that_of_its_file() -> None:
    @dataclasses.dataclass(frozen=True)
    class Anything(Value):
        pass

    assert Anything.name() == "test_value"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Leaf(), "thing"),
        (Leaf(size=2.5), "thing(size=2.5)"),
        (Leaf(size=2.0, label="a"), 'thing(size=2, label="a")'),
        (Tree(Leaf(label=""), (Leaf(),), 3, True), 'thing(leaf=thing(label=""), others=(thing,), tall=True)'),
        (Tree(others=(Leaf(), Leaf(0.5))), "thing(others=(thing, thing(size=0.5)))"),
        (Named("x"), 'thing(needed="x")'),
    ],
)
def test_settings_at_their_defaults_are_left_out(value: Value, text: str) -> None:
    assert str(value) == text


def test_full_writes_every_setting_of_every_nested_value() -> None:
    leaf = "thing(size=1, label=None)"
    assert Tree(others=(Leaf(),)).full() == f"thing(leaf={leaf}, others=({leaf},), height=3, tall=False)"


ODD = ['"', "\\", "it's", 'a "b" \\"', "\n\t\r\x00\x7f", "\u2028", "naïve", "漢字", "😀", "\ud83d", "{x}", "%s"]


@pytest.mark.parametrize("text", ODD)
def test_a_text_prints_as_a_literal_of_itself_that_can_be_encoded(text: str) -> None:
    printed = str(Named(text)).removeprefix("thing(needed=").removesuffix(")")
    assert eval(printed) == text
    assert printed.encode()


@given(st.text(st.characters(codec=None)))
def test_any_text_prints_as_a_literal_of_itself(text: str) -> None:
    assert eval(str(Named(text)).removeprefix("thing(needed=").removesuffix(")")) == text


@dataclasses.dataclass(frozen=True)
class Grown(Thing):
    size: int = 1
    added: Leaf | None = dataclasses.field(default=None, metadata=LATER)


def test_a_setting_that_came_later_is_unsaid_at_its_default_so_that_keys_stand() -> None:
    assert Grown().full() == "thing(size=1)"
    assert Grown().settings() == {"size": 1}
    given = Grown(added=Leaf())
    assert (str(given), given.full()) == ("thing(added=thing)", "thing(size=1, added=thing(size=1, label=None))")
    assert given.settings() == {"size": 1, "added": {"name": "thing", "size": 1.0, "label": None}}
    assert Grown().fingerprint() != given.fingerprint()


def test_fingerprint_is_16_hexadecimal_digits_of_the_full_expression() -> None:
    assert Leaf().fingerprint() == Leaf(size=1.0, label=None).fingerprint()
    assert len(Leaf().fingerprint()) == 16
    assert set(Leaf().fingerprint()) <= set("0123456789abcdef")
    assert Named("\ud83d").fingerprint() != Named("\ud83e").fingerprint()


def test_every_setting_moves_the_fingerprint() -> None:
    values = [
        Tree(),
        Tree(height=4),
        Tree(tall=True),
        Tree(Leaf(2.0)),
        Tree(others=(Leaf(),)),
        Tree(others=(Leaf(), Leaf())),
    ]
    assert len({value.fingerprint() for value in values}) == len(values)


@given(st.integers(1 - 2**53, 2**53 - 1))
def test_equal_values_print_and_hash_alike_whatever_the_type_of_a_number(size: int) -> None:
    assert Leaf(size) == Leaf(float(size))
    assert str(Leaf(size)) == str(Leaf(float(size)))
    assert Leaf(size).fingerprint() == Leaf(float(size)).fingerprint()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_prints_as_a_literal_of_itself(size: float) -> None:
    assert eval(Leaf(size, "x").full().removeprefix("thing(size=").removesuffix(', label="x")')) == size


def test_settings_are_json_with_nested_values_named() -> None:
    settings = Tree(others=(Leaf(label="é"),)).settings()
    assert settings == {
        "leaf": {"name": "thing", "size": 1.0, "label": None},
        "others": [{"name": "thing", "size": 1.0, "label": "é"}],
        "height": 3,
        "tall": False,
    }
    assert json.loads(json.dumps(settings)) == settings


def test_parts_are_the_values_directly_inside_in_the_order_of_the_settings() -> None:
    inner = Leaf(2.0)
    assert list(Tree(inner, (Leaf(3.0), Leaf(4.0))).parts()) == [inner, Leaf(3.0), Leaf(4.0)]
    assert list(Leaf().parts()) == []


def test_a_value_that_is_no_dataclass_is_refused_by_name() -> None:
    class Plain(Thing):
        pass

    with pytest.raises(TypeError, match="Plain must be a frozen dataclass"):
        str(Plain())
