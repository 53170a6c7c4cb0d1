"""Libraries that an index needs and the package does not bring."""

from __future__ import annotations

import importlib
from typing import Any

from harness.errors import Unavailable


def optional(library: str, extra: str) -> Any:
    """The imported library.

    Raises:
        Unavailable: it is not installed. What else goes wrong while it is imported passes through.
    """
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:  # it is there and broken
            raise
        raise Unavailable(f"{library} is not installed.", f'python3 -m pip install "retrieval-harness[{extra}]"') from error
