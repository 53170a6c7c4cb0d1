"""Workers end with a main process that is killed, whatever they do, and say nothing of Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

MAIN = """
import signal, sys
from pathlib import Path
from harness.cache.folders import Cache
from harness.runtime.context import Context
from harness.executors import Job
from harness.api import executor_of

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell would have it ignored
    folder = Path(sys.argv[2])
    jobs = [Job(str(i), "harness_orphans:hold", {"mark": str(folder / f"mark{i}")}) for i in range(2)]
    try:
        list(executor_of(sys.argv[1]).map(jobs, Context(cache=Cache(folder / "cache"))))
    except KeyboardInterrupt:
        sys.exit(130)
"""
JOBS = """
import os, subprocess, time

def hold(given, context):
    child = subprocess.Popen(["sleep", "300"])
    with open(given["mark"] + ".part", "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    os.rename(given["mark"] + ".part", given["mark"])
    until = time.monotonic() + 300
    while time.monotonic() < until:
        time.sleep(0.01)
"""
EXECUTORS = [
    "processes(workers=2)",
    pytest.param("ray(workers=2)", marks=pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")),
]


@pytest.fixture
def main(worker_path: Path, tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    (worker_path / "harness_orphans.py").write_text(JOBS, encoding="utf-8")
    (tmp_path / "main.py").write_text(MAIN, encoding="utf-8")
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def start(started: list[subprocess.Popen[str]], executor: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(folder / "main.py"), executor, str(folder)]
    pipe = subprocess.PIPE
    started.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=folder, start_new_session=True))
    return started[-1]


def marks(folder: Path, process: subprocess.Popen[str], seconds: float = 240) -> list[int]:
    """Process ids of both workers and of what they have started."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        found = [folder / f"mark{i}" for i in range(2)]
        if all(path.exists() for path in found):
            return [int(pid) for path in found for pid in path.read_text().split()]
        time.sleep(0.05)
    raise AssertionError(process.communicate(timeout=5) if process.poll() is not None else "no worker has begun")


def worker_is_starting(process: subprocess.Popen[str]) -> bool:
    for child in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.Error):  # a short-lived one that has ended
            if "spawn_main" in " ".join(child.cmdline()):
                return True
    return False


def gone(pids: list[int], seconds: float) -> list[int]:
    """Those that still run after so many seconds."""
    until = time.monotonic() + seconds
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("executor", EXECUTORS)
def test_workers_end_with_a_main_process_that_is_killed(
    executor: str, main: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = start(main, executor, tmp_path)
    pids = marks(tmp_path, process)
    ours = {child.pid: child.name() for child in psutil.Process(process.pid).children(recursive=True)}
    process.kill()
    if executor.startswith(
        "ray"
    ):  # its two agents end by themselves after a minute, and what a job has started sees to itself
        assert {"raylet", "gcs_server"} <= set(ours.values())
        ours = {pid: name for pid, name in ours.items() if not name.endswith("Agent") and name != "sleep"}
        pids = pids[::2]
    assert gone([*pids, *ours], 20) == []


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_interrupt_ends_all_and_no_worker_says_anything_of_it(
    executor: str, main: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = start(main, executor, tmp_path)
    pids = marks(tmp_path, process)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (130, "", "")
    assert gone(pids, 20) == []


def test_a_worker_that_is_starting_says_nothing_of_it_either(main: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    process = start(main, "processes(workers=2)", tmp_path)
    until = time.monotonic() + 240
    while time.monotonic() < until and process.poll() is None:
        if worker_is_starting(process):
            break
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err == ""


def test_a_command_that_is_interrupted_says_one_line(small_folder: Path, tmp_path: Path) -> None:
    entry = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from harness.cli.app import main\nif __name__ == '__main__': main()\n"
    )
    (tmp_path / "entry.py").write_text(entry, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "entry.py"), "run", "-q", "-d", str(small_folder), "-m", "bm25"]
    command += ["--executor", "processes(workers=1)"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=tmp_path, start_new_session=True)
    until = time.monotonic() + 240
    while time.monotonic() < until and process.poll() is None:
        if worker_is_starting(process):
            break
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.splitlines() == ["harness: interrupted; finished work is saved, run the same command to continue."]


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Windows cannot block a signal")
def test_an_interrupt_that_another_thread_receives_waits_until_the_process_is_started(python: Any) -> None:
    """A process whose parent was interrupted before it wrote the data that it starts from ended with a traceback."""
    done = python(
        "import signal, threading, time\n"
        "from harness.executors._orphans import deaf\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "ended = threading.Event()\n"
        "other = threading.Thread(target=ended.wait)\n"  # it does not block the signal
        "other.start()\n"
        "try:\n"
        "    with deaf():\n"
        "        signal.pthread_kill(other.ident, signal.SIGINT)\n"
        "        time.sleep(0.2)\n"
        "        print('started')\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
        "ended.set()\n"
    )
    assert (done.stdout.split(), done.stderr) == (["started", "interrupted"], "")
