"""What a command shows, as JSON, CSV or Markdown, for other programs and for documents."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.base.redaction import redacted
from harness.report.sheet import Sheet


@dataclass(frozen=True)
class Shown:
    """What a command shows.

    Args:
        sheets: its tables.
        sentences: what they say, the verdict first.
        facts: more for JSON: key → plain data.
    """

    sheets: Sequence[Sheet]
    sentences: Sequence[str] = ()
    facts: dict[str, Any] = field(default_factory=dict)


def as_json(shown: Shown) -> str:
    """One document: `tables`, each with `title`, `verdict`, `rows` (key → value), `names`, `notes`; and `sentences`.

    Numbers are not rounded; one that is infinite or unknown is null.
    """
    tables = []
    for sheet in shown.sheets:
        rows = [{f.key: f.values[i] for f in sheet.fields if f.key} for i in range(sheet.rows)]
        table = {"title": sheet.title, "facts": sheet.facts, "verdict": sheet.verdict, "rows": rows}
        tables.append({**table, "names": dict(sheet.legend), "notes": list(sheet.notes)})
    data = {"sentences": list(shown.sentences), **shown.facts, "tables": tables}
    return redacted(json.dumps(_finite(data), indent=1, ensure_ascii=False, allow_nan=False)) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def as_csv(shown: Shown) -> str:
    """One line for each row; with several tables, the first column says which."""
    from harness.report.csv import cell  # imports all of the boards, and a listing needs none of it

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    keys = list(dict.fromkeys(f.key for sheet in shown.sheets for f in sheet.fields if f.key))
    several = len(shown.sheets) > 1
    writer.writerow([*(["table"] if several else []), *keys])
    for sheet in shown.sheets:
        by_key = {f.key: f for f in sheet.fields}
        for i in range(sheet.rows):
            values = [by_key[key].values[i] if key in by_key else "" for key in keys]
            start = [cell(sheet.key or sheet.title)] if several else []
            writer.writerow([*start, *("" if value is None else cell(value) for value in values)])
    return out.getvalue()


def as_markdown(shown: Shown) -> str:
    """The sentences as a list, then each table with its notes."""
    from harness.report.markdown import code, escaped

    parts = ["\n".join(f"- {escaped(sentence)}" for sentence in shown.sentences)] if shown.sentences else []
    for sheet in shown.sheets:
        parts += [f"## {escaped(sheet.title)}"] if sheet.title else []
        parts += [escaped(text) for text in (sheet.facts, sheet.verdict) if text]
        parts.append(as_table(sheet))
        names = [f"{code(name)} is {code(row)}" for name, row in sheet.legend]
        notes = [escaped(note) for note in sheet.notes]
        parts += ["\n".join(f"- {line}" for line in (*names, *notes))] if names or notes else []
    return "\n\n".join(parts) + "\n"


def as_table(sheet: Sheet) -> str:
    """The table as Markdown, all of its columns."""
    from harness.report.markdown import code, escaped, grid

    def bold(text: str, best: str | None) -> str:
        return f"**{escaped(text)}**" if text == best else escaped(text)

    first, *others = sheet.visible
    rows = [[code(first.texts[i]), *(bold(f.texts[i], f.best) for f in others)] for i in range(sheet.rows)]
    left = [place for place, f in enumerate(sheet.visible) if not f.right]
    return grid([escaped(f.heading) for f in sheet.visible], rows, words=left)


FORMATS: dict[str, Callable[[Shown], str]] = {"json": as_json, "csv": as_csv, "md": as_markdown}
"""Name → writer."""
