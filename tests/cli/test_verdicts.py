"""`harness validate`, `decide`, `compare`, `audit` and `accept`: exit statuses and what is printed."""

from __future__ import annotations

from pathlib import Path


def test_a_decision_and_a_verdict_without_figures_say_why_by_their_status(harness_command, small_folder: Path) -> None:
    ask = ("-d", small_folder)
    assert harness_command("decide", small_folder, "-m", "bm25", "-m", "run/nowhere").status == 1
    assert harness_command("decide", small_folder, "-m", "run/nowhere").status == 1
    assert harness_command("decide", small_folder, "-m", "bm25>>cross-encoder").status == 3
    assert harness_command("validate", "bm25>>cross-encoder", "-b", "bm25", *ask).status == 3
    assert harness_command("validate", "run/nowhere", "-b", "bm25", *ask).status == 1
    said = harness_command("decide", small_folder, "-m", "bm25", "--measure", "P@3", "--measure", "P@5")
    assert said.status == 2
    assert "one measure decides" in said.err


def test_a_comparison_prints_the_verdict_and_the_queries_on_which_each_row_gains(
    harness_command, small_folder: Path
) -> None:
    said = harness_command("compare", "bm25", "bm25(b=0)", small_folder, "--top", "2")
    assert said.status == 0, said.err
    assert "nDCG@10" in said.out
    gains = said.out.count("gains most")
    assert gains <= 2
    none_shown = harness_command("compare", "bm25", "bm25(b=0)", small_folder, "--top", "0")
    assert "gains most" not in none_shown.out


def test_a_margin_number_of_seeds_or_measures_out_of_bounds_is_bad_input(harness_command, small_folder: Path) -> None:
    rows = ["validate", "bm25", "-b", "bm25(b=0)", small_folder]
    for option, problem in (
        (["--margin", "1"], "margin must be above 0 and below 1, not 1"),
        (["--seeds", "0"], "seeds must be 1 or more, not 0"),
        (["--measure", "P@3", "--measure", "P@5"], "one measure decides, not P@3 and P@5"),
    ):
        said = harness_command(*rows, *option)
        assert said.status == 2
        assert problem in said.err


def test_an_audit_by_two_measures_is_bad_input(harness_command, small_folder: Path) -> None:
    said = harness_command("audit", "bm25", small_folder, "--measure", "nDCG@10 P@5")
    assert said.status == 2
    assert "one measure decides, not nDCG@10 and P@5" in said.err


def test_a_group_of_rows_is_not_accepted(harness_command, small_folder: Path) -> None:
    said = harness_command("accept", "default", small_folder, "--why", "changed")
    assert said.status == 2
    assert "accept one at a time" in said.err
