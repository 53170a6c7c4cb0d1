"""A sequence-to-sequence model trained to write the questions that a passage answers, as docT5query and in GPL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Interval

from harness.base.errors import ModelError
from harness.cache.code import MODELS, code_of
from harness.choices.bounds import Count, Positive, WholeNumber
from harness.data.corpus import Corpus
from harness.endpoints.journal import Journal, digest
from harness.generators import Generator, Question
from harness.models.limits import positions
from harness.models.loading import dtype_of, memory_advice, opening
from harness.models.resolve import ModelFolder, resolve
from harness.runtime.context import Context


@dataclass(frozen=True)
class Seq2seq(Generator):
    """Nucleus sampling from a T5-type model.

    Source: Wang et al., "GPL" (2112.07577), section 4: BeIR/query-gen-msmarco-t5-base-v1, temperature 1, top-k 25,
    top-p 0.95, three questions a passage. Passages go through the model `batch` at a time. The seed of each batch
    depends on its texts and the run's seed; a finished batch is cached.

    Args:
        model: hub name or folder.
        revision: the hub's commit, tag or branch.
        per_document: questions of each passage.
        temperature: above 0; lower gives safer and more similar questions.
        top_k: number of likeliest tokens to draw from; 0 for all.
        top_p: probability, 0 to 1, of the smallest set of likeliest tokens to draw from.
        max_length: tokens of a question.
        max_input: tokens at which a passage is truncated.
        batch: passages at once; the questions depend on which passages share a batch.
        precision: of the weights in memory.
    """

    model: str = "BeIR/query-gen-msmarco-t5-base-v1"
    revision: str | None = None
    per_document: Count = 3
    temperature: Positive = 1.0
    top_k: WholeNumber = 25
    top_p: Annotated[float, Interval(gt=0, le=1)] = 0.95
    max_length: Count = 64
    max_input: Count = 350
    batch: Count = 16
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Generator.inputs`."""
        folder = self._folder(context)
        return {folder.name: folder.sha}

    def generate(self, corpus: Corpus, rows: Sequence[int], context: Context) -> Iterator[Question]:
        """See `Generator.generate`.

        Raises:
            ModelError: the folder has no such model, memory is short, or the probabilities are not finite.
        """
        folder = self._folder(context)
        deciding = self.settings()
        for name in ("model", "revision", "batch"):
            del deciding[name]
        code = code_of(self, without=("harness.generators", "harness.data.corpus"), libraries=MODELS)
        key = digest(folder.sha, deciding, context.seed, code)
        journal = Journal(context.cache, "generated", key, {"model": folder.name, "seed": context.seed, **deciding})
        texts = corpus.texts_of(np.asarray(rows, dtype=np.int64))
        with journal.lock, context.progress("generate", len(rows), "passages") as advance:
            stored = journal.read()
            for start in range(0, len(rows), self.batch):
                passages = texts[start : start + self.batch]
                name = digest(passages)
                if name not in stored:
                    stored[name] = self._sampled(passages, name, folder, context)
                    journal.add(name, stored[name])
                for row, questions in zip(rows[start : start + self.batch], stored[name], strict=True):
                    yield from (Question(text, row, folder.name) for text in questions)
                advance(len(passages))

    def _folder(self, context: Context) -> ModelFolder:
        key = f"{self.model} {self.revision}"
        return context.ledger.once(
            "model", f"resolve {self.model}", key, lambda: resolve(self.model, context, self.revision)
        )

    def _sampled(self, texts: list[str], name: str, folder: ModelFolder, context: Context) -> list[list[str]]:
        """`per_document` questions of each text."""
        # Imported here: cached questions are read without torch.
        import torch

        tokenizer, model = context.ledger.once(
            "model", f"load {folder.name}", f"{folder.sha} {self.precision}", lambda: self._load(folder, context)
        )
        seed = int(context.rng(f"generate seq2seq {name}").integers(2**63))
        options = {"do_sample": True, "temperature": self.temperature, "top_k": self.top_k, "top_p": self.top_p}
        with _advice(folder.name), torch.inference_mode(), _seeded(model.device, seed):
            most = min(self.max_input, positions(model))
            given = tokenizer(texts, truncation=True, max_length=most, padding=True, return_tensors="pt")
            out = model.generate(
                input_ids=given["input_ids"].to(model.device),
                attention_mask=given["attention_mask"].to(model.device),
                max_new_tokens=self.max_length,
                num_return_sequences=self.per_document,
                num_beams=1,
                **options,
            )
        questions: list[str] = tokenizer.batch_decode(out, skip_special_tokens=True)
        return [questions[i : i + self.per_document] for i in range(0, len(questions), self.per_document)]

    def _load(self, folder: ModelFolder, context: Context) -> tuple[Any, Any]:
        from sentence_transformers.util import get_device_name
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        dtype = dtype_of(self.precision)
        here = {"local_files_only": True, "trust_remote_code": False}
        try:
            with opening(folder, trusted=False):
                tokenizer: Any = AutoTokenizer.from_pretrained(str(folder.path), **here)
                model: Any = AutoModelForSeq2SeqLM.from_pretrained(str(folder.path), **here, dtype=dtype)
        except ModelError as error:
            raise ModelError(
                f"{error} Name a sequence-to-sequence model of the T5 type that was trained to ask questions, as "
                "BeIR/query-gen-msmarco-t5-base-v1."
            ) from error
        return tokenizer, model.to(context.device or get_device_name()).eval()


@contextlib.contextmanager
def _seeded(device: Any, seed: int) -> Iterator[None]:
    """Seeds torch inside; afterwards its global generators are in their former state."""
    import torch

    cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if cuda else []):
        torch.default_generator.manual_seed(seed)
        if cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        elif device.type == "mps":  # pragma: no cover - its generator cannot be forked
            torch.mps.manual_seed(seed)
        yield


@contextlib.contextmanager
def _advice(name: str) -> Iterator[None]:
    """Adds to errors which settings help if memory is short or a precision overflows."""
    try:
        with memory_advice(name):
            yield
    except ModelError as error:
        raise ModelError(
            f'{name} ran out of memory: lower batch, max_input or per_document, or set precision="bf16".'
        ) from error
    except RuntimeError as error:
        if "probability tensor" in str(error):
            raise ModelError(f'{name} gave probabilities that are not finite. Try precision="fp32".') from error
        raise
