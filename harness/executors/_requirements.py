"""The requirements of this package at the versions that are installed here, for another machine."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Sequence
from typing import Final

from harness.base.errors import SettingError, Unavailable

PACKAGE: Final = "retrieval-harness"


def requirements(extras: Sequence[str] = ()) -> list[str]:
    """What this package needs, at the versions that are installed here, so that scores are of the same libraries.

    Args:
        extras: of this package.

    Raises:
        SettingError: there is no such extra.
        Unavailable: something of an extra is not installed here, so that its version is not known.
    """
    wanted = {_normalised(extra) for extra in extras}
    known = {_normalised(extra) for extra in importlib.metadata.metadata(PACKAGE).get_all("Provides-Extra") or ()}
    if wanted - known:
        raise SettingError(f"modal: {PACKAGE} has no extra {min(wanted - known)!r}; it has {', '.join(sorted(known))}.")
    lines = []
    for line in importlib.metadata.requires(PACKAGE) or ():
        requirement, _, marker = line.partition(";")
        extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
        if extra is None or _normalised(extra.group(1)) in wanted:
            lines.append(_pinned(requirement.strip(), extras))
    return lines


def _normalised(extra: str) -> str:
    return extra.replace("-", "_")


def _pinned(requirement: str, extras: Sequence[str]) -> str:
    """A requirement at the version that is installed here, with its own extras."""
    named = re.match(r"[A-Za-z0-9._-]+(\[[^\]]*\])?", requirement)
    assert named is not None
    name = named.group().partition("[")[0]
    try:
        version = importlib.metadata.version(name).partition("+")[0]  # no index has a local build's label
    except importlib.metadata.PackageNotFoundError as error:
        remedy = f'pip install "{PACKAGE}[{",".join(extras)}]"'
        raise Unavailable(f"{name} is not installed here.", remedy) from error
    return f"{named.group()}=={version}"
