"""The findings of a check by kind, with counts and a few examples, as data and as plain text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """All faults of one kind.

    Args:
        level: `error` if the collection cannot be used, `warning` if its scores mislead, `note` if nothing is wrong.
        code: short name of the kind, as `duplicate-text`.
        count: how many there are.
        message: what it is, what it does to the scores, and what to do.
        examples: the first few, with file and line if known.
    """

    level: Level
    code: str
    count: int
    message: str
    examples: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.level}: {self.code} ({self.count:,}): {self.message}"]
        lines += [f"    {example}" for example in self.examples]
        if self.examples and self.count > len(self.examples):
            lines.append(f"    … and {self.count - len(self.examples):,} more")
        return "\n".join(lines)


@dataclass(frozen=True)
class Report:
    """All findings in one collection.

    Args:
        name: of the collection, as requested.
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
    """Collects faults; all of one kind are one finding."""

    _by_code: dict[str, _Open] = field(default_factory=dict)

    def add(self, level: Level, code: str, message: str, example: str = "", count: int = 1) -> None:
        """Counts a fault; the first message of a kind is used, and the first examples."""
        same = self._by_code.setdefault(code, _Open(level, message))
        same.count += count
        if example and len(same.examples) < EXAMPLES:
            same.examples.append(example)

    def closed(self) -> tuple[Finding, ...]:
        """All findings, errors first; within a level in the order they came."""
        every = [Finding(o.level, code, o.count, o.message, tuple(o.examples)) for code, o in self._by_code.items()]
        return tuple(sorted(every, key=lambda finding: LEVELS.index(finding.level)))


@dataclass
class _Open:
    level: Level
    message: str
    count: int = 0
    examples: list[str] = field(default_factory=list)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
