"""Notes below a table."""

from collections.abc import Callable

from harness.bench.record import Record
from harness.report.board import tables
from harness.report.notes import notes_of

Made = Callable[..., Record]


def noted(*records: Record) -> list[str]:
    (table,) = tables(records)
    return notes_of(table)


def test_notes_are_of_the_dataset_then_of_each_row_each_once(made: Made) -> None:
    facts = {"notes": ["built here"], "unreachable": 3}
    found = noted(made("a", 0.5, facts=facts, notes=["x"]), made("b", 0.4, facts=facts, notes=["x", "x"]))
    assert found == [
        "built here",
        "3 relevant documents are not in the corpus; they stay in the judgements and cap recall.",
        "`a`, `b`: x",
    ]


def test_a_row_without_figures_is_noted_with_its_reason_in_one_line(skipped: Made) -> None:
    assert noted(skipped("a")) == ["`a`: skipped: no model <x>. hf download x|y."]
    told = noted(skipped("a", status="error", problem={"reason": "boom\n  twice", "trace": "Traceback …"}))
    assert told == ["`a`: error: boom twice"]


def test_uncommitted_changes_are_noted(made: Made) -> None:
    clean = made("a", 0.5)
    dirty = made("b", 0.4, provenance={**clean.provenance, "dirty": True})
    (told,) = noted(clean, dirty)
    assert "uncommitted changes" in told
    assert "`b`" in told
    assert "`a`" not in told


def test_a_row_made_on_another_revision_of_the_collection_is_noted(made: Made, skipped: Made) -> None:
    other = {"revision": "f" * 32}
    assert noted(made("a", 0.5), made("b", 0.4)) == []
    (told,) = noted(made("a", 0.5), made("b", 0.4, facts=other))
    assert told == "`b`: made on another revision of the collection; do not compare it with `a`."
    assert not any("revision" in note for note in noted(made("a", 0.5), skipped("c", facts=other)))


def test_a_row_ranked_to_another_depth_is_noted(made: Made) -> None:
    (told,) = noted(made("a", 0.5, depth=1000), made("b", 0.4, depth=10))
    assert told == "`b`: ranked to depth 10, `a` to 1000."


def test_several_seeds_are_noted_with_their_deviation(made: Made) -> None:
    records = [made("a", value, seed=seed) for seed, value in enumerate((0.7, 0.72, 0.74))]
    seeds = "`a`: nDCG@10 of 3 seeds: 0.7000, 0.7200, 0.7400 (standard deviation 0.0200)"
    assert noted(*records) == [seeds]
    assert noted(records[0]) == []


def test_a_busy_machine_is_noted_with_what_kept_it_busy(made: Made) -> None:
    busy = {"p50_ms": 675.04, "p95_ms": 900.0, "busy": True, "others": 1.62, "cores": 2}
    (note,) = noted(made("a", 0.5, latency=busy), made("b", 0.4))
    assert note.startswith("latency in brackets: the machine was busy, so the measurement is unreliable")
    assert note.endswith(": `a` (other processes used 1.6 of 2 processors)")
    assert noted(made("a", 0.5, latency={**busy, "busy": False})) == []
