"""Notes below a table: what a reader must know about the dataset and the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.bench.machine_load import why
from harness.bench.published import FOLDER
from harness.compare.control import CONTROL
from harness.report.board import Line, Table


def notes_of(table: Table, most: int | None = None) -> list[str]:
    """On the dataset, on each row, and on each row without scores; each note once.

    Args:
        table: the dataset's rows.
        most: notes from records, which are those of the best rows; None gives all.
    """
    notes = list(_of_dataset(table))
    from_records = grouped((f"`{line.row}`", note) for line in table.lines for note in line.first.notes)
    notes += from_records[:most]
    if most is not None and len(from_records) > most:
        notes.append(f"{len(from_records) - most} more notes on rows are in leaderboard.md")
    for line in table.lines:
        notes += _of_row(line, table)
    notes += _of_conditions(table)
    for each in table.published:
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
