"""The method that CONTRIBUTING.md adds is one file, and works as it stands there."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness.methods
from harness import api, registry
from harness.context import Context

TEXT = Path(__file__).parents[1] / "CONTRIBUTING.md"


@pytest.fixture
def added(tmp_path: Path) -> Iterator[str]:
    """The example's file, dropped into the room of methods; gives the method's name."""
    code = TEXT.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    (tmp_path / "random_order.py").write_text(code, encoding="utf-8")
    harness.methods.__path__.append(str(tmp_path))
    registry._files.cache_clear()
    importlib.invalidate_caches()
    yield "random-order"
    harness.methods.__path__.remove(str(tmp_path))
    sys.modules.pop("harness.methods.random_order", None)
    registry._files.cache_clear()


def test_the_example_is_a_row_by_its_files_name(added: str, small_folder: Path, tmp_path: Path, context: Context) -> None:
    board = api.run(added, "bm25", dataset=str(small_folder), results=tmp_path / "results", context=context)
    rows = {result.record.row: result.record for result in board.results}
    assert {r.status for r in rows.values()} == {"ok"}, [r.problem for r in rows.values()]
    assert rows["random_order"].measures["nDCG@10"] < rows["bm25"].measures["nDCG@10"]


def test_its_seed_decides_and_repeats(added: str, small_folder: Path, tmp_path: Path, context: Context) -> None:
    def run(seed: int, folder: str) -> str:
        other = Context(seed=seed, cache=context.cache)
        return api.run(added, dataset=str(small_folder), results=tmp_path / folder, context=other).results[0].record.run_sha256

    assert run(0, "a") == run(0, "b") != run(1, "c")
