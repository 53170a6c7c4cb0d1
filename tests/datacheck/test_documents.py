from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harness.data.documents import Document
from harness.datacheck.documents import CorpusCheck, _Hashes
from harness.datacheck.findings import Findings


@given(st.lists(st.sampled_from("abcdef"), max_size=30))
def test_repeats(texts: list[str]) -> None:
    seen = _Hashes()
    for line, text in enumerate(texts, 1):
        seen.add(text, line)
    found = list(seen.repeats())
    assert Counter(texts[again - 1] for _, again in found) == {t: n - 1 for t, n in Counter(texts).items() if n > 1}
    assert all(texts.index(texts[again - 1]) == first - 1 for first, again in found)


def test_lines_of_texts_with_empty_ones_between() -> None:
    check = CorpusCheck(lambda query, document: False, Findings(), {}, {"a", "z"})
    check.read([(2, Document("a", "", "same")), (3, Document("b", "", " ")), (7, Document("c", "", "same"))])
    found = {f.code: f for f in check.findings.closed()}
    assert found["duplicate-text"].examples == ("lines 2 and 7",)
    assert found["empty-text"].examples == ("line 3: 'b'",)
    assert check.missing == {"z"}
    assert (check.count, check.words) == (3, 2)
