"""What CONTRIBUTING.md adds is one file each, and works as it stands there."""

import contextlib
import dataclasses
import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import ir_measures
import numpy as np
import pytest
import torch

import harness.datasets
import harness.generators
import harness.indexes
import harness.losses
import harness.measures
import harness.methods
import harness.recipes
from harness import api
from harness.base.errors import DatasetError, SettingError
from harness.choices import items
from harness.choices.expression import parse
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.datasets import load_dataset
from harness.indexes import INDEXES
from harness.indexes.exact import Exact
from harness.losses import LOSSES
from harness.measures import MEASURES
from harness.methods import Method, fit, index
from harness.report import columns
from harness.report.board import tables
from harness.rows import parse_method
from harness.runtime.context import Context
from tests.indexes.conftest import Held
from tests.losses import test_contract as loss_contract
from tests.measures import test_contract as measure_contract

TEXT = Path(__file__).parents[1] / "CONTRIBUTING.md"


def code_of(file: str) -> str:
    """The block of code that the text puts into a file."""
    text = TEXT.read_text(encoding="utf-8")
    found = re.search(rf"`{re.escape(file)}`.*?```python\n(.*?)```", text, re.DOTALL)
    assert found is not None, file
    return found.group(1)


@contextlib.contextmanager
def dropped_in(room: ModuleType, name: str, folder: Path) -> Iterator[None]:
    """The text's file of that name, put into a room."""
    file = f"{room.__name__.replace('.', '/')}/{name}.py"
    (folder / f"{name}.py").write_text(code_of(file), encoding="utf-8")
    room.__path__.append(str(folder))
    items.files.cache_clear()
    importlib.invalidate_caches()
    try:
        yield
    finally:
        room.__path__.remove(str(folder))
        sys.modules.pop(f"{room.__name__}.{name}", None)
        items.files.cache_clear()


@pytest.fixture
def added(tmp_path: Path) -> Iterator[str]:
    """The method, dropped into its room; gives its name."""
    with dropped_in(harness.methods, "random_order", tmp_path):
        yield "random-order"


@pytest.fixture
def recipe(tmp_path: Path) -> Iterator[str]:
    """The recipe, dropped into its room; gives its name."""
    with dropped_in(harness.recipes, "titles", tmp_path):
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


def test_its_test_passes(added: str, context: Context) -> None:
    def rank(method: Method, corpus: Corpus, queries: Queries, k: int, within: Context) -> TopK:
        return index(method, fit(method, TrainView(corpus), within), corpus, within).search(queries, k)

    block: dict[str, Any] = {}
    exec(code_of("tests/methods/test_random_order.py"), block)
    corpus = Corpus.of([(str(n), "", "wing") for n in range(30)])
    block["test_the_seed_decides_the_order"](corpus, Queries(["q"], ["wing"]), rank)
    assert type(parse_method(added)) is block["RandomOrder"]


def test_a_single_query_is_ranked_as_among_others(added: str, small_folder: Path, context: Context) -> None:
    dataset = load_dataset(str(small_folder), context)
    method = parse_method(added)
    searcher = index(method, fit(method, dataset.train, context), dataset.corpus, context)
    queries = dataset.test.queries
    together = searcher.search(queries, 10)
    single = searcher.search(Queries(queries.ids[3:4], queries.texts[3:4]), 10)
    assert (together.indices[3] == single.indices[0]).all()


def test_the_recipe_is_a_row_after_a_plus_and_trains(
    recipe: str, tiny_encoder: Path, small_folder: Path, tmp_path: Path, context: Context
) -> None:
    row = f'dense(model="{tiny_encoder}")+{recipe}(budget="smoke")'
    record = api.run(row, dataset=str(small_folder), results=tmp_path / "results", context=context).results[0].record
    assert record.status == "ok", record.problem
    (training,) = record.resolved["training"]
    assert training["steps"] == 4
    assert training["facts"]["titled"] == 30
    assert record.supervision == "dev labels"


def test_the_loss_keeps_the_contract_of_its_room(tiny_encoder: Path, tmp_path: Path) -> None:
    with dropped_in(harness.losses, "ranknet", tmp_path):
        loss = LOSSES.get("ranknet")()
        loss_contract.test_a_loss_is_a_frozen_value_with_defaults_and_a_source(loss)
        loss_contract.test_every_setting_can_be_written_as_json_and_is_explained(loss)
        loss_contract.test_a_loss_is_lowered_by_following_its_gradient(loss, tiny_encoder)
        loss_contract.test_columns_already_encoded_give_the_same_loss(loss, tiny_encoder)
    assert str(loss) == "ranknet"


def test_the_loss_is_ranknet(tmp_path: Path) -> None:
    """A slow loop over the formula; the cosines are those of the vectors, whose lengths differ."""
    draws = np.random.default_rng(0).standard_normal((3, 4, 8))
    vectors = draws / np.linalg.norm(draws, axis=2, keepdims=True)
    queries, documents = vectors[0], np.concatenate(vectors[1:])
    slow = []
    for number, query in enumerate(queries):
        scores = documents @ query
        behind = np.delete(scores, number) - scores[number]
        slow += list(np.log1p(np.exp(10 * behind)))
    with dropped_in(harness.losses, "ranknet", tmp_path):
        module = LOSSES.get("ranknet")(scale=10.0).build(torch.nn.Identity())  # type: ignore[call-arg, arg-type]
        value = module.compute_loss_from_embeddings([torch.from_numpy(3 * column) for column in draws])
    assert value.item() == pytest.approx(np.mean(slow), rel=1e-9)
    with dropped_in(harness.losses, "ranknet", tmp_path), pytest.raises(SettingError, match="scale"):
        LOSSES.get("ranknet")(scale=0)  # type: ignore[call-arg]


def test_the_recipe_trains_with_the_loss(
    recipe: str, tiny_encoder: Path, small_folder: Path, tmp_path: Path, context: Context
) -> None:
    (tmp_path / "losses").mkdir()
    with dropped_in(harness.losses, "ranknet", tmp_path / "losses"):
        row = f'dense(model="{tiny_encoder}")+{recipe}(loss=ranknet(scale=10), budget="smoke")'
        record = (
            api.run(row, dataset=str(small_folder), results=tmp_path / "results", context=context).results[0].record
        )
    assert record.status == "ok", record.problem
    assert "ranknet(scale=10" in record.method


def test_the_measure_is_a_column_of_the_run(small_folder: Path, tmp_path: Path, context: Context) -> None:
    measures = ["nDCG@10", "BestGrade@3", "BestGrade(least=2)@3"]
    (tmp_path / "measures").mkdir()
    try:
        with dropped_in(harness.measures, "best_grade", tmp_path / "measures"):
            board = api.run(
                "bm25", dataset=str(small_folder), results=tmp_path / "results", context=context, measures=measures
            )
            kind = MEASURES.get("best_grade")
            measure_contract.test_settings_are_checked_by_their_bounds(kind(cutoff=3))
            measure_contract.test_a_measure_is_a_frozen_value_with_a_source(kind(cutoff=3))
    finally:
        ir_measures.measures.registry.pop("BestGrade", None)
    values = board.measures("bm25")
    assert 0 <= values["BestGrade(least=2)@3"] <= values["BestGrade@3"] <= 1
    assert values["BestGrade@3"] > 0
    judged = {"a": 4, "b": 1, "c": 0}
    for ranking, share in ((["c", "b"], 0.25), (["x"], 0.0), (["b", "a"], 1.0)):
        assert kind().score(judged, ranking) == share
    assert kind(least=2).score(judged, ["c", "b"]) == 0.0  # type: ignore[call-arg]


def column_of_text() -> str:
    found = re.search(r"```python\n(_cost\(.*?)```", TEXT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found.group(1).rstrip()


def test_the_column_is_shown_by_the_writers(small_folder: Path, tmp_path: Path, context: Context) -> None:
    """The module of the columns with one entry more."""
    start = "COSTS: tuple[Column[Line], ...] = (\n"
    source = Path(columns.__file__).read_text(encoding="utf-8")
    assert source.count(start) == 1
    module = ModuleType("harness.report.columns_with_one_more")
    exec(source.replace(start, f"{start}{column_of_text()},\n"), module.__dict__)

    record = api.run("bm25", dataset=str(small_folder), results=tmp_path, context=context).results[0].record
    with_model = dataclasses.replace(record, size={"model_bytes": 2**21})
    for each, cell, in_csv in ((with_model, "2.0", 2.0), (record, "–", 0.0)):
        (table,) = tables([each])
        for writer in ("markdown", "page", "terminal"):
            shown = {column.heading: column for column in module.columns_of(table, writer)}
            assert shown["model MiB"].text(table.lines[0]) == cell
        assert "model MiB" not in {column.heading for column in module.columns_of(table, "latex")}
        (written,) = [value for column in module.COSTS for name, value in column.csv if name == "model_mib"]
        assert written(each) == in_csv
    assert "size of the model's files" in module.EXPLAINED


def room_of_text(folder: Path) -> Path:
    """The text's room, as a folder `rewriters`."""
    room = folder / "rewriters"
    room.mkdir(parents=True)
    for name in ("__init__", "repeated"):
        (room / f"{name}.py").write_text(code_of(f"harness/rewriters/{name}.py"), encoding="utf-8")
    return room


def test_the_room_is_a_registry_of_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room_of_text(tmp_path)
    monkeypatch.setattr(harness, "__path__", [*harness.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    try:
        rewriters = importlib.import_module("harness.rewriters").REWRITERS
        assert rewriters.names() == ["repeated"]
        item = parse("repeated(times=3)", rewriters, {rewriters.package: rewriters})
        assert str(item) == "repeated(times=3)"
        assert item.rewrite("a b") == "a b a b a b"
        with pytest.raises(SettingError, match="times"):
            parse("repeated(times=0)", rewriters, {rewriters.package: rewriters})
    finally:
        for name in [name for name in sys.modules if name.startswith("harness.rewriters")]:
            del sys.modules[name]


EXAMPLES = [
    (harness.methods, "random_order"),
    (harness.recipes, "titles"),
    (harness.losses, "ranknet"),
    (harness.measures, "best_grade"),
    (harness.indexes, "leading"),
    (harness.datasets, "faq"),
    (harness.generators, "opening"),
]
"""Files that the text adds to rooms."""


def test_the_index_is_a_setting_whose_recall_is_in_the_record(
    tiny_encoder: Path, small_folder: Path, tmp_path: Path, context: Context
) -> None:
    with dropped_in(harness.indexes, "leading", tmp_path):
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
    with dropped_in(harness.indexes, "leading", tmp_path):
        kind = INDEXES.get("leading")
        result = kind(first=4, rescore=20).build(Held(vectors), order, context).search(queries, 10)  # type: ignore[call-arg]
        few = kind(first=4, rescore=1).build(Held(vectors), order, context).search(queries, 10)  # type: ignore[call-arg]
    true = Exact().build(Held(vectors), order, context).search(queries, 10)
    assert (result.indices == true.indices).all()
    assert (few.indices != true.indices).any()


def test_the_source_is_a_dataset_by_its_files_name(tmp_path: Path, context: Context) -> None:
    file = tmp_path / "support.tsv"
    file.write_text(
        "how to reset a password\tOpen the settings and choose reset password.\nwhere are invoices\tInvoices: see "
        "Billing.\n"
    )
    with dropped_in(harness.datasets, "faq", tmp_path):
        record = api.run("bm25", dataset=f"faq/{file}", results=tmp_path / "results", context=context).results[0].record
        assert record.measures["nDCG@10"] == 1.0
        file.write_text("no tab here\n")
        with pytest.raises(DatasetError, match="line 1"):
            load_dataset(f"faq/{file}", Context(cache=context.cache))


def test_the_generator_feeds_a_recipe(tiny_encoder: Path, small_folder: Path, tmp_path: Path, context: Context) -> None:
    with dropped_in(harness.generators, "opening", tmp_path):
        row = f'dense(model="{tiny_encoder}")+qgen(generator=opening, budget="smoke")'
        record = (
            api.run(row, dataset=str(small_folder), results=tmp_path / "results", context=context).results[0].record
        )
    assert record.status == "ok", record.problem


def test_their_text_passes_the_lint_of_the_project(tmp_path: Path) -> None:
    ruff = shutil.which("ruff") or pytest.skip("needs 'ruff': pip install retrieval-harness[dev]")
    settings = ["--config", str(TEXT.parent / "pyproject.toml"), "--no-cache"]
    with contextlib.ExitStack() as stack:
        for room, name in EXAMPLES:
            stack.enter_context(dropped_in(room, name, tmp_path))
    room_of_text(tmp_path / "harness")
    (tmp_path / "harness" / "__init__.py").write_text('"""Makes the room a part of the package, as it will be."""\n')
    files = [str(file) for file in sorted(tmp_path.rglob("*.py"))]
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run([ruff, *check, *settings, *files], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
