"""Batches of dev."""

from harness.engines.torch import ACCELERATOR_TOKENS
from harness.runtime.context import Context
from harness.training.dev_batches import CPU_PAIRS, CPU_TEXTS, batch_size


def test_a_cpu_gets_whole_batches_of_short_texts() -> None:
    assert batch_size(Context(), "cpu", 256, CPU_TEXTS) == CPU_TEXTS
    assert batch_size(Context(), "cpu", 512, CPU_PAIRS) == CPU_PAIRS


def test_an_accelerator_gets_its_tokens() -> None:
    assert batch_size(Context(), "cuda", 256, CPU_TEXTS) == ACCELERATOR_TOKENS // 256


def test_tokens_that_are_set_count_everywhere() -> None:
    assert batch_size(Context(batch_tokens=1000), "cpu", 300, CPU_TEXTS) == 3
    assert batch_size(Context(batch_tokens=100), "cpu", 300, CPU_TEXTS) == 1
