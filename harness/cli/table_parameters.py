"""How a command prints its tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from harness.cli.declaration import Parameters
from harness.cli.plugin_files import COMMON


class Format(StrEnum):
    """Forms of what a command prints."""

    text = "text"
    json = "json"
    csv = "csv"
    md = "md"


@dataclass(frozen=True, kw_only=True)
class Tables(Parameters):
    """How tables are printed."""

    format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="Print text for this terminal, or json, csv or md (Markdown), which have every column and number.",
            rich_help_panel=COMMON,
        ),
    ] = Format.text
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print all rows, notes and names.", rich_help_panel=COMMON)
    ] = False
