"""One bad record does not take the board down: it is left out by name, and the others are shown."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.base.errors import RecordError
from harness.bench.record import Record
from harness.bench.store import Store, StoredRecord
from harness.report.notes import notes_of
from harness.runtime.context import Context

GOLDEN = Path(__file__).parent / "schema1" / "bm25.json"
HUGE = "9" * 400


def changed(*path: str, to: str) -> Callable[[dict[str, Any]], str]:
    """The record's JSON with a value somewhere in it replaced by JSON text."""

    def one(held: dict[str, Any]) -> str:
        inside = held
        for name in path[:-1]:
            inside = inside.setdefault(name, {})
        inside[path[-1]] = "@@"
        return json.dumps(held).replace('"@@"', to)

    return one


BAD: dict[str, Callable[[dict[str, Any]], str]] = {
    "deep": changed("resolved", to="[" * 5_000 + "]" * 5_000),
    "rather deep": changed("resolved", "model", to='{"a":' * 300 + "1" + "}" * 300),
    "400 digits in a measure": changed("measures", "nDCG@10", to=HUGE),
    "400 digits in the size": changed("size", "index_bytes", to=HUGE),
    "400 digits in the settings": changed("resolved", "weight", to=HUGE),
    "lone surrogate in a note": changed("notes", to='["\\ud800"]'),
    "lone surrogate in the row": changed("row", to='"\\udfff"'),
    "NaN latency": changed("latency", "p50_ms", to="NaN"),
    "negative latency": changed("latency", "p95_ms", to="-1"),
    "latency of another type": changed("latency", "p50_ms", to='"fast"'),
    "cores that are no number": changed("latency", to='{"busy": true, "others": 1.5, "cores": "four"}'),
    "others of another type": changed("latency", to='{"busy": true, "others": [1], "cores": 4}'),
    "others that are null": changed("latency", to='{"busy": true, "others": null, "cores": 4}'),
    "waited of another type": changed("latency", to='{"busy": true, "others": 1.5, "cores": 4, "waited": "long"}'),
    "waited that is null": changed("latency", to='{"busy": true, "others": 1.5, "cores": 4, "waited": null}'),
    "busy that is a word": changed("latency", to='{"busy": "false", "others": 1.5, "cores": 4}'),
    "spread of another type": changed("latency", to='{"p50_ms": 1.5, "spread": [1, 2]}'),
    "NaN size": changed("size", "index_bytes", to="NaN"),
    "negative size": changed("size", "parameters", to="-1"),
    "negative seconds": changed("seconds", "index", to="-0.5"),
    "machine of another type": changed("provenance", "machine", to='"mine"'),
    "packages of another type": changed("provenance", "packages", to="[1]"),
    "a note that is no text": changed("notes", to="[1]"),
    "a note of the dataset that is no text": changed("dataset", "notes", to="[{}]"),
    "negative documents": changed("dataset", "documents", to="-5"),
    "unjudged without its share": changed("unjudged", to='{"nDCG@10": {"judged": 0.5}}'),
    "leaks of another type": changed("leaks", to='{"queries": {"count": "3"}}'),
    "training of another type": changed("resolved", to='{"training": [{"seconds": "long"}]}'),
    "negative training": changed("resolved", to='{"training": [{"seconds": -1}]}'),
    "problem of another type": changed("problem", to='{"reason": 5}'),
    "accepted of another type": changed("accepted", to="[5]"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_record_is_left_out_by_name_and_the_others_are_on_the_board(
    kind: str, put: Callable[..., StoredRecord], results: Store, context: Context, harness_command
) -> None:
    put("good", {"q1": 0.5, "q2": 0.25})
    bad = results.root / "d" / "bad" / "seed0.json"
    bad.parent.mkdir(parents=True)
    bad.write_text(BAD[kind](json.loads(GOLDEN.read_text(encoding="utf-8"))))
    with pytest.raises(RecordError, match=r"run the row again"):
        Record.from_json(bad.read_bytes(), "x")
    said = harness_command("leaderboard", "--results", results.root)
    assert said.status == 1
    assert "good" in said.out
    assert f"{bad}" in said.err
    assert "run the row again" in said.err
    for name in ("leaderboard.md", "leaderboard.html"):
        text = (results.root / name).read_text(encoding="utf-8")
        assert "good" in text
        assert "Left out: d/bad/seed0.json" in text
        assert str(results.root) not in text


ALLOWED: dict[str, Callable[[dict[str, Any]], str]] = {
    "no machine": changed("provenance", "machine", to="null"),
    "no device": changed("provenance", "device", to="null"),
    "no packages": changed("provenance", "packages", to="null"),
    "no p95": changed("latency", to='{"p50_ms": 1.5}'),
    "no latency that counts": changed("latency", to='{"p50_ms": null, "note": [1, 2]}'),
    "another count of the dataset": changed("dataset", "sentences", to="7"),
    "a size that a later version adds": changed("size", "disk_bytes", to="7"),
}


@pytest.mark.parametrize("kind", ALLOWED)
def test_what_may_be_absent_or_new_is_shown(
    kind: str, put: Callable[..., StoredRecord], results: Store, context: Context
) -> None:
    good = put("good", {"q1": 0.5, "q2": 0.25})
    good.place.record.write_text(ALLOWED[kind](json.loads(good.place.record.read_text(encoding="utf-8"))))
    put("other", {"q1": 0.5, "q2": 0.2})
    (table,), _, faults = api.write_leaderboard(results.root, context)
    assert faults == []
    assert [line.row for line in table.lines] == ["good", "other"]


@pytest.mark.parametrize(
    "values", ['{"nDCG@10": {"q1": NaN}}', "[" * 9999, '{"nDCG@10": {"q1": "1"}}', '{"nDCG@10": 5}', "null", ""]
)
def test_bad_values_leave_a_row_without_an_interval(
    values: str, put: Callable[..., StoredRecord], results: Store, context: Context
) -> None:
    put("good", {"q1": 0.5, "q2": 0.25})
    put("bad", {"q1": 0.5, "q2": 0.25}).place.queries.write_text(values)
    (table,), _, _ = api.write_leaderboard(results.root, context)
    assert [line.interval is not None for line in table.lines if line.row == "good"] == [True]
    (note,) = [note for note in notes_of(table) if note.startswith("`bad`")]
    assert "cannot be read" in note
    assert "run the row again" in note


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["seed0.json", "seed0.queries.json", "seed0.run.gz"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link to nowhere"])
def test_what_is_no_file_neither_hangs_nor_ends_the_board(
    name: str, kind: str, put: Callable[..., StoredRecord], results: Store, context: Context
) -> None:
    put("good", {"q1": 0.5, "q2": 0.25})
    path = put("bad", {"q1": 0.5, "q2": 0.25}).place.record.with_name(name)
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere")
    (table,), _, faults = api.write_leaderboard(results.root, context)
    assert "good" in [line.row for line in table.lines]
    assert len(faults) == (name == "seed0.json")


@pytest.mark.parametrize(
    "text", ["[" * 9999, '{"title": "x", "source": "y", "figures": {"d": {"nDCG@10": 64.0}}}', "{}", '{"title": 5}']
)
def test_bad_published_figures_are_left_out_by_name(
    text: str, put: Callable[..., StoredRecord], results: Store, context: Context
) -> None:
    put("good", {"q1": 0.5, "q2": 0.25})
    (results.root / "published").mkdir()
    (results.root / "published" / "bad.json").write_text(text)
    _, _, (fault,) = api.write_leaderboard(results.root, context)
    assert "bad.json" in str(fault)
