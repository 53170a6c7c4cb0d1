from pathlib import Path

import pytest

from harness.base.errors import DatasetError, UnknownName
from harness.bench.run_rows import executor_of, run_rows
from harness.executors.processes import Processes
from harness.runtime.context import Context


def test_a_second_run_keeps_what_is_up_to_date(small_folder: Path, tmp_path: Path, context: Context) -> None:
    for kept, rerun in ((False, False), (True, False), (False, True)):
        (result,) = run_rows(
            "bm25", dataset=str(small_folder), results=tmp_path / "results", context=context, rerun=rerun
        )
        assert result.kept is kept


def test_an_unknown_row_or_dataset_is_an_error_before_any_work(tmp_path: Path, context: Context) -> None:
    with pytest.raises(UnknownName, match="'bm25'"):
        run_rows("bm52", dataset=str(tmp_path), results=tmp_path / "results", context=context)
    with pytest.raises(DatasetError, match="there is no folder"):
        run_rows("bm25", dataset="./nowhere-at-all", results=tmp_path / "results", context=context)
    assert not list((tmp_path / "results").rglob("*.json"))


def test_an_executor_is_written_as_an_expression_and_local_means_this_process() -> None:
    assert executor_of(None) is None
    assert executor_of("local") is None
    assert executor_of("processes(workers=2)") == Processes(workers=2)
    with pytest.raises(UnknownName, match="processes"):
        executor_of("procesess")
