"""A process that has imported what the suites import: each run of pytest is a fork of it, and begins at once.

Runs as `python -c <this text>`, so that it is no module for those that it forks. Of each line on standard input, a JSON
object, it makes a run; on standard output it writes the run's process number, then its exit status.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import sys
import threading
from typing import Any

BEFORE = ("scipy.stats", "bm25s", "networkx", "datasketch", "ir_measures", "harness.api", "harness.cli.pytest_options")
"""No module of `harness.suites`: their assertions are rewritten when pytest imports them."""


def run(folder: str, arguments: list[str], environment: dict[str, str], out: str, err: str) -> int:
    """`python -m pytest` as in a process of its own; returns its exit status."""
    os.chdir(folder)
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ.clear()
    os.environ.update(environment)
    later = [place for place in sys.path if place not in ("", *given)]
    sys.path[:] = [folder, *environment.get("PYTHONPATH", "").split(os.pathsep), *later]
    importlib.invalidate_caches()
    for number, name in enumerate((os.devnull, out, err)):
        opened = os.open(name, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    import pytest

    sys.argv = [pytest.__file__, *arguments]
    return int(pytest.main())


def forked(told: dict[str, Any]) -> int:
    """Starts a run; its process number."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        status = run(**told)
    finally:  # as at the end of any process, without taking apart what was imported
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    for module in ("pytest", *BEFORE):
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        process = forked(json.loads(line))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
