"""`pytest suites/ --benchmark --baseline bm25`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conftest import LANGUAGE


def gate(suites: Any, *options: str) -> Any:
    return suites("--benchmark", "--dataset", "./small", *options, file="test_validation.py")


def test_without_a_baseline_it_is_skipped(suites: Any, small_folder: Path) -> None:
    assert gate(suites, "--method", "bm25").counts() == {"skipped": 1}


def test_a_row_that_is_as_good_passes_and_its_verdict_is_printed(suites: Any, small_folder: Path) -> None:
    outcome = gate(suites, "--method", "bm25(k1=0.9001)", "--method", "bm25(k1=0.9)", "--baseline", "bm25", "-rs")
    assert outcome.counts() == {"passed": 1, "skipped": 1}
    assert "bm25(k1=0.9001) and bm25 are equivalent within 0.01: nDCG@10" in outcome.out
    assert "this row is the baseline" in outcome.out


def test_worse_rows_and_what_cannot_be_told_fail_with_the_figures(
    suites: Any, small_folder: Path, tmp_path: Path
) -> None:
    query, document = next(iter(LANGUAGE.qrels["test"])), LANGUAGE.documents[0][0]
    (tmp_path / "poor.trec").write_text(f"{query} Q0 {document} 1 1.0 none\n", encoding="utf-8")
    outcome = gate(suites, "--method", "run/poor.trec", "--baseline", "bm25")
    assert outcome.counts() == {"failed": 1}
    assert "is significantly worse than bm25" in outcome.out or "are tied with" in outcome.out, outcome.out
    assert "the probability of a difference this large if there were none" in outcome.out


def test_a_row_whose_model_is_absent_is_skipped_by_name_and_one_that_fails_fails(
    suites: Any, small_folder: Path
) -> None:
    outcome = gate(suites, "--method", "bm25>>cross-encoder", "--baseline", "bm25", "-rs")
    assert outcome.counts() == {"skipped": 1}
    assert "is not on this machine" in outcome.out
    outcome = gate(suites, "--method", "run/nowhere", "--baseline", "bm25")
    assert outcome.counts() == {"failed": 1}
    assert "there is no run file nowhere" in outcome.out


def test_bad_options_are_told_before_the_first_step(suites: Any, small_folder: Path) -> None:
    for options, words in (
        (("--baseline", "bm26"), "bm26"),
        (("--margin", "2"), "margin must be"),
        (("--seeds", "0"), "seeds must be"),
    ):
        outcome = gate(suites, *options)
        assert outcome.status == 4
        assert words in outcome.err + outcome.out
