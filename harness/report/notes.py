"""Notes below a table: what a reader must know about the dataset and the rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from harness.bench.machine_load import why
from harness.bench.published import FOLDER
from harness.compare.control import CONTROL
from harness.report.board import Line, Table


def notes_of(table: Table, *, aggregated: bool = False) -> list[str]:
    """On the dataset, on each row, and on each row without scores; each note once.

    Args:
        table: the dataset's rows.
        aggregated: notes that differ only in their numbers are one, and so are the sources of published scores.
    """
    notes = list(_of_dataset(table))
    pairs = [(f"`{line.row}`", note) for line in table.lines for note in line.first.notes]
    notes += alike(pairs) if aggregated else grouped(pairs)
    for line in table.lines:
        notes += _of_row(line, table)
    notes += _of_conditions(table)
    if aggregated and table.published:
        rows = f"{len(table.published)} rows are" if len(table.published) > 1 else "1 row is"
        notes.append(f"{rows} {FOLDER}, not measured here; -v has the sources")
    for each in () if aggregated else table.published:
        sources = "; ".join(filter(None, (each.source, each.note)))
        notes.append(f"`{each.row}`: {FOLDER} scores, not measured here: {sources}")
    return list(dict.fromkeys((*notes, *table.more_notes)))


def _of_dataset(table: Table) -> Iterator[str]:
    dataset = table.first.dataset
    yield from dataset["notes"]
    if missing := dataset["unreachable"]:
        yield f"{missing} relevant documents are not in the corpus; they stay in the judgements and cap recall."
    if table.split is not None:
        yield table.split.sentence
    if table.lacks_control:
        yield (
            "no control: whether training beats looking up the judged documents is open; "
            f"`harness run --dataset {table.dataset} --method '{CONTROL}'` adds the row that does only that."
        )


def _of_row(line: Line, table: Table) -> Iterator[str]:
    name, first = f"`{line.row}`", table.first
    if not line.ok:
        yield f"{name}: {line.first.status}: {line.problem}"
        return
    if table.measures and (seeds := line.seeds(table.measures[0])):
        yield f"{name}: {seeds}"
    if any(r.dataset["revision"] != first.dataset["revision"] for r in line.records):
        yield f"{name}: made on another revision of the collection; do not compare it with `{first.row}`."
    for record in line.failed:
        reason = (record.problem or {}).get("reason", "")
        yield f"{name}: seed {record.seed} gave no scores: {record.status}: {reason}"
    if any(record.depth != first.depth for record in line.records):
        yield f"{name}: ranked to depth {line.first.depth}, `{first.row}` to {first.depth}."


def _of_conditions(table: Table) -> Iterator[str]:
    """On uncommitted code, and on machines that were busy."""
    lines = [line for line in table.lines if line.ok]
    dirty = [f"`{line.row}`" for line in lines if any(r.provenance.get("dirty") for r in line.records)]
    if dirty:
        yield f"made with uncommitted changes to the code: {', '.join(dirty)}"
    busy = [f"`{line.row}` ({reason})" for line in lines if (reason := why(line.first.latency))]
    if busy:
        yield (
            "latency in brackets: the machine was busy, so the measurement is unreliable (harness run --rerun on an "
            f"idle machine repeats it): {', '.join(busy)}"
        )


def grouped(notes: Iterable[tuple[str, str]]) -> list[str]:
    """Row and note as lines, rows with the same note in one line, in the order of each note's first row."""
    rows: dict[str, list[str]] = {}
    for row, note in notes:
        rows.setdefault(note, []).append(row)
    return [f"{', '.join(dict.fromkeys(named))}: {note}" for note, named in rows.items()]


def alike(notes: Iterable[tuple[str, str]]) -> list[str]:
    """As `grouped`, with notes that differ only in their numbers in one line, which has those of the first row."""
    by_words: dict[str, list[tuple[str, str]]] = {}
    for row, note in notes:
        by_words.setdefault(re.sub(r"\d[\d,.]*", "#", note), []).append((row, note))
    lines = []
    for pairs in by_words.values():
        first = pairs[0][1]
        same = list(dict.fromkeys(row for row, note in pairs if note == first))
        others = list(dict.fromkeys(row for row, note in pairs if note != first and row not in same))
        line = f"{_few(same)}: {first}"
        lines.append(f"{line} (similarly {_few(others)})" if others else line)
    return lines


def _few(rows: Sequence[str]) -> str:
    """The first names of several."""
    return ", ".join(rows[:3]) + (f" and {len(rows) - 3} more" if len(rows) > 3 else "")
