"""The first import of the large libraries in an installation, in which Python compiles thousands of modules.

That takes more processor time than all else of a short board. Another process does it on another core while this one
reads the collection and does what needs no model; this one then finds the modules compiled.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from harness.base.threads import cores

LIBRARY = "sentence_transformers"
"""The library that imports torch and transformers; it counts as compiled if its first module is."""
IMPORTS = (
    f"import os; getattr(os, 'nice', abs)(5); import {LIBRARY}, transformers.models.bert.modeling_bert, "
    "openvino.tools.ovc, openvino.frontend.pytorch"
)

_started: list[subprocess.Popen[bytes]] = []


def compile_in_background() -> None:
    """Starts the other process if the library is installed and not compiled, what is compiled can be kept, and there is
    another core for it; once.

    It ends when this process ends.
    """
    if _started or cores() < 2 or sys.dont_write_bytecode or not sys.executable or not _is_due(LIBRARY):
        return
    quiet = subprocess.DEVNULL
    try:
        # -P: no module of the folder that the command is called in.
        process = subprocess.Popen([sys.executable, "-P", "-c", IMPORTS], stdin=quiet, stdout=quiet, stderr=quiet)
    except OSError:  # too many processes, or too little memory: the modules are compiled here
        return
    _started.append(process)
    atexit.register(_end)


def _is_due(library: str) -> bool:
    """Whether Python has not compiled a package's first module yet, and may write next to it."""
    found = importlib.util.find_spec(library)
    if found is None or found.cached is None:
        return False
    compiled = Path(found.cached)
    nearest = next(folder for folder in compiled.parents if folder.exists())
    return not compiled.exists() and os.access(nearest, os.W_OK)


def processes() -> frozenset[int]:
    """Ids of the processes that were started: they are of this one, and no part of what it times."""
    return frozenset(process.pid for process in _started if process.poll() is None)


def _end() -> None:
    for process in _started:
        process.terminate()
        process.wait()
