"""How many tokens a model has positions for: where texts and pairs are cut, in every engine and in training."""

from __future__ import annotations

import sys
from typing import Any

from harness.base.errors import ModelError
from harness.models.resolve import UNLIMITED
from harness.models.sides import Side, input_module, input_modules

TABLES = ("position_embeddings", "position_embedding", "embed_positions", "wpe")
"""Names in transformers' models of the table with one vector per position."""
NOT_OF_TEXT = ("vision", "visual", "image", "audio")


UNSTATED = 512
"""Tokens of a text that batches are sized for if a model states no limit."""


def length_of(model: Any, side: Side | None = None, unlimited: int = UNSTATED) -> int:
    """The most tokens of a text of a side that a loaded sentence-transformers model reads.

    Args:
        model: the model.
        side: which of a router's routes.
        unlimited: returned if the tokenizer says that there is no limit.
    """
    stated = getattr(input_module(model, side), "max_seq_length", None) or UNSTATED
    return int(stated) if stated < UNLIMITED else unlimited


def positions(model: Any) -> int:
    """Tokens that a torch module has positions for; `sys.maxsize` if it does not look positions up in a table.

    Models like RoBERTa number positions from the padding's number on, models like BART have an offset in the table:
    these rows of the table are no position of a text.
    """
    import torch

    least = sys.maxsize
    for name, module in model.named_modules():
        if any(part in name.lower() for part in NOT_OF_TEXT):
            continue
        for table in (getattr(module, table, None) for table in TABLES):
            if not isinstance(table, torch.nn.Embedding):
                continue
            padding, offset = getattr(module, "padding_idx", None), getattr(table, "offset", 0)
            unused = padding + 1 if isinstance(padding, int) and not isinstance(module, torch.nn.Embedding) else offset
            least = min(least, int(table.num_embeddings) - int(unused))
    return least


LENGTHS = ("max_seq_length", "query_length", "document_length")
"""Names in modules of the numbers of tokens at which they cut."""


def limit_length(model: Any, name: str, requested: int | None = None, *, pairs: bool = False) -> None:
    """Makes a loaded model cut texts at its number of positions, even if its configuration allows more; each route of a
    router has its own limit.

    Args:
        model: of sentence-transformers; changed.
        name: the model's, for messages.
        requested: a length that the user has set.
        pairs: whether it reads two texts at once.

    Raises:
        ModelError: the requested length is beyond the positions, or queries are expanded beyond them, or a length has
            no room for the tokens that the tokenizer adds: it would then silently cut nothing.
    """
    for module in input_modules(model):
        _check_room(module, name, pairs)
        most = positions(module)
        if most == sys.maxsize:
            continue
        if requested is not None and requested > most:
            raise ModelError(
                f"{name} reads at most {most} tokens, so its length cannot be {requested}: set {most} or less."
            )
        expansion = getattr(module, "query_expansion", None)
        if expansion is not None and expansion["length"] > most:
            raise ModelError(
                f"{name} expands queries to {expansion['length']} tokens but reads at most {most}: set "
                f"query_length={most}."
            )
        for length in LENGTHS:
            own = getattr(module, length, None)
            if own is not None and own > most:
                setattr(module, length, most)
        if getattr(module, "max_seq_length", most) is None:
            module.max_seq_length = most


def _check_room(module: Any, name: str, pairs: bool) -> None:
    """Refuses a length with no room for the tokens that the tokenizer adds to each text or pair, as `[CLS]`."""
    adds = getattr(getattr(module, "tokenizer", None), "num_special_tokens_to_add", None)
    added = int(adds(pairs)) if adds is not None else 0
    for length in LENGTHS:
        own = getattr(module, length, None)
        if own is not None and own < added:
            what = "pair" if pairs else "text"
            raise ModelError(
                f"{name} adds {added} special tokens to each {what}, so a {what} cannot be cut at {own} tokens: set a "
                f"length of {added + 1} or more."
            )
