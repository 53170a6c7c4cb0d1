"""Shared by the benchmarks: variants timed in turn, medians with their range, pairwise ratios, a table, CSV and a plot.

A way is a function that does its work once and returns the seconds of its parts, the part that decides last. Rounds are
interleaved, so that other load on the machine affects all alike, and a ratio is that of two neighbours in one round.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from harness.bench.provenance import machine

Parts = dict[str, float]
T = TypeVar("T")
R = TypeVar("R")


@dataclasses.dataclass(frozen=True)
class Table:
    """Measurements of several ways.

    Args:
        title: what was done, with the sizes.
        spent: way → a round's parts each.
        against: the way that ratios refer to; empty for none.
        extra: way → column → text, for columns that are not times.
        unit: of the parts.
        load: the machine's mean load over the last minute, at the start and at the end.
    """

    title: str
    spent: Mapping[str, Sequence[Parts]]
    against: str = ""
    extra: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    unit: str = "s"
    load: tuple[float, float] = (0.0, 0.0)

    @property
    def parts(self) -> list[str]:
        """Names of all parts: those of the way that has most; the last decides."""
        return max((list(each) for rounds in self.spent.values() for each in rounds), key=len)

    def ratios(self, way: str, part: str) -> list[float]:
        """Of a way's part to that of `against`, round by round; empty if either has none."""
        pairs = zip(self.spent[way], self.spent.get(self.against, ()), strict=False)
        return [mine[part] / theirs[part] for mine, theirs in pairs if part in mine and part in theirs]

    def rows(self) -> list[list[str]]:
        """The head, then a line a way: the middle of each part with its range, the ratio of the last part, what else is
        extra.
        """
        others = list(dict.fromkeys(column for extra in self.extra.values() for column in extra))
        head = ["way", *(f"{part} {self.unit}" for part in self.parts)]
        head += [f"{self.parts[-1]}, ratio to {self.against}"] if self.against else []
        lines = []
        for way, rounds in self.spent.items():
            cells = [middle([each[part] for each in rounds if part in each]) for part in self.parts]
            cells += [middle(self.ratios(way, self.parts[-1]))] if self.against else []
            lines.append([way, *cells, *(self.extra.get(way, {}).get(column, "") for column in others)])
        return [[*head, *others], *lines]

    def foot(self) -> str:
        """Rounds and machine."""
        about = machine()
        rounds = max(map(len, self.spent.values()))
        hardware = f"{about['processor']}, {about['cores']} cores, {about['memory_gb']} GiB"
        ran = f"{hardware}, Python {platform.python_version()}"
        start, end = self.load
        return f"rounds: {rounds}, median (least to most); {ran}; load {start:.1f} at the start, {end:.1f} at the end"

    def with_extra(self, extra: Mapping[str, Mapping[str, str]]) -> Table:
        """With more columns that are not times."""
        ways = dict.fromkeys([*self.extra, *extra])
        return dataclasses.replace(self, extra={way: {**self.extra.get(way, {}), **extra.get(way, {})} for way in ways})

    def text(self) -> str:
        """For a terminal."""
        rows = self.rows()
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = []
        for first, *rest in rows:
            right = (cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))
            lines.append("  ".join((first.ljust(widths[0]), *right)))
        return "\n".join([self.title, *(line.rstrip() for line in lines), self.foot()])

    def markdown(self) -> str:
        """For a document."""
        head, *rows = self.rows()
        ruler = ["---", *["--:"] * (len(head) - 1)]
        return "\n".join(
            [self.title, "", *("| " + " | ".join(row) + " |" for row in (head, ruler, *rows)), "", self.foot()]
        )

    def write_csv(self, path: Path) -> None:
        """Every round: way, round, part, value."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["way", "round", "part", self.unit])
            for way, rounds in self.spent.items():
                writer.writerows(
                    [way, n, part, value] for n, each in enumerate(rounds, 1) for part, value in each.items()
                )

    def draw(self, path: Path) -> None:
        """Bars of the medians of all parts, with their range; needs the extra `plots`."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 1.2 + 0.3 * len(self.spent) * len(self.parts)), layout="constrained")
        axes = figure.add_subplot()
        high = 0.8 / len(self.parts)
        for n, part in enumerate(self.parts):
            there = [
                (i, [each[part] for each in rounds if part in each]) for i, rounds in enumerate(self.spent.values())
            ]
            held = [(i + n * high, statistics.median(v), min(v), max(v)) for i, v in there if v]
            places, middles, least, greatest = zip(*held, strict=True)
            below = [middle - low for middle, low in zip(middles, least, strict=True)]
            above = [up - middle for middle, up in zip(middles, greatest, strict=True)]
            axes.barh(places, middles, high, xerr=[below, above], label=part, capsize=2)
        axes.set_yticks([i + 0.4 - high / 2 for i in range(len(self.spent))], list(self.spent))
        axes.invert_yaxis()
        axes.set_xlabel(self.unit)
        axes.set_title(self.title, fontsize="small", wrap=True)
        axes.legend(fontsize="small")
        figure.savefig(path)


def middle(values: Sequence[float]) -> str:
    """The median with its range; a dash if there is none."""
    if not values:
        return "–"
    if len(values) == 1:
        return _short(values[0])
    return f"{_short(statistics.median(values))} ({_short(min(values))} to {_short(max(values))})"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def interleaved(
    title: str,
    ways: Mapping[str, Callable[[], Parts]],
    rounds: int,
    *,
    warm_up: int = 1,
    against: str = "",
    unit: str = "s",
) -> Table:
    """Runs every way once per round, in turn.

    Args:
        title: of the table.
        ways: name → does the work and returns its parts.
        rounds: that count.
        warm_up: rounds before them that do not.
        against: the way that ratios refer to.
        unit: of the parts.
    """
    before = os.getloadavg()[0]
    spent: dict[str, list[Parts]] = {way: [] for way in ways}
    for _ in range(warm_up + rounds):
        for way, work in ways.items():
            spent[way].append(work())
    return Table(
        title, {way: each[warm_up:] for way, each in spent.items()}, against, {}, unit, (before, os.getloadavg()[0])
    )


def in_blocks(
    title: str,
    ways: Mapping[str, Callable[[Sequence[T]], R]],
    items: Sequence[T],
    block: int,
    rounds: int,
    against: str,
) -> tuple[Table, dict[str, list[R]]]:
    """Does every way over the same items, block by block in turn, so that other work on the machine slows all alike.

    Args:
        title: of the table.
        ways: name → does the work on some items and returns what it made.
        items: all of them.
        block: items at a time.
        rounds: over all items.
        against: the way that ratios refer to.

    Returns:
        The table, which also tells how many times as long the reference way took, over all and for a block;
        and what each way made of each block, in the last round.
    """
    before = os.getloadavg()[0]
    spent: dict[str, list[list[float]]] = {way: [] for way in ways}
    made: dict[str, list[R]] = {}
    for _ in range(rounds):
        made = {way: [] for way in ways}
        for each in spent.values():
            each.append([])
        for first in range(0, len(items), block):
            some = items[first : first + block]
            for way, work in ways.items():
                started = time.perf_counter()
                made[way].append(work(some))
                spent[way][-1].append(time.perf_counter() - started)
            extra = ", ".join(f"{way} {each[-1][-1]:.1f}" for way, each in spent.items())
            print(
                f"{first + len(some):,} of {len(items):,}, seconds of the last block: {extra}",
                file=sys.stderr,
                flush=True,
            )
    whole = {way: [{"wall": sum(one)} for one in each] for way, each in spent.items()}
    blocks = {way: [seconds for each in rounds_ for seconds in each] for way, rounds_ in spent.items()}
    times = {
        way: [first / own for first, own in zip(blocks[against], each, strict=True)] for way, each in blocks.items()
    }
    faster = {
        way: {"times as fast": f"{sum(blocks[against]) / sum(blocks[way]):.2f}", "a block": middle(each)}
        for way, each in times.items()
    }
    return Table(title, whole, against, faster, "s", (before, os.getloadavg()[0])), made


def timed(work: Callable[[], object]) -> float:
    """Wall seconds of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def process(command: Sequence[str]) -> Parts:
    """A whole process: wall seconds, and CPU seconds (user and system) of it and of its own children.

    Raises:
        subprocess.CalledProcessError: it ends with another status than 0.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": wall, "CPU": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def parser(text: str | None, rounds: int) -> argparse.ArgumentParser:
    """With the options of all benchmarks."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rounds", type=_positive, default=rounds, help="default: %(default)s")
    made.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    made.add_argument("--csv", type=Path, metavar="FILE", help="write the values of every round")
    made.add_argument("--plot", type=Path, metavar="FILE", help="draw them, as .svg or .png; needs matplotlib")
    return made


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {number}")
    return number


def show(table: Table, arguments: argparse.Namespace) -> None:
    """Prints the table, and writes the other requested formats."""
    print(table.markdown() if arguments.markdown else table.text())
    if arguments.csv:
        table.write_csv(arguments.csv)
    if arguments.plot:
        table.draw(arguments.plot)
