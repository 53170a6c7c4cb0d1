"""Two scores that share no model, of an encoder and of common words, weighed by how well each tells documents apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from harness.base.errors import SettingError
from harness.choices.bounds import Count, Share
from harness.data.corpus import Corpus
from harness.data.ranking import Floats, Ints
from harness.judges import Grades, Judge, Pairs
from harness.judges._models import models_of
from harness.judges._voices import Encoded, Voice, Words, halves
from harness.methods import Method
from harness.methods.dense import Dense
from harness.runtime.context import Context

Places = npt.NDArray[np.float64]
"""Of pairs on the scale of a voice, or of all."""
WORDS = 8
"""Of a document whose halves are compared, at least."""


@dataclass(frozen=True)
class Panel(Judge):
    """Grades by how near a document is to the query, and to the document that the query was made of.

    One score favours the rows that compute with it, so two are used that share no model: the cosines of an encoder and
    of TF-IDF vectors. Each is put on a scale of its own: 0 is the mean score of random documents, 1 the median score
    of a sentence with the document that it is from. If the query was made of a document, that document is known to
    answer it, and what is like it answers too: the likeness to it counts as much as the likeness to the query.

    How much each of the two is worth differs between collections, and is measured on each without a judgement: by how
    well it tells which halves are of one document (d′). Places on a scale have errors of variance 1/d′², so that they
    are weighed by d′², as independent measurements are by their inverse variances; both count the same if neither tells
    halves apart.

    The nearest pairs of the pool, over all queries, are graded: a share of them, not those above a place on the scale.
    A sentence with its own document says nothing of how near an answer is that does not contain it: if documents are
    single sentences, it is the document itself, and nothing else comes near. A query whose pool has none of the nearest
    pairs has no answer.

    Args:
        method: the encoder, a row with one vector per text.
        third, second, first: shares of the pool's pairs that are graded 3, 2 or more, and 1 or more.
        random: documents drawn for each known query.
    """

    method: Method = field(default_factory=Dense)
    third: Share = 0.05
    second: Share = 0.1
    first: Share = 0.2
    random: Count = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.third <= self.second <= self.first:
            raise SettingError("panel: third must be at most second, and second at most first")

    def grade(self, corpus: Corpus, pairs: Pairs, known: Pairs, context: Context) -> Grades:
        """See `Judge.grade`.

        Raises:
            SettingError: the row has no vectors; or neither score tells documents apart.
        """
        if not len(known):
            raise SettingError("panel: there is no document with a sentence to make a scale from; use the judge chat.")
        rng = context.rng("judge panel: random documents")
        drawn: list[Ints] = [np.unique(rng.integers(0, len(corpus), self.random)).astype(np.int64) for _ in known.texts]
        voices: dict[str, Voice] = {"encoder": Encoded(self.method, corpus, context), "words": Words(corpus)}
        scales = {name: _scale_of(voice, corpus, known, drawn) for name, voice in voices.items()}
        if not any(own.power for own in scales.values()):  # halves of short texts may have nothing in common
            scales = {name: replace(own, power=1.0) for name, own in scales.items()}
        if not any(own.weight for own in scales.values()):
            raise SettingError(
                "panel: neither the encoder nor common words tell random documents from those that answer the query; "
                "are the documents of the corpus equal, or of a language that the model does not know?"
            )
        places = _joint(list(scales.values()), corpus, pairs)
        pool = places if pairs.pool is None else _joint(list(scales.values()), corpus, pairs.pool)
        cuts = _cuts(np.concatenate([*pool, np.zeros(0)]), (self.first, self.second, self.third))
        values = [np.searchsorted(cuts, each, side="left").astype(np.int8) for each in places]
        facts = {"scale": {name: own.facts() for name, own in scales.items()}}
        return Grades(values, {**facts, "cuts": np.round(cuts, 6).tolist()})

    def check(self, corpus: Corpus, context: Context) -> None:
        """See `Judge.check`."""
        Encoded(self.method, corpus, context)

    def models(self) -> frozenset[str]:
        """See `Judge.models`: the encoder's. That words count too is measured, and said with every made set."""
        return models_of(self.method)


@dataclass(frozen=True)
class _Scale:
    """The scale of a score.

    Args:
        voice: scores texts with documents.
        zero: mean score of a query with random documents.
        zero_by_source: mean score of a document with random documents.
        one: median score of a query with the document that it is from.
        power: d′ of halves of documents.
    """

    voice: Voice
    zero: float
    zero_by_source: float
    one: float
    power: float

    @property
    def weight(self) -> float:
        """0 if the score tells nothing apart."""
        return 0.0 if self.one <= max(self.zero, self.zero_by_source) else self.power**2

    def facts(self) -> dict[str, float]:
        """For the manifest."""
        facts = {"random": self.zero, "random, by the source": self.zero_by_source, "known": self.one}
        facts |= {"power": self.power, "weight": self.weight}
        return {name: round(value, 6) for name, value in facts.items()}

    def places(self, corpus: Corpus, pairs: Pairs) -> list[Floats]:
        """Of all pairs: of the query, with its source's if it has one."""
        found = [
            (own - self.zero) / (self.one - self.zero)
            for own in self.voice.scores(pairs.texts, "query", corpus, pairs.candidates)
        ]
        made = [place for place, row in enumerate(pairs.sources) if row >= 0]
        texts = corpus.texts_of(np.array([pairs.sources[place] for place in made], np.int64))[:]
        by_source = self.voice.scores(texts, "document", corpus, [pairs.candidates[place] for place in made])
        for place, own in zip(made, by_source, strict=True):
            found[place] = (found[place] + (own - self.zero_by_source) / (self.one - self.zero_by_source)) / 2
        return found


def _scale_of(voice: Voice, corpus: Corpus, known: Pairs, drawn: Sequence[Ints]) -> _Scale:
    sources = corpus.texts_of(np.concatenate(known.candidates))[:]
    right = _flat(voice.scores(known.texts, "query", corpus, known.candidates))
    zero = float(_flat(voice.scores(known.texts, "query", corpus, drawn)).mean())
    zero_by_source = float(_flat(voice.scores(sources, "document", corpus, drawn)).mean())
    first, second = halves(sources, WORDS)
    power = max(0.0, voice.power(first, second)) if len(first) > 1 else 1.0
    return _Scale(voice, zero, zero_by_source, float(np.median(right)), power)


def _joint(scales: Sequence[_Scale], corpus: Corpus, pairs: Pairs) -> list[Places]:
    """Mean places of all pairs, voices weighed."""
    total: list[Places] = [np.zeros(len(rows)) for rows in pairs.candidates]
    telling = [own for own in scales if own.weight]
    for own in telling:
        places = own.places(corpus, pairs)
        total = [before + own.weight * each for before, each in zip(total, places, strict=True)]
    weights = sum(own.weight for own in telling)
    return [each / weights for each in total]


def _cuts(places: Places, shares: Sequence[float]) -> Places:
    """Places that these shares of all lie above, in the order of the shares."""
    return np.quantile(places, [1 - share for share in shares]) if len(places) else np.zeros(len(shares))


def _flat(scores: Sequence[Floats]) -> Floats:
    return np.concatenate([*scores, np.zeros(0, np.float32)])
