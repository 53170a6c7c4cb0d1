"""The work of `harness doctor`: libraries, engines, disk, data, environment and load, each with what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import harness
from harness.base.doing import doing
from harness.base.errors import HarnessError
from harness.base.plain import one_line
from harness.cache.folders import Cache, default_root
from harness.cache.manage import entries, total
from harness.cli.doctor_libraries import Check, libraries, shortened
from harness.datasets import every_name
from harness.engines import ENGINES
from harness.report.sheet import Field, Sheet
from harness.report.sheet_formats import Shown
from harness.runtime.context import Context

STYLES = {"ok": "", "absent": "dim", "slow": "yellow", "fails": "red"}
ROOM_GIB = 5.0
"""Free disk below which a cache of vectors and models may not fit."""
MEMORY_GIB = 4.0
"""Memory below which models of usual size may not fit."""
BUSY = 0.5
"""Share of the processors that is in use, from which on measurements of time are unreliable."""
SLOW_WRITE = 50.0
"""MiB a second below which the cache's disk is slow, as one over a network may be."""
WRITTEN = 16
"""MiB that are written to measure that."""
SETTINGS = ("HARNESS_", "HF_", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "TOKENIZERS_PARALLELISM", "NO_COLOR")
"""Beginnings of variables that change what the harness does."""


def checks(data_dirs: Sequence[Path], cache_dir: Path | None, results: Path) -> list[Check]:
    """Everything that was looked at, by group.

    Args:
        data_dirs: folders of collections, before `HARNESS_DATA` and the cache.
        cache_dir: the cache; None is the user's.
        results: folder of the records.
    """
    parts = (_machine(), libraries(), _engines(), _disk(cache_dir, results), _data(data_dirs, cache_dir), _variables())
    return [check for part in parts for check in part]


def shown(found: Sequence[Check], *, verbose: bool = True) -> Shown:
    """The verdict, and a table for each group; libraries that are as they should be in one line unless verbose."""
    bad = [check for check in found if check.state == "fails"]
    slow = [check for check in found if check.state == "slow"]
    absent = sum(check.state == "absent" for check in found)
    verdict = "Everything that is needed works"
    if bad:
        verdict = f"{len(bad)} {'thing does' if len(bad) == 1 else 'things do'} not work: {_names(bad)}"
    parts = [f"{len(slow)} may be slow: {_names(slow)}"] if slow else []
    parts += [f"{absent} optional {'library is' if absent == 1 else 'libraries are'} not installed"] if absent else []
    found = found if verbose else shortened(found)
    groups = dict.fromkeys(check.group for check in found)
    sheets = [_sheet(group, [check for check in found if check.group == group]) for group in groups]
    return Shown(sheets, ["; ".join([verdict, *parts]) + "."])


def _names(found: Sequence[Check]) -> str:
    return ", ".join(check.name for check in found)


def _sheet(group: str, found: Sequence[Check]) -> Sheet:
    names = [check.name for check in found]
    states = [check.state for check in found]
    words = [". ".join(filter(None, (check.value, check.advice))) for check in found]
    fields = [
        Field("name", "", names, names, right=False),
        Field("state", "", states, states, right=False),
        Field("", "", words, words, right=False, wraps=True),
        Field.hidden("value", [check.value for check in found]),
        Field.hidden("advice", [check.advice for check in found]),
    ]
    return Sheet(group, fields, marks=[STYLES[check.state] for check in found], key=group)


def _machine() -> Iterator[Check]:
    import psutil

    doing("look at the machine")
    python = platform.python_version()
    yield Check("machine", "harness", "ok", f"{harness.__version__}, Python {python}, {platform.platform()}")
    cores, gib = psutil.cpu_count() or 1, psutil.virtual_memory().available / 2**30
    use = psutil.cpu_percent(interval=0.3) / 100
    busy = use >= BUSY
    yield Check(
        "machine",
        "processor",
        "slow" if busy else "ok",
        f"{cores} logical processors, {use:.0%} in use",
        "Times measured now are marked as unreliable: wait until other processes have ended" if busy else "",
    )
    small = gib < MEMORY_GIB
    advice = "Lower --batch-tokens and --memory, or take a smaller model" if small else ""
    yield Check("machine", "memory", "slow" if small else "ok", f"{gib:.1f} GiB available", advice)


def _engines() -> Iterator[Check]:
    doing("start torch")
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Check("engines", "torch", "fails", one_line(str(error)), "Install torch again: pip install --force torch")
        return
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    with_cuda = torch.version.cuda is not None and device == "cpu"
    yield Check(
        "engines",
        "device",
        "ok",
        f"models run on {device}, torch {torch.__version__} with {torch.get_num_threads()} threads",
        "This torch is built for CUDA but finds no GPU; the CPU build is several GB smaller" if with_cuda else "",
    )
    fastest: dict[str, float] = {}
    for name in ENGINES.names():
        try:
            engine = ENGINES.get(name)()
            engine.versions("fp32")
            speeds = engine.speeds(device)
        except HarnessError as error:
            yield Check("engines", name, "absent", one_line(str(error)))
            continue
        fastest |= {f"{name} {precision}": speed for precision, speed in speeds.items()}
        listed = ", ".join(f"{precision} (about {speed:g}×)" for precision, speed in speeds.items())
        yield Check("engines", name, "ok" if speeds else "absent", listed or f"does not run on {device}")
    best = max(fastest, key=lambda name: fastest[name], default="")
    slow = device == "cpu" and "bf16" not in best
    advice = "This processor does not multiply in bf16: one that does, or a GPU, is about twice as fast" if slow else ""
    value = f"{best} is expected to be the fastest; speeds are relative to torch in fp32"
    yield Check("engines", "precision", "slow" if slow else "ok", value, advice)


def _disk(cache_dir: Path | None, results: Path) -> Iterator[Check]:
    doing("look at disks")
    root = cache_dir or default_root()
    for name, place in (("cache", root), ("results", results)):
        if (file := next((each for each in (place, *place.parents) if each.is_file()), None)) is not None:
            advice = f"Name another with {'--cache-dir or HARNESS_CACHE' if name == 'cache' else '--results'}"
            yield Check("disk", name, "fails", f"{file} is a file, not a folder", advice)
            continue
        there = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.is_dir())
        free = shutil.disk_usage(there).free / 2**30
        try:
            speed = _written_per_second(there)
        except OSError as error:
            option = "--cache-dir or HARNESS_CACHE" if name == "cache" else "--results"
            yield Check("disk", name, "fails", f"{there}: {error.strerror or error}", f"Name another with {option}")
            continue
        value = f"{place}: {free:.1f} GiB free, {speed:.0f} MiB/s"
        if name == "cache" and root.is_dir():
            found = entries(Cache.unopened(root))
            value += f", {len(found):,} entries of {total(found) / 2**30:.2f} GiB"
        advice = "`harness cache gc` makes room" if free < ROOM_GIB else ""
        if speed < SLOW_WRITE:
            advice = "A local disk is faster"
        yield Check("disk", name, "slow" if advice else "ok", value, advice)


def _written_per_second(folder: Path) -> float:
    """MiB that a folder takes a second, to the disk; raises OSError if it cannot be written."""
    block = os.urandom(2**20)
    with tempfile.TemporaryFile(dir=folder) as file:
        start = time.perf_counter()
        for _ in range(WRITTEN):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        return WRITTEN / (time.perf_counter() - start)


def _data(data_dirs: Sequence[Path], cache_dir: Path | None) -> Iterator[Check]:
    doing("look for data")
    try:
        cache = Cache.unopened(cache_dir or default_root())
        names = list(every_name(Context(cache=cache, data_dirs=tuple(data_dirs))))
    except HarnessError as error:
        yield Check("data", "collections", "fails", one_line(str(error)))
        return
    known = any(name.startswith("beir/") for name in names)
    advice = "" if known else "`harness data fetch beir/scifact` downloads one"
    yield Check("data", "collections", "ok", ", ".join(names), advice)
    for place in filter(None, (*map(str, data_dirs), os.environ.get("HARNESS_DATA", ""))):
        if not Path(place).is_dir():
            yield Check("data", place, "fails", "no such folder", "Correct --data-dir or HARNESS_DATA")


def _variables() -> Iterator[Check]:
    found = {name: value for name, value in sorted(os.environ.items()) if name.startswith(SETTINGS)}
    for name, value in found.items():
        hidden = any(word in name for word in ("KEY", "TOKEN", "SECRET", "PASSWORD"))
        yield Check("environment", name, "ok", "set" if hidden else value)
    threads, cores = found.get("OMP_NUM_THREADS", ""), os.cpu_count() or 1
    if threads.isdigit() and int(threads) < cores:
        value = f"{threads} threads on {cores} processors"
        yield Check("environment", "threads", "slow", value, "Unset OMP_NUM_THREADS to use all of them")
