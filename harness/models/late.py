"""Late-interaction encoders such as ColBERT: text → one vector per token, compared by MaxSim."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from harness.cache.ragged import Ragged
from harness.engines import Unfit
from harness.models.engine_compare import SampleOutputs
from harness.models.ragged import RaggedEncoder
from harness.models.sides import Side, encode

STANFORD = "HF_ColBERT"


class LateEncoder(RaggedEncoder):
    """A sentence-transformers `MultiVectorEncoder`, also from folders that PyLate or Stanford's ColBERT wrote.

    The library decides which tokens are compared (the skiplist of documents, the masks that expand a query): each text
    is cached as an (n, D) matrix of these tokens.
    """

    method = "late"
    kind = "token-vectors"
    trainer = "colbert"

    @property
    def is_trained(self) -> bool:
        """See `RaggedModel.is_trained`."""
        named = self._config.get("model_type") in ("MultiVectorEncoder", "ColBERT")
        return named or self._stanford or self.folder.has_module("MultiVectorMask")

    @cached_property
    def _stanford(self) -> bool:
        return STANFORD in (self.folder.config("config.json").get("architectures") or [])

    @property
    def similarity(self) -> str:
        """`maxsim`, or `meanmaxsim`: the same over the number of the query's vectors."""
        return "meanmaxsim" if self._config.get("similarity_fn_name") == "meanmaxsim" else "maxsim"

    def _own_prompts(self) -> dict[str, str]:
        """The prompts of the library's own folders; older folders have markers instead, which the library puts before
        the texts.
        """
        own = super()._own_prompts()
        if self._stanford and not (self.folder.path / "modules.json").exists():
            try:
                metadata = json.loads((self.folder.path / "artifact.metadata").read_text(encoding="utf-8"))
            except FileNotFoundError:
                metadata = {}
            markers = {
                "query": metadata.get("query_token_id") or "[unused0]",
                "document": metadata.get("doc_token_id") or "[unused1]",
            }
            return {side: own.get(side) or f"{marker} " for side, marker in markers.items()}
        for side in ("query", "document"):
            if f"{side}_prefix" in self._config:
                prefix = self._config[f"{side}_prefix"] or ""
                own[side] = prefix + own.get(side, "").removeprefix(prefix)
        return own

    def _sample_outputs(self, queries: Ragged, documents: Ragged) -> SampleOutputs:
        matrices = [documents[i] for i in range(len(documents))]
        scores = np.zeros((len(queries), len(documents)), np.float32)
        for number in range(len(queries)):
            products = [queries[number] @ matrix.T for matrix in matrices]
            scores[number] = [each.max(axis=1).sum() if each.size else 0.0 for each in products]
        return SampleOutputs(scores, np.concatenate([queries.values, documents.values]))

    def _compute(self, texts: Sequence[str], side: Side) -> Ragged:
        if self.settings.engine is not None:
            # Which of its tokens are compared is decided by the library's last modules, outside the arithmetic.
            raise Unfit(f"{self.settings.engine} cannot run {self.folder.name}: it gives a vector for each token.")
        matrices = encode(self.model, side)(
            texts,
            prompt=self.prompts[side],
            batch_size=max(1, len(texts)),
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return Ragged.of(matrices, self._width)

    @property
    def _width(self) -> int:
        return int(self.model.get_embedding_dimension())

    def _build(self, options: Mapping[str, Any]) -> Any:
        from sentence_transformers import MultiVectorEncoder

        return MultiVectorEncoder(str(self.folder.path), **options)

    def _set_lengths(self, model: Any) -> None:
        transformer = model[0]
        settings = self.settings
        if settings.document_length is not None:
            transformer.document_length = settings.document_length
        if settings.query_length is None:
            return
        expansion = transformer.query_expansion
        if (
            expansion is not None
        ):  # the library refuses an expansion longer than the query, so the length is unset first
            transformer.query_length = None
            transformer.query_expansion = {**expansion, "length": settings.query_length}
        if expansion is None or expansion["strategy"] != "fixed":
            transformer.query_length = settings.query_length
