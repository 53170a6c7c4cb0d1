"""Attention over texts of different lengths that are laid end to end, without padding, for training on a CPU.

PyTorch's attention for CPUs is fast forwards and slow backwards: in bf16, with 12 heads over 256 tokens, its backward
pass takes over three times as long as the same products by batched matrix multiplication. So the forward pass is
PyTorch's, and the backward pass is written out; it computes the probabilities again, text by text, in matrices that
fit into a processor's cache.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NAME = "harness_texts_end_to_end"
"""The name by which transformers finds `attention`."""


@functools.cache
def per_text() -> Any:
    """The autograd function: (q, k, v, ends, scale) → softmax(scale · q kᵀ) v within each text.

    q, k and v are (1, heads, tokens, size), the result is (tokens, heads, size); `ends` are the places where texts end,
    0 first.
    """
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    class AttentionPerText(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, q: Any, k: Any, v: Any, ends: list[int], scale: float) -> torch.Tensor:
            ctx.save_for_backward(q, k, v)
            ctx.ends, ctx.scale = ends, scale
            result: torch.Tensor = q.new_empty(q.shape[2], q.shape[1], q.shape[3])
            for start, end in itertools.pairwise(ends):
                q_, k_, v_ = (x[:, :, start:end] for x in (q, k, v))
                result[start:end] = scaled_dot_product_attention(q_, k_, v_, scale=scale)[0].transpose(0, 1)
            return result

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            q, k, v = (x[0] for x in ctx.saved_tensors)
            g = gradients[0].transpose(0, 1)
            # Laid out as the linear layers before wrote q, k and v, so that nothing is copied on the way back.
            dq, dk, dv = (torch.empty_like(x.transpose(0, 1)).transpose(0, 1) for x in (q, k, v))
            for start, end in itertools.pairwise(ctx.ends):
                text = slice(start, end)
                q_, k_, v_, g_ = (x[:, text].contiguous() for x in (q, k, v, g))
                q_ *= ctx.scale
                p = torch.softmax(torch.bmm(q_, k_.transpose(1, 2)), -1)
                ds = torch._softmax_backward_data(torch.bmm(g_, v_.transpose(1, 2)), p, -1, p.dtype)
                dq[:, text] = torch.bmm(ds, k_).mul_(ctx.scale)
                dk[:, text] = torch.bmm(ds.transpose(1, 2), q_)
                dv[:, text] = torch.bmm(p.transpose(1, 2), g_)
            return dq[None], dk[None], dv[None], None, None

    return AttentionPerText


def attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    ends: list[int],
    dropout: float = 0.0,
    **other: Any,
) -> tuple[torch.Tensor, None]:
    """An attention function of transformers: (1, heads, tokens, size) → (1, tokens, heads, size).

    Args:
        module: the layer.
        query: of all texts end to end, as are `key` and `value`.
        key: see `query`.
        value: see `query`.
        attention_mask: None: a token sees its own text.
        scaling: factor of the products.
        ends: where texts end, 0 first.
        dropout: 0.
        other: what else a model passes to its attention.

    Raises:
        NotImplementedError: the layer's attention is of another kind.
    """
    if getattr(module, "is_causal", False) or other.get("sliding_window") is not None or dropout > 0:
        raise NotImplementedError("causal attention, local attention and dropout")
    if key.shape != query.shape or attention_mask is not None:
        raise NotImplementedError("grouped heads and masks")
    query, key = query.to(value.dtype), key.to(value.dtype)  # rotary positions may be of another type
    return per_text().apply(query, key, value, ends, scaling)[None], None


@functools.cache
def register() -> None:
    """Makes `attention` known to transformers as `NAME`."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attention)
