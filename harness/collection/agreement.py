"""How far judges agree, on the pairs that both judged."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.collection.labels import Label

SLIGHT = 0.2
"""Cohen's kappa up to which agreement is slight at most (Landis and Koch, Biometrics 33, 1977)."""
FEW = 10
"""Pairs of two people below which chance decides how far they agree."""


@dataclass(frozen=True)
class Agreement:
    """Two judges.

    Args:
        first: name.
        second: name.
        pairs: that both judged.
        same: share with equal grades.
        kappa: Cohen's coefficient with quadratic weights; nan if both gave one and the same grade throughout.
    """

    first: str
    second: str
    pairs: int
    same: float
    kappa: float

    def __str__(self) -> str:
        kappa = "undefined, since both gave one grade throughout" if math.isnan(self.kappa) else f"{self.kappa:.2f}"
        return (
            f"{self.first} and {self.second}: {self.pairs:,} pairs judged by both, {self.same:.0%} with the same "
            f"grade, Cohen's kappa (quadratic weights) {kappa}"
        )


def agreements(labels: Iterable[Label]) -> list[Agreement]:
    """Of all pairs of judges with common pairs; the last label of a judge counts."""
    by_judge: dict[str, dict[tuple[str, str], int]] = {}
    for label in labels:
        by_judge.setdefault(label.judge, {})[label.query, label.document] = label.grade
    found = []
    for (first, one), (second, other) in itertools.combinations(by_judge.items(), 2):
        common = sorted(one.keys() & other.keys())
        if common:
            found.append(agreement(first, second, [one[p] for p in common], [other[p] for p in common]))
    return found


def disagreement(labels: Iterable[Label]) -> str:
    """Which people have low agreement, and what to do about it, in words; empty without such people."""
    people = agreements(label for label in labels if label.kind == "person")
    found = [each for each in people if each.pairs >= FEW and each.kappa <= SLIGHT]
    if not found:
        return ""
    who = "; ".join(f"{each.first} and {each.second}, kappa {each.kappa:.2f} on {each.pairs:,} pairs" for each in found)
    return (
        f"Agreement between people is low ({who}): scores take the lower median of their grades, and would "
        "differ with the grades of one of them alone. Let them settle what the grades mean, "
        "and judge these pairs again; a later grade replaces the earlier one."
    )


def agreement(first: str, second: str, one: list[int], other: list[int]) -> Agreement:
    """Of two judges' grades of the same pairs, at least one."""
    same = sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
    kappa = math.nan
    if len({*one, *other}) > 1:
        from sklearn.metrics import cohen_kappa_score  # slow to import

        kappa = float(cohen_kappa_score(one, other, labels=sorted({*one, *other}), weights="quadratic"))
    return Agreement(first, second, len(one), same, kappa)
