"""Titles, sentences and keyword queries come from the document, in turn, by the seed; the splitter loses nothing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analyzers.english import English
from harness.base.errors import SettingError
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.text import sentences
from harness.generators import questions
from harness.generators.extractive import Extractive, _Frequencies, phrases
from harness.runtime.context import Context

TEXT = (
    "Aspirin lowers the risk of stroke in men. The dose was 2.5 mg per day in all trials. "
    "Dr. Smith et al. found no effect on cancer mortality. Does it help women as well? Nobody could tell them so far."
)
CORPUS = Corpus.of(
    [
        ("a", "Aspirin and stroke", TEXT),
        (
            "b",
            "",
            "Basalt is a volcanic rock of fine grain. It covers most of the ocean floor today. Granite covers the "
            "continents.",
        ),
        ("c", "", "word"),
        ("d", "Only a title", ""),
    ]
)


def made(generator: Extractive, context: Context, rows: list[int]) -> list[tuple[int, str, str]]:
    return [(q.row, q.origin, q.text) for q in generator.generate(CORPUS, rows, context)]


def test_kinds_take_turns_and_every_piece_stands_in_its_document(context: Context) -> None:
    found = made(Extractive(per_document=3), context, [0])
    assert [origin for _, origin, _ in found] == ["title", "sentence", "phrase"]
    assert found[0][2] == "Aspirin and stroke"
    assert found[1][2] in TEXT
    words = TEXT.lower().replace(".", " ").replace("?", " ").split()
    places = [words.index(word) for word in found[2][2].split()]
    assert len(places) == 4


def test_a_document_without_title_gives_sentences_and_phrases(context: Context) -> None:
    found = made(Extractive(per_document=4), context, [1])
    assert [origin for _, origin, _ in found][:3] == ["sentence", "phrase", "sentence"]
    assert len(found) == 4


def test_a_document_of_one_word_or_a_title_alone_gives_nothing(context: Context) -> None:
    assert made(Extractive(), context, [2, 3]) == []


def test_what_is_made_of_a_document_does_not_hang_on_the_others_asked(context: Context) -> None:
    alone = made(Extractive(), context, [1])
    assert alone == [each for each in made(Extractive(), context, [3, 0, 1]) if each[0] == 1]


def test_the_seed_decides_which_sentences(tmp_path: Path) -> None:
    only = Extractive(per_document=1, kinds=("sentence",))
    drawn = {made(only, Context(seed=seed, cache=Cache(tmp_path / "c")), [0])[0][2] for seed in range(20)}
    assert len(drawn) >= 3
    assert drawn <= set(sentences(TEXT))


def test_sentences_keep_to_their_lengths(context: Context) -> None:
    found = made(Extractive(per_document=9, kinds=("sentence",), min_words=7, max_words=8), context, [0])
    assert found
    assert all(7 <= len(text.split()) <= 8 for _, _, text in found)


def test_a_keyword_query_holds_the_terms_of_greatest_tf_idf_in_document_order() -> None:
    corpus = Corpus.of([(f"d{i}", "", "common words everywhere " + ("rare " if i == 0 else "")) for i in range(9)])
    text = "common zebra words common rare everywhere"
    frequencies = _Frequencies(corpus)
    assert phrases(text, frequencies, 2, 1) == ["zebra rare"]
    assert phrases("", frequencies, 2, 1) == []
    assert phrases("the of and", frequencies, 2, 1) == []


def test_the_idf_is_lucenes() -> None:
    frequencies, analyze = _Frequencies(CORPUS), English()
    for word in ("aspirin", "cover", "unseen"):
        [term] = analyze(word)
        holding = sum(term in analyze(text) for text in CORPUS.texts)
        assert frequencies.idf(term) == pytest.approx(math.log(1 + (4 - holding + 0.5) / (holding + 0.5)))


def test_windows_of_keyword_queries_do_not_overlap() -> None:
    words = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}x" for i in range(60)]
    found = phrases(" ".join(words), _Frequencies(CORPUS), 3, 4)
    assert len(found) == 4
    starts = sorted(words.index(phrase.split()[0]) for phrase in found)
    assert (np.diff(starts) >= 9).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"per_document": 0},
        {"kinds": ()},
        {"kinds": ("title", "title")},
        {"kinds": ("verse",)},
        {"min_words": 0},
        {"min_words": 9, "max_words": 8},
        {"keywords": 0},
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=rf"extractive: .*{next(iter(settings))}"):
        Extractive(**settings)  # type: ignore[arg-type]


def test_the_whole_made_up_collection_gives_questions(context: Context, language: object) -> None:
    corpus = Corpus.of(language.documents)  # type: ignore[attr-defined]
    found = questions(Extractive(), corpus, range(len(corpus)), context)
    assert {q.origin for q in found.questions} >= {"title", "phrase"}
    assert len({q.row for q in found.questions}) > 50


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        (
            "Dr. Smith et al. Found 3.14 of it. J. Doe, e.g. Bob, agreed.",
            ["Dr. Smith et al. Found 3.14 of it.", "J. Doe, e.g. Bob, agreed."],
        ),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        (
            "It costs approx. 5 dollars. See no. 5 and Fig. 2. Go.",
            ["It costs approx. 5 dollars.", "See no. 5 and Fig. 2.", "Go."],
        ),
        ("A head\n\nand a body. of it", ["A head", "and a body. of it"]),
        ("一。二？三", ["一。", "二？", "三"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(alphabet="aB1 .!?。\n\t\"')etcalJ…") | st.text())
def test_sentences_lose_nothing_but_white_space(text: str) -> None:
    found = sentences(text)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(s and s == s.strip() for s in found)


def test_a_long_text_is_split_in_linear_time() -> None:
    assert len(sentences("." * 200_000)) == 1
    assert len(sentences("a" * 200_000 + ". B")) == 2
    assert len(sentences("Yes. " * 40_000)) == 40_000
