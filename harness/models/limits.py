"""How many tokens a model has positions for: the one rule by which texts and pairs are cut, in every engine and in
training.
"""

from __future__ import annotations

import sys
from typing import Any

from harness.base.errors import ModelError
from harness.models.resolve import UNLIMITED
from harness.models.sides import Side, input_module, input_modules

TABLES = ("position_embeddings", "position_embedding", "embed_positions", "wpe")
"""What transformers' models call the table that holds one vector for each position."""
NOT_OF_TEXT = ("vision", "visual", "image", "audio")


UNSTATED = 512
"""Tokens by which batches are sized where a model states no limit."""


def length_of(model: Any, side: Side | None = None, unlimited: int = UNSTATED) -> int:
    """Tokens that a loaded model of sentence-transformers reads of a text of a side at most.

    Args:
        model: the model.
        side: which of a router's routes.
        unlimited: the answer where the tokenizer says that there is no limit.
    """
    stated = getattr(input_module(model, side), "max_seq_length", None) or UNSTATED
    return int(stated) if stated < UNLIMITED else unlimited


def positions(model: Any) -> int:
    """Tokens that a torch module has positions for; `sys.maxsize` where its positions are not looked up one by one.

    RoBERTa and its kin number positions from the padding's number on, BART and its kin keep an offset in the table:
    these rows of the table hold no position of a text.
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
"""What modules call the numbers of tokens at which they cut."""


def bound(model: Any, name: str, asked: int | None = None, *, pairs: bool = False) -> None:
    """Cuts the texts of a loaded model at the positions it has, whatever its configuration says; each route of a router
    apart.

    Args:
        model: of sentence-transformers; changed.
        name: the model's, for messages.
        asked: a length that a user has set.
        pairs: whether it reads two texts at once.

    Raises:
        ModelError: what is set is beyond the positions, or queries are expanded beyond them, or a length has no room
            for the
            tokens that the tokenizer adds: it would cut nothing then, and say nothing.
    """
    for module in input_modules(model):
        _check_room(module, name, pairs)
        most = positions(module)
        if most == sys.maxsize:
            continue
        if asked is not None and asked > most:
            raise ModelError(
                f"{name} has positions for {most} tokens, so a text cannot be cut at {asked}: set {most} or less."
            )
        expansion = getattr(module, "query_expansion", None)
        if expansion is not None and expansion["length"] > most:
            raise ModelError(
                f"{name} expands queries to {expansion['length']} tokens and has positions for {most}: set "
                f"query_length={most}."
            )
        for length in LENGTHS:
            own = getattr(module, length, None)
            if own is not None and own > most:
                setattr(module, length, most)
        if getattr(module, "max_seq_length", most) is None:
            module.max_seq_length = most


def _check_room(module: Any, name: str, pairs: bool) -> None:
    """Refuses a length that is less than the tokens which the tokenizer adds to each text or pair, as `[CLS]` and
    `[SEP]`.
    """
    adds = getattr(getattr(module, "tokenizer", None), "num_special_tokens_to_add", None)
    added = int(adds(pairs)) if adds is not None else 0
    for length in LENGTHS:
        own = getattr(module, length, None)
        if own is not None and own < added:
            what = "pair" if pairs else "text"
            raise ModelError(
                f"{name} adds {added} tokens of its own to each {what}, so a {what} cannot be cut at {own}: set a "
                f"length of "
                f"{added + 1} or more."
            )
