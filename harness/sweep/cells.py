"""Cells: dev scores of settings, one file each, named by a hash of all that decides them; every sweep reuses them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.files import write_text
from harness.base.json_files import read_json
from harness.bench.schemas import OutcomeForm

SCHEMA = 1


@dataclass(frozen=True)
class Cells:
    """The folder with the dev scores of all sweeps on one collection.

    Args:
        root: the folder.
    """

    root: Path

    def place(self, key: str) -> Path:
        """The file of an outcome."""
        return self.root / f"{key}.json"

    def load(self, key: str) -> dict[str, Any] | None:
        """An outcome with scores; None if there is none that can be read."""
        try:
            cell = read_json(self.place(key), OutcomeForm)
            current = cell["schema"] == SCHEMA and cell["key"] == key
            return dict(cell) if current and cell["values"] and isinstance(cell["mean"], float) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, key: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
        """Writes an outcome whole, and returns it as it is read back."""
        cell = {"schema": SCHEMA, "key": key, **outcome}
        text = json.dumps(cell, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        write_text(self.place(key), text + "\n")
        return cell

    def all(self) -> list[dict[str, Any]]:
        """Every outcome that can be read, of other settings and earlier code too."""
        names = sorted(path.stem for path in self.root.glob("*.json"))
        return [cell for name in names if (cell := self.load(name)) is not None]
