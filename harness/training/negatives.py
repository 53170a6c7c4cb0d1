"""Hard negatives: documents that a method ranks high for a query and that are not known to be relevant to it.

Any method of the registry mines; several are united by taking their rankings in turn. A candidate may in truth be
relevant and
merely not judged: those whose judge's score comes too near the positive's can be left out, and how many would have been
wrong by the judge's word is measured for every mined set.
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
from harness.data.ranking import Floats, Ints
from harness.methods import Method, fit, index, search
from harness.runtime.context import Context
from harness.training.candidates import candidate_scores, unknown
from harness.training.dev import interleaved


@dataclass(frozen=True)
class Mining:
    """How negatives are mined.

    Args:
        miners: methods whose rankings are taken in turn.
        ranks: from and to which rank of the united ranking, counted from 1, after known relevant documents are left
            out.
        count: negatives of each (query, positive) pair.
        judge: scores candidates and positives: a method that can re-rank; None judges by nothing.
        below: a candidate is left out if its judge's score is above this share of the positive's (0.95, as
            NV-Retriever's TopK-PercPos, Moreira et al., 2407.15831, section 3); None leaves none out. Both scores are
            counted from the lowest score the judge gave to a candidate of the query, so that negative scores have
            shares too.
        random: draw from the window at random; else the best of it are taken.
    """

    miners: tuple[Method, ...]
    ranks: tuple[int, int] = (1, 50)
    count: int = 1
    judge: Method | None = None
    below: float | None = None
    random: bool = True

    def __post_init__(self) -> None:
        first, last = self.ranks
        if not 1 <= first <= last:
            raise SettingError(f"negatives: ranks must be (from, to) with 1 ≤ from ≤ to, not {self.ranks}")
        if self.count < 0:
            raise SettingError(f"negatives: count must be 0 or more, not {self.count}")
        if self.count and not self.miners:
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
    """Mines negatives, once per settings, queries and corpus: what was mined is kept.

    Args:
        mining: how.
        queries: Q queries.
        pairs: P (query number, row of its positive).
        known: per query, rows that are never negatives: those judged relevant, and the query's own document
            (`Gold.never`).
        view: the corpus.
        context: seed, cache.

    Raises:
        ModelError: the judge cannot score candidates.
        DatasetError: every document is relevant to a query.
    """
    asked = [*mining.miners, *([mining.judge] if mining.judge else [])]
    deciding = {
        "miners": [m.full() for m in mining.miners],
        "inputs": {k: v for m in asked for k, v in m.inputs(context).items()},
        "how": [mining.ranks, mining.count, mining.judge.full() if mining.judge else None, mining.below, mining.random],
        "queries": queries.revision,
        "pairs": hashlib.sha256(json.dumps([list(map(list, pairs)), [k.tolist() for k in known]]).encode()).hexdigest(),
        "view": view.revision,
        "seed": context.seed,
        "code": code_of("harness.training.negatives", *asked, libraries=(*MODELS, "bm25s", "numpy")),
    }
    key = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:32]

    def build(part: Path) -> None:
        rows, facts = _mine(mining, queries, pairs, known, view, context)
        np.save(part / "rows.npy", rows)
        (part / "facts.json").write_text(json.dumps(facts), encoding="utf-8")

    place = context.cache.folder("negatives", key, {"miners": deciding["miners"], "pairs": len(pairs)}, build)
    facts = json.loads((place / "facts.json").read_text(encoding="utf-8"))
    return Negatives(np.load(place / "rows.npy"), facts.get("false_negative_rate"), facts)


def _mine(
    mining: Mining,
    queries: Queries,
    pairs: Sequence[tuple[int, int]],
    known: Sequence[Ints],
    view: TrainView,
    context: Context,
) -> tuple[Ints, dict[str, Any]]:
    first, last = mining.ranks
    deep = last + max((len(k) for k in known), default=0)
    found = [
        search(m, index(m, fit(m, view, context), view.corpus, context), queries, deep, context) for m in mining.miners
    ]
    united = [interleaved([top.indices[number] for top in found]) for number in range(len(queries))]
    windows = [rows[first - 1 : last] for rows in unknown(queries, united, known, view)]
    own_rows: list[list[int]] = [[] for _ in range(len(queries))]
    for number, row in pairs:
        own_rows[number].append(row)
    positives = [np.array(rows, dtype=np.int64) for rows in own_rows]
    # The whole window is judged only where candidates are left out by it: a cross-encoder as judge is slow.
    scored = _judged(mining.judge, queries, positives, windows, view, context) if mining.below is not None else None
    rng = context.rng("negatives")
    rows = np.zeros((len(pairs), mining.count), dtype=np.int64)
    above = total = dropped = without = 0
    for place, (number, positive) in enumerate(pairs):
        candidates = windows[number]
        if scored is not None and mining.below is not None:
            values = scored[number][1]
            own = float(scored[number][0][int(np.flatnonzero(positives[number] == positive)[0])])
            total += len(candidates)
            above += int((values > own).sum())
            floor = min(float(values.min()), own) if len(values) else own
            allowed = values - floor <= mining.below * (own - floor)
            dropped += int((~allowed).sum())
            candidates = candidates[allowed]
        without += not len(candidates)
        if not mining.count:
            continue
        if not len(candidates):
            candidates = _drawn(rng, 4 * mining.count + 8, known[number], len(view.corpus), queries.ids[number])
        order = rng.permutation(len(candidates)) if mining.random else np.arange(len(candidates))
        rows[place] = candidates[np.resize(order[: mining.count], mining.count)]
    facts: dict[str, Any] = {
        "miners": [str(m) for m in mining.miners],
        "ranks": list(mining.ranks),
        "per_pair": mining.count,
        "pairs_without_candidates": without,
    }
    if scored is not None:
        facts |= {"above_the_positive_in_the_window": round(above / max(1, total), 4), "left_out": dropped}
    if mining.judge is not None:
        facts |= {
            "judge": str(mining.judge),
            "false_negative_rate": _false_rate(mining.judge, queries, pairs, rows, view, context),
        }
    return rows, facts


def _false_rate(
    judge: Method, queries: Queries, pairs: Sequence[tuple[int, int]], rows: Ints, view: TrainView, context: Context
) -> float:
    """Share of the negatives that the judge scores above the positive of their pair."""
    texts = [queries.texts[number] for number, _ in pairs]
    both = [np.array([positive, *mined], dtype=np.int64) for (_, positive), mined in zip(pairs, rows, strict=True)]
    scores = candidate_scores(judge, texts, both, view, context)
    return round(sum(int((s[1:] > s[0]).sum()) for s in scores) / max(1, rows.size), 4)


def _drawn(rng: np.random.Generator, size: int, known: Ints, documents: int, query: str) -> Ints:
    """Rows drawn from the whole corpus, known ones left out; all that are left where the draw hit known ones alone."""
    drawn = np.setdiff1d(rng.integers(documents, size=size), known)
    if not len(drawn):
        drawn = np.setdiff1d(np.arange(documents), known)
    if not len(drawn):
        raise DatasetError(
            f"every document of the corpus is relevant to {query!r}, so that it has no negative; leave the query out, "
            "or mine none."
        )
    return drawn


def _judged(
    judge: Method | None,
    queries: Queries,
    positives: Sequence[Ints],
    windows: Sequence[Ints],
    view: TrainView,
    context: Context,
) -> list[tuple[Floats, Floats]]:
    """Per query, the judge's scores of its positives and of its window."""
    assert judge is not None, "Mining has seen to it"
    both = [np.concatenate([p, w]) for p, w in zip(positives, windows, strict=True)]
    scores = candidate_scores(judge, queries.texts, both, view, context)
    return [(s[: len(p)], s[len(p) :]) for s, p in zip(scores, positives, strict=True)]
