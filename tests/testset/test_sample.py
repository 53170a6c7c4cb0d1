"""The sample: every stratum is served, and the time does not grow with the corpus."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from harness.base.errors import DatasetError
from harness.data.corpus import Corpus
from harness.methods.dense import Dense
from harness.runtime.context import Context
from harness.testset.sample import MOST, sample, spread


def test_every_stratum_is_served_and_large_ones_in_proportion() -> None:
    strata = ["a"] * 80 + ["b"] * 15 + ["c"] * 5
    taken = Counter(strata[place] for place in spread(strata, 20, np.random.default_rng(0)))
    assert taken == {"a": 16, "b": 3, "c": 1}
    few = Counter(strata[place] for place in spread(strata, 2, np.random.default_rng(0)))
    assert set(few) == {"a", "b"}


def test_of_a_large_corpus_only_a_part_is_looked_at(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "document {} says something about subject {} and more"
    corpus = Corpus.of((f"d{i}", "", text.format(i, i % 7)) for i in range(9000))
    read: list[int] = []
    texts_of = Corpus.texts_of
    monkeypatch.setattr(Corpus, "texts_of", lambda self, rows: read.append(len(rows)) or texts_of(self, rows))
    rows = sample(corpus, 50, None, context)
    assert read == [MOST]
    assert len(set(rows)) == len(rows) == 50
    assert rows == sample(corpus, 50, None, context)
    assert rows != sample(corpus, 50, None, Context(seed=1, cache=context.cache))


def test_equal_and_short_texts_are_left_out(context: Context) -> None:
    same = "one and the same text of more than eight words in all"
    corpus = Corpus.of([("a", "", same), ("b", "", same), ("c", "", "too short")])
    assert len(sample(corpus, 5, None, context)) == 1
    with pytest.raises(DatasetError, match="nothing to ask about"):
        sample(Corpus.of([("c", "", "too short")]), 5, None, context)


def test_clusters_of_vectors_are_strata(context: Context, tiny_encoder: object) -> None:
    corpus = Corpus.of((f"d{i}", "", f"word{i} " * 10) for i in range(40))
    rows = sample(corpus, 10, Dense(model=str(tiny_encoder), precision="fp32"), context)
    assert len(set(rows)) == 10
