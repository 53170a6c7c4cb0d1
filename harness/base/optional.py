"""Optional libraries: imported when something needs them; an error says how to install a missing one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from harness.base.errors import Unavailable


def library(name: str, extra: str) -> Any:
    """A library, imported now.

    Args:
        name: its module, as `mteb` or `ir_datasets`.
        extra: the extra of this package that installs it.

    Raises:
        Unavailable: it is not installed. Other errors of the import pass through.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise
        raise Unavailable(
            f"{name} is not installed.", f'`pip install "retrieval-harness[{extra}]"` installs it.'
        ) from error
