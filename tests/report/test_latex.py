"""LaTeX tables."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.bench.record import Record
from harness.bench.store import Store, Stored
from harness.report.board import tables
from harness.report.latex import escaped, leaderboard
from harness.report.standings import with_standings

Made = Callable[..., Record]


def test_rows_have_figures_best_in_bold_and_none_without_figures(made: Made, skipped: Made) -> None:
    text = leaderboard(tables([made("bm25>>dense", 0.51234), made("a_b", 0.4), skipped("c&d")]))
    assert r"\texttt{bm25\textgreater{}\textgreater{}dense} & \textbf{0.5123} \\" in text
    assert r"\texttt{a\_b} & 0.4000 \\" in text
    assert r"Without figures: \texttt{c\&d}." in text


def test_significance_is_a_superscript_and_intervals_have_their_column(put: Callable[..., Stored], results: Store) -> None:
    values = {f"q{i}": (i % 7) / 10 for i in range(100)}
    put("good", {q: v + 0.3 for q, v in values.items()})
    put("poor", values)
    held, _ = results.stored()
    text = leaderboard(with_standings(tables(s.record for s in held), results, held))
    assert r"row & nDCG@10 & 95\,\% \\" in text
    assert r"}$^{\mathrm{a}}$ & [" in text
    assert r"$^{\mathrm{b}}$ & [" in text
    assert "share a superscript cannot be told apart" in text


def test_several_datasets_have_a_table_across_them(made: Made) -> None:
    text = leaderboard(tables([made("a", 0.4, "d1"), made("a", 0.6, "d2"), made("b", 0.9, "d1")]))
    assert r"row & d1 & d2 & mean \\" in text
    assert r"\texttt{a} & 0.4000 & \textbf{0.6000} & \textbf{0.5000} \\" in text
    assert r"\texttt{b} & \textbf{0.9000} & -- & -- \\" in text


def test_every_special_character_is_escaped() -> None:
    assert escaped("a\\b{c}#$%&_~^<>") == (
        r"a\textbackslash{}b\{c\}\#\$\%\&\_\textasciitilde{}\textasciicircum{}\textless{}\textgreater{}"
    )


def test_braces_and_environments_are_closed(made: Made) -> None:
    text = leaderboard(tables([made("a{", 0.4, "d}1"), made("b\\", 0.6, "d2")]))
    plain = text.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 3


def test_a_long_name_may_be_broken(made: Made) -> None:
    text = leaderboard(tables([made("hybrid(methods=(bm25, dense+supervised))", 0.4), made("b", 0.3)]))
    assert r"\begin{tabular}{p{11em}r}" in text
    assert (
        r"\raggedright \texttt{hybrid(\allowbreak{}methods=\allowbreak{}(\allowbreak{}bm25,\allowbreak{} dense+supervised))}"
        in text
    )


def test_no_records_are_a_comment() -> None:
    assert all(line.startswith("%") for line in leaderboard([]).splitlines())


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_sets_it(made: Made, tmp_path: Path) -> None:
    (tmp_path / "leaderboard.tex").write_text(leaderboard(tables([made("a_b>>c", 0.4), made("d", 0.6, "x&y")])))
    head = r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{leaderboard}\end{document}"
    (tmp_path / "main.tex").write_text(head)
    done = subprocess.run(["pdflatex", "-halt-on-error", "main.tex"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
