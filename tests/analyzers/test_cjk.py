"""The analyser for Chinese, Japanese and Korean gives Lucene's terms: those recorded from Lucene's CJKAnalyzer."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analyzers.cjk import Cjk

GOLDEN = Path(__file__).with_name("lucene_golden.jsonl")
RECORDS = [json.loads(line) for line in GOLDEN.read_text("utf-8").split("\n") if line]


@pytest.mark.parametrize("record", [r for r in RECORDS if "text" in r], ids=lambda r: ascii(r["text"])[1:31])
def test_terms_are_those_lucene_gave(record):
    assert " ".join(Cjk()(record["text"])) == record["cjk"]


@pytest.mark.parametrize("record", [r for r in RECORDS if "probe" in r], ids=lambda r: r["code_points"])
def test_every_code_point_is_treated_as_lucene_treated_it(record):
    first, last = (int(limit, 16) for limit in record["code_points"].split("-"))
    text = "\n".join(record["probe"].replace("{}", chr(i)) for i in range(first, last + 1))
    digest = hashlib.sha256(" ".join(Cjk()(text)).encode()).hexdigest()[:16]
    assert digest == record["cjk"], "find the code points with: python benchmarks/lucene_terms.py --code-points"


def test_neighbours_are_pairs_and_a_single_character_is_a_term():
    assert Cjk()("東京都、一 漢a字") == ["東京", "京都", "一", "漢", "字"]
    assert Cjk(stop=False)("漢a字") == ["漢", "a", "字"]


def test_scripts_that_follow_each_other_directly_are_one_run():
    assert Cjk()("ガラス窓を") == ["ガラ", "ラス", "ス窓", "窓を"]


def test_half_and_full_width_are_the_same():
    assert Cjk()("ｶﾞﾗｽ Ａｂｃ") == Cjk()("ガラス abc") == ["ガラ", "ラス", "abc"]


@settings(deadline=None)
@given(st.text("東京にカナｶﾞ한글a1 、\n"), st.text("東京にカナｶﾞ한글a1 、\n"))
def test_no_term_reaches_over_a_space(left, right):
    assert Cjk()(f"{left} {right}") == Cjk()(left) + Cjk()(right)
