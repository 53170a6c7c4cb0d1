"""A worker without the file of a plug-in writes its source; one with the file reads that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.choices.plugins import VARIABLE, name_plugins
from harness.executors._setup import Setup
from harness.runtime.context import Context

SOURCE = "def search(query, k):\n    return []\n"


@pytest.mark.parametrize("there", ["the same", "another", "none"])
def test_the_source_of_a_plug_in_reaches_the_worker(there: str, tmp_path: Path, context: Context) -> None:
    plugin = tmp_path / "carried.py"
    plugin.write_text(SOURCE, encoding="utf-8")
    name_plugins([plugin])
    setup = Setup.from_json(Setup.of(context).to_json())
    assert setup.plugins == ((str(plugin), SOURCE),)
    if there != "the same":
        plugin.unlink()
    if there == "another":
        plugin.write_text("SIZE = 3\n", encoding="utf-8")
    setup.context()
    place = Path(os.environ[VARIABLE])
    assert (place == plugin) == (there == "the same")
    assert place.name == "carried.py"
    assert place.read_text(encoding="utf-8") == SOURCE
