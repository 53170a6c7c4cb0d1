"""Rows through BEIR's own `EvaluateRetrieval`: the scores are ours."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from harness import BEIRSearch, api
from harness.base.errors import HarnessError
from harness.exchange.mteb_model import NOTHING
from harness.runtime.context import Context

pytest.importorskip("beir", reason="beir is not installed")

from beir.datasets.data_loader import GenericDataLoader
from beir.retrieval.evaluation import EvaluateRetrieval

SAME = {"nDCG@10": (0, "NDCG@10"), "R@100": (2, "Recall@100"), "P@5": (3, "P@5")}


@pytest.mark.parametrize("row", ["bm25", "bm25>>dense", "hybrid"])
def test_a_row_has_our_scores_in_beir(
    row: str, small_folder: Path, context: Context, tmp_path: Path, tiny_encoder: Path
) -> None:
    dense = f'dense(model="{tiny_encoder}")'
    text = {"bm25>>dense": f"bm25>>{dense}", "hybrid": f"hybrid(methods=(bm25, {dense}))"}.get(row, row)
    board = api.run(
        text, dataset=str(small_folder), measures=list(SAME), results=tmp_path / "results", context=context
    )
    ours = board.results[0].record.measures
    corpus, queries, qrels = GenericDataLoader(data_folder=str(small_folder)).load(split="test")
    evaluation = EvaluateRetrieval(BEIRSearch(text, context), k_values=[1, 5, 10, 100])
    theirs = evaluation.evaluate(qrels, evaluation.retrieve(corpus, queries), evaluation.k_values)
    for measure, (part, name) in SAME.items():
        assert theirs[part][name] == pytest.approx(ours[measure], abs=1e-5)


def test_an_unanswered_query_counts_0(context: Context) -> None:
    corpus = {"a": {"title": "", "text": "wing"}, "b": {"text": "drag"}}
    qrels = {"q": {"a": 1}, "lost": {"b": 1}}
    evaluation = EvaluateRetrieval(BEIRSearch("bm25", context), k_values=[1])
    found = evaluation.retrieve(corpus, {"q": "wing", "lost": "qqq"})
    assert found["lost"] == {NOTHING: 0.0}
    assert evaluation.evaluate(qrels, found, [1])[0]["NDCG@1"] == 0.5


def test_a_query_that_is_a_document_leaves_its_ranking_full(context: Context) -> None:
    corpus = {name: {"text": "wing"} for name in ("a", "b", "c")}
    evaluation = EvaluateRetrieval(BEIRSearch("bm25", context), k_values=[2])
    found = evaluation.retrieve(corpus, {"b": "wing"})
    assert len(found["b"]) == 3
    assert evaluation.evaluate({"b": {"a": 1, "c": 1}}, found, [2])[2]["Recall@2"] == 1.0


def test_the_same_documents_are_indexed_once(context: Context) -> None:
    retriever = BEIRSearch("bm25", context)
    for _ in range(2):
        retriever.search({"a": {"text": "wing"}}, {"q": "wing"}, 1, "dot", batch_size=8)
    assert sum(step.kind == "index" for step in context.ledger.steps.values()) == 1


def test_a_row_that_learns_reads_a_training_view_and_warns_of_queries_it_has_seen(
    small_folder: Path, context: Context, caplog: pytest.LogCaptureFixture, language: Any
) -> None:
    corpus = {name: {"title": title, "text": text} for name, title, text in language.documents}
    query = next(iter(language.qrels["train"]))
    row = "hybrid(methods=(bm25, bm25(k1=2)), fusion=convex)"
    with caplog.at_level(logging.WARNING, "harness.exchange"):
        BEIRSearch(row, context, learn_from=str(small_folder)).search(corpus, {"q": language.queries[query]}, 5)
    assert "1 of BEIR's 1 queries also occur in the training or dev queries" in caplog.text


def test_files_of_vectors_are_refused(context: Context) -> None:
    evaluation = EvaluateRetrieval(BEIRSearch("bm25", context))
    with pytest.raises(HarnessError, match="call retrieve instead"):
        evaluation.encode_and_retrieve({}, {})
