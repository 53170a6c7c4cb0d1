"""Dev for sparse and late-interaction encoders while they learn: nDCG@10 on a pool, as `harness.training.dev` has it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.context import Context
from harness.modeling.encoder import Side
from harness.modeling.keep import batch_tokens
from harness.modeling.limits import length_of
from harness.modeling.ragged import RaggedEncoder
from harness.modeling.sparse import LOGIT_TOKENS
from harness.ranking import Floats, select
from harness.training.dev import Pool, Probe, autocast


class RaggedProbe(Probe):
    """Measures an encoder on a pool.

    Args:
        held: the pool.
        base: the encoder that is trained: its prompts and similarity.
        context: tokens of a batch.
        bf16: whether to encode under bf16 autocast, as the training does.
    """

    def __init__(self, held: Pool, base: RaggedEncoder, context: Context, *, bf16: bool) -> None:
        self.pool, self._context, self._bf16 = held, context, bf16
        self.prompts = dict(base.prompts)
        self._similarity = base.similarity
        self._texts = held.view.corpus.texts_of(held.rows)[:]

    def __call__(self, model: Any) -> float:
        """nDCG@10."""
        queries = self.pool.split.queries.texts
        with autocast(model.device.type, on=self._bf16):
            scores = self._scores(model, queries)
        order = self.pool.view.corpus.id_order
        return self.pool.measure([select(self.pool.rows, row, order, 10) for row in scores])

    @abstractmethod
    def _scores(self, model: Any, queries: Sequence[str]) -> Floats:
        """(Q, P) scores of the pool's documents."""

    def _batch(self, model: Any) -> int:
        tokens = min(batch_tokens(self._context, model.device.type), LOGIT_TOKENS)
        return max(1, tokens // min(length_of(model), 512))

    def _options(self, model: Any, side: Side) -> dict[str, Any]:
        return {"prompt": self.prompts[side], "batch_size": self._batch(model), "show_progress_bar": False}


class SparseProbe(RaggedProbe):
    """Measures a sparse encoder."""

    def _scores(self, model: Any, queries: Sequence[str]) -> Floats:
        documents = self._matrix(model, self._texts, "document")
        return np.asarray((self._matrix(model, queries, "query") @ documents.T).todense(), dtype=np.float32)

    def _matrix(self, model: Any, texts: Sequence[str], side: Side) -> Any:
        """(N, V) sparse; of length 1 where the model compares by the cosine."""
        import scipy.sparse as sp  # slow to import, and a listing needs none of it

        encode = model.encode_query if side == "query" else model.encode_document
        size = 8 * self._batch(model)
        parts = []
        for start in range(0, len(texts), size):  # dense on the way, so some texts at a time
            dense = encode(list(texts[start : start + size]), convert_to_sparse_tensor=False, **self._options(model, side))
            parts.append(sp.csr_matrix(dense.float().cpu().numpy()))
        held = sp.vstack(parts, format="csr")
        if self._similarity != "cosine":
            return held
        lengths = np.sqrt(np.asarray(held.multiply(held).sum(axis=1))).ravel()
        return sp.diags(1 / np.maximum(lengths, 1e-12)) @ held


class LateProbe(RaggedProbe):
    """Measures a late-interaction encoder; the mean over a query's vectors orders documents as the sum does."""

    def _scores(self, model: Any, queries: Sequence[str]) -> Floats:
        from sentence_transformers.util import maxsim

        documents = model.encode_document(self._texts, **self._options(model, "document"))
        asked = model.encode_query(list(queries), **self._options(model, "query"))
        scores = maxsim([q.float() for q in asked], [d.float() for d in documents])
        return scores.cpu().numpy()
