"""nDCG@10 on dev during training for sparse and late-interaction encoders, as `harness.training.dev` for others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import compress
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from harness.data.ranking import Floats
from harness.models.batching import batch_tokens
from harness.models.limits import length_of
from harness.models.ragged import RaggedEncoder
from harness.models.sides import Side
from harness.models.sparse import LOGIT_TOKENS
from harness.models.texts import readable, without_tokens
from harness.runtime.context import Context
from harness.training.dev import Pool, Probe, autocast


class RaggedProbe(Probe):
    """Measures an encoder on a pool.

    Args:
        dev_pool: queries and documents.
        base: the encoder that is trained: its prompts and similarity.
        context: tokens of a batch.
        bf16: whether to encode under bf16 autocast, as the training does.
    """

    lowest: ClassVar[float] = 0.0
    """The score of a document without any token."""

    def __init__(self, dev_pool: Pool, base: RaggedEncoder, context: Context, *, bf16: bool) -> None:
        self.pool, self._context, self._bf16 = dev_pool, context, bf16
        self.prompts = dict(base.prompts)
        self._similarity = base.similarity
        self._texts = dev_pool.view.corpus.texts_of(dev_pool.rows)[:]

    def __call__(self, model: Any) -> float:
        """nDCG@10."""
        queries, query_has_tokens = self._with_tokens(model, self.pool.split.queries.texts, "query")
        texts, text_has_tokens = self._with_tokens(model, self._texts, "document")
        by_default = np.where(text_has_tokens, 0, self.lowest).astype(np.float32)
        scores = np.tile(by_default, (len(query_has_tokens), 1))
        if len(queries) and len(texts):
            with autocast(model.device.type, on=self._bf16):
                scores[np.ix_(query_has_tokens, text_has_tokens)] = self._scores(model, queries, texts)
        return self.pool.measure((self.pool.rows, row) for row in scores)

    def _with_tokens(self, model: Any, texts: Sequence[str], side: Side) -> tuple[list[str], npt.NDArray[np.bool_]]:
        """The texts with at least one token, and (N,) which these are (`harness.models.texts`)."""
        as_read = [readable(text) for text in texts]
        has_tokens = ~np.array(without_tokens(model, as_read, self.prompts[side], side), dtype=bool)
        return list(compress(as_read, has_tokens)), has_tokens

    @abstractmethod
    def _scores(self, model: Any, queries: Sequence[str], texts: Sequence[str]) -> Floats:
        """(Q, P) scores of documents."""

    def _batch(self, model: Any) -> int:
        tokens = min(batch_tokens(self._context, model.device.type), LOGIT_TOKENS)
        return max(1, tokens // min(length_of(model), 512))

    def _options(self, model: Any, side: Side) -> dict[str, Any]:
        return {"prompt": self.prompts[side], "batch_size": self._batch(model), "show_progress_bar": False}


class SparseProbe(RaggedProbe):
    """Measures a sparse encoder."""

    def _scores(self, model: Any, queries: Sequence[str], texts: Sequence[str]) -> Floats:
        documents = self._matrix(model, texts, "document")
        return np.asarray((self._matrix(model, queries, "query") @ documents.T).todense(), dtype=np.float32)

    def _matrix(self, model: Any, texts: Sequence[str], side: Side) -> Any:
        """(N, V) sparse, scaled to length 1 if the model compares by cosine."""
        import scipy.sparse as sp  # slow to import, and a listing needs none of it

        encode = model.encode_query if side == "query" else model.encode_document
        size = 8 * self._batch(model)
        parts = []
        for start in range(0, len(texts), size):  # the library encodes densely, so only some texts at a time
            dense = encode(
                list(texts[start : start + size]), convert_to_sparse_tensor=False, **self._options(model, side)
            )
            parts.append(sp.csr_matrix(dense.float().cpu().numpy()))
        matrix = sp.vstack(parts, format="csr")
        if self._similarity != "cosine":
            return matrix
        lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1))).ravel()
        return sp.diags(1 / np.maximum(lengths, 1e-12)) @ matrix


class LateProbe(RaggedProbe):
    """Measures a late-interaction encoder; the mean over a query's vectors orders documents as the sum does."""

    lowest = -1e9  # as the row scores a document without vectors

    def _scores(self, model: Any, queries: Sequence[str], texts: Sequence[str]) -> Floats:
        from sentence_transformers.util import maxsim

        documents = model.encode_document(list(texts), **self._options(model, "document"))
        encoded = model.encode_query(list(queries), **self._options(model, "query"))
        scores = maxsim([q.float() for q in encoded], [d.float() for d in documents])
        return scores.cpu().numpy()
