"""The English analyser gives Lucene's terms: those recorded from Lucene, and those its stages imply."""

import hashlib
import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analyzers.english import English

GOLDEN = Path(__file__).with_name("lucene_golden.jsonl")
RECORDS = [json.loads(line) for line in GOLDEN.read_text("utf-8").split("\n") if line]


@pytest.mark.parametrize("record", [r for r in RECORDS if "text" in r], ids=lambda r: ascii(r["text"])[1:31])
def test_terms_are_those_lucene_gave(record):
    assert " ".join(English()(record["text"])) == record["english"]


@pytest.mark.parametrize("record", [r for r in RECORDS if "probe" in r], ids=lambda r: r["code_points"])
def test_every_code_point_is_treated_as_lucene_treated_it(record):
    first, last = (int(limit, 16) for limit in record["code_points"].split("-"))
    text = "\n".join(record["probe"].replace("{}", chr(i)) for i in range(first, last + 1))
    digest = hashlib.sha256(" ".join(English()(text)).encode()).hexdigest()[:16]
    assert digest == record["english"], "find the code points with: python benchmarks/lucene_terms.py --code-points"


def test_stages_can_be_left_out():
    text = "The dogs' owner's dog was running"
    assert English()(text) == ["dog", "owner", "dog", "run"]
    assert English(stem=False)(text) == ["dogs", "owner", "dog", "running"]
    assert English(stop=False)(text) == ["the", "dog", "owner", "dog", "wa", "run"]
    assert English(stop=False, stem=False)(text) == ["the", "dogs", "owner", "dog", "was", "running"]


def test_a_stop_word_is_recognised_without_its_possessive_and_in_any_case():
    assert English()("IT'S the THAT\u2019s iTs") == ["it"]


def test_only_one_possessive_is_taken_off():
    assert English()("fox's's") == ["fox'"]
    assert English(stem=False)("fox's's") == ["fox's"]


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        # Where Lucene's stemmer departs from Porter's paper, and so from Snowball's `porter`.
        ("assembly", "assembl"),
        ("possibly", "possibl"),
        ("analogies", "analog"),
        ("us", "us"),
        ("5s", "5s"),
        # A y is a vowel or not by what stands before it.
        ("syzygy", "syzygi"),
        ("yyyed", "yy"),
        ("enjoyed", "enjoi"),
        # Lengths and letters are counted in UTF-16 code units.
        ("\u00e9s", "\u00e9s"),
        ("\U00010428s", "\U00010428"),
        ("a\u00e9\u00e9ed", "a\u00e9"),
        ("a\U00010428\U00010428ed", "a\U00010428\U00010428"),
        ("ba\u00e9ed", "ba\u00e9e"),
        ("ba\U00010428ed", "ba\U00010428"),
    ],
)
def test_stems(word, stem):
    assert English()(word) == [stem]


@settings(deadline=None)
@given(st.text(), st.text())
def test_no_term_reaches_over_a_line_feed(left, right):
    assert English()(f"{left}\n{right}") == English()(left) + English()(right)


@settings(deadline=None)
@given(st.text(alphabet="aeilsty'\u2019S_.1 \U00010428", max_size=40))
def test_no_term_is_empty_and_stop_words_are_all_that_goes(text):
    kept = English(stop=False, stem=False)(text)
    assert all(kept)
    assert len(English(stop=False)(text)) == len(kept)


def test_the_memory_of_terms_is_bounded_and_not_part_of_the_value():
    from harness.analyzers import english

    analyzer = English()
    analyzer("some words to remember")
    assert english._term_of(True, True).cache_info().maxsize == english._CACHED_TOKENS
    assert pickle.loads(pickle.dumps(analyzer)) == analyzer == English()
