"""`--plugin`, which every command has that looks anything up by its name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.declaration import Parameters

COMMON = "Common options"
"""Title of the options that most commands have, in `--help`."""


@dataclass(frozen=True, kw_only=True)
class Plugins(Parameters):
    """Files of the user's own code."""

    plugin: Annotated[
        list[Path],
        typer.Option(
            "--plugin",
            metavar="FILE",
            help="A Python file that adds rows, recipes, datasets, measures or columns, besides those of "
            "HARNESS_PLUGINS and pyproject.toml; repeatable.",
            rich_help_panel=COMMON,
        ),
    ] = field(default_factory=list)

    def prepare(self) -> None:
        """Imports the plug-ins, so that a fault in one is reported before any work.

        Raises:
            SettingError: names the file and the line.
        """
        from harness.choices.plugins import name_plugins

        name_plugins(self.plugin)
