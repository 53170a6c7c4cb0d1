"""Lines end at the ends of words; numbers and signs are never cut."""

import pytest
from rich.cells import cell_len

from harness.report.wrapping import paragraph, widest_word, wrapped


def test_lines_end_between_words() -> None:
    assert wrapped("one two  three", 8) == ["one two", "three"]
    assert wrapped("", 8) == [""]


def test_a_name_that_is_wider_than_a_line_is_broken_after_what_separates_its_parts() -> None:
    assert wrapped("see dense+frozen_head", 12) == ["see dense+", "frozen_head"]
    assert wrapped("a dense+frozen_head", 17) == ["a", "dense+frozen_head"]
    assert wrapped("bm25>>cross-encoder", 16) == ["bm25>>", "cross-encoder"]
    assert wrapped("beir/cranfield/test", 10) == ["beir/", "cranfield/", "test"]


@pytest.mark.parametrize("number", ["−0.0123", "[-0.0030,", "+0.0255]", "0/60/12", "1e-05"])
def test_a_number_is_not_cut_where_it_fits(number: str) -> None:
    assert number in wrapped(f"xxxxxx {number}", 9)


def test_what_cannot_be_broken_is_broken_anywhere_and_nothing_is_lost() -> None:
    lines = wrapped("漢" * 10 + " " + "x" * 25, 8)
    assert all(cell_len(line) <= 8 for line in lines)
    assert "".join(lines) == "漢" * 10 + "x" * 25


def test_a_paragraph_is_indented() -> None:
    assert paragraph("one two three", 9, "- ") == ["- one two", "  three"]
    assert paragraph("one two three", 9, "  ", "    ") == ["  one", "    two", "    three"]


def test_the_widest_word_is_a_part_of_a_name() -> None:
    assert widest_word("query beir/cranfield/test") == len("cranfield/")
