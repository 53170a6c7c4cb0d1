"""Passes over the examples, each in another order and with other negatives; all drawn before training from one seed, so
that a resumed run sees the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.data.ranking import Ints
from harness.training.schedule import Schedule

CHARACTERS = 6
"""More than a token has, on average, in any language's word pieces."""


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


def passes(
    rng: np.random.Generator, items: int, slots: int, count: int, schedule: Schedule, tokens: float = 0.0
) -> Passes:
    """As many examples as a schedule reads. An item's slots are drawn in a random order; none comes again before all of
    them were drawn.

    Args:
        rng: decides all.
        items: how many, 1 or more.
        slots: documents of each item.
        count: examples that an item gives in a pass, each with another slot; at most `slots`.
        schedule: how many examples are read.
        tokens: the fewest that an example has, to leave out those that the schedule's bound never reaches; 0 for no
            bound.
    """
    examples = items * count
    read = schedule.total(examples, tokens) * schedule.batch * schedule.accumulate
    number = max(1, math.ceil(read / examples))
    order = np.argsort(rng.random((items, slots)), axis=1)
    numbers, drawn = [], []
    for one in range(number):
        places = (np.arange(count) + one * count) % slots
        permutation = rng.permutation(examples)
        numbers.append(permutation // count)
        drawn.append(order[:, places].reshape(-1)[permutation])
    if not tokens:
        read = number * examples
    return Passes(np.concatenate(numbers)[:read], np.concatenate(drawn)[:read], min(examples, read))


def fewest_tokens(texts: Sequence[str], schedule: Schedule) -> float:
    """Tokens that texts have at least, on average, before any model reads them.

    Args:
        texts: one or more.
        schedule: its `max_length` cuts them.
    """
    most = CHARACTERS * schedule.max_length
    return sum(min(len(text), most) for text in texts) / CHARACTERS / max(1, len(texts))
