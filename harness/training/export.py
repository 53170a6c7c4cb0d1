"""Writes the tuples that a row with `gpl` is trained on, for other tools or for `gpl(tuples=…)`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.base.errors import SettingError
from harness.data.dataset import TrainView
from harness.methods import Method
from harness.runtime.context import Context
from harness.training.trained import Trained
from harness.training.tuples import Tuples


def export_tuples(row: Method, view: TrainView, path: Path | str, context: Context) -> Tuples:
    """Writes a line for each tuple, and returns them. Recipes before the last are trained if they are not cached.

    Args:
        row: a row whose last recipe is `gpl`, as `parse_method("dense+gpl")`.
        view: the collection, as `load_dataset(…).train`.
        path: the file.
        context: seed, cache.

    Raises:
        SettingError: the last recipe makes no tuples.
        HarnessError: what the recipe raises.
    """
    last: Any = row.recipes[-1] if isinstance(row, Trained) else None
    if not isinstance(row, Trained) or not hasattr(last, "labelled"):
        raise SettingError(f"{row} makes no tuples; give a row whose last recipe is gpl, as dense+gpl.")
    tuples: Tuples = last.labelled(row.base_of_last(view, context), view, context)[0]
    tuples.write(Path(path))
    return tuples
