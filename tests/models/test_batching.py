from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.engines.torch import ACCELERATOR_TOKENS, CPU_TOKENS
from harness.models.batching import batch_tokens, packed
from harness.runtime.context import Context

lengths_and_budget = st.tuples(st.lists(st.integers(0, 60), max_size=60), st.integers(1, 200))


@given(lengths_and_budget)
def test_packed_holds_every_item_once(case: tuple[list[int], int]) -> None:
    lengths, budget = case
    assert sorted(i for batch in packed(lengths, budget) for i in batch) == list(range(len(lengths)))


@given(lengths_and_budget)
def test_packed_batches_keep_to_the_budget_with_their_padding_unless_they_hold_one_item(
    case: tuple[list[int], int],
) -> None:
    lengths, budget = case
    for batch in packed(lengths, budget):
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget


@given(lengths_and_budget)
def test_packed_batches_are_as_full_as_the_budget_lets_them(case: tuple[list[int], int]) -> None:
    lengths, budget = case
    for batch in list(packed(lengths, budget))[:-1]:
        assert (len(batch) + 1) * max(1, *(lengths[i] for i in batch)) > budget


@given(lengths_and_budget)
def test_packed_goes_from_the_longest_to_the_shortest(case: tuple[list[int], int]) -> None:
    lengths, budget = case
    order = [lengths[i] for batch in packed(lengths, budget) for i in batch]
    assert order == sorted(lengths, reverse=True)


@given(lengths_and_budget, st.integers(0, 60))
def test_packing_what_some_batches_left_over_gives_the_batches_that_were_to_come(
    case: tuple[list[int], int], done: int
) -> None:
    lengths, budget = case
    batches = list(packed(lengths, budget))
    gone = {i for batch in batches[:done] for i in batch}
    left = [i for i in range(len(lengths)) if i not in gone]
    again = [[left[i] for i in batch] for batch in packed([lengths[i] for i in left], budget)]
    assert again == batches[done:]


@pytest.mark.parametrize(
    ("requested", "device", "tokens"),
    [(None, "cpu", CPU_TOKENS), (None, "cuda", ACCELERATOR_TOKENS), (77, "cuda", 77)],
)
def test_the_context_says_how_many_tokens_go_through_at_once_else_the_device_does(
    requested: int | None, device: str, tokens: int, context: Context
) -> None:
    assert batch_tokens(replace(context, batch_tokens=requested), device) == tokens
