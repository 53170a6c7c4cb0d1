import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.data.text import chunks, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One is here. Two is there! Is three? Yes.", ["One is here.", "Two is there!", "Is three?", "Yes."]),
        ("It is 3.5 cm long. 40 of them.", ["It is 3.5 cm long.", "40 of them."]),
        ("Wings, e.g. Fokker wings, by Dr. Smith et al. 1999 are thin.", None),
        ("As J. R. Tolkien says. See Fig. 3 and No. 7.", ["As J. R. Tolkien says.", "See Fig. 3 and No. 7."]),
        ("small letters. follow here", None),
        ("first\n\nsecond line\nthird", ["first", "second line\nthird"]),
        ("ends with Dr.\n\nNext part", ["ends with Dr.", "Next part"]),
        ('He said "Go." Then left.', ['He said "Go."', "Then left."]),
        ("(It was so.) Next.", ["(It was so.)", "Next."]),
        ('Done. "Quoted now." (Bracket.)', ["Done.", '"Quoted now."', "(Bracket.)"]),
        ("def f(x):\n    return x.y\n", ["def f(x):\n    return x.y"]),
        ("", []),
        (" \n\n \t", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str] | None) -> None:
    assert sentences(text) == (expected if expected is not None else [text])


prose = st.lists(
    st.sampled_from(
        ["wing", "Drag", "e.g.", "3.5", "end.", "What?", 'said."', "(so.)", "J.", "\n\n", "\n", "  ", "[1]", "ok!')"]
    )
).map(" ".join)


@given(st.one_of(prose, st.text()))
@example('a." B')
@example("x.') 1")
def test_no_word_is_lost(text: str) -> None:
    assert " ".join(sentences(text)).split() == text.split()


@given(prose, st.integers(1, 12))
def test_chunks_hold_every_word_in_order_and_are_about_as_long_as_asked(text: str, words: int) -> None:
    found = chunks(text, words)
    assert " ".join(found).split() == text.split()
    whole = [sentence.split() for sentence in sentences(text)]
    longest = max((len(s) for s in whole), default=0)
    for chunk in found[:-1]:
        assert len(chunk.split()) <= max(words, longest)
    if len(found) > 1:
        assert len(found[-1].split()) >= words // 2
        assert len(found[-1].split()) <= max(words, longest) + words // 2


def test_chunks_are_cut_at_sentence_ends() -> None:
    text = "One two three. Four five. Six seven eight nine. Ten."
    assert chunks(text, 5) == ["One two three. Four five.", "Six seven eight nine. Ten."]
    assert chunks(text, 4) == ["One two three.", "Four five.", "Six seven eight nine. Ten."]
    assert chunks("One two three four five six.", 2) == ["One two three four five six."]
    assert chunks("", 5) == []
