"""Which documents are asked about: a sample by strata, so that odd corners of the corpus are in it too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from harness.base.errors import DatasetError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.methods import Encodes, Fitted, Method, fit
from harness.runtime.context import Context

LOOKED_AT = 4
"""Documents that are looked at for each one that is taken, whatever the size of the corpus."""
MOST = 2_000
"""At most so many are looked at, unless more are taken."""
LEAST_WORDS = 8
"""A shorter document says too little to ask about."""
CLUSTERS = 8
FIELDS = 12
"""More different first parts of ids than this are not used as strata: they are names, not parts of the corpus."""


def sample(corpus: Corpus, wanted: int, encoding: Method | None, context: Context) -> list[int]:
    """Rows of the corpus in a random order, spread over strata in proportion: length, folder or file that the document
    is from, cluster of its vector.

    Only `LOOKED_AT · wanted` documents are looked at (at least `MOST`, if there are as many), so that the time does not
    grow with the corpus. Equal texts count once.

    Args:
        corpus: all documents.
        wanted: how many rows; fewer if the corpus is small.
        encoding: a row with an encoder, as `Method.encoding`; None for no clusters.
        context: seed; cache of the vectors.

    Raises:
        DatasetError: no document has enough words.
    """
    rng = context.rng("testset sample")
    looked = min(len(corpus), max(LOOKED_AT * wanted, MOST))
    rows = np.sort(rng.choice(len(corpus), looked, replace=False)).astype(np.int64)
    texts = corpus.texts_of(rows)[:]
    usable: dict[str, int] = {}
    for place, text in enumerate(texts):
        if len(text.split()) >= LEAST_WORDS or len(text) >= 6 * LEAST_WORDS:
            usable.setdefault(text, place)
    places = list(usable.values())
    if not places:
        raise DatasetError(
            f"none of {looked:,} documents has {LEAST_WORDS} words or more: there is nothing to ask about. Is the "
            "column of the text the right one?"
        )
    some = [texts[place] for place in places]
    # The whole corpus is the view, so that the rows of the pool use the same fitted encoder.
    fitted = None if encoding is None else fit(encoding, TrainView(corpus), context)
    clusters = _clusters(some, fitted, context)
    strata = _strata(some, corpus.ids(rows[places]), clusters)
    order = spread(strata, wanted, rng)
    return [int(rows[places[each]]) for each in order]


def spread(strata: Sequence[Hashable], wanted: int, rng: np.random.Generator) -> list[int]:
    """Places of at most `wanted` items in random order, from each stratum in proportion, at least one of each.

    If there are more strata than wanted items, the largest ones are served first.
    """
    shuffled = rng.permutation(len(strata)).tolist()
    members: dict[Hashable, list[int]] = {}
    for place in shuffled:
        members.setdefault(strata[place], []).append(place)
    # Each item gets the share of its stratum that is taken up to it; the smallest shares are taken.
    due = {place: (i / len(own), -len(own)) for own in members.values() for i, place in enumerate(own)}
    taken = set(sorted(shuffled, key=lambda place: due[place])[:wanted])
    return [place for place in shuffled if place in taken]


def _strata(texts: list[str], ids: list[str], clusters: list[int]) -> list[tuple[int, int, str]]:
    lengths = np.array([len(text) for text in texts])
    thirds = np.searchsorted(np.quantile(lengths, [1 / 3, 2 / 3]), lengths, side="left")
    fields = [name.partition("/")[0] if "/" in name else name.partition("#")[0] for name in ids]
    if len(Counter(fields)) > FIELDS:
        fields = [""] * len(ids)
    return list(zip(thirds.tolist(), clusters, fields, strict=True))


def _clusters(texts: list[str], fitted: Fitted | None, context: Context) -> list[int]:
    if not isinstance(fitted, Encodes):
        return [0] * len(texts)
    from sklearn.cluster import KMeans  # slow to import

    vectors = fitted.encoder.vectors(texts, "document").block(0, len(texts))
    clusters = min(CLUSTERS, len(np.unique(vectors, axis=0)))
    seed = int(context.rng("testset clusters").integers(2**31))
    # Rounded, so that an engine's last bit cannot move a document to another cluster.
    found = KMeans(clusters, n_init=1, random_state=seed).fit(np.round(vectors.astype(np.float64), 3))
    return [int(label) for label in found.labels_]
