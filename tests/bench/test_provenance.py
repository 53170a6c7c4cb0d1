import json
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.bench import provenance as module
from harness.bench.provenance import checkout, code_hash, device_name, machine, packages, provenance

git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    for remembered in (code_hash, packages, checkout, machine):
        remembered.cache_clear()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of two files in a folder of its own."""
    folder = tmp_path / "project" / "harness"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("a = 1\n")
    (folder / "inner" / "b.py").write_text("b = 2\n")
    monkeypatch.setattr(module, "SOURCES", folder)
    for remembered in (code_hash, checkout):
        remembered.cache_clear()
    return folder


def commit(folder: Path) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@y"]
    for arguments in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "one"], ["rev-parse", "HEAD"]):
        done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def now(thing):
    thing.cache_clear()
    return thing()


def test_it_is_json_and_says_where_and_with_what() -> None:
    found = provenance("cpu", "0123")
    assert found["code"] == "0123"
    assert set(found) == {"commit", "dirty", "code", "packages", "python", "machine", "device"}
    json.dumps(found, allow_nan=False)
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"numpy", "bm25s", "ir-measures", "retrieval-harness"} <= set(found["packages"])
    assert found["machine"]["cores"] >= 1
    assert found["machine"]["memory_gb"] > 0


def test_the_code_hash_changes_with_a_file_its_name_or_one_more_and_with_nothing_else(sources: Path) -> None:
    seen = [now(code_hash)]
    (sources / "inner" / "b.py").write_text("b = 3\n")
    seen.append(now(code_hash))
    (sources / "inner" / "b.py").rename(sources / "inner" / "c.py")
    seen.append(now(code_hash))
    (sources / "d.py").write_text("")
    seen.append(now(code_hash))
    assert len(set(seen)) == 4
    (sources / "notes.txt").write_text("not code")
    (sources / "__pycache__").mkdir()
    (sources / "__pycache__" / "d.cpython-311.pyc").write_bytes(b"x")
    assert now(code_hash) == seen[-1]


@git
def test_a_checkout_has_its_commit_and_is_clean_until_its_code_is_changed(sources: Path) -> None:
    head = commit(sources.parent)
    assert now(checkout) == {"commit": head, "dirty": False}
    (sources / "inner" / "b.py").write_text("b = 4\n")
    assert now(checkout) == {"commit": head, "dirty": True}


@git
@pytest.mark.parametrize(
    ("path", "dirty"), [("harness/new.py", True), ("pyproject.toml", True), ("results/a.json", False)]
)
def test_a_new_file_makes_it_dirty_where_it_can_move_a_figure(path: str, dirty: bool, sources: Path) -> None:
    commit(sources.parent)
    (sources.parent / path).parent.mkdir(exist_ok=True)
    (sources.parent / path).write_text("x")
    assert now(checkout)["dirty"] is dirty


def test_a_package_that_is_in_no_checkout_has_no_commit(sources: Path) -> None:
    assert now(checkout) == {"commit": None, "dirty": None}


@git
def test_a_package_installed_inside_somebody_elses_checkout_does_not_take_their_commit(sources: Path) -> None:
    (sources.parent / ".gitignore").write_text("harness/\n")
    commit(sources.parent)
    assert now(checkout) == {"commit": None, "dirty": None}


def test_without_git_there_is_no_commit_and_no_error(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert now(checkout) == {"commit": None, "dirty": None}


def fake_torch(cuda: bool, mps: bool = False) -> types.SimpleNamespace:
    return types.SimpleNamespace(
        cuda=types.SimpleNamespace(
            is_available=lambda: cuda, get_device_name=lambda which: f"Example GPU {which or 'cuda:0'}"
        ),
        backends=types.SimpleNamespace(mps=types.SimpleNamespace(is_available=lambda: mps)),
    )


@pytest.mark.parametrize(
    ("torch", "asked", "told"),
    [
        (None, None, "cpu"),
        (None, "cuda", "cpu"),
        (fake_torch(cuda=False), None, "cpu"),
        (fake_torch(cuda=False, mps=True), None, "mps"),
        (fake_torch(cuda=True), None, "Example GPU cuda:0"),
        (fake_torch(cuda=True), "cuda", "Example GPU cuda:0"),
        (fake_torch(cuda=True), "cuda:1", "Example GPU cuda:1"),
        (fake_torch(cuda=True), "cpu", "cpu"),
    ],
)
def test_the_device_is_named_where_torch_is_loaded_and_uses_one(
    torch: object, asked: str | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert device_name(asked) == told


def test_torch_is_not_imported_for_the_sake_of_its_name(python) -> None:
    done = python(
        "import sys; from harness.bench.provenance import provenance; provenance(None, ''); print('torch' in "
        "sys.modules)"
    )
    assert done.stdout == "False\n", done.stderr
