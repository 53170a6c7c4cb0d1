"""LaTeX tables."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.bench.record import Record
from harness.bench.store import Store, StoredRecord
from harness.report.across import Across
from harness.report.board import Table, tables
from harness.report.comparisons import with_comparisons
from harness.report.comparisons_across import compared_across
from harness.report.latex import leaderboard

Made = Callable[..., Record]


def test_rows_have_figures_best_in_bold_and_none_without_figures(made: Made, skipped: Made) -> None:
    text = leaderboard(tables([made("bm25>>dense", 0.51234), made("a_b", 0.4), skipped("c&d")]))
    assert r"\texttt{bm25\textgreater{}\textgreater{}dense} & \textbf{0.5123} \\" in text
    assert r"\texttt{a\_b} & 0.4000 \\" in text
    assert r"Without scores: \texttt{c\&d}." in text


def test_significance_is_a_superscript_and_intervals_have_their_column(
    put: Callable[..., StoredRecord], results: Store
) -> None:
    values = {f"q{i}": (i % 7) / 10 for i in range(100)}
    put("good", {q: v + 0.3 for q, v in values.items()})
    put("poor", values)
    held, _ = results.stored()
    text = leaderboard(with_comparisons(tables(s.record for s in held), results, held))
    assert r"row & nDCG@10 & 95\,\% \\" in text
    assert r"}$^{\mathrm{a}}$ & [" in text
    assert r"$^{\mathrm{b}}$ & [" in text
    assert "Rows that share a superscript are tied by nDCG@10 (simultaneous 95\\,\\% intervals" in text
    assert "of one pair of rows (c = " in text


def test_several_datasets_have_a_table_across_them(made: Made) -> None:
    text = leaderboard(tables([made("a", 0.4, "d1"), made("a", 0.6, "d2"), made("b", 0.9, "d1")]))
    assert r"row & d1 & d2 & mean \\" in text
    assert r"\texttt{a} & 0.4000 & \textbf{0.6000} & \textbf{0.5000} \\" in text
    assert r"\texttt{b} & \textbf{0.9000} & -- & -- \\" in text


def test_rows_across_datasets_have_intervals_superscripts_and_a_table_against_the_first(
    two_datasets: Callable[[], tuple[list[Table], Across]],
) -> None:
    text = leaderboard(*two_datasets())
    assert r"row & d1 & d2 & mean & 95\,\% \\" in text
    assert re.search(
        r"\\texttt\{last\} & 0\.\d{4} & 0\.\d{4} & 0\.\d{4}\$\^\{\\mathrm\{b\}\}\$ & \[0\.\d{3}, 0\.\d{3}\] ", text
    )
    held = text.partition(r"\label{tab:board-across-against}")[2].partition(r"\end{table}")[0]
    assert r"row & from the first & datasets & queries & $p$ \\" in held
    assert re.search(
        r"\\texttt\{last\} & \$-\$0\.\d{4} \[\$-\$0\.\d{3}, \$-\$0\.\d{3}\] & 0/0/2 & \d+/\d+/\d+ & 0\.0", held
    )
    assert r"\texttt{best} &" not in held


def test_more_datasets_than_a_page_is_wide_are_several_tables_with_heads_that_stand_upright(made: Made) -> None:
    names = [f"beir/collection_{i}/test" for i in range(12)]
    text = leaderboard(tables([made(row, 0.5, name) for row in ("a", "b") for name in names])).partition(
        "tab:board-1}"
    )[0]
    heads = [line for line in text.splitlines() if line.startswith("row & ")]
    assert len(heads) == 2
    assert (
        sum(
            head.count(r"\rotatebox{90}{\parbox{8em}{\raggedright beir/\allowbreak{}collection\_\allowbreak{}")
            for head in heads
        )
        == 12
    )
    assert heads[1].endswith(r"& mean \\")
    assert text.count(r"\texttt{a} &") == 2


def test_braces_and_environments_are_closed(made: Made) -> None:
    text = leaderboard(tables([made("a{", 0.4, "d}1"), made("b\\", 0.6, "d2")]))
    plain = text.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 3


def test_a_long_name_may_be_broken(made: Made) -> None:
    text = leaderboard(tables([made("run/methods/(bm25, dense+supervised)", 0.4), made("b", 0.3)]))
    assert r"\begin{tabular}{p{11em}r}" in text
    assert (
        r"\raggedright \texttt{run/\allowbreak{}methods/\allowbreak{}(\allowbreak{}bm25,\allowbreak{} "
        r"dense+\allowbreak{}" in text
    )
    assert r"\raggedright \texttt{b} & 0.3000 \\" in text


def test_no_records_are_a_comment() -> None:
    assert all(line.startswith("%") for line in leaderboard([]).splitlines())


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_sets_it_and_nothing_is_too_wide(
    put: Callable[..., StoredRecord], results: Store, tmp_path: Path
) -> None:
    for dataset in (
        "x&y",
        "beir/a_collection-of_a-very/long_name.indeed/test",
        *(f"beir/collection{i}/test" for i in range(6)),
    ):
        for row in (
            "a_b>>c",
            "dense+contrastive_tension+supervised",
            "hybrid(methods=(bm25, dense+supervised), fusion=convex)",
        ):
            put(row, {f"q{i}": (i + len(row)) % 7 / 10 for i in range(20)}, dataset=dataset)
    held, _ = results.stored()
    found = with_comparisons(tables(s.record for s in held), results, held)
    over = compared_across(found, results, held)
    assert over is not None
    assert over.compared
    (tmp_path / "leaderboard.tex").write_text(leaderboard(found, over))
    head = r"\documentclass{article}\usepackage{booktabs,graphicx}\begin{document}\input{leaderboard}\end{document}"
    (tmp_path / "main.tex").write_text(head)
    done = subprocess.run(["pdflatex", "-halt-on-error", "main.tex"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert b"Overfull" not in done.stdout
