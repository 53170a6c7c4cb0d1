"""The base of recipes on gold pairs: which queries, and how their hard negatives are mined."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Len

from harness.choices.bounds import Count, WholeNumber
from harness.data.dataset import TrainView
from harness.methods import Method
from harness.methods.bm25 import BM25
from harness.runtime.context import Context
from harness.training.base import Trainable
from harness.training.examples import triplets
from harness.training.gold import Gold, gold
from harness.training.negatives import Mining, Negatives, mine
from harness.training.recipe import Need, Recipe


@dataclass(frozen=True)
class FromGold(Recipe, ABC):
    """A recipe that learns from gold pairs with mined hard negatives.

    Args:
        queries: train on so many of the queries; None takes all. The subsets of one seed are nested.
        miners: methods that mine the hard negatives, their rankings taken in turn; by default BM25 and the
            untrained model.
        negatives: mined negatives of each pair; 0 for in-batch negatives only.
        ranks: from and to which rank they are drawn; None draws from the whole corpus: random negatives.
        judge: scores mined candidates and positives, for the false-negative rate and for `below`; None takes the
            untrained model.
        below: leave out candidates that the judge scores above this share of the positive's.
    """

    queries: Count | None = None
    miners: tuple[Method, ...] = ()
    negatives: WholeNumber = 1
    ranks: Annotated[tuple[Count, ...], Len(2, 2)] | None = (1, 30)
    judge: Method | None = None
    below: float | None = None

    needs: ClassVar[frozenset[Need]] = frozenset({"train labels"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self._mining(BM25())

    def _mining(self, untrained: Method) -> Mining:
        window = (self.ranks[0], self.ranks[1]) if self.ranks else None
        return Mining(self.miners or (BM25(), untrained), window, self.negatives, self.judge or untrained, self.below)

    def mined(
        self, base: Trainable, view: TrainView, context: Context, *, one_per_query: bool = False
    ) -> Mined:
        """Gold pairs with their negatives.

        Args:
            base: the model before training.
            view: the data.
            context: seed, cache.
            one_per_query: only the best relevant document of each query, not one pair of each.
        """
        known = gold(view, context, self.queries)
        if one_per_query:
            pairs = [(number, int(rows[0])) for number, rows in enumerate(known.relevant)]
        else:
            pairs = list(known.pairs())
        mining = self._mining(base.untrained)
        negatives = mine(mining, known.queries, pairs, known.never_negative, view, context)
        return Mined(known, pairs, negatives, {"train_queries": len(known), "negatives": negatives.facts})


@dataclass(frozen=True)
class Mined:
    """Gold pairs with negatives."""

    gold: Gold
    pairs: list[tuple[int, int]]
    negatives: Negatives
    facts: dict[str, Any]

    def triplets(self, view: TrainView) -> dict[str, list[str]]:
        """Columns `query`, `positive`, `negative_1` and so on."""
        return triplets(self.gold.queries.texts, self.pairs, self.negatives.rows, view)
