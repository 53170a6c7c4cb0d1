import html
import itertools
import re
from collections.abc import Callable

from harness.bench.record import Record
from harness.report.across import Across
from harness.report.board import Table, tables
from harness.report.markdown import leaderboard

Made = Callable[..., Record]


def page(*records: Record) -> str:
    return leaderboard(tables(records))


def grid(text: str, heading: str) -> list[list[str]]:
    """The cells of the table below a heading, the head first; a pipe within a cell is unescaped."""
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    assert re.fullmatch(r"[|:-]+", lines[1])
    cells = [[c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert len({len(row) for row in cells}) == 1
    del cells[1]
    return cells


def test_a_row_has_its_figures_and_costs_under_their_names(made: Made) -> None:
    text = page(made("bm25", measures={"nDCG@10": 0.678912, "R@100": 0.9253}))
    head, row = grid(text, "beir/example/test")
    shown = dict(zip(head, row, strict=True))
    assert shown["row"] == "`bm25`"
    assert shown["nDCG@10"] == "**0.6789**"
    assert shown["R@100"] == "**0.9253**"
    assert shown["labels used"] == "none"
    assert shown["query p50 ms"] == "1.3"


def test_the_best_of_a_column_is_bold_and_ties_are_bold_together(made: Made) -> None:
    text = page(made("a", 0.51234), made("b", 0.51232), made("c", 0.5122), made("d", 0.1))
    assert [row[1] for row in grid(text, "beir/example/test")[1:]] == ["**0.5123**", "**0.5123**", "0.5122", "0.1000"]


def test_each_column_has_a_best_of_its_own(made: Made) -> None:
    one, two = {"nDCG@10": 0.5, "R@100": 0.6}, {"nDCG@10": 0.4, "R@100": 0.7}
    text = page(made("a", measures=one), made("b", measures=two))
    assert [row[1:3] for row in grid(text, "beir/example/test")[1:]] == [
        ["**0.5000**", "0.6000"],
        ["0.4000", "**0.7000**"],
    ]


def test_a_row_that_was_skipped_or_failed_is_shown_without_figures_and_with_its_reason(
    made: Made, skipped: Made
) -> None:
    text = page(
        made("a", 0.5), skipped("b"), skipped("c", status="error", problem={"reason": "boom", "trace": "secret"})
    )
    rows = {row[0]: row[1:] for row in grid(text, "beir/example/test")[1:]}
    assert set(rows["`b` *(skipped)*"]) == set(rows["`c` *(error)*"]) == {"–"}
    assert "- `b`: skipped: no model &lt;x>. hf download x|y." in text
    assert "- `c`: error: boom" in text
    assert "secret" not in text


def test_seeds_are_counted(made: Made) -> None:
    text = page(made("a", 0.5, seed=0), made("a", 0.7, seed=1))
    assert grid(text, "beir/example/test")[1][:2] == ["`a` (2 seeds)", "**0.6000**"]


def test_pipes_and_tags_in_names_do_not_break_the_page(made: Made) -> None:
    row = 'run(path="a|b<i>.trec")'
    text = page(made(row, 0.5, "folder/x<b>|y", notes=["<script>"]), made("a", 0.4, "other"))
    cell = grid(text, "folder/x&lt;b>|y")[1][0]
    assert html.unescape(cell) == f"<code>{row}</code>"
    assert "|" not in cell
    assert grid(text, "nDCG@10 across datasets")[0] == ["row", "folder/x&lt;b>&#124;y", "other", "mean"]
    assert "<script>" not in text
    outside = re.sub(r"`[^`]*`|</?code>", "", text)
    assert "<" not in outside


def test_a_name_with_backticks_stays_one_piece_of_code(made: Made) -> None:
    text = page(made('dense(model="a`b``c")', 0.5))
    assert '``` dense(model="a`b``c") ```' in text


def test_what_was_measured_on_is_said_above_the_table(made: Made) -> None:
    text = page(made("a", 0.5))
    assert "5,183 documents, 300 queries, 339 judgements; revision `0f1e2d3c4b5a`." in text
    assert "Made on 8 cores of Example CPU @ 3.0GHz." in text


def test_machines_and_devices_are_each_named_once(made: Made, skipped: Made) -> None:
    base = made("a", 0.5)
    gpu = {**base.provenance, "device": "Example GPU"}
    text = page(base, made("b", 0.4), made("c", 0.3, provenance=gpu), skipped("d", provenance={}))
    assert "Made on 8 cores of Example CPU @ 3.0GHz; 8 cores of Example CPU @ 3.0GHz and Example GPU." in text


def test_a_record_without_provenance_is_no_reason_to_fail(made: Made) -> None:
    assert "? cores" in page(made("a", 0.5, provenance={}))


def test_the_mean_across_datasets_is_only_of_rows_that_have_them_all_and_the_best_is_bold(made: Made) -> None:
    text = page(
        made("a", 0.4, "d1"), made("a", 0.6, "d2"), made("b", 0.9, "d1"), made("c", 0.1, "d1"), made("c", 0.7, "d2")
    )
    assert grid(text, "nDCG@10 across datasets")[1:] == [
        ["`a`", "0.4000", "0.6000", "**0.5000**"],
        ["`c`", "0.1000", "**0.7000**", "0.4000"],
        ["`b`", "**0.9000**", "–", "–"],
    ]


def test_the_best_across_datasets_is_the_greatest_number(made: Made) -> None:
    records = [
        made(row, measures={"NumRet": n}, dataset=d) for row, n in (("a", 9.0), ("b", 10.0)) for d in ("d1", "d2")
    ]
    assert grid(page(*records), "NumRet across datasets")[1] == ["`b`", "**10.0000**", "**10.0000**", "**10.0000**"]


def test_rows_across_datasets_have_intervals_ranks_and_what_they_are_against_the_first(
    two_datasets: Callable[[], tuple[list[Table], Across]],
) -> None:
    found, over = two_datasets()
    text = leaderboard(found, over)
    head, best, twin, last, half = grid(text, "nDCG@10 across datasets")
    against = ["from the first", "datasets w/t/l", "queries w/t/l", "p"]
    beyond = ["over collections", "significant w/t/l", "training", "index again"]
    assert head[3:] == ["mean", "95 %", "rank", "ranks", *against, *beyond]
    assert (best[5:7], best[7:]) == (["1–2", "━━·"], ["–"] * 8)
    assert (twin[5], last[5], half[5]) == ("1–2 tied", "3", "–")
    assert last[7].startswith("−0.1")
    assert last[8] == "0/0/2"
    assert sum(map(int, last[9].split("/"))) == 120
    assert "`mean` counts every dataset equally" in text
    assert "`mean` counts every dataset equally" not in leaderboard(found)


def test_the_page_is_the_same_bytes_in_any_order_of_the_records(made: Made, skipped: Made) -> None:
    records = [made("a", 0.5, seed=1), made("a", 0.6), made("b", 0.55), skipped("c"), made("b", 0.55, "other")]
    assert len({page(*order) for order in itertools.permutations(records)}) == 1


def test_no_records_say_how_to_make_some() -> None:
    text = leaderboard([])
    assert text.startswith("# Leaderboard\n")
    assert text.endswith("No records yet: `harness run` creates them.\n")
