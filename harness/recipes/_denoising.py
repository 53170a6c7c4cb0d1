"""TSDAE's loss: a decoder rebuilds a text from the vector of its damaged copy, which is drawn again at each visit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

CHECKED = 64
"""Texts on which it is checked whether the decoder uses the vectors."""
TOGETHER = 16
"""Texts in one batch of that check."""
PIECES = ("##",)
WORDS = ("▁", "Ġ")
"""How a token begins that continues a word (WordPiece), or that begins one (SentencePiece, byte-level BPE)."""


@dataclass(frozen=True)
class Denoising:
    """Settings of the loss.

    Args:
        weights: folder that the decoder is loaded from.
        tied: whether the decoder shares its weights with the encoder.
        delete: share of the words that the damaged copy loses.
        alone: batches, from the first one on, in which only the decoder learns.
        prompt: what stands before each text; it is not damaged.
        seed: of the damage.
    """

    weights: str
    tied: bool
    delete: float
    alone: int
    prompt: str
    seed: int

    def build(self, model: Any) -> torch.nn.Module:
        """The loss; it takes one column, the whole texts."""
        return _module(self, model)


def _module(settings: Denoising, model: Any) -> torch.nn.Module:
    import torch
    from sentence_transformers.sentence_transformer.losses import DenoisingAutoEncoderLoss

    class DenoisingLoss(DenoisingAutoEncoderLoss):
        batches: torch.Tensor
        continues: torch.Tensor
        special: torch.Tensor

        def __init__(self) -> None:
            source = None if settings.tied else settings.weights  # tied, it is the encoder's own folder
            super().__init__(model, decoder_name_or_path=source, tie_encoder_decoder=settings.tied)
            tokenizer = model.tokenizer
            self.register_buffer("continues", continuations(tokenizer), persistent=False)
            self.register_buffer("special", torch.tensor(tokenizer.all_special_ids), persistent=False)
            # Stored in checkpoints: a resumed run draws the damage that it would have drawn.
            self.register_buffer("batches", torch.zeros((), dtype=torch.int64))
            prompt = tokenizer(settings.prompt)["input_ids"] if settings.prompt else []
            self.start = sum(token not in tokenizer.all_special_ids for token in prompt)
            self.pad = int(tokenizer.pad_token_id or 0)

        def forward(self, sentence_features: Iterable[dict[str, Any]], labels: Any = None) -> torch.Tensor:
            (whole,) = sentence_features
            batches = int(self.batches)
            learns = torch.is_grad_enabled() and batches >= settings.alone
            damaged = self.damaged(whole, torch.Generator().manual_seed(settings.seed + batches))
            self.batches += 1
            with torch.set_grad_enabled(learns):
                vectors = self.encoder(damaged)["sentence_embedding"]
            return self.rebuilt(vectors, whole)

        def rebuilt(self, vectors: torch.Tensor, whole: dict[str, Any]) -> torch.Tensor:
            """Mean cross-entropy of each token of the texts, from the tokens before it and one vector."""
            ids, present = whole["input_ids"], whole["attention_mask"].bool()
            logits = self.decoder(
                input_ids=ids[:, :-1],
                encoder_hidden_states=vectors[:, None],
                encoder_attention_mask=torch.ones(len(ids), 1, dtype=torch.int64, device=ids.device),
                use_cache=False,
            ).logits
            wanted = ids[:, 1:].masked_fill(~present[:, 1:], -100)
            return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), wanted.flatten())

        def damaged(self, whole: dict[str, Any], generator: torch.Generator) -> dict[str, Any]:
            """The texts without a random share of their words; at least one of each is kept."""
            ids, present = whole["input_ids"], whole["attention_mask"].bool()
            kept = kept_tokens(
                words_of(ids, present, self.continues, self.special, self.start), settings.delete, generator
            )
            kept &= present
            short = {}
            for name, value in whole.items():
                if not isinstance(value, torch.Tensor) or value.shape != ids.shape:
                    short[name] = value
                    continue
                rows = [row[own] for row, own in zip(value, kept, strict=True)]
                filler = self.pad if name == "input_ids" else 0
                short[name] = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=filler)
            return short

    return DenoisingLoss()


def continuations(tokenizer: Any) -> torch.Tensor:
    """(V,) whether each token of the vocabulary continues a word; none, if the tokenizer marks neither."""
    import torch

    tokens = [str(token) for token in tokenizer.convert_ids_to_tokens(range(len(tokenizer)))]
    if any(token.startswith(PIECES) for token in tokens):
        return torch.tensor([token.startswith(PIECES) for token in tokens])
    if any(token.startswith(WORDS) for token in tokens):
        return torch.tensor([not token.startswith(WORDS) for token in tokens])
    return torch.zeros(len(tokens), dtype=torch.bool)


def words_of(
    ids: torch.Tensor, present: torch.Tensor, continues: torch.Tensor, special: torch.Tensor, start: int
) -> torch.Tensor:
    """(B, T) number of the word that each token belongs to, from 0 in each text; −1 for tokens that are never deleted.

    Args:
        ids: (B, T) tokens.
        present: (B, T) whether a token is no padding.
        continues: (V,) whether a token continues a word.
        special: ids of the special tokens.
        start: tokens of the prompt, which follow the first special one.
    """
    import torch

    deletable = present & ~torch.isin(ids, special)
    if start:
        deletable &= deletable.cumsum(1) > start
    begins = deletable & ~continues[ids]
    # A text that is cut may begin inside a word: its first token begins one.
    begins |= deletable & (deletable.cumsum(1) == 1)
    return (begins.cumsum(1) - 1).masked_fill(~deletable, -1)


def kept_tokens(words: torch.Tensor, delete: float, generator: torch.Generator) -> torch.Tensor:
    """(B, T) whether each token is kept: all tokens of a word are, or none; at least one word of each text is.

    Args:
        words: as `words_of` gives them.
        delete: probability of a word to go.
        generator: of the CPU.
    """
    import torch

    drawn = torch.rand(words.shape, generator=generator).to(words.device)
    # The word with the highest number is kept whatever it is.
    kept = (drawn > delete) | (drawn == _highest(drawn, words))
    return kept.gather(1, words.clamp(min=0)) | (words < 0)


def _highest(drawn: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    """(B, 1) the highest number drawn for a word of each text."""
    import torch

    places = torch.arange(words.shape[1], device=words.device)
    exists = places[None] <= words.max(1, keepdim=True).values
    return drawn.masked_fill(~exists, -1.0).max(1, keepdim=True).values


def use_of_vectors(model: Any, loss: Any, texts: Sequence[str]) -> tuple[float, float]:
    """The loss with each text's own vector, and with that of the text next to it in the batch."""
    import torch

    own = other = 0.0
    sample = list(texts[:CHECKED])
    training = loss.training
    loss.eval()
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        starts = range(0, len(sample), TOGETHER)
        for start in starts:
            whole = model.preprocess(sample[start : start + TOGETHER])
            whole = {name: value.to(model.device) if hasattr(value, "to") else value for name, value in whole.items()}
            vectors = model(loss.damaged(whole, generator))["sentence_embedding"]
            own += float(loss.rebuilt(vectors, whole)) / len(starts)
            other += float(loss.rebuilt(vectors.roll(1, 0), whole)) / len(starts)
    loss.train(training)
    return own, other
