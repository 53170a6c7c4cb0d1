"""Two scores that share no model, an encoder's and one of common words, each heard as far as it is worth it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.base.errors import SettingError
from harness.choices.bounds import Count
from harness.data.corpus import Corpus
from harness.data.ranking import Floats, Ints
from harness.judges import Grades, Judge, Pairs
from harness.judges._models import Place, models_of
from harness.judges._voices import Encoded, Voice, Words, halves
from harness.methods import Method
from harness.methods.dense import Dense
from harness.runtime.context import Context

WORDS = 8
"""Of a document whose halves are compared, at least."""


@dataclass(frozen=True)
class Panel(Judge):
    """Grades by how near a document is to the query, and to the document that the query was made of.

    One score favours the rows that compute with it, so two are heard that share no model: the cosines of an encoder and
    of TF-IDF vectors. Each is put on a scale of its own: 0 is the mean score of random documents, 1 the median score
    of a sentence with the document that it is from. If the query was made of a document, that document is known to
    answer it, and what is like it answers too: the likeness to it counts as much as the likeness to the query.

    How much each of the two is worth differs between collections, and is measured on each without a judgement: by how
    well it tells which halves are of one document (d′). Places on a scale have errors of variance 1/d′², so that they
    are weighed by d′², as independent measurements are by their inverse variances. The mean is cut into grades.

    Args:
        method: the encoder, a row with one vector per text.
        third, second, first: places from which the grades 3, 2 and 1 are given.
        random: documents drawn for each known query.
    """

    method: Method = field(default_factory=Dense)
    third: Place = 1.05
    second: Place = 0.9
    first: Place = 0.75
    random: Count = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.first <= self.second <= self.third:
            raise SettingError("panel: first must be at most second, and second at most third")

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
        total = [np.zeros(len(rows)) for rows in pairs.candidates]
        facts: dict[str, Mapping[str, Any]] = {}
        for name, voice in voices.items():
            weight, facts[name], places = _heard(voice, corpus, pairs, known, drawn)
            total = [own + weight * each for own, each in zip(total, places, strict=True)]
        weights = sum(float(own["weight"]) for own in facts.values())
        if weights == 0:
            raise SettingError(
                "panel: neither the encoder nor common words tell random documents from those that answer the query; "
                "are the documents of the corpus equal, or of a language that the model does not know?"
            )
        cuts = np.array([self.first, self.second, self.third])
        values = [np.searchsorted(cuts, each / weights, side="right").astype(np.int8) for each in total]
        return Grades(values, {"scale": facts})

    def check(self, corpus: Corpus, context: Context) -> None:
        """See `Judge.check`."""
        Encoded(self.method, corpus, context)

    def models(self) -> frozenset[str]:
        """See `Judge.models`: the encoder's. That words count too is measured, and said with every made set."""
        return models_of(self.method)


def _heard(
    voice: Voice, corpus: Corpus, pairs: Pairs, known: Pairs, drawn: Sequence[Ints]
) -> tuple[float, dict[str, float], list[Floats]]:
    """The weight of a voice, its facts, and its places of all pairs: of the query, with its source's if it has one.

    The weight is 0 if it tells nothing apart.
    """
    sources = corpus.texts_of(np.concatenate(known.candidates))[:]
    right = _flat(voice.scores(known.texts, "query", corpus, known.candidates))
    zero = float(_flat(voice.scores(known.texts, "query", corpus, drawn)).mean())
    nought = float(_flat(voice.scores(sources, "document", corpus, drawn)).mean())
    one, (first, second) = float(np.median(right)), halves(sources, WORDS)
    power = max(0.0, voice.power(first, second)) if len(first) > 1 else 1.0
    weight = 0.0 if one <= max(zero, nought) else power**2
    facts = {"random": zero, "random, by the source": nought, "known": one, "power": power, "weight": weight}
    facts = {name: round(value, 6) for name, value in facts.items()}
    if weight == 0:
        return 0.0, facts, [np.zeros(len(rows), np.float32) for rows in pairs.candidates]
    places = [(own - zero) / (one - zero) for own in voice.scores(pairs.texts, "query", corpus, pairs.candidates)]
    made = [place for place, row in enumerate(pairs.sources) if row >= 0]
    texts = corpus.texts_of(np.array([pairs.sources[place] for place in made], np.int64))[:]
    by_source = voice.scores(texts, "document", corpus, [pairs.candidates[place] for place in made])
    for place, own in zip(made, by_source, strict=True):
        places[place] = (places[place] + (own - nought) / (one - nought)) / 2
    return facts["weight"], facts, places


def _flat(scores: Sequence[Floats]) -> Floats:
    return np.concatenate([*scores, np.zeros(0, np.float32)])
