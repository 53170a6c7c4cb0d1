import pytest

from harness.base.plain import one_line, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b", "\\x9b"),
        ("\x7f\x00\r", "\\x7f\\x00\\x0d"),
        ("a\u202eb\u2066c\u2069", "a\\u202eb\\u2066c\\u2069"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_what_steers_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert plain(text) == shown
    plain(text).encode()


@pytest.mark.parametrize("text", ["", "plain", "a\tb\nc", "日本 ö – ≥ 👩‍👩‍👧", "שלום\u200f", "می\u200cخواهم"])
def test_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


def test_one_line_has_no_line_break_of_any_kind() -> None:
    assert one_line("a\r\nb\tc\x0bd\u2029e") == "a b c\\x0bd\\u2029e"
