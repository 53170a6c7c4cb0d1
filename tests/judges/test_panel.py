"""A panel hears an encoder and words, on one scale, by the query and by its source, each as far as it is worth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.judges import Pairs
from harness.judges._voices import Encoded, Voice, Words, halves
from harness.judges.panel import Panel
from harness.judging.machine import known_pairs
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.models.sides import Side
from harness.runtime.context import Context

WORDS = ("valve", "hedge", "crane", "shelf", "stove", "string", "stall", "cable")


@pytest.fixture
def corpus() -> Corpus:
    """Five documents on each of eight subjects; those of one subject share words that others have not."""
    texts = (
        f"The {word} of house {i} is checked each {word}day. A broken {word} number {i} is replaced by the {word}smith."
        for i in range(5)
        for word in WORDS
    )
    return Corpus.of((f"d{place}", "", text) for place, text in enumerate(texts))


@pytest.fixture
def panel(tiny_encoder: Path) -> Panel:
    return Panel(Dense(model=str(tiny_encoder), precision="fp32"), third=0.25, second=0.5, first=0.5)


def rows(*numbers: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


def test_documents_of_the_subject_are_graded_higher(corpus: Corpus, panel: Panel, context: Context) -> None:
    known = known_pairs(corpus, range(40), context)
    pairs = Pairs(["a broken valve"], [rows(8, 16, 1, 2)], [0])
    [values] = panel.grade(corpus, pairs, known, context).values
    assert values[:2].min() > values[2:].max()
    [again] = panel.grade(corpus, pairs, known, context).values
    assert again.tolist() == values.tolist()


def test_what_is_like_the_source_counts_too(corpus: Corpus, panel: Panel, context: Context) -> None:
    """A query whose words say nothing is graded by its source."""
    known = known_pairs(corpus, range(40), context)
    candidates = [rows(8, 16, 24, 1, 2, 3)]
    [with_source] = panel.grade(corpus, Pairs(["it is replaced"], candidates, [0]), known, context).values
    [without] = panel.grade(corpus, Pairs(["it is replaced"], candidates, [-1]), known, context).values
    assert with_source[:3].mean() - with_source[3:].mean() > without[:3].mean() - without[3:].mean()


@pytest.mark.parametrize("subjects", [12, 0])
def test_of_claims_that_are_like_no_other_the_nearest_are_graded(
    subjects: int, tiny_encoder: Path, context: Context
) -> None:
    """A sentence with its own document is no measure of an answer where a document is one sentence. Without a subject
    the halves of a claim have nothing in common.
    """
    rng = np.random.default_rng(0)
    claims = []
    for place in range(36):
        words = [f"word{number}" for number in rng.choice(60, 8, replace=False)]
        subject = [f"subject{place % subjects}"] if subjects else []
        claims.append(" ".join([*subject, *words[:4], *subject, *words[4:]]))
    corpus = Corpus.of((f"d{place}", "", text) for place, text in enumerate(claims))
    panel = Panel(Dense(model=str(tiny_encoder), precision="fp32"))
    rows_of = [np.delete(np.arange(36), source)[-20:] for source in range(10)]
    pairs = Pairs(claims[:10], rows_of, list(range(10)))
    values = np.stack(panel.grade(corpus, pairs, known_pairs(corpus, range(36), context), context).values)
    assert [(values >= grade).sum() for grade in (1, 2, 3)] == [40, 20, 10]  # 20, 10 and 5 % of 200 pairs
    if subjects:
        best = [own[grades.argmax()] for own, grades in zip(rows_of, values, strict=True)]
        assert [row % subjects for row in best] == list(range(10))


def test_a_part_of_the_pool_is_graded_as_in_the_whole(corpus: Corpus, panel: Panel, context: Context) -> None:
    """Batches of queries, and pairs that are still to be judged, are cut where all are."""
    known = known_pairs(corpus, range(40), context)
    texts, candidates = ["a broken valve", "a crane"], [rows(8, 16, 1, 2), rows(1, 2, 3, 4)]
    whole = panel.grade(corpus, Pairs(texts, candidates, [0, -1]), known, context)
    pool = Pairs(texts, candidates, [0, -1])
    for place in range(2):
        part = Pairs(texts[place : place + 1], candidates[place : place + 1], [0, -1][place : place + 1], pool)
        found = panel.grade(corpus, part, known, context)
        assert found.values[0].tolist() == whole.values[place].tolist()
        assert found.facts == whole.facts
    assert 0 < sum((values > 0).sum() for values in whole.values) <= 4  # equal ones at the cut are left out
    nothing = panel.grade(corpus, Pairs([], []), known, context)
    assert nothing.values == []


def test_each_voice_is_weighed_by_how_well_it_tells_halves_apart(
    corpus: Corpus, panel: Panel, context: Context
) -> None:
    facts = panel.grade(corpus, Pairs(["a valve"], [rows(0)]), known_pairs(corpus, range(40), context), context).facts
    assert set(facts["scale"]) == {"encoder", "words"}
    for own in facts["scale"].values():
        assert own["weight"] == pytest.approx(own["power"] ** 2, rel=1e-4)
        assert own["known"] > own["random"]


class Fixed(Voice):
    """Vectors that are written down."""

    def __init__(self, vectors: dict[str, tuple[float, float]]) -> None:
        self._vectors = vectors

    def vectors(self, texts: Any, side: Side) -> Any:
        return np.array([self._vectors[text] for text in texts], np.float32)


def test_the_power_of_a_voice_by_hand() -> None:
    voice = Fixed({"a1": (1, 0), "a2": (0.8, 0.6), "b1": (0, 1), "b2": (0.6, 0.8)})
    # own: 0.8, 0.8; others: 0.6, 0.6, without any variance
    assert voice.power(["a1", "b1"], ["a2", "b2"]) == 0.0
    voice = Fixed({"a1": (1, 0), "a2": (1, 0), "b1": (0, 1), "b2": (0.6, 0.8)})
    # own: 1, 0.8 (variance 0.01); others: 0.6, 0 (variance 0.09)
    assert voice.power(["a1", "b1"], ["a2", "b2"]) == pytest.approx((0.9 - 0.3) / np.sqrt(0.05))


def test_halves_are_of_words_or_characters_and_each_text_counts_once() -> None:
    first, second = halves(["a b c d", "a b c d", "a b"], 4)
    assert (first, second) == (["a b"], ["c d"])
    assert halves(["漢" * 48], 8) == (["漢" * 24], ["漢" * 24])
    assert halves(["short"], 8) == ([], [])


def test_words_are_cosines_of_the_terms(corpus: Corpus, context: Context) -> None:
    [same, other] = Words(corpus).scores(["valve", "crane"], "query", corpus, [rows(0, 1), rows(0)])
    assert same[0] > 0
    assert same[1] == 0
    assert other.tolist() == [0]
    assert Words(corpus).scores([], "query", corpus, []) == []


def test_what_has_no_vectors_or_no_scale_is_refused(
    corpus: Corpus, panel: Panel, context: Context, make_equal: Callable[[int], Corpus]
) -> None:
    with pytest.raises(SettingError, match="bm25 has no vectors"):
        Panel(BM25()).check(corpus, context)
    with pytest.raises(SettingError, match="no document with a sentence"):
        panel.grade(corpus, Pairs(["x"], [rows(0)]), Pairs([], []), context)
    equal = make_equal(12)
    known = Pairs(["the same text"], [rows(0)])
    with pytest.raises(SettingError, match="are the documents of the corpus equal"):
        panel.grade(equal, Pairs(["x"], [rows(0)]), known, context)
    with pytest.raises(SettingError, match="third must be at most second"):
        Panel(third=0.9, second=0.5)


@pytest.fixture
def make_equal() -> Callable[[int], Corpus]:
    return lambda n: Corpus.of((f"d{i}", "", "one and the same text of every document here") for i in range(n))


def test_an_encoder_is_heard_by_vectors_of_length_one(corpus: Corpus, panel: Panel, context: Context) -> None:
    vectors = Encoded(panel.method, corpus, context).vectors(["a valve", "a crane"], "query")
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
