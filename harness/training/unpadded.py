"""Batches without padding: on a CPU a transformer reads the texts of a batch end to end, and attention is computed text
by text (`harness.training.attention`). Pooling and loss see the same padded tensors as without it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness.training import attention

if TYPE_CHECKING:
    import torch

log = logging.getLogger("harness.training")
TOLERANCE = 1e-4
"""Largest difference, relative to the largest value, of a token's vector with and without padding, in fp32."""
LENGTHS = (3, 12, 7)
"""Tokens of the texts on which that is checked."""


class Unpadded:
    """The forward pass of a transformer without padding: taken out of its input, put back into its output.

    Args:
        inner: a model of transformers without a head.
        bf16: whether what flows between its layers is bf16 under autocast; weights and their gradients stay fp32.
    """

    def __init__(self, inner: Any, *, bf16: bool) -> None:
        import torch

        self.inner, self._usual, self._kind = inner, inner.forward, inner.config._attn_implementation
        self._first = _first_position(inner)
        self._hooks = []
        inner.forward = self._forward  # not a hook: sentence-transformers calls `forward` itself
        if bf16:
            # Layer norms and sums keep the type of their input, so no layer converts it to fp32 and back.
            embeddings = [module for module in inner.modules() if isinstance(module, torch.nn.Embedding)]
            self._hooks = [module.register_forward_hook(_narrow) for module in embeddings]

    def remove(self) -> None:
        """Leaves the model as it was."""
        del self.inner.forward
        for hook in self._hooks:
            hook.remove()

    def _forward(self, input_ids: Any = None, attention_mask: Any = None, **other: Any) -> Any:
        other = {name: value for name, value in other.items() if value is not None}
        if input_ids is None or attention_mask is None or attention_mask.dim() != 2 or "position_ids" in other:
            return self._usual(input_ids=input_ids, attention_mask=attention_mask, **other)
        places = attention_mask.reshape(-1).nonzero()[:, 0]

        def packed(tokens: torch.Tensor) -> torch.Tensor:
            """(texts, length) → (1, tokens)."""
            return tokens.reshape(-1)[places][None]

        if "token_type_ids" in other:
            other["token_type_ids"] = packed(other["token_type_ids"])
        positions = packed(attention_mask.cumsum(1) - 1 + self._first)
        ends = [0, *attention_mask.sum(1).cumsum(0).tolist()]
        self.inner.config._attn_implementation = attention.NAME
        try:
            output = self._usual(input_ids=packed(input_ids), position_ids=positions, ends=ends, **other)
        finally:
            self.inner.config._attn_implementation = self._kind
        vectors = output.last_hidden_state[0].float()
        padded = vectors.new_zeros(input_ids.numel(), vectors.shape[1]).index_put((places,), vectors)
        output.last_hidden_state = padded.view(*input_ids.shape, -1)
        if output.get("pooler_output") is not None:
            output.pooler_output = self.inner.pooler(output.last_hidden_state)
        return output


def _narrow(module: Any, args: Any, output: torch.Tensor) -> torch.Tensor:
    import torch

    return output.to(torch.bfloat16) if torch.is_autocast_enabled("cpu") else output


def _first_position(inner: Any) -> int:
    """The position of a text's first token: in models of the RoBERTa family the one after the padding's."""
    import torch

    for module in inner.modules():
        padding = getattr(module, "padding_idx", None)
        if isinstance(padding, int) and isinstance(getattr(module, "position_embeddings", None), torch.nn.Embedding):
            return padding + 1
    return 0


@contextlib.contextmanager
def unpadded(model: Any, loss: Any, *, bf16: bool) -> Iterator[list[Any]]:
    """Inside, the transformers of a model and of its loss compute without padding, those where it changes nothing.

    A transformer is left as it is on a GPU, with dropout, and if its attention is of another kind (causal, local, with
    a bias): it is compared with itself on made-up texts.

    Args:
        model: a model of sentence-transformers.
        loss: its loss, which may have a tower of its own. It must have been made before: it may copy the model.
        bf16: whether it is trained under bf16 autocast.

    Yields:
        The transformers that compute without padding.
    """
    attention.register()
    all_of_them = dict.fromkeys([*_transformers(model), *_transformers(loss)])
    changed = [Unpadded(inner, bf16=bf16) for inner in all_of_them if _suits(inner)]
    try:
        yield [one.inner for one in changed]
    finally:
        for one in changed:
            one.remove()


def _transformers(whole: Any) -> Iterator[Any]:
    """The transformers in a model, without their heads. One whose queries are expanded by tokens that no other token
    sees is left out: those tokens look like padding.
    """
    from transformers import PreTrainedModel

    expansions = [getattr(module, "query_expansion", None) for module in whole.modules()]
    if any(expansion is not None and not expansion["attend"] for expansion in expansions):
        return
    for module in whole.modules():
        if isinstance(module, PreTrainedModel) and module.base_model is module:
            yield module


def _suits(inner: Any) -> bool:
    """Whether a transformer in training gives the same vectors without padding."""
    import torch

    config, training = inner.config, inner.training
    if inner.device.type != "cpu" or not inner.is_backend_compatible() or getattr(config, "is_decoder", False):
        return False
    mask = torch.arange(max(LENGTHS))[None] < torch.tensor(LENGTHS)[:, None]
    try:
        with torch.random.fork_rng([]), torch.no_grad():
            torch.manual_seed(0)
            ids = torch.randint(config.vocab_size // 2, config.vocab_size, mask.shape)
            given = {"input_ids": ids.where(mask, config.pad_token_id or 0), "attention_mask": mask.long()}
            usual = inner.train()(**given).last_hidden_state[mask]
            trial = Unpadded(inner, bf16=False)
            try:
                own = inner(**given).last_hidden_state[mask]
            finally:
                trial.remove()
    except Exception as error:  # noqa: BLE001 - whatever a model raises that does not know its input
        log.debug("%s is trained with padding: %s", type(inner).__name__, error)
        return False
    finally:
        inner.train(training)
    return bool((own - usual).abs().max() <= TOLERANCE * usual.abs().max())
