"""Scores that others have published, stored next to the records: `<results>/published/<name>.json`.

They are no records: nothing of them was measured here, there are no per-query values, and no statement of the board
uses them. The form is that of `harness/suites/published`: `{"title": …, "source": …, "figures": {dataset: {measure:
value}}}`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.errors import RecordError, SettingError
from harness.base.files import slug, write_text
from harness.base.json_files import checked, read_json
from harness.bench.schemas import FiguresForm
from harness.data.measures import parse_measures

FOLDER = "published"
LONGEST = 120
"""Characters of a title in the name of its file."""


@dataclass(frozen=True)
class Published:
    """The published scores of one model or method.

    Args:
        title: the model or method, as `sentence-transformers/all-MiniLM-L6-v2`.
        source: of the scores, for readers.
        figures: dataset with its split → measure in ir-measures' notation → value from 0 to 1.
        note: what a comparison must take into account, as settings.

    Raises:
        RecordError: a score is not from 0 to 1.
    """

    title: str
    source: str
    figures: Mapping[str, Mapping[str, float]]
    note: str = ""

    def __post_init__(self) -> None:
        for dataset, of in self.figures.items():
            for measure, value in of.items():
                if why := _wrong(value):
                    raise RecordError(f"{self.title}: {measure} on {dataset} is {why}.")

    @property
    def row(self) -> str:
        """Its name on the board."""
        return f"{FOLDER}/{self.title}"


def write(results: Path, found: Published) -> Path:
    """Stores scores in a results folder, in place of those of the same title."""
    fields = {"title": found.title, "source": found.source, "note": found.note, "figures": found.figures}
    place = _place(results / FOLDER, found.title)
    write_text(place, json.dumps(fields, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    return place


def _place(folder: Path, title: str) -> Path:
    """The file of a title; with a hash in its name if another title has that file, or the name would be too long."""
    name = slug(title)
    place = folder / f"{name}.json"
    if len(name) <= LONGEST:
        try:
            if not os.path.lexists(place) or read_json(place, FiguresForm)["title"] == title:
                return place
        except (OSError, ValueError):
            return place
    return folder / f"{name[:LONGEST]}-{hashlib.sha256(title.encode()).hexdigest()[:8]}.json"


def read_all(results: Path) -> tuple[list[Published], list[RecordError]]:
    """All published scores of a results folder, sorted by their files, and the errors of unreadable files."""
    found, faults = [], []
    for path in sorted((results / FOLDER).glob("*.json")):
        try:
            found.append(published(read_json(path), str(path)))
        except RecordError as error:
            faults.append(error)
        except (OSError, ValueError, RecursionError) as error:
            faults.append(RecordError(f"{path} cannot be read ({error}); import it again."))
    return found, faults


def published(fields: Any, source: str) -> Published:
    """Published scores from JSON of the form above.

    Raises:
        RecordError: it is of another form, or a score is not from 0 to 1; names `source`.
    """
    try:
        checked(fields, FiguresForm)
        figures = {dataset: {_measure(m): v for m, v in of.items()} for dataset, of in fields["figures"].items()}
        return Published(fields["title"], fields["source"], figures, fields.get("note") or "")
    except (RecordError, SettingError) as error:
        raise RecordError(f"{source}: {error}") from error
    except ValueError as error:
        form = '{"title": …, "source": …, "figures": {dataset: {measure: value from 0 to 1}}}'
        raise RecordError(f"{source} holds no published figures ({error}); the form is {form}.") from error


def _measure(name: str) -> str:
    (measure,) = parse_measures([name])
    return str(measure)


def _wrong(value: Any) -> str:
    """Why a value is no score; empty if it is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"{value!r}, not a number"
    if not 0 <= value <= 1:  # nor is NaN
        shown = f"{value!r}, not a score from 0 to 1"
        return f"{shown}: percent are divided by 100" if 1 < value <= 100 else shown
    return ""
