"""A file in a room is an item under the file's name, and an installed package adds items through the real protocol."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

import harness
from harness.analyzers import ANALYZERS, Analyzer
from harness.base.errors import SettingError, UnknownName
from harness.choices import items
from harness.choices.room import Room
from harness.datasets import SOURCES
from harness.feedback import FEEDBACK
from harness.fusions import FUSIONS
from harness.indexes import INDEXES
from harness.methods import METHODS
from harness.runtime.context import Context

ROOMS = {room.package: room for room in (ANALYZERS, FEEDBACK, FUSIONS, INDEXES, SOURCES, METHODS)}
Install = Callable[..., None]


class Said(Protocol):
    """What a command said."""

    status: int
    out: str
    err: str


SHOUT = '''"""Capital letters."""

from dataclasses import dataclass

from harness.analyzers import Analyzer


@dataclass(frozen=True)
class Shout(Analyzer):
    def __call__(self, text):
        return text.upper().split()
'''


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Puts a distribution on the path, as an installer leaves it: `install(entry points, file=source, …)`."""
    site = tmp_path / "site-packages"

    def put(entries: str, package: str = "shouting", group: str = "harness.analyzers", **files: str) -> None:
        (site / package).mkdir(parents=True, exist_ok=True)
        (site / package / "__init__.py").touch()
        for name, source in files.items():
            (site / package / f"{name}.py").write_text(source, encoding="utf-8")
        info = site / f"{package}-1.0.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[{group}]\n{entries}\n", encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))
        items._installed.cache_clear()
        items.entry_points.cache_clear()

    yield put
    monkeypatch.undo()
    items._installed.cache_clear()
    items.entry_points.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("shouting", "louder")]:
        del sys.modules[name]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Room[Analyzer], Path]]:
    """An empty room of its own, and its folder."""
    folder = tmp_path / "site" / "ownroom"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(folder.parent))
    items.files.cache_clear()
    yield Room("ownroom", Analyzer, "analyzer"), folder
    items.files.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "ownroom"]:
        del sys.modules[name]


@pytest.mark.parametrize("package", ROOMS)
def test_every_item_answers_to_the_name_of_its_file(package: str) -> None:
    room = ROOMS[package]
    folder = Path(harness.__file__).parent / package.rpartition(".")[2]
    assert room.names() == sorted(path.stem for path in folder.glob("[!_]*.py"))
    for name in room.names():
        item = room.get(name)
        assert item.name() == name
        assert item.__module__ == f"{package}.{name}"
        assert issubclass(item, room.base)
        assert item.room == package


@pytest.mark.parametrize("package", ROOMS)
def test_every_item_has_a_line_for_listings(package: str) -> None:
    for name in ROOMS[package].names():
        assert len(ROOMS[package].summary(name).split()) > 2
        assert not ROOMS[package].summary(name).startswith('"')


def test_listing_names_and_summaries_imports_no_item(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    code = """
import sys
from harness.methods import METHODS
names = METHODS.names()
summaries = [METHODS.summary(name) for name in names]
heavy = {"torch", "transformers", "sentence_transformers", "bm25s", *(f"harness.methods.{name}" for name in names)}
print(names, sorted(heavy & set(sys.modules)))
"""
    said = python(code)
    assert said.stderr == ""
    assert said.stdout == f"{METHODS.names()} []\n"


def test_hyphen_and_underscore_are_the_same() -> None:
    assert METHODS.get("cross-encoder") is METHODS.get("cross_encoder")
    assert "cross-encoder" in METHODS
    assert "cross_encoder" in METHODS
    assert "crossencoder" not in METHODS
    assert 3 not in METHODS


def test_an_unknown_name_is_told_with_the_closest() -> None:
    with pytest.raises(UnknownName, match=r"unknown method 'bm52'; did you mean 'bm25'\? Known: .*dense") as caught:
        METHODS.get("bm52")
    assert caught.value.close == ["bm25"]


def test_private_files_are_no_items() -> None:
    assert "_porter" not in ANALYZERS
    with pytest.raises(UnknownName):
        ANALYZERS.get("_porter")


def test_a_file_dropped_in_is_an_item(room: tuple[Room[Analyzer], Path]) -> None:
    (room[1] / "shout.py").write_text(SHOUT, encoding="utf-8")
    assert room[0].names() == ["shout"]
    assert room[0].get("shout")()("a b") == ["A", "B"]
    assert room[0].summary("shout") == "Capital letters."


@pytest.mark.parametrize(
    "docstring",
    [
        '"""Words in capital letters,\nas in a headline."""\n',
        '"""Words in capital letters,\nas in a headline.\n\nMore of it.\n"""\n',
        '"""\nWords in capital letters,\nas in a headline.\n"""\n',
        '"""Words in capital letters, as in a headline."""\n\n"""Another."""\n',
    ],
)
def test_a_summary_is_the_whole_first_paragraph(room: tuple[Room[Analyzer], Path], docstring: str) -> None:
    (room[1] / "shout.py").write_text(docstring, encoding="utf-8")
    assert room[0].summary("shout") == "Words in capital letters, as in a headline."


@pytest.mark.parametrize(("source", "found"), [("", 0), (SHOUT + "\n\nclass Another(Shout):\n    pass\n", 2)])
def test_a_file_must_define_exactly_one_item(room: tuple[Room[Analyzer], Path], source: str, found: int) -> None:
    (room[1] / "shout.py").write_text(source, encoding="utf-8")
    with pytest.raises(TypeError, match=rf"ownroom.shout must define exactly one public Analyzer, found {found}"):
        room[0].get("shout")


def test_a_file_may_import_other_items_and_keep_private_ones(room: tuple[Room[Analyzer], Path]) -> None:
    source = SHOUT + "\n\nfrom harness.analyzers.standard import Standard\n\n\nclass _Helper(Shout):\n    pass\n"
    (room[1] / "shout.py").write_text(source, encoding="utf-8")
    assert room[0].get("shout").__name__ == "Shout"


def test_a_room_that_is_no_package_is_a_defect() -> None:
    with pytest.raises(ModuleNotFoundError):
        Room("harness.no_such_room", Analyzer, "analyzer").names()


def test_an_installed_package_adds_an_item(install: Install) -> None:
    install("shout = shouting.shout:Shout", shout=SHOUT)
    assert ANALYZERS.names() == ["cjk", "english", "shout", "snowball", "standard"]
    assert "shouting.shout" not in sys.modules, "listing imports nothing"
    assert ANALYZERS.summary("shout") == "from shouting.shout:Shout (shouting 1.0)"
    item = ANALYZERS.get("shout")
    assert str(item()) == "shout"
    assert item()("a b") == ["A", "B"]


def test_an_installed_item_works_in_an_expression(install: Install) -> None:
    from harness.rows import parse_method

    install("shout = shouting.shout:Shout", shout=SHOUT)
    assert str(parse_method("bm25(analyzer=shout)")) == "bm25(analyzer=shout)"


def test_an_entry_points_hyphens_are_underscores(install: Install) -> None:
    install("shout-loud = shouting.shout_loud:Shout", shout_loud=SHOUT)
    assert ANALYZERS.get("shout-loud") is ANALYZERS.get("shout_loud")


def test_our_own_file_wins_over_an_entry_point_of_its_name(install: Install) -> None:
    install("english = shouting.english:Shout", english=SHOUT)
    assert ANALYZERS.get("english").__module__ == "harness.analyzers.english"
    assert ANALYZERS.names() == ["cjk", "english", "snowball", "standard"]
    assert ANALYZERS.summary("english").endswith(" (hides shouting.english:Shout (shouting 1.0))")
    assert "shouting.english" not in sys.modules


@pytest.mark.parametrize(
    "entry",
    [
        "shout = shouting.other:Shout",  # a file of another name
        "shout = shouting.shout:SIZE",  # no class
        "shout = shouting.shout:dataclass",  # no analyser
        "shout = shouting.shout",  # a module
    ],
)
def test_an_entry_point_that_names_no_item_of_its_name_is_told(install: Install, entry: str) -> None:
    install(entry, shout=SHOUT + "\nSIZE = 3\n", other=SHOUT)
    with pytest.raises(
        SettingError,
        match=r"entry point 'shout' of group 'harness.analyzers', .* must name a subclass of Analyzer .*shout\.py",
    ):
        ANALYZERS.get("shout")


@pytest.mark.parametrize(
    ("entry", "source"),
    [
        ("shout = shouting.absent:Shout", SHOUT),
        ("shout = shouting.shout:Absent", SHOUT),
        ("shout = shouting.shout:Shout", "import a_library_that_is_not_there\n" + SHOUT),
    ],
)
def test_an_entry_point_that_cannot_be_imported_is_told(install: Install, entry: str, source: str) -> None:
    install(entry, shout=source)
    message = (
        r"entry point 'shout' of group 'harness.analyzers', .* shouting 1.0, cannot be loaded: .*(bsent|not_there)"
    )
    with pytest.raises(SettingError, match=message):
        ANALYZERS.get("shout")


@pytest.mark.parametrize(
    "source", ["1 / 0", "def broken(:", "raise RuntimeError('division by zero')", "import broken_inside"]
)
def test_a_package_that_fails_in_any_way_is_named_and_takes_no_other_down(
    install: Install, source: str, caplog: pytest.LogCaptureFixture
) -> None:
    install("broken = shouting.broken:Broken\nshout = shouting.shout:Shout", shout=SHOUT, broken=source)
    assert ANALYZERS.names() == ["broken", "cjk", "english", "shout", "snowball", "standard"]
    assert [name for name, _ in ANALYZERS.usable()] == ["cjk", "english", "shout", "snowball", "standard"]
    assert "shouting 1.0, cannot be loaded" in caplog.text
    with pytest.raises(SettingError, match=r"package shouting 1.0, cannot be loaded: .*Repair or remove that package"):
        ANALYZERS.get("broken")


def test_a_broken_source_of_collections_leaves_the_listing_whole(
    install: Install, harness_command: Callable[..., Said], tmp_path: Path
) -> None:
    install("attic = shouting.attic:Attic", group="harness.datasets", attic="1 / 0")
    said = harness_command("list", "--data-dir", tmp_path)
    assert said.status == 0
    assert "stdlib/code" in said.out
    assert "from shouting.attic:Attic (shouting 1.0)" in said.out


def test_a_package_that_ends_the_process_while_it_is_imported_does_not_end_ours(install: Install) -> None:
    install("shout = shouting.shout:Shout", shout="import sys\nsys.exit(3)\n")
    with pytest.raises(SettingError, match=r"shouting 1\.0, cannot be loaded: SystemExit: 3"):
        ANALYZERS.get("shout")


@pytest.mark.parametrize("decorator", ["", "@dataclass\n"])
def test_an_item_of_a_package_must_be_a_frozen_dataclass(install: Install, decorator: str) -> None:
    source = SHOUT.replace("@dataclass(frozen=True)\n", decorator)
    assert source != SHOUT
    install("shout = shouting.shout:Shout", shout=source)
    with pytest.raises(SettingError, match=r"shouting 1\.0, must name a @dataclass\(frozen=True\)"):
        ANALYZERS.get("shout")


def test_of_two_packages_that_give_one_name_neither_wins(install: Install) -> None:
    install("shout = shouting.shout:Shout\nown = shouting.own:Shout", shout=SHOUT, own=SHOUT)
    install("shout = louder.shout:Shout", package="louder", shout=SHOUT)
    with pytest.raises(
        SettingError, match=r"'shout' is given by two packages, .*(louder 1.0.*shouting|shouting 1.0.*louder)"
    ):
        ANALYZERS.get("shout")
    assert [name for name, _ in ANALYZERS.usable()] == ["cjk", "english", "own", "snowball", "standard"]
    assert "louder" in ANALYZERS.summary("shout")
    assert "shouting" in ANALYZERS.summary("shout")


BACKWARDS = '''"""Documents in the order of their rows."""

from dataclasses import dataclass

import numpy as np

from harness.methods import Fitted, Method, Searcher, Size
from harness.data.ranking import select, stack


@dataclass(frozen=True)
class InOrder(Method):
    def fit(self, view, context):
        return _Fitted()


class _Fitted(Fitted):
    key, resolved = "in_order", {}

    def index(self, corpus, context):
        return _Searcher(corpus)


class _Searcher(Searcher):
    def __init__(self, corpus):
        self.key, self.size, self._corpus = f"in_order-{corpus.revision}", Size(), corpus

    def search(self, queries, k):
        rows = np.arange(len(self._corpus), dtype=np.int64)
        one = select(rows, -rows.astype(np.float32), self._corpus.id_order, k)
        return stack([one] * len(queries), k)
'''


def test_an_installed_method_is_a_row_whose_record_names_its_code(
    install: Install, small_folder: Path, tmp_path: Path, context: Context
) -> None:
    from harness import api

    def run(source: str) -> api.Result:
        install("in_order = shouting.in_order:InOrder", group="harness.methods", in_order=source)
        sys.modules.pop("shouting.in_order", None)
        importlib.invalidate_caches()
        return api.run("in-order", dataset=str(small_folder), results=tmp_path / "results", context=context).results[0]

    first, same, changed = run(BACKWARDS), run(BACKWARDS), run(BACKWARDS.replace("-rows", "+0 - rows"))
    assert first.record.row == "in_order"
    assert first.record.status == "ok", first.record.problem
    assert (first.kept, same.kept, changed.kept) == (False, True, False), "a change of a package's code is another row"
