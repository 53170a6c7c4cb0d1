"""Hard negatives: documents that a method ranks high for a query and that are not known to be relevant to it.

Any method of the registry mines; several are united by taking their rankings in turn. A candidate may be relevant and
merely not judged: those with a judge's score close to the positive's can be left out, and the share of mined negatives
that the judge scores above their positive is measured for every mined set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.base.errors import DatasetError, SettingError
from harness.cache.code import MODELS, code_of
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Ints
from harness.methods import Method, fit, index, search
from harness.runtime.context import Context
from harness.training.candidates import candidate_scores, without_known
from harness.training.dev import interleaved


@dataclass(frozen=True)
class Mining:
    """How negatives are mined.

    Args:
        miners: methods whose rankings are taken in turn.
        ranks: from and to which rank of the united ranking, counted from 1, after known relevant documents are left
            out. None draws from the whole corpus: random negatives.
        count: negatives of each (query, positive) pair.
        judge: scores candidates and positives: a method that can re-rank; None for no judge.
        below: a candidate is left out if its judge's score is above this share of the positive's (0.95, as
            NV-Retriever's TopK-PercPos, Moreira et al., 2407.15831, section 3); None leaves none out. Both scores are
            counted from the lowest score the judge gave to a candidate of the query, so that negative scores have
            shares too.
        random: draw from the window at random; else the best of it are taken.
    """

    miners: tuple[Method, ...]
    ranks: tuple[int, int] | None = (1, 50)
    count: int = 1
    judge: Method | None = None
    below: float | None = None
    random: bool = True

    def __post_init__(self) -> None:
        if self.ranks is not None and not 1 <= self.ranks[0] <= self.ranks[1]:
            raise SettingError(f"negatives: ranks must be (from, to) with 1 ≤ from ≤ to, not {self.ranks}")
        if self.count < 0:
            raise SettingError(f"negatives: count must be 0 or more, not {self.count}")
        if self.count and self.ranks is not None and not self.miners:
            raise SettingError("negatives: name at least one method that mines, as miners=(bm25,)")
        if self.below is not None and self.judge is None:
            raise SettingError("negatives: below needs a judge, a method that can re-rank, as judge=dense")


@dataclass(frozen=True)
class Negatives:
    """What was mined for P (query, positive) pairs.

    Args:
        rows: (P, count) rows of the corpus; where the window held too few, earlier ones are repeated; a pair without
            any candidate has documents drawn from the corpus.
        false_rate: share of the mined negatives whose judge's score is above the positive's; None without a judge.
        facts: JSON-safe, for the record.
    """

    rows: Ints
    false_rate: float | None
    facts: dict[str, Any]


def mine(
    mining: Mining,
    queries: Queries,
    pairs: Sequence[tuple[int, int]],
    known: Sequence[Ints],
    view: TrainView,
    context: Context,
) -> Negatives:
    """Mines negatives, once per settings, queries and corpus; they are cached.

    Args:
        mining: how.
        queries: Q queries.
        pairs: P (query number, row of its positive).
        known: per query, rows that are never negatives: those judged relevant, and the query's own document
            (`Gold.never_negative`).
        view: the corpus.
        context: seed, cache.

    Raises:
        ModelError: the judge cannot score candidates.
        DatasetError: every document is relevant to a query.
    """
    miner = _Miner(mining, queries, pairs, known, view, context)
    deciding = miner.deciding()
    key = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:32]

    def build(part: Path) -> None:
        rows, facts = miner.mine()
        np.save(part / "rows.npy", rows)
        (part / "facts.json").write_text(json.dumps(facts), encoding="utf-8")

    place = context.cache.folder("negatives", key, {"miners": deciding["miners"], "pairs": len(pairs)}, build)
    facts = json.loads((place / "facts.json").read_text(encoding="utf-8"))
    return Negatives(np.load(place / "rows.npy"), facts.get("false_negative_rate"), facts)


@dataclass(frozen=True)
class _Miner:
    """Mines without a cache; the fields are the arguments of `mine`."""

    mining: Mining
    queries: Queries
    pairs: Sequence[tuple[int, int]]
    known: Sequence[Ints]
    view: TrainView
    context: Context

    def deciding(self) -> dict[str, Any]:
        """JSON-safe: all that decides which negatives are mined."""
        methods = list(self.mining.miners)
        judge = None
        if self.mining.judge is not None:
            methods.append(self.mining.judge)
            judge = self.mining.judge.full()
        inputs: dict[str, str] = {}
        for method in methods:
            inputs |= method.inputs(self.context)
        positives_and_known = [list(map(list, self.pairs)), [rows.tolist() for rows in self.known]]
        return {
            "miners": [miner.full() for miner in self.mining.miners],
            "inputs": inputs,
            "how": [self.mining.ranks, self.mining.count, judge, self.mining.below, self.mining.random],
            "queries": self.queries.revision,
            "pairs": hashlib.sha256(json.dumps(positives_and_known).encode()).hexdigest(),
            "view": self.view.revision,
            "seed": self.context.seed,
            "code": code_of("harness.training.negatives", *methods, libraries=(*MODELS, "bm25s", "numpy")),
        }

    def mine(self) -> tuple[Ints, dict[str, Any]]:
        """(P, count) rows, and the facts for the record."""
        mining = self.mining
        facts: dict[str, Any] = {}
        windows = self._windows()
        candidates = [windows[number] for number, _ in self.pairs]
        # The whole window is judged only if `below` needs it: a cross-encoder as judge is slow.
        if mining.judge is not None and mining.below is not None:
            candidates, facts = self._without_likely_relevant(mining.judge, mining.below, windows)
        rng = self.context.rng("negatives")
        rows = np.zeros((len(self.pairs), mining.count), dtype=np.int64)
        if mining.count:
            for place, (number, _) in enumerate(self.pairs):
                rows[place] = self._chosen(candidates[place], number, rng)
        facts = {
            "miners": [str(miner) for miner in mining.miners] if mining.ranks else [],
            "ranks": list(mining.ranks) if mining.ranks else "random",
            "per_pair": mining.count,
            "pairs_without_candidates": sum(not len(left) for left in candidates) if mining.ranks else 0,
            **facts,
        }
        if mining.judge is not None:
            facts |= {"judge": str(mining.judge), "false_negative_rate": self._false_rate(mining.judge, rows)}
        return rows, facts

    def _windows(self) -> list[Ints]:
        """Per query, the rows of the requested ranks of the united ranking, known documents left out; none for random
        negatives.
        """
        if self.mining.ranks is None:
            return [np.zeros(0, np.int64)] * len(self.queries)
        first, last = self.mining.ranks
        # So many more that a window is full even where all known documents rank before it.
        depth = last + max((len(rows) for rows in self.known), default=0)
        tops = []
        for miner in self.mining.miners:
            searcher = index(miner, fit(miner, self.view, self.context), self.view.corpus, self.context)
            tops.append(search(miner, searcher, self.queries, depth, self.context))
        united = [interleaved([top.indices[number] for top in tops]) for number in range(len(self.queries))]
        return [rows[first - 1 : last] for rows in without_known(self.queries, united, self.known, self.view)]

    def _without_likely_relevant(
        self, judge: Method, below: float, windows: Sequence[Ints]
    ) -> tuple[list[Ints], dict[str, Any]]:
        """Per pair, the candidates that the judge scores low enough; facts about those left out."""
        positives: list[list[int]] = [[] for _ in self.queries.ids]
        for number, positive in self.pairs:
            positives[number].append(positive)
        both = [np.array([*own, *window], dtype=np.int64) for own, window in zip(positives, windows, strict=True)]
        scores = candidate_scores(judge, self.queries.texts, both, self.view, self.context)
        allowed = []
        total = above = left_out = 0
        for number, positive in self.pairs:
            own = float(scores[number][positives[number].index(positive)])
            values = scores[number][len(positives[number]) :]
            # Shares are counted from the lowest score, since scores may be negative.
            floor = min(float(values.min()), own) if len(values) else own
            is_allowed = values - floor <= below * (own - floor)
            allowed.append(windows[number][is_allowed])
            total += len(values)
            above += int((values > own).sum())
            left_out += int((~is_allowed).sum())
        return allowed, {"above_the_positive_in_the_window": round(above / max(1, total), 4), "left_out": left_out}

    def _chosen(self, candidates: Ints, number: int, rng: np.random.Generator) -> Ints:
        """(count,) of the candidates of a pair, repeated if they are too few; documents of the corpus without any."""
        count = self.mining.count
        if not len(candidates):
            size, documents = 4 * count + 8, len(self.view.corpus)
            candidates = _drawn(rng, size, self.known[number], documents, self.queries.ids[number])
        order = rng.permutation(len(candidates)) if self.mining.random else np.arange(len(candidates))
        return candidates[np.resize(order[:count], count)]

    def _false_rate(self, judge: Method, rows: Ints) -> float:
        """Share of the negatives that the judge scores above the positive of their pair."""
        texts = [self.queries.texts[number] for number, _ in self.pairs]
        both = []
        for (_, positive), negatives in zip(self.pairs, rows, strict=True):
            both.append(np.array([positive, *negatives], dtype=np.int64))
        scores = candidate_scores(judge, texts, both, self.view, self.context)
        above = sum(int((values[1:] > values[0]).sum()) for values in scores)
        return round(above / max(1, rows.size), 4)


def _drawn(rng: np.random.Generator, size: int, known: Ints, documents: int, query: str) -> Ints:
    """Rows drawn from the whole corpus, known ones left out; all others if the draw hit only known ones."""
    drawn = np.setdiff1d(rng.integers(documents, size=size), known)
    if not len(drawn):
        drawn = np.setdiff1d(np.arange(documents), known)
    if not len(drawn):
        raise DatasetError(
            f"every document of the corpus is relevant to {query!r}, so that it has no negative; leave the query out, "
            "or set negatives=0."
        )
    return drawn
