from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from harness.training.passes import fewest_tokens, passes
from harness.training.schedule import Schedule


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(("items", "slots", "epochs"), [(7, 5, 4), (30, 3, 8), (1, 2, 3)])
def test_a_pass_has_each_item_and_no_slot_comes_again_before_all_were_drawn(
    items: int, slots: int, epochs: int, count: int
) -> None:
    schedule = Schedule(epochs=epochs, batch=4)
    drawn = passes(np.random.default_rng(0), items, slots, count, schedule)
    assert drawn.per_pass == items * count
    assert len(drawn.items) == len(drawn.slots) >= schedule.total(drawn.per_pass) * schedule.batch
    assert len(drawn.items) % drawn.per_pass == 0
    for start in range(0, len(drawn.items), drawn.per_pass):
        assert set(Counter(drawn.items[start : start + drawn.per_pass].tolist()).values()) == {count}
    for item in range(items):
        of_passes = Counter(drawn.slots[drawn.items == item].tolist())
        assert max(of_passes.values()) - min(of_passes.get(slot, 0) for slot in range(slots)) <= 1


def test_the_order_changes_with_the_pass_and_is_the_seeds() -> None:
    schedule = Schedule(epochs=2, batch=10)
    one, two = (passes(np.random.default_rng(5), 50, 4, 1, schedule) for _ in range(2))
    assert one.items.tolist() == two.items.tolist()
    assert one.slots.tolist() == two.slots.tolist()
    assert one.items[:50].tolist() != one.items[50:100].tolist()


def test_examples_that_the_bound_of_tokens_never_reaches_are_not_drawn() -> None:
    schedule = Schedule(epochs=6, batch=4, tokens=1000)
    drawn = passes(np.random.default_rng(0), 500, 3, 1, schedule, tokens=50.0)
    assert len(drawn.items) == len(drawn.slots) == drawn.per_pass == 4 * schedule.total(500, 50.0) == 24
    assert fewest_tokens(["a" * 12, "b" * 6000], Schedule(max_length=10)) == (2 + 10) / 2
