"""Lengths against a scalar port of Lucene's `SmallFloat`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.lexical.lengths import lucene_length


def long_to_int4(i: int) -> int:
    """`SmallFloat.longToInt4`: a float of four significant bits, the first of them implied."""
    bits = i.bit_length()
    if bits < 4:
        return i
    shift = bits - 4
    return ((i >> shift) & 0x07) | ((shift + 1) << 3)


def int4_to_long(i: int) -> int:
    """`SmallFloat.int4ToLong`."""
    bits, shift = i & 0x07, (i >> 3) - 1
    return bits if shift == -1 else (bits | 0x08) << shift


FREE = 255 - long_to_int4(2**31 - 1)


def int_to_byte4(i: int) -> int:
    """`SmallFloat.intToByte4`."""
    return i if i < FREE else FREE + long_to_int4(i - FREE)


def byte4_to_int(b: int) -> int:
    """`SmallFloat.byte4ToInt`."""
    return b if b < FREE else FREE + int4_to_long(b - FREE)


def by_lucene(lengths: list[int]) -> list[int]:
    return [byte4_to_int(int_to_byte4(length)) for length in lengths]


def test_the_port_is_a_code_of_one_byte() -> None:
    assert FREE == 24
    assert [int_to_byte4(byte4_to_int(byte)) for byte in range(256)] == list(range(256))


def test_every_length_below_5000_is_lucenes() -> None:
    assert lucene_length(np.arange(5000)).tolist() == by_lucene(list(range(5000)))


def test_lengths_up_to_3_million_are_lucenes() -> None:
    lengths = [*range(0, 3_000_000, 97), *(2**p + d for p in range(22) for d in (-1, 0, 1, 23, 24, 25)), 2**31 - 1]
    assert lucene_length(np.array(lengths)).tolist() == by_lucene(lengths)


@given(st.lists(st.integers(0, 2**31 - 1)))
def test_any_length_is_lucenes(lengths: list[int]) -> None:
    assert lucene_length(np.array(lengths, np.int64)).tolist() == by_lucene(lengths)


@pytest.mark.parametrize(
    ("length", "held"), [(0, 0), (1, 1), (39, 39), (40, 40), (41, 40), (42, 42), (100, 96), (1000, 984)]
)
def test_lengths_are_exact_up_to_40_and_rounded_down_above(length: int, held: int) -> None:
    assert lucene_length(np.array([length])).tolist() == [held]


def test_lengths_are_whole_numbers() -> None:
    assert lucene_length(np.array([5, 500])).dtype == np.int64
