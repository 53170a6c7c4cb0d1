"""Folders of the cache that a run needs, with the time that a cached one saves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from harness.runtime.context import Context


def build_once(
    context: Context, kind: str, key: str, describe: Mapping[str, Any], build: Callable[[Path], None]
) -> Path:
    """`Cache.folder`; if the folder is cached, the ledger counts the seconds of its building as saved."""
    is_built = False

    def build_and_note(folder: Path) -> None:
        nonlocal is_built
        build(folder)
        is_built = True

    folder = context.cache.folder(kind, key, describe, build_and_note)
    if not is_built:
        context.ledger.saved(float(context.cache.meta(folder)["seconds"]))
    return folder
