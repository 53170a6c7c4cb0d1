"""How many documents are longer than an encoder reads, by its tokenizer alone: the model is not loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.datasets import load_dataset
from harness.models.resolve import UNLIMITED, resolve, tokenizer_length
from harness.rows import parse_method
from harness.runtime.context import Context, open_context

SAMPLE: Final = 2000
"""Documents whose tokens are counted, spread evenly over the corpus."""


@dataclass(frozen=True)
class Lengths:
    """Documents against the length of an encoder.

    Args:
        row: of the encoder.
        limit: tokens that it reads.
        documents: whose tokens were counted.
        cut: of these, how many have more.
        lost: share of all their tokens that is not read.
        sampled: whether there are other documents.
    """

    row: str
    limit: int
    documents: int
    cut: int
    lost: float
    sampled: bool

    def __str__(self) -> str:
        """One sentence, with the remedy if documents are cut."""
        of = f"{self.documents:,}{' sampled' if self.sampled else ''} documents"
        found = (
            f"note: {self.cut:,} of {of} ({self.cut / max(1, self.documents):.0%}) are longer than the {self.limit} "
            f"tokens that {self.row} reads"
        )
        if not self.cut:
            return f"{found}."
        return f"{found}, which drops {self.lost:.0%} of their tokens: chunked({self.row}) reads them in passages."


def lengths(dataset: str, row: str = "dense", context: Context | None = None) -> Lengths | None:
    """How many documents of a collection are longer than an encoder reads; see `lengths_of`.

    Args:
        dataset: as for `load_dataset`.
        row: with the encoder.
        context: its data folders and cache; None takes the defaults.

    Raises:
        HarnessError: the collection cannot be loaded, or as `lengths_of`.
    """
    context = context or open_context()
    return lengths_of(load_dataset(dataset, context).corpus, row, context)


def lengths_of(corpus: Corpus, row: str, context: Context) -> Lengths | None:
    """Counts the tokens of documents; None if the encoder's length or its fast tokenizer is not known from its files.

    Args:
        corpus: the documents.
        row: with a model, as `dense(model="…")`.
        context: its cache.

    Raises:
        SettingError: the row has no model.
        Unavailable: its model is not on this machine and cannot be had.
    """
    method = parse_method(row)
    model = getattr(method, "model", None)
    if not isinstance(model, str):
        raise SettingError(f"{row} has no encoder; name a row that has one, as dense.")
    folder = resolve(model, context, getattr(method, "revision", None))
    stated = folder.config("sentence_bert_config.json").get("max_seq_length") or tokenizer_length(folder)
    limit = getattr(method, "max_length", None) or stated
    file = folder.path / "tokenizer.json"
    if not isinstance(limit, int) or limit >= UNLIMITED or not file.is_file():
        return None
    from tokenizers import Tokenizer  # slow to import, and a check of other collections needs none of it

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    rows = np.unique(np.linspace(0, len(corpus) - 1, min(SAMPLE, len(corpus))).astype(np.int64))
    counts = np.array([len(each.ids) for each in tokenizer.encode_batch(corpus.texts_of(rows)[:])], np.int64)
    over = np.maximum(0, counts - limit)
    lost = float(over.sum() / max(1, counts.sum()))
    return Lengths(row, limit, len(rows), int((over > 0).sum()), lost, len(rows) < len(corpus))
