"""Passes over the examples, each in another order and with other negatives; all drawn before training from one seed, so
that a resumed run sees the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.data.ranking import Ints
from harness.training.schedule import Schedule


@dataclass(frozen=True)
class Passes:
    """E examples of several passes, in the order of training.

    Args:
        items: (E,) number of the item.
        slots: (E,) which of the item's documents the example takes.
        per_pass: examples of one pass.
    """

    items: Ints
    slots: Ints
    per_pass: int


def passes(rng: np.random.Generator, items: int, slots: int, count: int, schedule: Schedule) -> Passes:
    """As many passes as a schedule reads. An item's slots are drawn in a random order; none comes again before all of
    them were drawn.

    Args:
        rng: decides all.
        items: how many, 1 or more.
        slots: documents of each item.
        count: examples that an item gives in a pass, each with another slot; at most `slots`.
        schedule: how many examples are read.
    """
    examples = items * count
    read = schedule.total(examples) * schedule.batch * schedule.accumulate
    number = max(1, math.ceil(read / examples))
    order = np.argsort(rng.random((items, slots)), axis=1)
    numbers, drawn = [], []
    for one in range(number):
        places = (np.arange(count) + one * count) % slots
        permutation = rng.permutation(examples)
        numbers.append(permutation // count)
        drawn.append(order[:, places].reshape(-1)[permutation])
    return Passes(np.concatenate(numbers), np.concatenate(drawn), examples)
