"""What `encoding.py` and `reranking.py` share: the ways that are compared, and the machine's peak."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from harness.engines import ENGINES
from harness.errors import Unavailable
from harness.modeling.golden import Way

WAYS = ("torch fp32", "torch bf16", "openvino fp32", "openvino bf16", "openvino int8")


def ways_of(names: Sequence[str]) -> dict[str, Way]:
    """The ways that are installed, by name."""
    found = {}
    for name in names:
        engine, _, precision = name.partition(" ")
        made = ENGINES.get(engine)()
        try:
            made.versions()
        except Unavailable as error:
            print(f"without {name}: {error}")
            continue
        found[name] = Way(made, precision)
    return found


def peak(precision: str, size: int = 2048, rounds: int = 7) -> float:
    """The machine's best rate of products, in GFLOP/s, of `size` × `size` matrices by torch on its threads."""
    import torch

    dtype = torch.float32 if precision == "fp32" else torch.bfloat16
    one, other = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        one @ other
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best / 1e9


def products(config: Any, lengths: Sequence[int]) -> float:
    """GFLOP that a transformer takes for texts of so many tokens: projections, feed-forward and attention of every layer."""
    d, inner = config.hidden_size, config.intermediate_size
    each = [length * (8 * d * d + 4 * d * inner) + 4 * length * length * d for length in lengths]
    return float(config.num_hidden_layers * sum(each)) / 1e9
