"""Jobs for the tests of executors, in a module that workers can import."""

from __future__ import annotations

from pathlib import Path

import pytest

JOBS = """
import logging, os, signal
from harness.base.errors import SettingError

def mark(given):
    with open(given["mark"], "a") as file:
        file.write("x")
    return os.path.getsize(given["mark"])

def echo(given, context):
    return {"word": given["word"], "seed": context.seed, "cache": str(context.cache.root), "at": os.getcwd(),
            "data": [str(d) for d in context.data_dirs], "named": os.environ.get("HARNESS_DATA")}

def fail(given, context):
    mark(given)
    raise ValueError("as asked")

def refuse(given, context):
    raise SettingError("not like this; like that.")

def die(given, context):
    if mark(given) <= given["times"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return "lived"

def hold(given, context):
    logging.getLogger("harness.jobs").warning("mind this")
    return context.ledger.once("load", "build", "it", lambda: mark(given))

def stored(given, context):
    context.cache.folder("kind", "k", {}, lambda part: (part / "a").write_text("built"))

def threads(given, context):
    return os.environ.get("OMP_NUM_THREADS")
"""


@pytest.fixture
def job_module(worker_path: Path) -> str:
    (worker_path / "harness_jobs.py").write_text(JOBS, encoding="utf-8")
    return "harness_jobs"
