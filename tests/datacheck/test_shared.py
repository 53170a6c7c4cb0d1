"""What queries share with training, in one sentence."""

from __future__ import annotations

from pathlib import Path

from harness.datacheck.collection import check
from harness.datacheck.findings import Findings
from harness.datacheck.shared import shared_documents
from harness.runtime.context import Context


def said(qrels: dict[str, dict[str, dict[str, int]]], context: Context) -> list[tuple[str, int, str]]:
    findings = Findings()
    shared_documents(findings, qrels, {}, context)
    return [(f.level, f.count, f.examples[0]) for f in findings.closed() if f.code == "shared-documents"]


def judged(prefix: str, queries: int, first: int = 0) -> dict[str, dict[str, int]]:
    return {f"{prefix}{n}": {f"d{first + n // 2}": 1, "d999": 0} for n in range(queries)}


def test_queries_that_share_documents_with_training_are_counted_and_folds_suggested(context: Context) -> None:
    ((level, count, sentence),) = said({"train": judged("a", 20), "test": judged("t", 10, 8)}, context)
    assert (level, count) == ("warning", 4)
    assert sentence == (
        "4 of the 10 queries of test (40%) share a relevant document with train or dev; the 20 queries of train and "
        "dev are in 10 groups that share none, the largest of 2; with --folds 5 each of these is ranked by a system "
        "that saw none of its documents"
    )


def test_many_queries_about_new_documents_need_no_folds(context: Context) -> None:
    splits = {"train": judged("a", 20), "dev": judged("v", 10, 10), "test": judged("t", 200, 100)}
    ((level, count, sentence),) = said(splits, context)
    assert (level, count) == ("note", 0)
    assert sentence.endswith("the 30 queries of train and dev are in 15 groups that share none, the largest of 2")


def test_a_collection_with_one_split_and_one_with_hardly_any_query(context: Context) -> None:
    ((level, count, sentence),) = said({"test": judged("t", 30)}, context)
    assert (level, count) == ("note", 0)
    assert sentence.startswith("the 30 queries of test are in 15 groups that share none, the largest of 2; with --fold")
    assert said({"train": judged("a", 4), "test": judged("t", 4)}, context) == []


def test_the_check_of_a_collection_says_it(small_folder: Path, context: Context) -> None:
    (finding,) = [f for f in check(str(small_folder), context).findings if f.code == "shared-documents"]
    assert finding.examples[0].startswith("20 of the 20 queries of test (100%) share a relevant document")
