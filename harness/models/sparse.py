"""Sparse encoders such as SPLADE: text → a weight for each term of the model's vocabulary, most of them 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.base.errors import ModelError
from harness.cache.ragged import Ragged
from harness.data.ranking import Floats
from harness.models.batching import batch_tokens
from harness.models.encoder import EXAMPLE
from harness.models.engine_compare import SampleOutputs
from harness.models.files import modules_of
from harness.models.model_runner import ModelRunner, RunnableModel
from harness.models.ragged import RaggedEncoder
from harness.models.sides import Side, encode
from harness.models.tokens import token_lengths

if TYPE_CHECKING:
    import torch

LOGIT_TOKENS = 8192
"""Tokens that go through an accelerator at once: each gives a logit for every term of the vocabulary."""
MODULES = ("SpladePooling", "SparseAutoEncoder", "SparseStaticEmbedding")


class SparseEncoder(RaggedEncoder):
    """A sentence-transformers `SparseEncoder`: a masked language model with SPLADE's pooling, or a router that encodes
    queries with another encoder or only looks up their weights in a table.

    Each text is cached as an (n, 2) matrix: term number and weight, by ascending term; numbers below 2²⁴ are exact in
    float32.
    """

    method = "sparse"
    kind = "sparse"
    trainer = "splade"

    @property
    def is_trained(self) -> bool:
        """See `RaggedModel.is_trained`."""
        return self._config.get("model_type") == "SparseEncoder" or any(map(self.folder.has_module, MODULES))

    @property
    def headless(self) -> bool:
        """Whether the folder contains no layer that gives a logit for each term."""
        architectures = self.folder.config("config.json").get("architectures") or []
        return not self.is_trained and not any(str(a).endswith("ForMaskedLM") for a in architectures)

    @property
    def similarity(self) -> str:
        """`dot` or `cosine`, as the model says; the dot product if it does not."""
        named = self._config.get("similarity_fn_name") if self.is_trained else None
        if named not in (None, "dot", "cosine"):
            raise ModelError(
                f"{self.folder.name} compares by {named}, but an inverted index supports only the dot product and the "
                "cosine. Use another model."
            )
        return str(named or "dot")

    def _sample_outputs(self, queries: Ragged, documents: Ragged) -> SampleOutputs:
        terms = np.unique(np.concatenate([queries.values[:, 0], documents.values[:, 0]]))
        weights = np.zeros((len(queries) + len(documents), len(terms)), np.float32)
        for row, matrix in enumerate([each[i] for each in (queries, documents) for i in range(len(each))]):
            weights[row, np.searchsorted(terms, matrix[:, 0])] = matrix[:, 1]
        scores = weights[: len(queries)] @ weights[len(queries) :].T
        return SampleOutputs(scores, weights, lengths=self.similarity == "dot")

    def _budget(self) -> int:
        if self.settings.engine is not None:
            return self._runner.budget()
        tokens = batch_tokens(self._context, self.model.device.type)
        return tokens if self._context.batch_tokens else min(tokens, LOGIT_TOKENS)

    def _compute(self, texts: Sequence[str], side: Side) -> Ragged:
        if self.settings.engine is not None:
            import torch

            form = self.input_format(side)
            weights = self._runner.run_batch(self._runner.items(texts, form), form)
            return Ragged.of(nonzero(torch.from_numpy(weights)), 2)
        dense = encode(self.model, side)(
            texts,
            prompt=self.prompts[side],
            batch_size=max(1, len(texts)),
            convert_to_sparse_tensor=False,
            show_progress_bar=False,
        )
        return Ragged.of(nonzero(dense), 2)

    @cached_property
    def _runner(self) -> ModelRunner[str]:
        """For an engine other than `torch`, which is driven by the library."""
        model = RunnableModel[str](
            name=self.folder.name,
            key=self.fingerprint,
            load=lambda precision: self.with_precision(precision).model,
            output="sentence_embedding",
            normalise=False,
            example=EXAMPLE,
            lengths=lambda texts, form: token_lengths(self.model, texts, form),
            library=lambda texts, form: self.with_precision("fp32")._compute(texts, form.side or "document").values,
        )
        return ModelRunner(model, self.settings.engine, self.settings.precision, self._context)

    @property
    def _width(self) -> int:
        return 2

    def _build(self, options: Mapping[str, Any]) -> Any:
        from sentence_transformers import SparseEncoder as Model

        if self.is_trained:
            return Model(str(self.folder.path), **options)
        return Model(modules=self._splade(options), device=options["device"], prompts=self._own_prompts())

    def _splade(self, options: Mapping[str, Any]) -> list[Any]:
        """A transformer with a new layer of logits, tied to the word embeddings, and SPLADE's pooling."""
        from sentence_transformers.base.modules import Transformer
        from sentence_transformers.sparse_encoder.modules import SpladePooling

        modules = modules_of(self.folder.path)
        path = self.folder.path / (modules[0]["path"] if modules else "")
        shared = {"local_files_only": True, "trust_remote_code": options["trust_remote_code"]}
        transformer = Transformer(
            str(path),
            transformer_task="fill-mask",
            max_seq_length=self.folder.config("sentence_bert_config.json").get("max_seq_length"),
            model_kwargs={**options["model_kwargs"], **shared},
            processor_kwargs=shared,
            config_kwargs=shared,
        )
        return [transformer, SpladePooling("max")]

    def _set_lengths(self, model: Any) -> None:
        if self.settings.document_length is not None:
            model.max_seq_length = self.settings.document_length


def nonzero(dense: torch.Tensor) -> list[Floats]:
    """For each row of an (n, V) tensor, a (m, 2) matrix: the columns that are not 0, ascending, and their values.

    NaN is not 0.
    """
    rows, terms = dense.nonzero(as_tuple=True)
    weights = dense[rows, terms].float().cpu().numpy()
    both = np.stack([terms.cpu().numpy().astype(np.float32), weights], axis=1)
    ends = np.cumsum(np.bincount(rows.cpu().numpy(), minlength=len(dense)))
    return np.split(both, ends[:-1])
