from __future__ import annotations

import hypothesis
import hypothesis.strategies as st
import pytest

from harness.bench import corpus_parts as module
from harness.bench.corpus_parts import corpus_parts


@hypothesis.given(texts=st.lists(st.sampled_from("abcdefgh"), max_size=30), chunk=st.integers(1, 9))
def test_a_text_belongs_to_the_first_part_that_has_it(texts: list[str], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "CHUNK", chunk)
        found = corpus_parts(texts)
    assert [i for part in found for i in range(part.start, part.stop)] == list(range(len(texts)))
    assert all(part.start % chunk == 0 and part.stop - part.start <= chunk for part in found)
    if len(found) > 1:
        for part in found:
            seen = set(texts[: part.start])
            assert list(part.repeated) == [i for i, text in enumerate(texts[part.start : part.stop]) if text in seen]
