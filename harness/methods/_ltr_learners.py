"""The learners of `ltr`: features and judgements of candidates → a score of any candidate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from harness.base.optional import library
from harness.methods._ltr_features import Candidates, Matrix

CUT: Final = 10
PAIRS: Final = 500
"""Pairs of candidates that a linear model learns from, at most for each query: evenly drawn from all."""


@dataclass(frozen=True)
class Learning:
    """How LambdaMART learns.

    Args:
        trees: at most.
        leaves: of each tree.
        rate: the learning rate.
    """

    trees: int
    leaves: int
    rate: float


class Ranker(ABC):
    """A learnt model.

    Attributes:
        importances: (F,) share of each feature, sum 1; all 0 if nothing was learnt.
    """

    importances: Matrix

    @abstractmethod
    def scores(self, values: Matrix) -> Matrix:
        """(n,) float64 of n candidates, each by itself."""


class LambdaMART(Ranker):
    """Gradient-boosted trees whose gradients are weighted by the change of nDCG, by LightGBM.

    Source: Burges, "From RankNet to LambdaRank to LambdaMART: An Overview", MSR-TR-2010-82. Gains are the grades
    themselves, as in the measures reported here.

    Args:
        taught: candidates of queries with judgements.
        settings: how it learns; exactly `trees` trees.
    """

    def __init__(self, taught: Sequence[Candidates], settings: Learning) -> None:
        lightgbm = library("lightgbm", "ltr")
        self._booster = lightgbm.train(parameters(taught, settings), _dataset(taught), settings.trees)
        self.importances = _shares(self._booster.feature_importance("gain"))

    def scores(self, values: Matrix) -> Matrix:
        """See `Ranker.scores`."""
        return np.asarray(self._booster.predict(values, num_threads=1), dtype=np.float64)


class Linear(Ranker):
    """A weighted sum of features, by logistic regression on the differences of pairs (scikit-learn).

    Each pair is a better and a worse candidate of one query; the pairs of a query weigh as much as those of any other,
    within a query in proportion to the difference of the grades.

    Source: Herbrich, Graepel and Obermayer, "Large Margin Rank Boundaries for Ordinal Regression" (2000), with the
    logistic loss of RankNet (Burges et al., ICML 2005).

    Args:
        taught: candidates of queries with judgements.
        settings: not used.

    Attributes:
        weights: (F,) of the features in units of their standard deviation over all candidates.
    """

    def __init__(self, taught: Sequence[Candidates], settings: Learning | None = None) -> None:
        from sklearn.linear_model import LogisticRegression

        deviations = np.concatenate([each.values for each in taught]).std(axis=0)
        self._scale = np.where(deviations > 0, deviations, 1.0)
        parts = [_pairs(each) for each in taught]
        differences = np.concatenate([part for part, _ in parts]) / self._scale
        weights = np.concatenate([weight for _, weight in parts])
        signs = np.where(np.arange(len(differences)) % 2, -1.0, 1.0)  # every second pair is turned: two classes
        model = LogisticRegression(fit_intercept=False, max_iter=1000)
        model.fit(differences * signs[:, None], signs, sample_weight=weights)
        self.weights = model.coef_[0]
        self.importances = _shares(np.abs(self.weights))

    def scores(self, values: Matrix) -> Matrix:
        """See `Ranker.scores`."""
        return np.asarray((values / self._scale * self.weights).sum(axis=1), dtype=np.float64)


LEARNERS: Final[Mapping[str, Callable[[Sequence[Candidates], Learning], Ranker]]] = {
    "lambdamart": LambdaMART,
    "linear": Linear,
}


def parameters(taught: Sequence[Candidates], settings: Learning) -> dict[str, Any]:
    """LightGBM's parameters: one thread and no sampling, so that every machine learns the same trees.

    Args:
        taught: all queries whose judgements are seen; the greatest grade decides the table of gains.
        settings: how it learns.
    """
    return {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [CUT],
        "label_gain": list(range(max(int(each.grades.max()) for each in taught) + 1)),
        "num_leaves": settings.leaves,
        "learning_rate": settings.rate,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "seed": 0,
        "verbosity": -1,
    }


def best_trees(folds: Sequence[Sequence[Candidates]], settings: Learning) -> int:
    """The number of trees with the best mean nDCG@10 of queries in folds, each ranked by what the others taught.

    Args:
        folds: at least two, each with queries that teach.
        settings: how it learns; `trees` is the most.
    """
    lightgbm = library("lightgbm", "ltr")
    totals: npt.NDArray[np.float64] = np.zeros(settings.trees)
    everything = [each for fold in folds for each in fold]
    for held_out in folds:
        others = [each for fold in folds if fold is not held_out for each in fold]
        taught, asked, history = _dataset(others), _dataset(held_out), dict[str, Any]()
        lightgbm.train(
            parameters(everything, settings),
            taught,
            settings.trees,
            valid_sets=[asked],
            callbacks=[lightgbm.record_evaluation(history)],
        )
        curve = history["valid_0"][f"ndcg@{CUT}"]
        curve += [curve[-1]] * (settings.trees - len(curve))  # no further split was possible
        totals += np.array(curve) * len(held_out)
    return int(np.argmax(totals)) + 1  # the first of equal ones: the fewest trees


def _dataset(taught: Sequence[Candidates]) -> Any:
    values = np.concatenate([each.values for each in taught])
    grades = np.concatenate([each.grades for each in taught])
    return library("lightgbm", "ltr").Dataset(
        values, label=grades, group=[len(each.rows) for each in taught], free_raw_data=False
    )


def _pairs(candidates: Candidates) -> tuple[Matrix, Matrix]:
    """(P, F) differences of better and worse candidates of one query, and their (P,) weights, sum 1."""
    better, worse = np.nonzero(candidates.grades[:, None] > candidates.grades)
    if len(better) > PAIRS:
        drawn = np.linspace(0, len(better) - 1, PAIRS).astype(np.int64)
        better, worse = better[drawn], worse[drawn]
    weights = (candidates.grades[better] - candidates.grades[worse]).astype(np.float64)
    return candidates.values[better] - candidates.values[worse], weights / weights.sum()


def _shares(sizes: npt.ArrayLike) -> Matrix:
    values = np.asarray(sizes, dtype=np.float64)
    total = values.sum()
    return values / total if total > 0 else np.zeros_like(values)
