"""The texts on which the engine check compares engines: documents and queries of a collection, none of test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.ranking import Ints, own_rows
from harness.data.text import sentences

DOCUMENTS, QUERIES, SPREAD = 48, 24, 16
WHOLE, BEGINNING = 8, 200
"""So many documents are whole, of the others only the first characters count: the check takes less than the time of 20
documents, and long texts are in it too.
"""


@dataclass(frozen=True)
class Sample:
    """Some of a collection's texts."""

    queries: tuple[str, ...]
    documents: tuple[str, ...]


def sample(view: TrainView) -> Sample:
    """Documents spread evenly over the lengths, and over the order, of a corpus, most of them cut; dev queries, else
    training queries, else beginnings of documents.

    Dev comes first, since a recipe without train labels must not read training queries. Depends only on the collection.
    No test query is in a `TrainView`. A document that is one of the queries is left out: a ranking excludes it, and
    every engine would rank it first.
    """
    split = view.dev or view.train
    if split is not None and len(split.queries):
        texts = split.queries.texts
        places = np.unique(np.linspace(0, len(texts) - 1, QUERIES).astype(np.int64))
        own = own_rows(split.only([split.queries.ids[int(i)] for i in places]), view.corpus)
        return Sample(tuple(texts[int(i)] for i in places), tuple(_spread(view.corpus, DOCUMENTS, own)))
    documents = _spread(view.corpus, DOCUMENTS, np.zeros(0, np.int64))
    starts = [next(iter(sentences(text)), text) for text in documents[:: max(1, len(documents) // QUERIES)]]
    return Sample(tuple(start[:300] for start in starts[:QUERIES]), tuple(documents))


def _spread(corpus: Corpus, most: int, without: Ints) -> list[str]:
    if not len(corpus):
        return []
    rows = np.unique(np.linspace(0, len(corpus) - 1, most * SPREAD).astype(np.int64))
    others = np.setdiff1d(rows, without)
    rows = others if len(others) else rows
    texts = sorted(corpus.texts_of(rows)[:], key=lambda text: (len(text), text))
    spread = [texts[int(i)] for i in np.unique(np.linspace(0, len(texts) - 1, most).astype(np.int64))]
    whole = set(np.linspace(0, len(spread) - 1, WHOLE).astype(np.int64).tolist())
    return [text if i in whole else text[:BEGINNING] for i, text in enumerate(spread)]
