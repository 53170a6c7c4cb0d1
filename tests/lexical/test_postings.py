"""Postings against counting in a loop, whatever the memory cuts them into."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analyzers.english import English
from harness.base.memory import LEAST, Memory
from harness.lexical import postings as module
from harness.lexical.postings import Postings, PostingsRun

WORD = st.sampled_from(["a", "b", "cats", "Cat's", "naïve", "x-ray", "3.5", "the", "漢字", "_"])
TEXTS = st.lists(st.lists(WORD, max_size=30).map(" ".join), min_size=1, max_size=25)


def counted(postings: Postings) -> dict[str, dict[int, int]]:
    """Term → row → how often; documents must ascend within a term and terms must ascend."""
    names = list(postings.vocabulary)
    found: dict[str, dict[int, int]] = {}
    for run in postings.merged():
        assert len(run.documents) == len(run.frequencies) == run.counts.sum()
        for term, place, count in zip(run.terms.tolist(), np.cumsum(run.counts) - run.counts, run.counts, strict=True):
            part = slice(int(place), int(place + count))
            own = found.setdefault(names[term], {})
            assert list(found)[-1] == names[term]
            assert not own or max(own) < run.documents[part][0]
            own.update(zip(run.documents[part].tolist(), run.frequencies[part].tolist(), strict=True))
            assert list(own) == sorted(own)
    return found


def in_a_loop(texts: list[str]) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for row, text in enumerate(texts):
        for term, count in Counter(English()(text)).items():
            found.setdefault(term, {})[row] = count
    return found


@pytest.mark.parametrize("spilled", [False, True])
@settings(max_examples=60)
@given(
    texts=TEXTS,
    batch=st.integers(1, 30),
    run=st.integers(1, 60),
    most=st.integers(1, 60),
    characters=st.integers(1, 90),
)
def test_postings_are_those_of_a_loop_however_they_are_cut(
    spilled: bool, texts: list[str], batch: int, run: int, most: int, characters: int
) -> None:
    memory = Memory(LEAST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BYTES_OF_A_TERM", memory.block // run)
        patch.setattr(module, "BYTES_OF_A_POSTING", memory.working // most)
        patch.setattr(module, "BYTES_OF_A_PIECE", memory.block // 3)
        patch.setattr(module, "MOST_CHARACTERS", characters)
        if spilled:
            patch.setattr(PostingsRun, "nbytes", LEAST)
        postings = Postings(English(), memory)
        for start in range(0, len(texts), batch):
            postings.add(texts[start : start + batch])
        assert counted(postings) == in_a_loop(texts)
        assert (postings._file is not None) == (spilled and bool(postings.vocabulary))
        assert all(len(merged.documents) <= most or len(merged.terms) == 1 for merged in postings.merged())
    assert postings.frequencies().tolist() == [len(in_a_loop(texts)[term]) for term in postings.vocabulary]
    assert postings.lengths.tolist() == [len(English()(text)) for text in texts]


def test_terms_are_numbered_in_the_order_of_appearance_with_pieces_and_without() -> None:
    texts = ["b a b", "", "c a"]
    for analyze in (str.split, English(stop=False)):
        postings = Postings(analyze)
        assert (postings.frequencies().tolist(), postings.lengths.tolist(), list(postings.merged())) == ([], [], [])
        postings.add(texts[:2])
        postings.add(texts[2:])
        assert postings.vocabulary == {"b": 0, "a": 1, "c": 2}
        assert counted(postings) == {"b": {0: 2}, "a": {0: 1, 2: 1}, "c": {2: 1}}
        assert postings.lengths.tolist() == [3, 0, 2]


def test_a_lone_surrogate_is_analysed_as_it_is() -> None:
    postings = Postings(English())
    postings.add(["one \ud800two three"])
    assert list(postings.vocabulary) == English()("one \ud800two three")


def test_runs_beyond_the_share_go_to_a_file_and_memory_holds_no_more() -> None:
    memory = Memory(LEAST)
    postings = Postings(str.split, memory)
    rng = np.random.default_rng(0)
    for _ in range(40):
        postings.add([" ".join(map(str, rng.integers(0, 50_000, 400))) for _ in range(50)])
    runs = postings._all()
    held = [run for run in runs if not isinstance(run.documents, np.memmap)]
    assert sum(run.nbytes for run in held) <= memory.working
    assert len(held) < len(runs)
    assert postings.frequencies().sum() == sum(len(run.documents) for run in postings.merged())
