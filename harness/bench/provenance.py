"""Provenance: the code, packages and machine that a score was made with."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

import harness

PACKAGES = (
    "retrieval-harness",
    "bm25s",
    "ir-measures",
    "pytrec-eval-terrier",
    "numpy",
    "scipy",
    "pyarrow",
    "torch",
    "transformers",
    "tokenizers",
    "sentence-transformers",
)
SOURCES = Path(harness.__file__).parent


def provenance(device: str | None, code: str) -> dict[str, Any]:
    """JSON-safe: commit and dirty flag of the harness's checkout, code, packages, Python, machine, device.

    Args:
        device: as the user set it; None for the best there is.
        code: hash of the code that decides what is recorded (`harness.bench.identity.code_of_row`).
    """
    return {
        **checkout(),
        "code": code,
        "packages": packages(),
        "python": platform.python_version(),
        "machine": machine(),
        "device": device_name(device),
    }


@functools.cache
def code_hash() -> str:
    """16 hexadecimal digits over the package's own source files: two processes with the same hash run the same code."""
    digest = hashlib.sha256()
    for file in sorted(SOURCES.rglob("*.py")):
        digest.update(file.relative_to(SOURCES).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@functools.cache
def packages() -> dict[str, str]:
    """Versions of the packages that can change a score, if installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def checkout() -> dict[str, Any]:
    """Commit of the checkout the package runs from, and whether the package differs from it; both None when it is
    installed.
    """
    inside = SOURCES.parent
    commit = _git(inside, "rev-parse", "HEAD")
    if commit is None or _git(inside, "ls-files", "--error-unmatch", "harness/__init__.py") is None:
        return {"commit": None, "dirty": None}
    # Only what computes scores: results that the bench itself has just written do not make a row dirty.
    changed = _git(inside, "status", "--porcelain", "--", "harness", "suites", "pyproject.toml")
    return {"commit": commit, "dirty": bool(changed)}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@functools.cache
def machine() -> dict[str, Any]:
    """Processor, cores, memory and system."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def device_name(device: str | None) -> str:
    """Where models run: the accelerator's name where torch is loaded and uses one, else `cpu`."""
    torch = sys.modules.get("torch")  # not imported for the sake of its name
    if torch is None or device == "cpu":
        return "cpu"
    if (device in (None, "cuda") and torch.cuda.is_available()) or (device or "").startswith("cuda:"):
        return str(torch.cuda.get_device_name(device if device and ":" in device else None))
    return device or ("mps" if torch.backends.mps.is_available() else "cpu")
