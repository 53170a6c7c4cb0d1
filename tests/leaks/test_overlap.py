"""Texts that stand on both sides: what is planted is found, and nothing else."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.dataset import Dataset
from harness.data.queries import Labelled, Queries
from harness.leaks import overlap as module
from harness.leaks.overlap import Leaks, grams, leaks, normalised, overlaps
from harness.runtime.context import Context

WORDS = [f"{a}{b}{c}" for a in "bcdfgklmnprst" for b in ("ar", "en", "io", "ul") for c in ("na", "tor", "mic", "")]


def made(rng: random.Random, count: int) -> list[str]:
    return [" ".join(rng.choice(WORDS) for _ in range(rng.randint(8, 16))) for _ in range(count)]


def changed(rng: random.Random, text: str, how: int) -> str:
    words = text.split()
    if how == 0:
        return text
    if how == 1:
        return f"  {text.upper().replace(' ', ', ')}. "
    if how == 2:
        words[rng.randrange(len(words))] += "s"
    elif how == 3:
        words.insert(rng.randrange(len(words)), "not")
    else:
        place = rng.randrange(len(words))
        words[place] = words[place][::-1]
    return " ".join(words)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2])
def test_planted_duplicates_are_found_and_little_else(share: float) -> None:
    rng = random.Random(1)
    there, here = made(rng, 2000), made(rng, 400)
    planted = {place: rng.randrange(len(there)) for place in rng.sample(range(400), round(share * 400))}
    for n, (place, other) in enumerate(planted.items()):
        here[place] = changed(rng, there[other], n % 5)
    found = {o.here: o for o in overlaps(here, there)}
    right = [place for place, o in found.items() if planted.get(place) == o.there]
    if planted:
        assert len(right) >= 0.95 * len(planted)
        assert {found[place].kind for n, place in enumerate(planted) if n % 5 == 0} == {"exact"}
        assert {found[place].kind for n, place in enumerate(planted) if n % 5 == 1} == {"normalised"}
    assert len(right) >= 0.95 * len(found)


def test_the_most_alike_is_named() -> None:
    there = ["the cat sat on the mat today", "the cat sat on the mat", "a dog"]
    (found,) = overlaps(["the cat sat on the mats"], there)
    assert (found.here, found.there, found.kind) == (0, 1, "near")
    one, other = grams("the cat sat on the mats"), grams("the cat sat on the mat")
    assert found.similarity == pytest.approx(len(one & other) / len(one | other))


def test_form_is_no_difference_and_meaning_is() -> None:
    assert normalised("  Élan-Vital,  (B12)? ") == "elan vital b12"
    assert normalised("ﬁne Straße") == "fine strasse"
    assert normalised("?!") == ""
    (same,) = overlaps(["β-Carotene!"], ["Β carotene"])
    assert same.kind == "normalised"
    assert overlaps(["vitamin d lowers blood pressure"], ["salt raises the heart rate of mice"]) == []


@pytest.mark.parametrize(("here", "there"), [([], []), (["a"], []), ([], ["a"]), (["", "?!"], ["", "?!"])])
def test_nothing_has_nothing_in_common(here: list[str], there: list[str]) -> None:
    assert overlaps(here, there) == []


@given(st.lists(st.text(max_size=20), max_size=8))
def test_every_text_with_letters_is_found_in_itself(texts: list[str]) -> None:
    found = overlaps(texts, texts)
    assert {o.here for o in found} == {i for i, text in enumerate(texts) if normalised(text)}
    assert all(o.similarity == 1.0 for o in found)


def test_a_lone_surrogate_does_no_harm() -> None:
    queries = ["a \ud800 query of some length", "something else entirely"]
    assert [(o.here, o.there) for o in overlaps(queries, ["a \ud800 query of some length"])] == [(0, 0)]


# Of a collection


def with_test(small: Dataset, queries: dict[str, str], qrels: dict[str, dict[str, int]]) -> Dataset:
    return dataclasses.replace(small, test=Labelled(Queries(list(queries), list(queries.values())), qrels))


def test_queries_and_documents_that_training_has_too(small: Dataset, context: Context) -> None:
    train = small.train.train
    assert train is not None
    (query, text), document = (
        (train.queries.ids[0], train.queries.texts[0]),
        next(iter(train.qrels[train.queries.ids[0]])),
    )
    dataset = with_test(
        small,
        {
            "same": text.upper(),
            "shares": "zebras and quaggas in the steppe",
            "free": "an unheard of question, altogether",
        },
        {"same": {"elsewhere": 1}, "shares": {document: 1}, "free": {"elsewhere": 1, document: 0}},
    )
    found = leaks(dataset, context)
    assert found == Leaks({"same": (query, "normalised", 1.0)}, ("shares",))


def test_it_is_looked_for_once(small: Dataset, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    first = leaks(small, context)
    monkeypatch.setattr(module, "_leaks", lambda *_: pytest.fail("looked again"))
    assert leaks(small, context) == first


def test_without_training_queries_there_is_none(small: Dataset, context: Context, tmp_path: Path) -> None:
    bare = dataclasses.replace(small, load_train=lambda: dataclasses.replace(small.train, train=None, dev=None))
    assert leaks(bare, context) == Leaks({}, ())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Café  au lait!", "cafe au lait", True),
        ("ΑΘΉΝΑ", "αθηνα", True),
        ("sort a list in c++", "sort a list in c#", False),
        ("x = -1", "x = +1", False),
        ("x=-1", "x = -1", True),
        ("a well-known fact", "a well known fact", True),
        ("काम क्या है", "कीम क्यू हो", False),
        ("かきを食べる", "かぎを食べる", False),
        ("мой дом", "мои дом", False),
        ("🙂", "🙂", True),
        ("🙂", "🙃", False),
        ("5 % of cells", "5% of cells", True),
    ],
)
def test_form_is_dropped_and_meaning_kept(one: str, other: str, same: bool) -> None:
    assert (normalised(one) == normalised(other)) == same
    assert normalised(one)
