"""Prints what a command shows: the verdict first, then its tables, what names stand for, and notes, in this order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from harness.base.plain import one_line
from harness.report.layout import layout, lines
from harness.report.sheet import Sheet
from harness.report.sheet_formats import FORMATS, Shown
from harness.report.wrapping import paragraph

MOST_NOTES = 4
"""Of each table, unless all are requested."""
MOST_NAMES = 12
"""Lines of the legend, unless all are requested."""


def show(console: Console, shown: Shown, format: str = "text", *, verbose: bool = False) -> None:
    """Prints what a command shows.

    Args:
        console: where to.
        shown: what.
        format: `text`, or one of `harness.report.sheet_formats.FORMATS`.
        verbose: all notes and names.
    """
    if console.quiet:  # the tables would be laid out all the same
        return
    if format != "text":
        console.print(Text(FORMATS[format](shown).rstrip("\n")), soft_wrap=True)
        return
    say(console, shown.sentences[:1], "bold")
    if shown.sentences and shown.sheets:
        console.print()
    for sheet in shown.sheets:
        table(console, sheet)
        console.print()
    say(console, shown.sentences[1:])
    footnotes(console, shown.sheets, verbose=verbose)


def table(console: Console, sheet: Sheet) -> None:
    """Prints one table with its title and its verdict."""
    if sheet.title:
        title = f"{one_line(sheet.title)} {f'({one_line(sheet.facts)})' if sheet.facts else ''}".rstrip()
        for line in paragraph(title, console.width):
            console.print(Text(line, "bold"))
    say(console, [sheet.verdict] if sheet.verdict else [])
    for row in lines(sheet, console.width):
        console.print(row, no_wrap=True, crop=False, overflow="ignore")


def say(console: Console, sentences: Sequence[str], style: str = "", first: str = "") -> None:
    """Prints sentences, wrapped between words, each after `first`; backticks, which are Markdown, are removed."""
    for sentence in sentences:
        for line in paragraph(one_line(sentence.replace("`", "")), console.width, first):
            console.print(Text(line, style), no_wrap=True, crop=False, overflow="ignore")


def footnotes(console: Console, sheets: Sequence[Sheet], *, verbose: bool = False) -> None:
    """Prints what names stand for, the notes, each once, and which columns do not fit."""
    names = list(dict.fromkeys(pair for sheet in sheets for pair in sheet.legend))
    entries = [f"{name} = {row}" for name, row in names]
    _listed(console, "Names", entries[: None if verbose else MOST_NAMES], len(entries))
    several = sum(bool(sheet.notes) for sheet in sheets) > 1
    texts: list[str] = []
    for sheet in sheets:
        start = f"{sheet.title}: " if several and sheet.title else ""
        texts += [f"{start}{note}" for note in sheet.notes[: None if verbose else MOST_NOTES]]
    _listed(console, "Notes", list(dict.fromkeys(texts)), sum(len(sheet.notes) for sheet in sheets))
    # The number of queries in a heading differs from table to table.
    every = (name for sheet in sheets for name in layout(sheet, console.width).left_out)
    left_out = dict.fromkeys(re.sub(r" \([\d,]+\)$", "", name) for name in every)
    if left_out:
        text = f"{console.width} columns are too narrow for: {', '.join(left_out)}. --format md, csv or json has all."
        say(console, [text], "dim")


def _listed(console: Console, title: str, entries: Sequence[str], count: int) -> None:
    """A list, and how many entries of how many are left out of it."""
    if not entries:
        return
    console.print(Text(title, "dim"))
    for entry in entries:
        for line in paragraph(one_line(entry.replace("`", "")), console.width, "  ", "    "):
            console.print(Text(line, "dim"), no_wrap=True, crop=False, overflow="ignore")
    if count > len(entries):
        console.print(Text(f"  {count - len(entries)} more with -v", "dim"))
    console.print()
