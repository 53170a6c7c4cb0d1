"""Two scores that share no model, an encoder's and one of common words, by the query and by the document it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.base.errors import SettingError
from harness.choices.bounds import Count
from harness.data.corpus import Corpus
from harness.data.ranking import Floats, Ints
from harness.judges import Grades, Judge, Pairs
from harness.judges._voices import Voice, Words
from harness.judges.row import Place, Row, models_of
from harness.methods import Method
from harness.methods.dense import Dense
from harness.runtime.context import Context


@dataclass(frozen=True)
class Panel(Judge):
    """Grades by how near a document is to the query, and to the document that the query was made of.

    One score alone favours the rows that compute with it, so two are heard that share no model: an encoder's and the
    cosine of TF-IDF vectors. Each is put on a scale of its own: 0 is the mean score of random documents, 1 the median
    score of a sentence with the document that it is from. If the query was made of a document, that document is known
    to answer it, and what is like it answers too: its score as a query counts as much as the query's. The mean of all
    places is cut into grades.

    Args:
        method: a row that scores pairs, each by itself: the encoder.
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
            SettingError: the row scores no pairs, or only together; or no voice tells documents apart.
        """
        if not len(known):
            raise SettingError("panel: there is no document with a sentence to make a scale from; use the judge chat.")
        voices: dict[str, Voice] = {
            "encoder": Row(self.method).scorer(corpus, context),
            "words": Words(corpus),
        }
        rng = context.rng("judge panel: random documents")
        drawn: list[Ints] = [np.unique(rng.integers(0, len(corpus), self.random)).astype(np.int64) for _ in known.texts]
        places: list[list[Floats]] = [[] for _ in pairs.texts]
        scale: dict[str, Any] = {}
        for name, voice in voices.items():
            self._hear(name, voice, corpus, pairs, known, drawn, places, scale)
        if not scale:
            raise SettingError(
                "panel: no score tells random documents from those that answer the query; are the documents of the "
                "corpus equal, or of a language that the model does not know?"
            )
        cuts = np.array([self.first, self.second, self.third])
        values = [np.searchsorted(cuts, np.mean(each, axis=0), side="right").astype(np.int8) for each in places]
        return Grades(values, {"scale": scale})

    def check(self, corpus: Corpus, context: Context) -> None:
        """See `Judge.check`."""
        Row(self.method).check(corpus, context)

    def models(self) -> frozenset[str]:
        """See `Judge.models`: the encoder's. That words count too is measured, and said with every made set."""
        return models_of(self.method)

    def _hear(
        self,
        name: str,
        voice: Voice,
        corpus: Corpus,
        pairs: Pairs,
        known: Pairs,
        drawn: Sequence[Ints],
        places: Sequence[list[Floats]],
        scale: dict[str, Any],
    ) -> None:
        """Adds a voice's places of all pairs, by the query and by its source; nothing if it tells nothing apart."""
        right = _flat(voice.scores(known.texts, known.candidates))
        one, zero = float(np.median(right)), float(_flat(voice.scores(known.texts, drawn)).mean())
        if one <= zero:
            return
        scale[name] = {"random": round(zero, 6), "known": round(one, 6)}
        for own, scores in zip(places, voice.scores(pairs.texts, pairs.candidates), strict=True):
            own.append((scores - zero) / (one - zero))
        made = [place for place, row in enumerate(pairs.sources) if row >= 0]
        if not made:
            return
        texts = corpus.texts_of(np.array([pairs.sources[place] for place in made], np.int64))[:]
        whole = corpus.texts_of(np.concatenate(known.candidates))[:]
        nought = float(_flat(voice.scores(whole, drawn)).mean())
        if one <= nought:
            return
        scale[name]["random, by the source"] = round(nought, 6)
        for place, scores in zip(made, voice.scores(texts, [pairs.candidates[p] for p in made]), strict=True):
            places[place].append((scores - nought) / (one - nought))


def _flat(scores: Sequence[Floats]) -> Floats:
    return np.concatenate([*scores, np.zeros(0, np.float32)])
