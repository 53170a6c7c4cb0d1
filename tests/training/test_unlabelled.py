from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.base.errors import ModelError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.generators import Generator, Question
from harness.leaks.history import TrainedQuery
from harness.runtime.context import Context
from harness.training.unlabelled import generated_pairs, without_copy_of, without_words_of

VIEW = TrainView(
    Corpus.of(
        [(f"{i:03}", f"title {i}" if i % 2 else "", f"Words of {i} here. Number {i} is meant.") for i in range(120)]
    )
)


@dataclass(frozen=True)
class Scripted(Generator):
    """A sentence of the document, and another question that is made up; nothing about row 7."""

    wanted: bool = True

    def generate(self, corpus: Corpus, rows: Sequence[int], context: Context) -> Iterator[Question]:
        for row in rows:
            if self.wanted and row != 7:
                yield Question(f"Number {row} is meant.", row, "sentence")
                yield Question(f"what is {row}", row, "made")
                yield Question("", row, "made")


def test_every_question_belongs_to_the_document_it_was_made_from(context: Context) -> None:
    found = generated_pairs(Scripted(), VIEW, context, 1000)
    assert found.queries.ids == [f"g{i}" for i in range(238)]
    assert found.queries.texts == [q.text for q in found.questions]
    assert [number for number, _ in found.pairs] == list(range(238))
    for (_, row), question, known in zip(found.pairs, found.questions, found.known, strict=True):
        assert question.row == row
        assert known.tolist() == [row]
        assert str(row) in question.text.replace(".", "").split()
    assert {row for _, row in found.pairs} == set(range(120)) - {7}
    assert found.facts == {
        "generator": str(Scripted()),
        "asked_documents": 120,
        "questions": 238,
        "origins": {"sentence": 119, "made": 119},
        "dropped": {"empty": 119},
    }


def test_of_a_large_corpus_a_sample_by_the_seed_is_asked_about(context: Context) -> None:
    drawn = {}
    for seed in (0, 1):
        found = generated_pairs(Scripted(), VIEW, Context(seed=seed, cache=context.cache), 20)
        rows = [row for _, row in found.pairs]
        assert rows == sorted(rows)
        assert found.facts["asked_documents"] == 20
        assert len(set(rows)) >= 19
        drawn[seed] = set(rows)
    assert drawn[0] != drawn[1]
    again = generated_pairs(Scripted(), VIEW, Context(cache=context.cache), 20)
    assert {row for _, row in again.pairs} == drawn[0]


@pytest.mark.parametrize("hide", [0.0, 0.5, 1.0])
def test_the_questions_words_are_taken_out_of_a_share_of_the_documents(context: Context, hide: float) -> None:
    found = generated_pairs(Scripted(), VIEW, context, 1000)
    texts = found.documents(VIEW, context, hide)
    gone = 0
    for text, question in zip(texts, found.questions, strict=True):
        whole = VIEW.corpus.texts[question.row]
        if question.origin == "made":
            assert text == whole
        elif text != whole:
            gone += 1
            assert question.text not in text
            assert text == whole.replace(f" {question.text}", "")
    assert gone / 119 == pytest.approx(hide, abs=0.15 if 0 < hide < 1 else 0)
    assert texts == found.documents(VIEW, context, hide)


def test_a_generator_that_makes_nothing_is_an_error(context: Context) -> None:
    with pytest.raises(ModelError, match="no usable question"):
        generated_pairs(Scripted(wanted=False), VIEW, context, 1000)


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        ("One here. Two there. Three.", "Two there.", "One here. Three."),
        ("One here. Two there. Three.", "Two there", "One here. Three."),
        ("One here. Two there.", "One here", "Two there."),
        ("One here.", "One here.", "One here."),
        ("One here.", "nothing of it", "One here."),
        ("a b a b", "a b", "a b"),
        ("title words and text", "title words", "and text"),
        ("One\nhere\t now. Two there.", "One here now.", "Two there."),
        ("Is it (so)? Yes.", "Is it (so)?", "Yes."),
    ],
)
def test_the_first_copy_of_a_question_is_taken_out(text: str, question: str, expected: str) -> None:
    assert without_copy_of(text, question) == expected


@given(st.text("ab. ", min_size=1), st.text("ab. ", min_size=1))
@example("a", "a")
def test_taking_out_leaves_something_and_adds_nothing(text: str, question: str) -> None:
    rest = without_copy_of(text, question)
    assert rest
    if " ".join(question.split()) not in " ".join(text.split()):
        assert rest == text
    assert len(rest) <= max(len(text), len(text) - len(question) + 1)
    for letter in "ab":
        assert rest.count(letter) in (text.count(letter), text.count(letter) - question.count(letter))


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        ("Wings lift. A wing's drag and LIFT.", "lift wing", "Wings . A 's drag and ."),
        ("lift", "lift", "lift"),
        ("text", "", "text"),
        ("a.b c", "a.b", "c"),
    ],
)
def test_words_that_do_not_stand_together_are_each_taken_out(text: str, question: str, expected: str) -> None:
    assert without_words_of(text, question) == expected


def test_what_is_learnt_is_each_question_with_its_document(context: Context) -> None:
    found = generated_pairs(Scripted(), VIEW, context, 1000)
    taught = found.trained_queries(VIEW)
    assert [one.text for one in taught] == found.queries.texts
    assert taught[:2] == [
        TrainedQuery("generated", "Number 0 is meant.", ("000",)),
        TrainedQuery("generated", "what is 0", ("000",)),
    ]
    assert taught[-1].documents == ("119",)
