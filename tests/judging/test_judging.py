"""Work on a collection: pools of the board, machines, tables; what is missing is said."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import DatasetError, SettingError
from harness.bench.run_rows import run_rows
from harness.collection.labels import read_labels
from harness.judging.judging import by_machine, from_table, open_work, page_server, to_table
from harness.runtime.context import Context
from tests.conftest import completion


def test_holes_of_the_board_are_judged_next_best_first(server: Any, made: Path, context: Context) -> None:
    run_rows("bm25", dataset="./mine", context=context)
    work = open_work("./mine", depth=5, context=Context(cache=context.cache))
    assert work.rows == ("bm25",)
    before = len(work.holes)
    assert before > 0
    server.reply = lambda n, body: completion("1")
    told: list[str] = []
    judge = f'chat(model="m", url="{server.url}", again=2, price_in=1.0, price_out=1.0)'
    first = work.holes[0]
    assert by_machine(work, judge, 3, context, told.append) == 3
    assert len(work.holes) == before - 3
    assert first not in work.holes
    assert "at most $" in told[0]
    assert "the judge gave the same grade to 100%" in told[1]
    assert by_machine(work, judge, 0, context, told.append) == 0
    lines = work.lines()
    assert "27 judged pairs (27 by machines), 0 queries judged completely by people" in lines[0]
    assert f"{before - 3} of them not judged" in lines[1]


def test_a_table_goes_out_and_comes_back(made: Path, context: Context, tmp_path: Path) -> None:
    work = open_work("./mine", context=context)
    assert to_table(work, tmp_path / "t.csv", "ann", 6, context) == 6
    path = tmp_path / "t.csv"
    path.write_text(path.read_text().replace(",,", ",2,"))
    with pytest.raises(SettingError, match="--annotator"):
        from_table(work, path, " ")
    assert from_table(work, path, "ann") == 6
    assert "2 queries judged completely by people" in work.lines()[0]
    assert "dense and ann: 6 pairs judged by both" in work.lines()[2]
    path.write_text(path.read_text().replace("q", "other"))
    with pytest.raises(DatasetError, match="no column query_id"):
        from_table(work, path, "ann")


def test_labels_that_another_process_added_before_the_lock_are_kept(
    made: Path, context: Context, tmp_path: Path
) -> None:
    first, second = (open_work("./mine", context=context) for _ in range(2))
    for work, person in ((first, "ann"), (second, "bob")):
        path = tmp_path / f"{person}.csv"
        to_table(work, path, person, 3, context)
        path.write_text(path.read_text().replace(",,", ",2,"))
        assert from_table(work, path, person) == 3
    stored = read_labels(made / "qrels" / "test.labels.jsonl")
    assert stored is not None
    assert {label.judge for label in stored.every} == {"dense", "ann", "bob"}


def test_grades_in_a_table_are_not_written_over(made: Path, context: Context, tmp_path: Path) -> None:
    work, path = open_work("./mine", context=context), tmp_path / "t.csv"
    to_table(work, path, "ann", 3, context)
    to_table(work, path, "ann", 6, context)  # nothing was filled in
    filled = path.read_text().replace(",,", ",3,")
    path.write_text(filled)
    with pytest.raises(SettingError, match="has 6 grades that are not among the labels"):
        to_table(work, path, "ann", 3, context)
    assert path.read_text() == filled
    with pytest.raises(SettingError, match="dense is the name of another judge"):
        from_table(work, path, "dense")
    from_table(work, path, "ann")
    assert to_table(work, path, "ann", 3, context) == 3
    other = made / "corpus.jsonl"
    with pytest.raises(SettingError, match="is not a table of this kind"):
        to_table(work, other, "ann", 3, context)


def test_without_runs_there_is_nothing_to_judge(small_folder: Path, tmp_path: Path, context: Context) -> None:
    with pytest.raises(DatasetError, match=r"`harness run -d .*` makes runs"):
        open_work(str(small_folder), tmp_path / "copy", context=context)
    shutil.rmtree(tmp_path / "copy")


def test_the_command_that_makes_runs_can_be_pasted(
    small_folder: Path, tmp_path: Path, context: Context
) -> None:
    spaced = small_folder.rename(tmp_path / "my set")
    with pytest.raises(DatasetError, match=r"`harness run -d '.*my set' --results '.*no results'` makes runs"):
        open_work(str(spaced), tmp_path / "copy", results=tmp_path / "no results", context=context)


def test_a_port_that_is_taken(made: Path, context: Context) -> None:
    work = open_work("./mine", context=context)
    with page_server(work, context) as server, pytest.raises(SettingError, match="name another with --port"):
        page_server(work, context, server.server_address[1])
