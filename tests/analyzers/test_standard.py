"""The standard analyser gives Lucene's words; its short cuts give what the rules give."""

import hashlib
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analyzers import _uax29
from harness.analyzers._uax29_data import CLASSES
from harness.analyzers.standard import Standard, lowercase

GOLDEN = Path(__file__).with_name("lucene_golden.jsonl")
RECORDS = [json.loads(line) for line in GOLDEN.read_text("utf-8").split("\n") if line]

# One character of each class, and one of none.
SAMPLES = [chr(int(ranges.split()[0].partition("-")[0], 16)) for ranges in CLASSES.values()] + [" "]


@pytest.mark.parametrize("record", [r for r in RECORDS if "text" in r], ids=lambda r: ascii(r["text"])[1:31])
def test_terms_are_those_lucene_gave(record):
    assert " ".join(Standard()(record["text"])) == record["standard"]


@pytest.mark.parametrize("record", [r for r in RECORDS if "probe" in r], ids=lambda r: r["code_points"])
def test_every_code_point_is_treated_as_lucene_treated_it(record):
    first, last = (int(limit, 16) for limit in record["code_points"].split("-"))
    text = "\n".join(record["probe"].replace("{}", chr(i)) for i in range(first, last + 1))
    digest = hashlib.sha256(" ".join(Standard()(text)).encode()).hexdigest()[:16]
    assert digest == record["standard"], "find the code points with: python benchmarks/lucene_terms.py --code-points"


def test_no_code_point_is_in_two_classes():
    members = []
    for ranges in CLASSES.values():
        for item in ranges.split():
            first, _, last = item.partition("-")
            members += range(int(first, 16), int(last or first, 16) + 1)
    assert len(members) == len(set(members))


def by_the_rules(text):
    return _uax29._scan(text, text.translate(_uax29._class_of_each_character()))


@settings(deadline=None)
@given(st.text(alphabet=SAMPLES, max_size=30) | st.text(max_size=30))
def test_short_cuts_change_nothing(text):
    assert _uax29.tokenize(text) == by_the_rules(text)


@settings(deadline=None)
@given(st.text(alphabet="aZ09_'.:,;\"#* \n", max_size=40))
def test_the_expression_for_ascii_changes_nothing(text):
    assert _uax29.tokenize(text) == by_the_rules(text)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SAMPLES), st.sampled_from([1, 2, 126, 128, 254, 255, 256, 300])), max_size=4))
def test_no_token_is_longer_than_lucene_allows(runs):
    text = "".join(sample * count for sample, count in runs)
    tokens = _uax29.tokenize(text)
    assert tokens == by_the_rules(text)
    assert all(len(token.encode("utf-16-le")) // 2 <= _uax29.MAX_TOKEN_LENGTH for token in tokens)


@pytest.mark.parametrize(
    "run", ["_", "_\u0301", "\u200d", "\u0301", "\U0001f469\u200d", "#\u0301", "a_", "a.", '\u05d0"', "\u2139"]
)
def test_long_runs_take_no_longer_than_their_length_warrants(run):
    text = run * 200_000
    start = time.perf_counter()
    _uax29.tokenize(text)
    # It takes a fraction of a second; if every character walked the rest of its run, it would take half a minute or
    # more.
    assert time.perf_counter() - start < 5


def test_lower_case_is_that_of_single_characters():
    assert lowercase("ABC") == "abc"
    assert lowercase("\u039f\u0394\u039f\u03a3") == "\u03bf\u03b4\u03bf\u03c3"
    assert lowercase("\u0130I") == "ii"
