"""Attention of texts end to end equals that of each text by itself, in value and gradient."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from harness.training.attention import attention

ENDS = [0, 3, 3, 4, 11]
"""Of four texts, the second of which is empty."""
HEADS, SIZE, SCALE = 2, 4, 0.7


def slow(q: Any, k: Any, v: Any) -> Any:
    """As the paper says, token by token (Vaswani et al., 1706.03762, equation 1)."""
    import torch

    rows = []
    for start, end in itertools.pairwise(ENDS):
        for token in range(start, end):
            heads = []
            for head in range(HEADS):
                weights = torch.softmax(SCALE * (k[0, head, start:end] @ q[0, head, token]), 0)
                heads.append(weights @ v[0, head, start:end])
            rows.append(torch.stack(heads))
    return torch.stack(rows)[None]


@pytest.mark.parametrize("kind", ["float64", "float32", "bfloat16"])
def test_value_and_gradient(kind: str) -> None:
    import torch

    torch.manual_seed(0)
    exact = [torch.randn(1, HEADS, ENDS[-1], SIZE, dtype=torch.float64) for _ in range(3)]
    weights = torch.randn(1, ENDS[-1], HEADS, SIZE, dtype=torch.float64)
    found = []
    for way, dtype in ((slow, torch.float64), (None, getattr(torch, kind))):
        inputs = [x.to(dtype).clone().requires_grad_() for x in exact]
        value = way(*inputs) if way else attention(SimpleNamespace(), *inputs, None, scaling=SCALE, ends=ENDS)[0]
        (value * weights.to(dtype)).sum().backward()
        found.append([value.detach(), *(x.grad for x in inputs)])
    tolerance = {"float64": 1e-12, "float32": 1e-5, "bfloat16": 3e-2}[kind]
    for expected, got in zip(*found, strict=True):
        torch.testing.assert_close(got.double(), expected, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize(
    "other",
    [{"module": SimpleNamespace(is_causal=True)}, {"dropout": 0.1}, {"sliding_window": 4}, {"mask": True}, {"keys": 1}],
)
def test_other_kinds_are_refused(other: dict[str, Any]) -> None:
    import torch

    q = torch.zeros(1, HEADS, ENDS[-1], SIZE)
    k = q[:, : other.pop("keys", HEADS)]
    mask = q if other.pop("mask", False) else None
    module = other.pop("module", SimpleNamespace())
    with pytest.raises(NotImplementedError):
        attention(module, q, k, k, mask, scaling=1.0, ends=ENDS, **other)
