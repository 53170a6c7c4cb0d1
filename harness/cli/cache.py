"""`harness cache`: the cache listed, verified and cleared; the work is in `cache_report`, whose imports are slower."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from harness.cli.declaration import Status
from harness.cli.parameters import CacheFolder
from harness.cli.table_parameters import Tables


@dataclass(frozen=True, kw_only=True)
class Listed(Tables, CacheFolder):
    """Parameters of `harness cache ls`."""


def ls(parameters: Listed) -> Status:
    """List cached results: kind, size, age and what each was computed from."""
    from harness.cli import cache_report

    return cache_report.ls(parameters.cache_dir, parameters.format.value)


@dataclass(frozen=True, kw_only=True)
class Verified(Tables, CacheFolder):
    """Parameters of `harness cache verify`."""


def verify(parameters: Verified) -> Status:
    """Compare every cached file with its hash; exit status 1 if one is damaged."""
    from harness.cli import cache_report

    return cache_report.verify(parameters.cache_dir, parameters.format.value)


@dataclass(frozen=True, kw_only=True)
class Clear(CacheFolder):
    """Parameters of `harness cache gc`."""

    older_than: Annotated[
        float | None, typer.Option(min=0, help="Also remove entries that were not used for this many days.")
    ] = None
    max_size: Annotated[
        float | None, typer.Option(min=0, help="Then remove the least recently used entries beyond this many GiB.")
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be removed; remove nothing.")] = False
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation that a terminal shows.")] = False


def gc(parameters: Clear) -> Status:
    """Remove damaged and unfinished entries, and those selected by --older-than and --max-size; no other files."""
    from harness.cli import cache_report

    return cache_report.gc(
        parameters.cache_dir, parameters.older_than, parameters.max_size, parameters.dry_run, parameters.yes
    )
