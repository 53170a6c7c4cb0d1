"""A claim as it is declared in `claims.toml`."""

from __future__ import annotations

import os
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from harness.base.errors import SettingError

Expected = Literal["better", "not worse"]
BOARD = "board"
"""The list of collections that claims are tested on if they name none."""


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a paper says, and the contrast of rows that tests it.

    Args:
        id: short name, unique.
        paper: name and number or year.
        says: the claim, in one sentence.
        plus: rows whose scores are added.
        minus: rows whose scores are subtracted, as many.
        collections: names of datasets with their split, or of lists of `claims.toml`.
        part: queries about `old` or `new` documents, or `all`.
        expects: `better`: plus is above minus; `not worse`: it is not below by `least` or more.
        least: the smallest effect that matters.
        every: whether it must hold on each collection, not only on their mean.
        given: id of a claim before it in the file, without which this one means nothing: "helps more where labels are
            scarce" presupposes that it helps there.
        differs: what differs from the paper's setting.
    """

    id: str
    paper: str
    says: str
    plus: tuple[str, ...]
    minus: tuple[str, ...]
    differs: str
    collections: tuple[str, ...] = (BOARD,)
    part: Literal["all", "old", "new"] = "all"
    expects: Expected = "better"
    least: float = 0.01
    every: bool = False
    given: str | None = None

    @property
    def rows(self) -> tuple[str, ...]:
        """All rows of the contrast, each once."""
        return tuple(dict.fromkeys((*self.plus, *self.minus)))

    @property
    def contrast(self) -> str:
        """The contrast as it is shown, rows between backticks."""
        plus = " + ".join(f"`{row}`" for row in self.plus)
        return f"{plus} − {' − '.join(f'`{row}`' for row in self.minus)}"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of `claims.toml`."""

    claim: list[Claim]
    collections: dict[str, list[str]] = {}


def read_claims(path: Path | None = None) -> list[Claim]:
    """The claims of a file, their lists of collections replaced by the names in them.

    Args:
        path: None reads the harness's own.

    Raises:
        SettingError: not TOML or not of this form; an id that two claims have; sides of different length.
    """
    own = files("harness.claims") / "claims.toml"
    name = str(path or "claims.toml")
    if path is not None and not os.path.lexists(path):
        raise SettingError(f"there is no file {path}.")
    try:
        found = msgspec.convert(tomllib.loads((path or own).read_text(encoding="utf-8")), _File)
    except (OSError, ValueError) as error:  # msgspec's and tomllib's errors are ValueErrors
        raise SettingError(f"{name} cannot be read: {error}") from error
    seen: set[str] = set()
    claims = []
    for claim in found.claim:
        if claim.id in seen:
            raise SettingError(f"{name}: two claims have the id {claim.id!r}; rename one.")
        if claim.given is not None and claim.given not in seen:
            raise SettingError(f"{name}: {claim.id!r} presupposes {claim.given!r}, which must be a claim above it.")
        seen.add(claim.id)
        if len(claim.plus) != len(claim.minus) or not claim.plus:
            raise SettingError(f"{name}: {claim.id!r} needs as many rows in minus as in plus, and at least one.")
        if claim.least <= 0:
            raise SettingError(f"{name}: {claim.id!r} needs a least effect above 0.")
        names = [each for name in claim.collections for each in found.collections.get(name, [name])]
        claims.append(msgspec.structs.replace(claim, collections=tuple(names)))
    return claims
