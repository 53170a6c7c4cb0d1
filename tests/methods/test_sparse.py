"""The sparse row against a dense product of the library's vectors, its pruning, its figures, its errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import ModelError, SettingError, Unavailable
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Floats, TopK
from harness.methods import Searcher, fit
from harness.methods.bm25 import BM25
from harness.methods.rerank import Rerank
from harness.methods.sparse import Sparse
from harness.models.sparse import SparseEncoder
from harness.rows import parse_method
from harness.runtime.context import Context

Rank = Callable[..., TopK]
Search = Callable[..., Searcher]


def vectors(folder: Path, texts: list[str], side: str) -> Floats:
    """(N, V) dense."""
    from sentence_transformers import SparseEncoder as Model

    model = Model(str(folder), device="cpu")
    encode = model.encode_query if side == "query" else model.encode_document
    return encode(texts, convert_to_sparse_tensor=False).numpy()  # type: ignore[no-any-return]


def only(row: Floats, terms: int) -> Floats:
    """A dense vector's largest weights, the others 0."""
    kept = sorted(np.flatnonzero(row).tolist(), key=lambda t: (-row[t], t))[:terms]
    return np.array([w if t in kept else 0 for t, w in enumerate(row.tolist())], np.float32)


@pytest.mark.parametrize("terms", [(None, None), (3, None), (None, 5), (2, 4)])
def test_documents_are_ranked_by_the_products_of_the_librarys_vectors(
    terms: tuple[int | None, int | None], tiny_sparse: Path, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    asked, said = vectors(tiny_sparse, queries.texts, "query"), vectors(tiny_sparse, corpus.texts[:], "document")
    asked = np.stack([only(v, terms[0]) if terms[0] else v for v in asked])
    said = np.stack([only(v, terms[1]) if terms[1] else v for v in said])
    method = Sparse(str(tiny_sparse), query_terms=terms[0], document_terms=terms[1])
    top = rank(method, corpus, queries, len(corpus))
    for number, (rows, scores) in enumerate(top.rows()):
        expected = {}
        for row in range(len(corpus)):
            shared = np.flatnonzero((asked[number] > 0) & (said[row] > 0))
            if len(shared):
                expected[row] = sum(float(asked[number, t]) * float(said[row, t]) for t in shared)
        assert sorted(rows.tolist()) == sorted(expected)
        assert scores == pytest.approx([expected[r] for r in rows.tolist()], rel=1e-5)


def test_it_re_ranks_with_the_scores_of_the_first_stage(
    tiny_sparse: Path, corpus: Corpus, queries: Queries, rank: Rank, context: Context
) -> None:
    method = Sparse(str(tiny_sparse), document_terms=6)
    whole = rank(method, corpus, queries, len(corpus))
    fitted = fit(method, TrainView(corpus), context)
    rows = [np.arange(len(corpus))] * len(queries)
    found = fitted.candidate_scorer(corpus, context).scores(queries.texts, rows)  # type: ignore[attr-defined]
    for (indices, scores), candidates in zip(whole.rows(), found, strict=True):
        assert candidates[indices].tolist() == scores.tolist()
        assert not candidates[np.setdiff1d(rows[0], indices)].any(), "one that is not found shares no term"


def test_documents_of_the_same_text_tie_and_the_higher_id_goes_first(
    tiny_sparse: Path, corpus: Corpus, rank: Rank
) -> None:
    top = rank(Sparse(str(tiny_sparse)), corpus, Queries(["q"], ["wing"]), 40)
    wings = [i for i in corpus.ids(top.indices[0]) if i in ("É", "z", "Z")]
    assert wings == ["É", "z", "Z"]
    assert len({s for i, s in zip(corpus.ids(top.indices[0]), top.scores[0].tolist(), strict=True) if i in wings}) == 1


def test_a_model_that_compares_by_the_cosine_is_ranked_by_it(
    tiny_sparse: Path, tmp_path: Path, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    from sentence_transformers import SparseEncoder as Model

    Model(str(tiny_sparse), device="cpu", similarity_fn_name="cosine").save_pretrained(str(tmp_path / "cosine"))
    top = rank(Sparse(str(tmp_path / "cosine")), corpus, Queries(["q"], [corpus.texts[4]]), 3)
    assert top.indices[0, 0] == 4
    assert top.scores[0, 0] == pytest.approx(1, abs=1e-5)


def test_the_record_says_how_many_terms_are_active_and_what_the_index_takes(
    tiny_sparse: Path, corpus: Corpus, queries: Queries, searcher_of: Search, context: Context
) -> None:
    said = [int((v > 0).sum()) for v in vectors(tiny_sparse, corpus.texts[:], "document")]
    asked = [int((v > 0).sum()) for v in vectors(tiny_sparse, queries.texts, "query")]
    searcher = searcher_of(Sparse(str(tiny_sparse)), corpus)
    mean = {"document": round(float(np.mean(said)), 2), "query": round(float(np.mean(asked)), 2)}
    report = searcher.report(queries)
    assert report.resolved == {"active_terms": mean}
    json.dumps(report.resolved)
    searcher.search(Queries(["q"], ["wing"]), 3)
    assert searcher.report(queries) == report
    postings = sum(said)
    assert 8 * postings <= searcher.size.index_bytes < 8 * postings + 4 * 1000
    pruned = searcher_of(Sparse(str(tiny_sparse), document_terms=2), corpus)
    assert pruned.report(queries).resolved["active_terms"]["document"] == pytest.approx(2, abs=0.2)
    assert pruned.size.index_bytes < searcher.size.index_bytes


def test_rows_that_prune_otherwise_share_what_was_encoded(
    tiny_sparse: Path, corpus: Corpus, queries: Queries, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    rank(Sparse(str(tiny_sparse)), corpus, queries, 5)
    monkeypatch.setattr(SparseEncoder, "encode", lambda *_: pytest.fail("encoded again"))
    rank(Sparse(str(tiny_sparse), query_terms=3, document_terms=3), corpus, queries, 5)


def test_as_a_scorer_it_encodes_the_candidates_alone(
    tiny_sparse: Path, corpus: Corpus, queries: Queries, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()
    encode = SparseEncoder.encode
    monkeypatch.setattr(SparseEncoder, "encode", lambda self, t, side: (seen.update(t), encode(self, t, side))[1])
    few = Queries(queries.ids[:1], queries.texts[:1])
    rank(Rerank(BM25(), Sparse(str(tiny_sparse)), depth=3), corpus, few, 3)
    found = corpus.texts_of(rank(BM25(), corpus, few, 3).indices[0])[:]
    assert seen == {*found, few.texts[0]}


def test_an_encoder_that_was_not_trained_for_it_is_refused_with_what_to_write(
    tiny_encoder: Path, corpus: Corpus, context: Context
) -> None:
    with pytest.raises(ModelError, match=r"sparse\(model=.*\)\+splade"):
        fit(Sparse(str(tiny_encoder)), TrainView(corpus), context)


def test_a_hub_model_that_is_not_to_be_had_is_skipped_by_name(corpus: Corpus, context: Context) -> None:
    with pytest.raises(
        Unavailable, match="the model naver/splade-v3 is not on this machine and the hub cannot be reached"
    ):
        fit(parse_method('sparse(model="naver/splade-v3")'), TrainView(corpus), context)


@pytest.mark.parametrize(
    "setting", [{"query_terms": 0}, {"document_terms": -1}, {"max_length": 0}, {"precision": "fp8"}]
)
def test_a_setting_out_of_range_is_refused(setting: dict[str, object]) -> None:
    with pytest.raises(SettingError, match="sparse: "):
        Sparse(**setting)  # type: ignore[arg-type]
