"""Rankings by code that is not ours, a function or a server: checked query by query, and put into the one order."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from harness.base.errors import HarnessError
from harness.data.corpus import Corpus
from harness.data.ids import near, near_note
from harness.data.queries import Queries
from harness.data.ranking import Floats, Ints, TopK, select, stack

IN_MEMORY: Final = 1_000_000
"""Documents whose ids are kept in a table; the ids of a larger collection are looked up in its file."""
SHOWN: Final = 200
"""Characters of an answer that a message repeats."""
Pairs = list[tuple[str, float]]


class ForeignRankings:
    """Turns answers into rankings.

    An answer is a list of (id, score), a table id → score, or a list of ids in their order, and may have any length;
    the scores decide, as numbers of 32 bits, and the documented order where they tie.

    Args:
        source: what answers, for messages.
        corpus: what the ids are of.
    """

    def __init__(self, source: str, corpus: Corpus) -> None:
        self.source, self._corpus = source, corpus
        self._rows: dict[str, int] = {}
        if len(corpus) <= IN_MEMORY:
            for batch in corpus.batches():
                start = len(self._rows)
                self._rows.update((document.id, start + place) for place, document in enumerate(batch))
        self._unsorted: dict[str, str] = {}

    def top(self, queries: Queries, answers: Sequence[object], k: int) -> TopK:
        """The best k of each query.

        Args:
            queries: Q queries.
            answers: one for each.
            k: of the result.

        Raises:
            HarnessError: an answer that cannot be used; names the query, what was returned, and what to do.
        """
        if len(answers) != len(queries):
            raise HarnessError(
                f"{self.source} returned {len(answers):,} rankings for {len(queries):,} queries; return one for each, "
                "in the order of the queries, an empty one where nothing is found."
            )
        rankings = []
        for query, answer in zip(queries.ids, answers, strict=True):
            pairs = self._pairs(query, answer)
            rows = self._found(query, [name for name, _ in pairs])
            scores: Floats = np.array([score for _, score in pairs], np.float32)
            if len(scores) > 1 and (np.diff(scores) >= 0).all() and (np.diff(scores) > 0).any():
                self._unsorted.setdefault(query, f"{pairs[0][1]:g} before {pairs[-1][1]:g}")
            rankings.append(select(rows, scores, self._corpus.id_order, k))
        return stack(rankings, k)

    def notes(self) -> tuple[str, ...]:
        """A note where scores rise along the returned lists, as distances do."""
        if not self._unsorted:
            return ()
        query, example = next(iter(self._unsorted.items()))
        return (
            f"{self.source}: scores rise along the returned list in {len(self._unsorted):,} queries, for example "
            f"{query!r}, {example}: higher counts as better; if these are distances, return them negated",
        )

    def _pairs(self, query: str, answer: object) -> Pairs:
        pairs: Pairs = []
        seen: set[str] = set()
        for place, (name, score) in enumerate(self._listed(query, answer)):
            if isinstance(name, numbers.Integral) and not isinstance(name, bool):
                name = str(int(name))
            if not isinstance(name, str):
                raise self._fault(query, f"{_shown(name)} as the id at place {place + 1}", "ids are text")
            is_number = isinstance(score, numbers.Real) and not isinstance(score, bool)
            value = float(score) if is_number else math.nan
            if not math.isfinite(value):
                raise self._fault(query, f"the score {_shown(score)} for {name!r}", "return finite numbers")
            if abs(value) > float(np.finfo(np.float32).max):
                raise self._fault(query, f"the score {value:g} for {name!r}", "return numbers of 32 bits")
            if name in seen:
                raise self._fault(query, f"{name!r} twice", "return each document once, with its best score")
            seen.add(name)
            pairs.append((name, value))
        return pairs

    def _listed(self, query: str, answer: object) -> list[tuple[Any, Any]]:
        """The pairs of an answer, not yet checked."""
        if isinstance(answer, Mapping):
            return list(answer.items())
        wanted = "return a list of (id, score), an empty one where nothing is found"
        if isinstance(answer, str | bytes) or not isinstance(answer, Iterable):
            raise self._fault(query, _shown(answer), wanted)
        items = list(answer)
        if items and all(isinstance(item, str) for item in items):  # ids in their order
            return [(name, 1.0 / place) for place, name in enumerate(items, 1)]
        pairs = []
        for place, item in enumerate(items):
            try:
                name, score = item
            except (TypeError, ValueError) as error:
                raise self._fault(query, f"{_shown(item)} at place {place + 1}", wanted) from error
            pairs.append((name, score))
        return pairs

    def _found(self, query: str, names: list[str]) -> Ints:
        """(M,) rows of documents."""
        if self._rows:
            rows = np.array([self._rows.get(name, -1) for name in names], np.int64)
        else:
            rows = self._corpus.rows(names)
        if (rows < 0).any():
            unknown = [name for name, row in zip(names, rows.tolist(), strict=True) if row < 0]
            alike = near(unknown, self._corpus.id_array)
            hint = f" {near_note(alike, 'of them', 'the collection')}." if alike else ""
            example = self._corpus[0].id
            what = f"{len(unknown):,} of {len(names):,} ids that are no documents of the collection, as {unknown[0]!r}"
            raise self._fault(query, what, f"its ids are like {example!r}. Was another version indexed?{hint}", stop="")
        return rows

    def _fault(self, query: str, what: str, remedy: str, stop: str = ".") -> HarnessError:
        return HarnessError(f"{self.source} returned {what} for query {query!r}; {remedy}{stop}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
