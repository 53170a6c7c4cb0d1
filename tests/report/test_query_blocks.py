"""Per-query blocks are taken from the last page if, and only if, nothing of what they are made from has changed."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.bench.store import Store, StoredRecord
from harness.report import query_blocks
from harness.report.board_files import STAMP, write_board
from harness.report.per_query import per_query
from harness.report.query_blocks import blocks_of
from harness.runtime.context import Context

ONE, OTHER = "beir/one/test", "beir/other/test"


@pytest.fixture
def board(put: Callable[..., StoredRecord], results: Store, context: Context) -> StoredRecord:
    """Two datasets with two rows each, written; the second row of the first."""
    for dataset in (ONE, OTHER):
        put("a", {"q1": 0.5, "q2": 0.25}, dataset=dataset)
        last = put("b", {"q1": 0.4, "q2": 0.3}, dataset=dataset)
    write_board(results.root, context)
    return last


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Datasets whose blocks are built from now on."""
    datasets: list[str] = []
    def noting(table, *more):  # type: ignore[no-untyped-def]
        datasets.append(table.dataset)
        return per_query(table, *more)

    monkeypatch.setattr(query_blocks, "per_query", noting)
    return datasets


def page(root: Path) -> str:
    return (root / "leaderboard.html").read_text(encoding="utf-8")


def new_record(last: StoredRecord, put: Callable[..., StoredRecord]) -> None:
    put("c", {"q1": 0.1, "q2": 0.2}, dataset=OTHER)


def new_values(last: StoredRecord, put: Callable[..., StoredRecord]) -> None:
    put("b", {"q1": 0.3, "q2": 0.4}, dataset=OTHER)  # the mean is the same


def new_order(last: StoredRecord, put: Callable[..., StoredRecord]) -> None:
    put("b", {"q1": 0.9, "q2": 0.9}, dataset=OTHER)


def new_run(last: StoredRecord, put: Callable[..., StoredRecord]) -> None:
    last.place.run.write_bytes(gzip.compress(b"q1 Q0 d1 1 1.0 tag\n", mtime=0))


def no_values(last: StoredRecord, put: Callable[..., StoredRecord]) -> None:
    last.place.queries.unlink()


@pytest.mark.parametrize("change", [new_record, new_values, new_order, new_run, no_values])
def test_only_the_block_of_the_changed_dataset_is_built_and_the_page_is_that_of_a_full_build(
    change: Callable[..., None],
    board: StoredRecord,
    put: Callable[..., StoredRecord],
    results: Store,
    context: Context,
    built: list[str],
) -> None:
    change(board, put)
    write_board(results.root, context)
    assert built == [OTHER]
    reused = page(results.root)
    (results.root / STAMP).unlink()
    write_board(results.root, context)
    assert built == [OTHER, ONE, OTHER]
    assert page(results.root) == reused


def test_an_edited_page_and_other_code_give_no_block(
    board: StoredRecord, results: Store, context: Context, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = page(results.root)
    (results.root / "leaderboard.html").write_text(whole.replace("queries", "quarries"), encoding="utf-8")
    write_board(results.root, context)
    assert built == [ONE, OTHER]
    assert page(results.root) == whole
    monkeypatch.setattr(query_blocks, "code_hash", lambda: "other")
    write_board(results.root, context)
    assert built == [ONE, OTHER, ONE, OTHER]


def test_blocks_are_those_of_a_page_with_as_many(board: StoredRecord, results: Store) -> None:
    blocks = blocks_of(page(results.root), ["first", "second"])
    assert list(blocks) == ["first", "second"]
    assert all(block.startswith("H4sI") for block in blocks.values())
    assert blocks_of(page(results.root), ["first"]) == {}
