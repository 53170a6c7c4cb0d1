"""What CONTRIBUTING.md adds is one file each, and works as it stands there."""

import contextlib
import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import harness.datasets
import harness.generators
import harness.indexes
import harness.methods
import harness.recipes
from harness import api
from harness.base.errors import DatasetError
from harness.choices import room as registry
from harness.data.queries import Queries
from harness.datasets import load_dataset
from harness.indexes import INDEXES
from harness.indexes.exact import Exact
from harness.methods import fit, index
from harness.rows import parse_method
from harness.runtime.context import Context
from tests.indexes.conftest import Held

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


def test_the_example_is_a_row_by_its_files_name(
    added: str, small_folder: Path, tmp_path: Path, context: Context
) -> None:
    board = api.run(added, "bm25", dataset=str(small_folder), results=tmp_path / "results", context=context)
    rows = {result.record.row: result.record for result in board.results}
    assert {r.status for r in rows.values()} == {"ok"}, [r.problem for r in rows.values()]
    assert rows["random_order"].measures["nDCG@10"] < rows["bm25"].measures["nDCG@10"]


def test_its_seed_decides_and_repeats(added: str, small_folder: Path, tmp_path: Path, context: Context) -> None:
    def run(seed: int, folder: str) -> str:
        other = Context(seed=seed, cache=context.cache)
        return (
            api.run(added, dataset=str(small_folder), results=tmp_path / folder, context=other)
            .results[0]
            .record.run_sha256
        )

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


EXAMPLES = [
    (harness.methods, "random_order"),
    (harness.recipes, "titles"),
    (harness.indexes, "leading"),
    (harness.datasets, "faq"),
    (harness.generators, "opening"),
]
"""In the order of the text."""


def test_the_index_is_a_setting_whose_recall_the_record_tells(
    tiny_encoder: Path, small_folder: Path, tmp_path: Path, context: Context
) -> None:
    with dropped_in(harness.indexes, "leading", 2, tmp_path):
        row = f'dense(model="{tiny_encoder}", index=leading(first=8, rescore=2))'
        record = (
            api.run(row, dataset=str(small_folder), results=tmp_path / "results", context=context).results[0].record
        )
    assert record.status == "ok", record.problem
    assert any("of the true 10" in note or "nearest" in note for note in record.notes), record.notes


def test_the_index_finds_what_exact_search_does_when_all_are_candidates(context: Context, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    vectors, queries = rng.standard_normal((200, 16), np.float32), rng.standard_normal((9, 16), np.float32)
    order = np.arange(200, dtype=np.int32)
    with dropped_in(harness.indexes, "leading", 2, tmp_path):
        kind = INDEXES.get("leading")
        found = kind(first=4, rescore=20).build(Held(vectors), order, context).search(queries, 10)  # type: ignore[call-arg]
        few = kind(first=4, rescore=1).build(Held(vectors), order, context).search(queries, 10)  # type: ignore[call-arg]
    true = Exact().build(Held(vectors), order, context).search(queries, 10)
    assert (found.indices == true.indices).all()
    assert (few.indices != true.indices).any()


def test_the_source_is_a_dataset_by_its_files_name(tmp_path: Path, context: Context) -> None:
    file = tmp_path / "support.tsv"
    file.write_text(
        "how to reset a password\tOpen the settings and choose reset password.\nwhere are invoices\tInvoices: see "
        "Billing.\n"
    )
    with dropped_in(harness.datasets, "faq", 3, tmp_path):
        record = api.run("bm25", dataset=f"faq/{file}", results=tmp_path / "results", context=context).results[0].record
        assert record.measures["nDCG@10"] == 1.0
        file.write_text("no tab here\n")
        with pytest.raises(DatasetError, match="line 1"):
            load_dataset(f"faq/{file}", Context(cache=context.cache))


def test_the_generator_feeds_a_recipe(tiny_encoder: Path, small_folder: Path, tmp_path: Path, context: Context) -> None:
    with dropped_in(harness.generators, "opening", 4, tmp_path):
        row = f'dense(model="{tiny_encoder}")+qgen(generator=opening, budget="smoke")'
        record = (
            api.run(row, dataset=str(small_folder), results=tmp_path / "results", context=context).results[0].record
        )
    assert record.status == "ok", record.problem


def test_their_text_passes_the_lint_of_the_project(tmp_path: Path) -> None:
    ruff = shutil.which("ruff") or pytest.skip("needs 'ruff': pip install retrieval-harness[dev]")
    settings = ["--config", str(TEXT.parent / "pyproject.toml"), "--no-cache"]
    with contextlib.ExitStack() as stack:
        for number, (room, name) in enumerate(EXAMPLES):
            stack.enter_context(dropped_in(room, name, number, tmp_path))
    files = [str(tmp_path / f"{name}.py") for _, name in EXAMPLES]
    for check in (["check"], ["format", "--check"]):
        told = subprocess.run([ruff, *check, *settings, *files], capture_output=True, text=True)
        assert told.returncode == 0, told.stdout
