"""One file is a plug-in: a method, a recipe, a loss, a collection, a measure and a column, without an installation."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.base.errors import SettingError
from harness.bench.identity import modules_of_row
from harness.choices import plugins
from harness.choices.plugins import VARIABLE, file_of, items_of, name_plugins
from harness.datasets import SOURCES
from harness.executors.processes import Processes
from harness.losses import LOSSES
from harness.measures import MEASURES
from harness.methods import METHODS
from harness.recipes import RECIPES
from harness.rows import parse_method, row_name
from harness.runtime.context import Context

SOURCE = '''"""My own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.choices.bounds import Count
from harness.collection.in_memory import Split, cached_corpus, dataset_of
from harness.data.documents import Document
from harness.data.ranking import select, stack
from harness.datasets import Source
from harness.losses import Loss
from harness.measures import Measure
from harness.methods import Fitted, Method, Searcher, Size
from harness.recipes import Recipe
from harness.report.column import Column
from harness.training.schedule import Schedule


@dataclass(frozen=True)
class ByLength(Method):
    """Documents by the length of their text.

    Args:
        most: characters that count.
    """

    most: Count = 100

    def fit(self, view, context):
        return _Fitted(self)


class _Fitted(Fitted):
    resolved = {}

    def __init__(self, method):
        self.method, self.key = method, f"by_length-{method.most}"

    def index(self, corpus, context):
        return _Searcher(self, corpus)


class _Searcher(Searcher):
    def __init__(self, fitted, corpus):
        self.key, self.size, self.corpus = f"{fitted.key}-{corpus.revision}", Size(), corpus
        self.lengths = np.array([min(len(t), fitted.method.most) for t in corpus.texts[:]], np.float32)

    def search(self, queries, k):
        rows = np.arange(len(self.corpus), dtype=np.int64)
        one = select(rows, self.lengths, self.corpus.id_order, k)
        return stack([one] * len(queries), k)


@dataclass(frozen=True)
class FirstLetter(Measure):
    """Whether the first document begins with a d."""

    def score(self, judged, ranking):
        return float(ranking[0].startswith("d"))


@dataclass(frozen=True)
class MyLoss(Loss):
    """None."""

    def build(self, model):
        raise NotImplementedError


@dataclass(frozen=True)
class MyRecipe(Recipe):
    """None.

    Args:
        loss: one of its own.
    """

    loss: Loss = MyLoss()
    schedules: ClassVar = {"small": Schedule(steps=1)}

    def lesson(self, base, view, context):
        raise NotImplementedError


@dataclass(frozen=True)
class Shelf(Source):
    """Three documents."""

    def load(self, rest, context):
        documents = [Document(f"d{n}", "", "word " * n) for n in range(1, 4)]
        corpus = cached_corpus("shelf/all", lambda: documents, context)
        return dataset_of("shelf/all", corpus, {"test": Split({"q": "word"}, {"q": {"d3": 1}})}, "test")

    def available(self, context):
        return ["all"]


COLUMNS = (Column("judged queries", lambda line: line.first.dataset["queries"], str, "`judged queries`: how many."),)
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "own_things.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_a_file_brings_items_into_every_room(plugin: Path) -> None:
    assert "by_length" not in METHODS
    name_plugins([plugin])
    rooms = {METHODS: "by_length", MEASURES: "first_letter", LOSSES: "my_loss", RECIPES: "my_recipe", SOURCES: "shelf"}
    for room, name in rooms.items():
        assert name in room.names()
        assert room.get(name.replace("_", "-")).name() == name
        assert "own_things.py, line " in room.summary(name)
    assert METHODS.summary("by_length").startswith("Documents by the length of their text. (plug-in own_things.py, ")
    assert str(parse_method("by-length(most=3)")) == "by_length(most=3)"
    assert row_name(parse_method("by_length>>dense")) == "by_length>>dense"
    assert str(parse_method("dense+my_recipe")) == "dense+my_recipe"


def test_a_board_of_its_row_its_collection_its_measure_and_its_column(
    plugin: Path, context: Context, tmp_path: Path
) -> None:
    name_plugins([plugin])
    results = tmp_path / "results"
    board = api.run("by_length", "bm25", dataset="shelf/all", measures=["FirstLetter", "RR"], results=results,
                    context=context)
    assert board.measures("by_length") == {"FirstLetter": 1.0, "RR": 1.0}
    api.write_leaderboard(results, context)
    table = (results / "leaderboard.md").read_text(encoding="utf-8")
    assert "judged queries" in table
    assert "`judged queries`: how many." in table
    assert api.run("by_length", dataset="shelf/all", results=results, context=context).results[0].kept is False
    again = api.run("by_length", "bm25", dataset="shelf/all", measures=["FirstLetter", "RR"], results=results,
                    context=context)
    assert [result.record.status for result in again.results] == ["ok", "ok"]


def test_its_source_is_in_the_identity_of_its_rows_and_of_no_other(plugin: Path) -> None:
    name_plugins([plugin])
    assert "harness_plugin_own_things" in modules_of_row(parse_method("by_length"))
    assert "harness_plugin_own_things" in modules_of_row(parse_method("bm25"), ["FirstLetter"])
    assert "harness_plugin_own_things" not in modules_of_row(parse_method("bm25"), ["RR"])


def test_a_worker_has_the_plug_in(plugin: Path, context: Context, small_folder: Path, tmp_path: Path) -> None:
    name_plugins([plugin])
    board = api.run("by_length", dataset=str(small_folder), measures=["FirstLetter"], results=tmp_path / "results",
                    context=context, executor=Processes(workers=1))
    record = board.results[0].record
    assert (record.status, record.problem) == ("ok", None)
    assert record.measures == {"FirstLetter": 1.0}
    assert record.provenance["executor"].startswith("processes")


@pytest.mark.parametrize("how", ["option", "variable", "project"])
def test_a_plug_in_is_named_by_an_option_a_variable_or_the_project(
    how: str, plugin: Path, monkeypatch: pytest.MonkeyPatch, harness_command: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / how / "inner"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    options = ["--plugin", plugin] if how == "option" else []
    if how == "variable":
        monkeypatch.setenv(VARIABLE, str(plugin))
    if how == "project":
        (folder.parent / "pyproject.toml").write_text('[tool.harness]\nplugins = ["../own_things.py"]\n', "utf-8")
    said = harness_command("list", "methods", *options)
    assert (said.status, said.err) == (0, "")
    assert "by_length" in said.out


def test_a_syntax_error_names_file_and_line_before_any_work(
    harness_command: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "broken.py").write_text("x = 1\ndef search(query, k:\n", encoding="utf-8")
    said = harness_command("run", "--plugin", "broken.py", "-m", "bm25", "-d", "stdlib/code")
    assert said.status == 2
    assert f"{tmp_path / 'broken.py'}, line 2: SyntaxError" in said.err
    assert not (tmp_path / "results").exists()


HEAD = "from dataclasses import dataclass\nfrom harness.analyzers import Analyzer\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (f"{HEAD}class Loud(Analyzer):\n    def __call__(self, text):\n        return []\n",
         r"bad\.py, line 3: put @dataclass\(frozen=True\) above class Loud"),
        (f"{HEAD}@dataclass\nclass Loud(Analyzer):\n    def __call__(self, text):\n        return []\n",
         r"put @dataclass\(frozen=True\) above class Loud|cannot inherit non-frozen"),
        (f"{HEAD}@dataclass(frozen=True)\nclass Loud(Analyzer):\n    pass\n",
         r"bad\.py, line [34]: Loud lacks __call__"),
        (f"{HEAD}@dataclass(frozen=True)\nclass English(Analyzer):\n    def __call__(self, text):\n        return []\n",
         r"English would be 'english' of harness\.analyzers, which exists; rename the class"),
        ("SIZE = 3\n", r"bad\.py: a plug-in has public classes that derive from a room's contract"),
    ],
)
def test_a_class_that_cannot_be_an_item_is_named(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "bad.py").write_text(source, encoding="utf-8")
    with pytest.raises(SettingError, match=message):
        name_plugins([tmp_path / "bad.py"])


def test_two_plug_ins_of_one_name_are_both_named(plugin: Path, tmp_path: Path) -> None:
    other = tmp_path / "others.py"
    other.write_text(SOURCE, encoding="utf-8")
    name_plugins([plugin, other])
    with pytest.raises(SettingError, match=r"'by_length' is given by two plug-ins, .*own_things\.py and .*others\.py"):
        METHODS.get("by_length")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.harness]\nplugin = []\n", r"unknown key 'plugin' in \[tool\.harness\]"),
        ("[tool.harness]\nplugins = 'a.py'\n", "must be a list of paths"),
        ("[tool.harness\n", "is not valid TOML"),
    ],
)
def test_a_wrong_table_of_the_project_is_named(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingError, match=message):
        items_of("harness.methods")


def test_the_project_of_somebody_else_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert items_of("harness.methods") == {}


def test_a_file_that_is_not_here_is_found_among_the_plug_ins(plugin: Path) -> None:
    name_plugins([plugin])
    assert file_of("/elsewhere/own_things.py") == plugin
    assert file_of(str(plugin)) == plugin
    assert file_of("/elsewhere/other.py") == Path("/elsewhere/other.py")
    assert plugins.is_plugin(METHODS.get("by_length"))
    assert not plugins.is_plugin(METHODS.get("bm25"))
    assert os.environ[VARIABLE] == str(plugin)
