"""How many questions are made of a collection, and a share of them moved to wrong documents."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from harness.data.dataset import TrainView
from harness.generators import Generator
from harness.runtime.context import Context
from harness.training.unlabelled import GeneratedPairs, generated_pairs

LEAST, MOST = 3, 50
"""Questions of a document."""


def asked(
    generator: Generator, view: TrainView, context: Context, total: int, documents: int | None, noise: float
) -> GeneratedPairs:
    """Questions about a random sample of the corpus.

    Source: Wang et al., GPL (2112.07577), section 4: about `total` questions (250,000 there), at least 3 of each
    document, of fewer documents where the corpus is larger, and up to 50 where it is small: with few documents, few
    questions each are too few (their table on SciFact).

    Args:
        generator: makes them.
        view: whose corpus.
        context: seed, cache.
        total: about so many questions, if `documents` is None.
        documents: make questions of so many documents, as many of each as the generator's own setting is.
        noise: share of the questions that get the document of another one.
    """
    if documents is None:
        size = max(1, len(view.corpus))
        each = min(MOST, max(LEAST, math.ceil(total / size)))
        documents = min(size, max(1, total // each))
        more: Any = {"per_document": max(each, generator.per_document)}
        generator = dataclasses.replace(generator, **more)  # type: ignore[type-var]  # each generator is a dataclass
    return swapped(generated_pairs(generator, view, context, documents), noise, context)


def swapped(generated: GeneratedPairs, share: float, context: Context) -> GeneratedPairs:
    """The same questions, a share of them with the document of another question: what a bad generator makes.

    A set of questions, drawn from the seed, pass their documents round; those of one seed are nested, so that more
    noise only adds wrong pairs. A question whose new document is its own again keeps it.

    Args:
        generated: questions with their documents.
        share: from 0 to 1.
        context: seed.
    """
    count = round(share * len(generated.pairs))
    if count < 2:
        return generated
    drawn = context.rng("noise").permutation(len(generated.pairs))[:count]
    rows = np.array([row for _, row in generated.pairs], dtype=np.int64)
    # By the order of the documents and past half of them: questions of one document are side by side.
    by_document = drawn[np.argsort(rows[drawn], kind="stable")]
    before = rows.copy()
    rows[by_document] = before[np.roll(by_document, count // 2)]
    return dataclasses.replace(
        generated,
        pairs=[(number, int(row)) for (number, _), row in zip(generated.pairs, rows, strict=True)],
        known=[np.array([row], dtype=np.int64) for row in rows],
        facts={**generated.facts, "wrong_documents": int((rows != before).sum())},
    )
