"""The budget: sizes as people write them, what is held, what is too small."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.base.memory import DEFAULT, LEAST, Memory, parse_size, size


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2GB", 2_000_000_000),
        ("2 gb", 2_000_000_000),
        ("512MiB", 512 << 20),
        ("1.5G", 3 << 29),
        ("64m", 64 << 20),
        ("1TB", 10**12),
        ("1000000", 1_000_000),
        ("100 KB", 100_000),
        ("7B", 7),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, number: int) -> None:
    assert parse_size(text) == number


@pytest.mark.parametrize("text", ["", "lots", "2XB", "-1GB", "GB", "1e9", "2 G B", "1,5GB"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingError, match="is not a size; write it as 2GB"):
        parse_size(text)


@given(st.integers(0, 1 << 45))
def test_a_size_that_is_printed_reads_back_as_no_less(number: int) -> None:
    assert number <= parse_size(size(number)) <= max(number * 1.11, number + 1)


def test_the_budget_is_what_is_given_then_the_environment_then_2_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Memory().total == DEFAULT == 2 << 30
    monkeypatch.setenv("HARNESS_MEMORY", "100MB")
    assert Memory().total == 100_000_000
    assert Memory(LEAST).total == LEAST
    monkeypatch.setenv("HARNESS_MEMORY", "much")
    with pytest.raises(SettingError, match="'much' is not a size"):
        Memory()


def test_a_budget_below_what_any_step_needs_is_refused() -> None:
    with pytest.raises(SettingError, match="memory of 1 MiB is too small: set at least 16 MiB"):
        Memory(1 << 20)


def test_a_step_that_needs_more_than_its_share_says_the_least_budget() -> None:
    memory = Memory(64 << 20)
    memory.require(16 << 20, "a step")
    with pytest.raises(
        SettingError, match=r"--memory 64MiB is too small: a step takes at least 17 MiB, .* Set --memory 68MiB or more"
    ):
        memory.require(17 << 20, "a step")
    Memory(parse_size("68MiB")).require(17 << 20, "a step")


def test_what_is_held_has_a_place_up_to_a_quarter_and_gives_it_back() -> None:
    memory = Memory(64 << 20)
    first, second = memory.reserve(10 << 20), memory.reserve(6 << 20)
    assert first is not None
    assert second is not None
    assert memory.reserved == 16 << 20
    assert memory.reserve(1) is None
    del first
    gc.collect()
    assert memory.reserved == 6 << 20
    assert memory.reserve(10 << 20) is not None


def test_a_collection_with_more_documents_than_can_be_numbered_is_refused_with_the_least_that_can() -> None:
    Memory(64 << 20).require_documents(500_000, "mine")
    with pytest.raises(
        SettingError, match=r"the 1,000,000 documents of mine take 107 MiB, .* Set --memory 107MiB or more"
    ):
        Memory(64 << 20).require_documents(1_000_000, "mine")
    Memory(parse_size("107MiB")).require_documents(1_000_000, "mine")


@pytest.mark.parametrize("text", ["9" * 400 + "GB", "9" * 30, "2PB", "1e999GB"])
def test_a_size_beyond_any_machine_is_refused_in_few_words(text: str) -> None:
    with pytest.raises(SettingError, match=r"^memory '.{1,40}' is (more than|not a size)") as caught:
        parse_size(text)
    assert len(str(caught.value)) < 150
