from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.generators import Generator, Question
from harness.runtime.context import Context
from harness.training.asked import asked, swapped


@dataclass(frozen=True)
class Counting(Generator):
    """As many questions of a document as wanted."""

    per_document: int = 3

    def generate(self, corpus: Corpus, rows: Sequence[int], context: Context) -> Iterator[Question]:
        for row in rows:
            for number in range(self.per_document):
                yield Question(f"question {number} about {row}", row, "made")


def view(size: int) -> TrainView:
    return TrainView(Corpus.of([(str(i), "", f"document {i} with text") for i in range(size)]))


@pytest.mark.parametrize(
    ("size", "total", "documents", "each"),
    [(100, 90, 30, 3), (30, 90, 30, 3), (10, 90, 10, 9), (4, 1000, 4, 50), (50, 1, 1, 3)],
)
def test_a_small_corpus_is_asked_more_of_each_document_and_a_large_one_of_fewer_documents(
    size: int, total: int, documents: int, each: int, context: Context
) -> None:
    found = asked(Counting(), view(size), context, total, None, 0.0)
    assert found.facts["asked_documents"] == documents
    assert len(found.pairs) == documents * each


def test_documents_that_are_named_keep_the_generators_own_number(context: Context) -> None:
    assert len(asked(Counting(per_document=2), view(10), context, 1000, 5, 0.0).pairs) == 10
    assert len(asked(Counting(per_document=20), view(10), context, 30, None, 0.0).pairs) == 200


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_noise_gives_that_share_of_the_questions_another_document_and_changes_no_text(
    share: float, context: Context
) -> None:
    clean = asked(Counting(), view(40), context, 120, None, 0.0)
    noisy = swapped(clean, share, context)
    wrong = [number for number, (one, two) in enumerate(zip(clean.pairs, noisy.pairs, strict=True)) if one != two]
    assert len(wrong) == noisy.facts["wrong_documents"] == pytest.approx(share * 120, abs=2)
    assert noisy.queries is clean.queries
    assert sorted(row for _, row in noisy.pairs) == sorted(row for _, row in clean.pairs)
    assert [rows.tolist() for rows in noisy.known] == [[row] for _, row in noisy.pairs]
    assert swapped(clean, share, context).pairs == noisy.pairs
    assert swapped(clean, 0.0, context) is clean
