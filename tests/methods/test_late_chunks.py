"""Late chunks: one passage is the encoder's own vector, several are means of its tokens, windows overlap."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import fit
from harness.methods._late_chunking import LateChunker, spans
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.methods.late_chunks import LateChunks
from harness.models.encoder import Encoder, EncoderSettings, open_encoder
from harness.rows import parse_method
from harness.runtime.context import Context

Rank = Callable[..., TopK]
LONG = "wing drag heat jet flow shock plate layer wing heat drag jet"


@pytest.fixture
def encoder(tiny_encoder: Path, context: Context) -> Encoder:
    return open_encoder(EncoderSettings(str(tiny_encoder)), context)


@pytest.fixture
def dense(tiny_encoder: Path) -> Dense:
    return Dense(str(tiny_encoder), precision="fp32")


@pytest.mark.parametrize(
    ("text", "words", "overlap", "expected"),
    [
        ("a bb c", 3, 0, [(0, 7)]),
        ("", 3, 0, [(0, 1)]),
        ("a bb c d", 2, 0, [(0, 5), (5, 9)]),
        (" a bb c d e", 3, 1, [(0, 8), (6, 12)]),
        ("a bb c d e f", 3, 1, [(0, 7), (5, 11), (9, 13)]),
    ],
)
def test_passages_begin_with_words_and_cover_the_text(
    text: str, words: int, overlap: int, expected: list[tuple[int, int]]
) -> None:
    assert spans(text, words, overlap) == expected


def test_a_document_of_one_passage_has_the_vector_of_the_encoder(encoder: Encoder, context: Context) -> None:
    texts = [LONG, "wing", "", "a title. ö \ud800 drag"]
    found = LateChunker(encoder, 50, 0, 2, context).passages(texts)
    assert found.lengths.tolist() == [1, 1, 1, 1]
    assert found.block(0, 4).values == pytest.approx(encoder.encode(texts, "document"), abs=1e-5)


def test_a_passage_is_the_mean_of_its_tokens_in_the_whole_document(encoder: Encoder, context: Context) -> None:
    found = LateChunker(encoder, 4, 0, 2, context).passages([LONG]).block(0, 1)[0]
    model = encoder.with_precision("fp32").model
    tokens = model.encode([LONG], output_value="token_embeddings")[0].cpu().numpy()
    ids = model.tokenizer(LONG, return_offsets_mapping=True)
    starts = [start for start, _ in ids["offset_mapping"]]
    cuts = [LONG.index("flow"), LONG.rindex("wing")]
    parts = [[], [], []]  # type: ignore[var-annotated]
    for number, (start, vector) in enumerate(zip(starts, tokens, strict=True)):
        is_end = number == len(starts) - 1
        parts[2 if is_end else sum(start >= cut for cut in cuts)].append(vector)
    means = np.array([np.mean(part, axis=0) for part in parts])
    assert found == pytest.approx(means / np.linalg.norm(means, axis=1, keepdims=True), abs=1e-5)
    alone = encoder.encode(["flow shock plate layer"], "document")[0]
    assert not np.allclose(found[1], alone, atol=1e-3), "what is around a passage counts"


def test_a_document_beyond_the_length_is_read_in_windows_and_no_token_is_lost(
    tiny_encoder: Path, context: Context
) -> None:
    short = open_encoder(EncoderSettings(str(tiny_encoder), max_length=8), context)
    chunker = LateChunker(short, 3, 0, 2, context)
    windows = list(chunker._windows(LONG))
    assert len(windows) > 2
    assert all(len(window.starts) <= 8 for window in windows)
    whole = short.with_precision("fp32").model.tokenizer(LONG, return_offsets_mapping=True, truncation=False)
    used = np.concatenate([window.starts[window.starts >= 0] for window in windows])
    real = [start for start, _ in whole["offset_mapping"]][1:-1]
    assert used.tolist() == [0, *real, len(LONG)], "each token once, with those at the ends of the text"
    assert chunker.passages([LONG]).lengths.tolist() == [4]


def test_a_document_is_ranked_by_its_best_passage(dense: Dense, rank: Rank) -> None:
    corpus = Corpus.of([("a", "", LONG), ("b", "", "heat"), ("c", "", "")])
    queries = Queries(["q", "r"], ["wing", "heat"])
    top = rank(LateChunks(dense, words=1, shared=2), corpus, queries, 3)
    assert top.indices.shape == (2, 3)
    assert top.indices[1, 0] == 1
    whole = rank(dense, corpus, queries, 3)
    one = rank(LateChunks(dense, words=99, shared=2), corpus, queries, 3)
    assert one.indices.tolist() == whole.indices.tolist()
    assert one.scores == pytest.approx(whole.scores, abs=1e-5)


def test_what_cannot_be_cut_late_is_refused(dense: Dense, tiny_encoder: Path, context: Context) -> None:
    with pytest.raises(SettingError, match="overlap must be below words"):
        parse_method("late_chunks(words=5, overlap=5)")
    view = TrainView(Corpus.of([("a", "", LONG)]))
    for row, told in [
        (BM25(), "encoder must be dense, also trained, not bm25"),
        (Dense(str(tiny_encoder), pooling="cls"), "pool by the mean of its tokens, not by cls"),
        (Dense(str(tiny_encoder), dimensions=8), "leave dimensions out"),
    ]:
        with pytest.raises(SettingError, match=told):
            fit(LateChunks(row), view, context)
    with pytest.raises(SettingError, match="shared must be below the 8 tokens"):
        LateChunker(open_encoder(EncoderSettings(str(tiny_encoder), max_length=8), context), 3, 0, 7, context).passages(
            [LONG]
        )
