"""Messages say what to do next."""

from __future__ import annotations

import inspect
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base import errors
from harness.base.errors import HarnessError, Unavailable, UnknownName

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]
ERRORS = [c for c in CLASSES if issubclass(c, Exception)]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_caught_as_harness_error(error: type[Exception]) -> None:
    assert issubclass(error, HarnessError)


def test_unknown_name_offers_what_is_spelt_alike() -> None:
    error = UnknownName("method", "bm52", ["rerank", "bm25", "dense"])
    assert error.close == ["bm25"]
    assert str(error) == "unknown method 'bm52'; did you mean 'bm25'? Known: bm25, dense, rerank."


@pytest.mark.parametrize("name", ["cross", "CROSS", "my-cross-encoder-v2-of-last-year"])
def test_unknown_name_offers_what_holds_the_name_or_is_held_by_it(name: str) -> None:
    assert UnknownName("method", name, ["bm25", "cross", "cross-encoder"]).close[0].startswith("cross")


def test_unknown_name_with_nothing_alike_lists_what_is_known_and_gives_the_hint() -> None:
    error = UnknownName("source", "zzz", ["folder", "beir"], "Name a path as ./mine.")
    assert error.close == []
    assert str(error) == "unknown source 'zzz'. Known: beir, folder. Name a path as ./mine."


def test_unknown_name_where_nothing_is_known() -> None:
    assert str(UnknownName("split", "", [])) == "unknown split ''."


@given(name=st.text(), known=st.lists(st.text(), max_size=8))
def test_unknown_name_offers_known_names_only_and_each_once(name: str, known: list[str]) -> None:
    close = UnknownName("thing", name, iter(known)).close
    assert set(close) <= set(known)
    assert len(close) <= 6
    if len(set(known)) == len(known):
        assert len(set(close)) == len(close)


def test_unavailable_tells_the_reason_and_the_remedy() -> None:
    error = Unavailable("no network.", "Copy the folder here.")
    assert (error.reason, error.remedy) == ("no network.", "Copy the folder here.")
    assert str(error) == "no network. Copy the folder here."


@pytest.mark.parametrize(
    "error", [HarnessError("why"), Unavailable("no net.", "Copy it."), UnknownName("row", "a", ["ab"])]
)
def test_errors_cross_processes(error: HarnessError) -> None:
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_what_an_error_carries_crosses_processes() -> None:
    error = pickle.loads(pickle.dumps(UnknownName("row", "a", ["ab"], "So.")))
    assert (error.name, error.close) == ("a", ["ab"])


def test_a_message_names_the_class_of_errors_that_are_not_ours() -> None:
    assert errors.error_message(HarnessError("do this.")) == "do this."
    assert errors.error_message(ValueError("bad")) == "ValueError: bad"
