"""What a check found: findings by kind, with counts and a few examples, as data and as plain text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """One kind of thing found.

    Args:
        level: `error` where the collection cannot be used, `warning` where its scores mislead, `note` where nothing is
            wrong.
        code: short name of the kind, as `duplicate-text`.
        count: how many there are.
        message: what it is, what it does to the scores, and what to do.
        examples: the first few, with file and line where there is one.
    """

    level: Level
    code: str
    count: int
    message: str
    examples: tuple[str, ...]

    def __str__(self) -> str:
        shown = [f"    {example}" for example in self.examples]
        more = [f"    … and {self.count - len(shown):,} more"] if shown and self.count > len(shown) else []
        return "\n".join([f"{self.level}: {self.code} ({self.count:,}): {self.message}", *shown, *more])


@dataclass(frozen=True)
class Report:
    """All that was found in one collection.

    Args:
        name: of the collection, as it was asked for.
        findings: errors first, then warnings, then notes.
        counts: what was counted, in reading order, as `documents` or `test: queries`.
    """

    name: str
    findings: tuple[Finding, ...]
    counts: Mapping[str, int | float]

    @property
    def usable(self) -> bool:
        """Whether there is no error."""
        return not any(finding.level == "error" for finding in self.findings)

    def __str__(self) -> str:
        width = max((len(label) for label in self.counts), default=0)
        shown = [f"  {label:<{width}}  {_number(value):>12}" for label, value in self.counts.items()]
        verdict = "usable" if self.usable else "not usable"
        return "\n".join([f"{self.name}: {verdict}", *shown, *map(str, self.findings)])


@dataclass
class Findings:
    """Findings as they come in; one kind of fault is one finding however often it occurs."""

    _held: dict[str, _Open] = field(default_factory=dict)

    def add(self, level: Level, code: str, message: str, example: str = "", count: int = 1) -> None:
        """Counts a fault; the first message of a kind stays, and the first examples."""
        held = self._held.setdefault(code, _Open(level, message))
        held.count += count
        if example and len(held.examples) < EXAMPLES:
            held.examples.append(example)

    def closed(self) -> tuple[Finding, ...]:
        """All findings, errors first; within a level in the order they came."""
        return tuple(
            Finding(held.level, code, held.count, held.message, tuple(held.examples))
            for level in LEVELS
            for code, held in self._held.items()
            if held.level == level
        )


@dataclass
class _Open:
    level: Level
    message: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
