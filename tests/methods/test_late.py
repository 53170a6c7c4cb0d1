"""The late-interaction row against loops over token vectors; its figures, its errors."""

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
from harness.data.ranking import TopK
from harness.methods import Searcher, fit, late
from harness.methods.bm25 import BM25
from harness.methods.late import Late
from harness.methods.rerank import Rerank
from harness.models.late import LateEncoder
from harness.rows import parse_method, row_name
from harness.runtime.context import Context

Rank = Callable[..., TopK]
Search = Callable[..., Searcher]


def slow(folder: Path, queries: list[str], documents: list[str]) -> list[list[float]]:
    """MaxSim by loops over the library's token vectors."""
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(str(folder), device="cpu")
    asked, said = (
        model.encode_query(queries, convert_to_numpy=True),
        model.encode_document(documents, convert_to_numpy=True),
    )
    return [[sum(max(float(np.dot(q, d)) for d in document) for q in query) for document in said] for query in asked]


def test_documents_are_ranked_by_maxsim(tiny_late: Path, corpus: Corpus, queries: Queries, rank: Rank) -> None:
    expected = slow(tiny_late, queries.texts, corpus.texts[:])
    top = rank(Late(str(tiny_late)), corpus, queries, len(corpus))
    for number, (rows, scores) in enumerate(top.rows()):
        assert sorted(rows.tolist()) == list(range(len(corpus)))
        assert scores == pytest.approx([expected[number][r] for r in rows.tolist()], abs=1e-4)


def test_the_mean_is_over_the_querys_vectors(
    tiny_late: Path, tmp_path: Path, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(str(tiny_late), device="cpu", similarity_fn_name="meanmaxsim")
    model[0].query_expansion = None
    model.save_pretrained(str(tmp_path / "mean"))
    expected = slow(tmp_path / "mean", queries.texts, corpus.texts[:])
    counts = [len(v) for v in model.encode_query(queries.texts)]
    assert len(set(counts)) > 1
    for number, (rows, scores) in enumerate(rank(Late(str(tmp_path / "mean")), corpus, queries, 10).rows()):
        assert scores == pytest.approx([expected[number][r] / counts[number] for r in rows.tolist()], abs=1e-5)


@pytest.mark.parametrize("block", [512, 7])
def test_it_re_ranks_with_the_scores_of_the_first_stage(
    block: int,
    tiny_late: Path,
    corpus: Corpus,
    queries: Queries,
    rank: Rank,
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(late, "BLOCK", block)
    method = Late(str(tiny_late))
    whole = rank(method, corpus, queries, len(corpus))
    scorer = fit(method, TrainView(corpus), context).candidate_scorer(corpus, context)  # type: ignore[attr-defined]
    found = scorer.scores(queries.texts, [np.arange(len(corpus))[::-1]] * len(queries))
    for (indices, scores), candidates in zip(whole.rows(), found, strict=True):
        assert candidates[::-1][indices].tolist() == scores.tolist()
    lengths = fit(method, TrainView(corpus), context)._encoder.matrices(corpus.texts, "document").lengths  # type: ignore[attr-defined]
    few = [np.array([0, 2]), np.array([2])]
    assert scorer.size_for(few).index_bytes == int(lengths[[0, 2]].sum()) * 16 * 4


def test_a_document_without_vectors_is_not_found_and_scores_below_all(
    tiny_late: Path, tmp_path: Path, context: Context
) -> None:
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(str(tiny_late), device="cpu")
    ids = [model.tokenizer.convert_tokens_to_ids(c) for c in "abc"]
    model[2].keep_only_token_ids = ids
    model.save_pretrained(str(tmp_path / "few"))
    corpus = Corpus.of([("none", "", "7 7"), ("some", "", "a 7")])
    fitted = fit(Late(str(tmp_path / "few"), document_prompt=""), TrainView(corpus), context)
    top = fitted.index(corpus, context).search(Queries(["q"], ["a"]), 5)
    assert corpus.ids(top.indices[0][top.indices[0] >= 0]) == ["some"]
    scores = fitted.candidate_scorer(corpus, context).scores(["a"], [np.array([0, 1])])[0]  # type: ignore[attr-defined]
    assert scores[0] == late.NONE
    assert scores[1] == top.scores[0, 0]


def test_documents_of_the_same_text_tie_and_the_higher_id_goes_first(
    tiny_late: Path, corpus: Corpus, rank: Rank
) -> None:
    top = rank(Late(str(tiny_late)), corpus, Queries(["q"], ["wing"]), 40)
    wings = [i for i in corpus.ids(top.indices[0]) if i in ("É", "z", "Z")]
    assert wings == ["É", "z", "Z"]
    assert len({s for i, s in zip(corpus.ids(top.indices[0]), top.scores[0].tolist(), strict=True) if i in wings}) == 1


def test_the_record_says_how_many_vectors_and_what_the_index_takes(
    tiny_late: Path, corpus: Corpus, queries: Queries, searcher_of: Search, context: Context
) -> None:
    from sentence_transformers import MultiVectorEncoder

    said = [len(v) for v in MultiVectorEncoder(str(tiny_late), device="cpu").encode_document(corpus.texts[:])]
    searcher = searcher_of(Late(str(tiny_late)), corpus)
    report = searcher.report(queries)
    assert report.resolved == {"vectors": {"document": round(float(np.mean(said)), 2), "query": 12.0}}
    json.dumps(report.resolved)
    assert searcher.size.index_bytes == sum(said) * 16 * 4 + 8 * (len(corpus) + 1)
    assert searcher.size.dimensions == 16


def test_it_stands_behind_any_first_stage_and_reads_the_candidates_alone(
    tiny_late: Path, corpus: Corpus, queries: Queries, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = parse_method("bm25>>late")
    assert method == Rerank(BM25(), Late())
    assert row_name(method) == "bm25>>late"
    seen: set[str] = set()
    encode = LateEncoder.encode
    monkeypatch.setattr(LateEncoder, "encode", lambda self, t, side: (seen.update(t), encode(self, t, side))[1])
    few = Queries(queries.ids[:1], queries.texts[:1])
    rank(Rerank(BM25(), Late(str(tiny_late)), depth=3), corpus, few, 3)
    found = corpus.texts_of(rank(BM25(), corpus, few, 3).indices[0])[:]
    assert seen == {*found, few.texts[0]}


def test_an_encoder_that_was_not_trained_for_it_is_refused_with_what_to_write(
    tiny_encoder: Path, corpus: Corpus, context: Context
) -> None:
    with pytest.raises(ModelError, match=r"late\(model=.*\)\+colbert"):
        fit(Late(str(tiny_encoder)), TrainView(corpus), context)


def test_a_hub_model_that_is_not_to_be_had_is_skipped_by_name(corpus: Corpus, context: Context) -> None:
    with pytest.raises(
        Unavailable, match="the model lightonai/LateOn is not on this machine and the hub cannot be reached"
    ):
        fit(parse_method('late(model="lightonai/LateOn")'), TrainView(corpus), context)


@pytest.mark.parametrize("setting", [{"query_length": 0}, {"document_length": -1}, {"precision": "fp8"}])
def test_a_setting_out_of_range_is_refused(setting: dict[str, object]) -> None:
    with pytest.raises(SettingError, match="late: "):
        Late(**setting)  # type: ignore[arg-type]
