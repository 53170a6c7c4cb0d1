"""Names of files from outside: whether they are inside a folder on every system."""

from __future__ import annotations

import re
from typing import Any

LONGEST = 1024
_PART = re.compile(r"[^\x00-\x1f\x7f\\/:*?\"<>|]{1,255}")


def is_inside(name: Any) -> bool:
    """Whether a name is a path below the folder it is joined to, on any system.

    False for an absolute path, `..` or an empty part, a drive, a backslash, or a character that a system forbids.
    """
    if not isinstance(name, str) or len(name) > LONGEST:
        return False
    return all(_PART.fullmatch(part) and part not in (".", "..") for part in name.split("/"))
