"""Whether the network may be used; not in `_download.py`, whose libraries are slow to import."""

from __future__ import annotations

import os


def offline() -> bool:
    """Whether `HARNESS_OFFLINE` forbids the network."""
    return os.environ.get("HARNESS_OFFLINE", "") not in ("", "0")
