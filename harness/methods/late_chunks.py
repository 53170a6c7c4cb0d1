"""Late chunking: a document is cut after it was read, so that the vector of a passage knows what is around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.base.errors import SettingError
from harness.cache.ragged import Ragged
from harness.choices.bounds import Count, WholeNumber
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, TopK
from harness.methods import Encodes, Fitted, Method, Searcher, SearchReport, Size, fit
from harness.methods._late_chunking import LateChunker
from harness.methods._maxsim import MaxSimIndex
from harness.methods._parts import FittedParts, resolved_part
from harness.methods.dense import Dense
from harness.models.encoder import Encoder
from harness.runtime.context import Context


@dataclass(frozen=True)
class LateChunks(Method):
    """Ranks a document by its best passage, whose vector is the mean of its tokens' vectors in the whole document.

    For an encoder that pools by the mean and reads far. A document beyond its length is read in windows of that length,
    each of which has the last `shared` tokens of the one before. A document of one passage has the encoder's own
    vector. Documents are read by PyTorch, at the encoder's precision (in fp32 for int8). Every document is compared,
    exactly.

    Source: Günther et al., "Late Chunking: Contextual Chunk Embeddings Using Long-Context Embedding Models"
    (2409.04701), algorithms 1 and 2.

    Args:
        encoder: `dense`, also trained: `late_chunks(dense(max_length=512))`.
        words: of a passage, by white space; the title is in the first.
        overlap: words that a passage has in common with the one before.
        shared: tokens that a window has in common with the one before; they are read again and not used again.
    """

    encoder: Method = field(default_factory=Dense)
    words: Count = 150
    overlap: WholeNumber = 0
    shared: WholeNumber = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.overlap >= self.words:
            raise SettingError(f"late_chunks: overlap must be below words, {self.words}, not {self.overlap}.")

    def depth_of(self, part: Method, depth: int) -> int:
        """See `Method.depth_of`; the encoder's row is not searched itself."""
        return 0

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Fits the encoder.

        Raises:
            SettingError: it is no local encoder of one vector a text, or it pools by something else than the mean.
        """
        part = fit(self.encoder, view, context)
        encoder = part.encoder if isinstance(part, Encodes) else None
        if not isinstance(encoder, Encoder):
            raise SettingError(f"late_chunks: encoder must be dense, also trained, not {self.encoder}.")
        return _Fitted(self, part, LateChunker(encoder, self.words, self.overlap, self.shared, context))


class _Fitted(FittedParts):
    def __init__(self, method: LateChunks, part: Fitted, chunker: LateChunker) -> None:
        self._chunker = chunker
        settings = {name: value for name, value in method.settings().items() if name != "encoder"}
        resolved = {"encoder": resolved_part(method.encoder, part), **settings}
        super().__init__(f"late_chunks-{chunker.key}", resolved, (part,))

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(f"{self.key}-{corpus.revision}", self._chunker, corpus)


class _Searcher(Searcher):
    def __init__(self, key: str, chunker: LateChunker, corpus: Corpus) -> None:
        self.key, self._encoder = key, chunker.encoder
        passages = chunker.passages(corpus.texts)
        self._index = MaxSimIndex(passages, corpus.id_order)
        folder = chunker.encoder.folder
        self.size = Size(self._index.nbytes, folder.model_bytes, folder.parameters, passages.width)
        counts = passages.lengths
        self._counts = {"passages": int(counts.sum()), "documents_cut": int((counts > 1).sum())}

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`."""
        return self._index.search(_one_each(self._vectors(queries)), k)

    def report(self, queries: Queries) -> SearchReport:
        """See `Searcher.report`; how many passages there are, and of how many documents."""
        counts: dict[str, Any] = dict(self._counts)
        return SearchReport(self.size, counts)

    def _vectors(self, queries: Queries) -> Floats:
        if not queries.cached:
            return self._encoder.encode_uncached(queries.texts, "query")
        stored = self._encoder.vectors(queries.texts, "query")
        return stored.block(0, len(stored))


def _one_each(vectors: Floats) -> Ragged:
    return Ragged(vectors, np.arange(len(vectors) + 1, dtype=np.int64))
