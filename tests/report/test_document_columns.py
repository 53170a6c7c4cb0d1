"""Old and new documents, and the control, on every board."""

from __future__ import annotations

import csv as csv_format
import io
import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from rich.console import Console

from harness.bench.document_split import split_entry
from harness.bench.store import Store, StoredRecord
from harness.compare.control import is_control
from harness.leaks.overlap import Leaks
from harness.methods.bm25 import BM25
from harness.report import csv, latex, markdown, terminal
from harness.report.board import Table, tables
from harness.report.columns import columns_of
from harness.report.comparisons import by_each_measure, with_comparisons
from harness.report.layout import layout
from harness.report.notes import notes_of
from harness.report.page import page
from harness.report.page_data import page_data

N, OLD = 90, 50
BASE = np.random.default_rng(3).uniform(0.2, 0.6, N)
IDS = [f"q{i:03}" for i in range(N)]
Put = Callable[..., StoredRecord]


@pytest.fixture
def row(put: Put) -> Put:
    def one(name: str, old: float, new: float, used: str = "train labels", overlap: int = OLD) -> StoredRecord:
        lift = np.where(np.arange(N) < OLD, old, new) + np.random.default_rng(len(name)).normal(0, 0.01, N)
        values = {q: round(float(v), 6) for q, v in zip(IDS, BASE + lift, strict=True)}
        leaks = {"split": split_entry(Leaks({}, tuple(IDS[:overlap])), {"nDCG@10": values})}
        return put(name, values, supervision=used, leaks=leaks)

    return one


@pytest.fixture
def board(row: Put, results: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Table]]:
    """`bm25` plays the control; `dense+supervised` is trained, `dense` is not."""
    monkeypatch.setattr(BM25, "control", True, raising=False)
    is_control.cache_clear()
    row("bm25", 0.3, 0.0)
    row("dense+supervised", 0.1, 0.1)
    row("dense", 0.0, 0.0, used="none")
    yield lambda: tabled(results)
    is_control.cache_clear()  # what it has seen is not so in other tests


def tabled(store: Store) -> Table:
    stored, _ = store.stored()
    (table,) = with_comparisons(tables(s.record for s in stored), store, stored)
    return table


def cells(table: Table, heading: str, writer: str = "markdown") -> dict[str, str]:
    (column,) = [c for c in columns_of(table, writer) if c.heading == heading]  # type: ignore[arg-type]
    return {line.row: column.text(line) for line in table.lines}


def test_both_parts_are_columns_with_intervals_and_the_control_is_compared(board: Callable[[], Table]) -> None:
    table = board()
    old, new = cells(table, f"old docs ({OLD})"), cells(table, f"new docs ({N - OLD})")
    for place, found in ((slice(0, OLD), old), (slice(OLD, N), new)):
        assert found["dense"].startswith(f"{table.scores[-1].values[place].mean():.4f} [0.")
    assert cells(table, "vs memory") == {"bm25": "–", "dense+supervised": "worse / better", "dense": "–"}
    assert any(note.startswith(f"{OLD} of {N} test queries (56%) ask about old documents") for note in notes_of(table))
    assert not any(note.startswith("no control") for note in notes_of(table))
    assert table.decision[2].startswith(f"On new documents ({N - OLD} queries of {N}) the best is `dense+supervised`")


def test_every_writer_shows_them(board: Callable[[], Table], results: Store) -> None:
    table = board()
    new = cells(table, f"new docs ({N - OLD})")["dense+supervised"]
    text = markdown.leaderboard([table])
    assert f"**{new}**" in text, "the best on new documents is bold, though another row is the best of all"
    assert re.search(r"\| +vs memory +\|", text)
    mean, bounds = new.split(" ", 1)
    assert rf"\textbf{{{mean}}} & {bounds} & worse / better" in latex.leaderboard([table])
    data = page_data(by_each_measure([table], results, results.stored()[0]), [[[{}]] * 3])
    assert f">{new}<" in page(data, [""])
    lines = list(csv_format.DictReader(io.StringIO(csv.leaderboard([table]))))
    assert {line["row"]: line["value_new_documents"][:6] for line in lines}["dense+supervised"] == mean


@pytest.mark.parametrize(("width", "wide"), [(60, False), (80, False), (160, True), (260, True)])
def test_the_score_on_new_documents_stays_in_a_narrow_terminal(
    board: Callable[[], Table], width: int, wide: bool
) -> None:
    table = board()
    fit = layout(terminal.table_sheet(table), width)
    shown = {field.heading for panel in fit.panels for field in panel}
    assert f"new docs ({N - OLD})" in shown
    assert (f"old docs ({OLD})" in shown) is wide
    assert ("parameters" in shown) is (width == 260)
    out = io.StringIO()
    terminal.show([table], Console(file=out, width=width))
    assert f"{table.parts[1].rows[0].mean:.4f}" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= width


def test_earlier_records_and_rows_without_labels_show_nothing(put: Put, row: Put, results: Store) -> None:
    values = {q: float(v) for q, v in zip(IDS, BASE, strict=True)}
    put("earlier", values, supervision="train labels")
    table = tabled(results)
    assert not [c for c in columns_of(table, "markdown") if "docs" in c.heading]
    row("untrained", 0.1, 0.1, used="none")
    table = tabled(results)
    assert cells(table, f"new docs ({N - OLD})")["earlier"].startswith("0."), "it has the split of the other record"
    assert any(note.startswith("no control: ") and "memory(dense)" in note for note in notes_of(table))


def test_a_collection_without_overlap_says_so_and_has_no_columns(row: Put, results: Store) -> None:
    row("trained", 0.1, 0.1, overlap=0)
    table = tabled(results)
    assert not [c for c in columns_of(table, "markdown") if "docs" in c.heading]
    assert any(note.startswith("No test query asks about a document that a training") for note in notes_of(table))


def test_where_all_queries_are_about_old_documents_one_sentence_says_so(row: Put, results: Store) -> None:
    row("trained", 0.1, 0.1, overlap=N)
    row("plain", 0.0, 0.0, used="none", overlap=N)
    table = tabled(results)
    assert not [c for c in columns_of(table, "markdown") if "docs" in c.heading], "they would repeat the first measure"
    assert any(note.startswith(f"All {N} test queries ask about old documents") for note in notes_of(table))
    assert table.decision[1].startswith(f"All {N} queries ask about old documents")
