"""What holds for every file of the room."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analyzers import ANALYZERS
from harness.choices.expression import parse
from harness.rows import ROOMS

TEXT = "The Wings' lift, and the drag: 3.5% of naïve 漢字 text."


@pytest.mark.parametrize("name", ANALYZERS.names())
def test_an_analyser_is_a_frozen_value_with_defaults(name: str) -> None:
    analyzer = ANALYZERS.get(name)()
    assert parse(str(analyzer), ANALYZERS, ROOMS) == analyzer
    assert parse(analyzer.full(), ANALYZERS, ROOMS) == analyzer
    with pytest.raises(dataclasses.FrozenInstanceError):
        analyzer.anything = 1


@pytest.mark.parametrize("name", ANALYZERS.names())
@given(text=st.text(st.characters(codec="utf-8")))
def test_terms_are_texts_with_something_in_them(name: str, text: str) -> None:
    terms = ANALYZERS.get(name)()(text)
    assert isinstance(terms, list)
    assert all(isinstance(term, str) and term for term in terms)


# What stands between letters, attaches to them or begins a token of its own; runs that are longer than a token may be.
SIGNS = "aZ09_.:',;\"#* \n\t-/\x00\u05d0\u0301\u200d\u2019\ufe0f\u20e3漢ひカ\U0001f600é\xa0"
TEXT_OF_ANY = st.text(st.characters(codec="utf-8") | st.sampled_from(SIGNS), max_size=40)
TEXTS = st.lists(
    TEXT_OF_ANY | st.text("ab1_.:',; é", max_size=20) | st.text("a_.", min_size=120, max_size=600), max_size=6
)


@pytest.mark.parametrize("name", ANALYZERS.names())
@settings(max_examples=400)
@given(texts=TEXTS)
def test_the_terms_of_the_pieces_are_those_of_the_texts(name: str, texts: list[str]) -> None:
    analyzer = ANALYZERS.get(name)()
    pieces = analyzer.pieces(texts)
    if pieces is None:
        return
    assert len(set(pieces.distinct)) == len(pieces.distinct)
    assert list(dict.fromkeys(pieces.numbers.tolist())) == list(range(len(pieces.distinct)))
    terms = [analyzer(piece.decode()) for piece in pieces.distinct]
    stops = pieces.counts.cumsum().tolist()
    found = [
        [term for number in pieces.numbers[stop - count : stop].tolist() for term in terms[number]]
        for stop, count in zip(stops, pieces.counts.tolist(), strict=True)
    ]
    assert found == [analyzer(text) for text in texts]


@pytest.mark.parametrize("name", ANALYZERS.names())
def test_no_answer_depends_on_what_was_asked_before(name: str) -> None:
    analyzer = ANALYZERS.get(name)()
    first = analyzer(TEXT)
    assert first
    first.append("changed by the caller")
    analyzer("something else")
    assert analyzer(TEXT) == ANALYZERS.get(name)()(TEXT) == first[:-1]


@pytest.mark.parametrize("name", ANALYZERS.names())
def test_the_terms_of_two_texts_are_those_of_both_together(name: str) -> None:
    analyzer = ANALYZERS.get(name)()
    assert analyzer(f"{TEXT}\n{TEXT}") == analyzer(TEXT) * 2


@pytest.mark.parametrize("name", ANALYZERS.names())
@pytest.mark.parametrize("text", ["", " \n\t", "…!?"])
def test_a_text_without_a_word_has_no_term(name: str, text: str) -> None:
    assert ANALYZERS.get(name)()(text) == []
