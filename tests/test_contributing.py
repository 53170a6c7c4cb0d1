"""The method and the recipe that CONTRIBUTING.md adds are one file each, and work as they stand there."""

import contextlib
import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import harness.methods
import harness.recipes
from harness import api, registry
from harness.context import Context
from harness.datasets import load_dataset
from harness.judged import Queries
from harness.methods import fit, index
from harness.rows import parse_method

TEXT = Path(__file__).parents[1] / "CONTRIBUTING.md"


@contextlib.contextmanager
def dropped_in(room: ModuleType, name: str, number: int, folder: Path) -> Iterator[None]:
    """The text's block of code, by number, as a file of the room."""
    code = re.findall(r"```python\n(.*?)```", TEXT.read_text(encoding="utf-8"), re.DOTALL)[number]
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    room.__path__.append(str(folder))
    registry._files.cache_clear()
    importlib.invalidate_caches()
    try:
        yield
    finally:
        room.__path__.remove(str(folder))
        sys.modules.pop(f"{room.__name__}.{name}", None)
        registry._files.cache_clear()


@pytest.fixture
def added(tmp_path: Path) -> Iterator[str]:
    """The method, dropped into its room; gives its name."""
    with dropped_in(harness.methods, "random_order", 0, tmp_path):
        yield "random-order"


@pytest.fixture
def recipe(tmp_path: Path) -> Iterator[str]:
    """The recipe, dropped into its room; gives its name."""
    with dropped_in(harness.recipes, "titles", 1, tmp_path):
        yield "titles"


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


def test_a_query_asked_alone_is_ranked_as_among_others(added: str, small_folder: Path, context: Context) -> None:
    dataset = load_dataset(str(small_folder), context)
    method = parse_method(added)
    searcher = index(method, fit(method, dataset.train, context), dataset.corpus, context)
    queries = dataset.test.queries
    together = searcher.search(queries, 10)
    alone = searcher.search(Queries(queries.ids[3:4], queries.texts[3:4]), 10)
    assert (together.indices[3] == alone.indices[0]).all()


def test_the_recipe_is_a_row_after_a_plus_and_trains(
    recipe: str, tiny_encoder: Path, small_folder: Path, tmp_path: Path, context: Context
) -> None:
    row = f'dense(model="{tiny_encoder}")+{recipe}(budget="smoke")'
    record = api.run(row, dataset=str(small_folder), results=tmp_path / "results", context=context).results[0].record
    assert record.status == "ok", record.problem
    (told,) = record.resolved["training"]
    assert told["steps"] == 4
    assert told["facts"]["titled"] == 30
    assert record.supervision == "dev labels"


def test_their_text_passes_the_lint_of_the_project(added: str, recipe: str, tmp_path: Path) -> None:
    ruff = shutil.which("ruff") or pytest.skip("needs 'ruff': pip install retrieval-harness[dev]")
    settings = ["--config", str(TEXT.parent / "pyproject.toml"), "--no-cache"]
    told = subprocess.run(
        [ruff, "check", *settings, str(tmp_path / "random_order.py"), str(tmp_path / "titles.py")], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout
