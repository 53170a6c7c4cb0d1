"""Generative re-rankers: a causal language model is asked whether a document is relevant; its answer is not generated:
the score is by how much it prefers the token of yes to that of no.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa

from harness.base.errors import ModelError, SettingError
from harness.cache.code import MODELS, code_of
from harness.cache.shards import text_keys
from harness.cache.vectors import VectorStore
from harness.choices.bounds import Count
from harness.data.ranking import Floats
from harness.models.batching import batch_tokens, packed
from harness.models.encode_once import APART, EncodeTask, encode_once
from harness.models.limits import positions
from harness.models.loading import dtype_of, memory_advice, opening
from harness.models.local_model import LocalModel, hash_of
from harness.models.settings import ModelSource
from harness.models.texts import readable
from harness.runtime.context import Context

Pair = tuple[str, str]
PREFIX: Final = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
SUFFIX: Final = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
INSTRUCTION: Final = "Given a web search query, retrieve relevant passages that answer the query"


@dataclass(frozen=True)
class GenerativeSettings(ModelSource):
    """Everything that decides a pair's score.

    Args: those of `ModelSource` and
        instruction: what relevance means here, put before each query.
        prefix: before the pair; the form of the model's chat.
        suffix: after it, up to where the model answers.
        yes: the answer for a relevant document; one token.
        no: the answer for another; one token.
        max_length: tokens of the whole prompt; the pair is cut, the document first.
        precision: of the weights.
        trust_remote_code: run the code that comes with the model's folder.
    """

    instruction: str = INSTRUCTION
    prefix: str = PREFIX
    suffix: str = SUFFIX
    yes: str = "yes"
    no: str = "no"
    max_length: Count = 1024
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    trust_remote_code: bool = False


class GenerativeScorer(LocalModel[GenerativeSettings]):
    """A causal model as a scorer; see `LocalModel` for the arguments."""

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """Everything that decides a score; JSON-safe."""
        own = [field.name for field in fields(GenerativeSettings) if field.name not in ("model", "revision")]
        settings = {name: getattr(self.settings, name) for name in own}
        folder = self.folder
        source = {"model": folder.name, "source": folder.source, "revision": folder.revision, "sha": folder.sha}
        return {**source, **settings}

    @cached_property
    def key(self) -> str:
        """Hash of everything that decides a score, except the pair."""
        deciding = {k: v for k, v in self.resolved.items() if k not in ("model", "source", "revision")}
        return hash_of({**deciding, "code": code_of(__name__, without=APART, libraries=MODELS)})

    def scores(self, pairs: Sequence[Pair]) -> Floats:
        """(N,) scores of pairs: logit of yes − logit of no; those that are not cached are computed and cached.

        Raises:
            ModelError: the model is no causal language model, or gives a value that is not a number.
        """
        store = VectorStore(self._context.cache, "pairs", self.key, self.resolved)
        task = EncodeTask[Pair, Floats](
            label="score pairs",
            unit="pairs",
            keys=_keys,
            lengths=lambda prompts: [len(prompt) for prompt in prompts],
            run=self._run,
            budget=self._budget,
            prepare=self._prompts,
        )
        vectors = encode_once(pairs, task, store, self._context)
        return vectors.block(0, len(vectors))[:, 0] if len(vectors) else np.zeros(0, np.float32)

    def compute(self, pairs: Sequence[Pair]) -> Floats:
        """(n,) scores of pairs, not cached."""
        prompts, found = self._prompts(pairs), np.zeros(len(pairs), np.float32)
        for batch in packed([len(prompt) for prompt in prompts], self._budget()):
            found[batch] = self._run([prompts[place] for place in batch])[:, 0]
        return found

    def _budget(self) -> int:
        return batch_tokens(self._context, self._loaded.device.type)

    def _prompts(self, pairs: Sequence[Pair]) -> list[list[int]]:
        """Token numbers of each prompt."""
        if not pairs:
            return []  # the tokenizer takes one text at least
        settings, loaded = self.settings, self._loaded
        room = loaded.length - len(loaded.prefix) - len(loaded.suffix)
        heads = [readable(f"<Instruct>: {settings.instruction}\n<Query>: {query}\n<Document>:") for query, _ in pairs]
        texts = [readable(f"{head} {document}") for head, (_, document) in zip(heads, pairs, strict=True)]
        encoded = loaded.tokenizer(texts, add_special_tokens=False, truncation=True, max_length=room)
        return [[*loaded.prefix, *ids, *loaded.suffix] for ids in encoded["input_ids"]]

    def _run(self, prompts: Sequence[list[int]]) -> Floats:
        """(n, 1) scores of one batch. Padding is on the right, where a causal model does not see it."""
        import torch

        loaded, longest = self._loaded, max(map(len, prompts))
        ids = torch.full((len(prompts), longest), loaded.padding)
        mask = torch.zeros((len(prompts), longest), dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt)] = torch.tensor(prompt)
            mask[row, : len(prompt)] = 1
        last = torch.tensor([len(prompt) - 1 for prompt in prompts])
        kept = torch.unique(last)  # sorted; logits of other places would take the most memory
        with memory_advice(self.folder.name), torch.inference_mode():
            logits = loaded.model(
                input_ids=ids.to(loaded.device),
                attention_mask=mask.to(loaded.device),
                logits_to_keep=kept.to(loaded.device),
                use_cache=False,
            ).logits
        at = logits[torch.arange(len(prompts)), torch.searchsorted(kept, last).to(logits.device)].float()
        scores: Floats = (at[:, loaded.yes] - at[:, loaded.no]).cpu().numpy().reshape(-1, 1)
        if not np.isfinite(scores).all():
            raise ModelError(
                f'{self.folder.name} gave a score that is not a number (NaN or infinity). Try precision="fp32".'
            )
        return scores

    @property
    def _loaded(self) -> _Loaded:
        loaded: _Loaded = self._context.ledger.once("model", f"load {self.folder.name}", self.key, self._load)
        return loaded

    def _load(self) -> _Loaded:
        from sentence_transformers.util import get_device_name
        from transformers import AutoModelForCausalLM, AutoTokenizer

        settings, trusted = self.settings, self.trusted
        here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": trusted}
        with opening(self.folder, trusted=trusted):
            tokenizer: Any = AutoTokenizer.from_pretrained(str(self.folder.path), **here)
            model: Any = AutoModelForCausalLM.from_pretrained(
                str(self.folder.path), **here, dtype=dtype_of(settings.precision)
            )
        model = model.to(self._context.device or get_device_name()).eval()
        around = (settings.prefix, settings.suffix)
        prefix, suffix = (tokenizer.encode(text, add_special_tokens=False) for text in around)
        length = min(settings.max_length, positions(model))
        if length <= len(prefix) + len(suffix):
            raise SettingError(
                f"generative: max_length={settings.max_length} leaves no room for query and document: prefix and "
                f"suffix have {len(prefix) + len(suffix)} tokens, and the model reads at most {length}."
            )
        yes, no = (self._token(tokenizer, text) for text in (settings.yes, settings.no))
        padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        return _Loaded(tokenizer, model, prefix, suffix, yes, no, padding, length)

    def _token(self, tokenizer: Any, text: str) -> int:
        ids = tokenizer.encode(text, add_special_tokens=False)
        if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
            raise ModelError(
                f"{self.folder.name} has no single token for {text!r}: set yes and no to words that are one token, as "
                "the model's card names them."
            )
        return int(ids[0])


@dataclass(frozen=True)
class _Loaded:
    tokenizer: Any
    model: Any
    prefix: list[int]
    suffix: list[int]
    yes: int
    no: int
    padding: int
    length: int

    @property
    def device(self) -> Any:
        """Where the model is."""
        return self.model.device


def _keys(pairs: Sequence[Pair]) -> pa.Array:
    """Hashes of pairs; the query's length comes first, so that no two pairs give the same text."""
    return text_keys(f"{len(query)} {query}{document}" for query, document in pairs)


def open_generative(settings: GenerativeSettings, context: Context) -> GenerativeScorer:
    """The scorer of these settings, resolved once in a run."""
    key = f"generative {settings}"
    return context.ledger.once(
        "model", f"resolve {settings.model}", key, lambda: GenerativeScorer(settings, context)
    )
