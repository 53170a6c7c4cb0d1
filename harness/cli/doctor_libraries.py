"""Which libraries `harness doctor` finds, and the form of everything that it looks at."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.base.doing import doing

State = Literal["ok", "absent", "slow", "fails"]
REQUIREMENT = re.compile(r"^([\w.-]+)")
EXTRA = re.compile(r"extra == ['\"]([\w-]+)['\"]")
MAIN = ("torch", "sentence-transformers", "openvino", "ir-measures", "numpy")
"""Libraries whose versions are always shown."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Args:
        group: what it is about.
        name: of it.
        state: `ok`, `absent` (optional), `slow` or `fails`.
        value: what there is.
        advice: what to do; empty if nothing.
    """

    group: str
    name: str
    state: State
    value: str
    advice: str = ""


def libraries() -> Iterator[Check]:
    """Every library that the package requires or can use, with its version."""
    doing("look at libraries")
    required = importlib.metadata.requires("retrieval-harness") or []
    seen: set[str] = set()
    for requirement in required:
        named, extra = REQUIREMENT.match(requirement), EXTRA.search(requirement)
        if named is None or named[1] in seen or named[1] == "retrieval-harness" or (extra and extra[1] in ("dev",)):
            continue
        seen.add(named[1])
        group = f"extra {extra[1]}" if extra else "required"
        try:
            yield Check("libraries", named[1], "ok", f"{importlib.metadata.version(named[1])} ({group})")
        except importlib.metadata.PackageNotFoundError:
            what = f"retrieval-harness[{extra[1]}]" if extra else named[1]
            state: State = "absent" if extra else "fails"
            yield Check("libraries", named[1], state, f"not installed ({group})", f"pip install '{what}'")


def shortened(found: Sequence[Check]) -> list[Check]:
    """With all libraries that are installed, except for the main ones, in one line."""
    plain = [c for c in found if c.group == "libraries" and c.state == "ok" and c.name not in MAIN]
    short = [check for check in found if check not in plain]
    if plain:
        place = next(i for i, check in enumerate(found) if check in plain)
        line = Check("libraries", f"{len(plain)} others", "ok", "installed; -v lists them")
        short.insert(min(place + len(MAIN), len(short)), line)
        short.sort(key=lambda check: [c.group for c in found].index(check.group))
    return short
