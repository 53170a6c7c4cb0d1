"""Figures that others have published, kept beside the records: `<results>/published/<name>.json`.

They are no records: nothing of them was measured here, there are no per-query values, and no statement of the board rests on
them.
The form is that of `suites/published`: `{"title": …, "source": …, "figures": {dataset: {measure: value}}}`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import RecordError
from harness.files import slug, write_text
from harness.measures import parse_measures

FOLDER = "published"


@dataclass(frozen=True)
class Published:
    """What was published of one model or method.

    Args:
        title: whose figures, as `sentence-transformers/all-MiniLM-L6-v2`.
        source: where they stand, for a reader who wants to look.
        figures: dataset with its split → measure in ir-measures' notation → value from 0 to 1.
        note: what one must know to compare, as settings.
    """

    title: str
    source: str
    figures: Mapping[str, Mapping[str, float]]
    note: str = ""

    @property
    def row(self) -> str:
        """Its name on the board."""
        return f"{FOLDER}/{self.title}"


def write(results: Path, found: Published) -> Path:
    """Puts figures into a results folder, in place of those of the same title."""
    place = results / FOLDER / f"{slug(found.title)}.json"
    held = {"title": found.title, "source": found.source, "note": found.note, "figures": found.figures}
    write_text(place, json.dumps(held, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    return place


def read_all(results: Path) -> tuple[list[Published], list[RecordError]]:
    """All published figures of a results folder, sorted by their files, and what could not be read."""
    found, faults = [], []
    for path in sorted((results / FOLDER).glob("*.json")):
        try:
            found.append(published(json.loads(path.read_text(encoding="utf-8")), str(path)))
        except RecordError as error:
            faults.append(error)
        except (OSError, ValueError) as error:
            faults.append(RecordError(f"{path} cannot be read ({error}); import it again."))
    return found, faults


def published(held: Any, source: str) -> Published:
    """Figures from JSON of the form above.

    Raises:
        RecordError: it is of another form, or a figure is none; names `source`.
    """
    try:
        figures = {str(dataset): {_measure(m): _figure(v) for m, v in of.items()} for dataset, of in held["figures"].items()}
        return Published(str(held["title"]), str(held["source"]), figures, str(held.get("note") or ""))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        form = '{"title": …, "source": …, "figures": {dataset: {measure: value}}}'
        raise RecordError(f"{source} holds no published figures ({error!r}); the form is {form}.") from error


def _measure(name: str) -> str:
    (measure,) = parse_measures([name])
    return str(measure)


def _figure(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or not 0 <= value <= 1:
        raise ValueError(f"{value!r} is no figure from 0 to 1")
    return float(value)
