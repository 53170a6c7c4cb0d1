import json
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import RecordError
from harness.base.files import sha256
from harness.bench.record import Record
from harness.bench.store import Store, StoredRecord
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import Run, TopK
from harness.methods.bm25 import BM25
from harness.rows import parse_method

DATASET = {
    "name": "a/b/test",
    "revision": "0",
    "documents": 1,
    "queries": 1,
    "judgements": 1,
    "unreachable": 0,
    "notes": [],
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def record(row: str = "bm25", dataset: dict[str, object] = DATASET, **fields: object) -> Record:
    return Record(row, "bm25()", dataset, **fields)  # type: ignore[arg-type]


def a_run() -> Run:
    corpus = Corpus.of([("d", "", "x"), ("e", "", "y")])
    return Run(Queries(["q"], ["x"]), TopK(np.array([[1, 0]]), np.array([[2.0, 1.0]], np.float32)), corpus)


def test_a_default_row_has_a_readable_place_by_dataset_row_and_seed(store: Store) -> None:
    place = store.place("beir/scifact/test", parse_method("bm25>>dense"), 3)
    assert place.record == store.root / "beir-scifact-test" / "bm25-then-dense" / "seed3.json"
    assert place.queries == place.record.with_name("seed3.queries.json")
    assert place.run == place.record.with_name("seed3.run.gz")


@pytest.mark.parametrize(
    "row",
    ["bm25(k1=1.2)", 'dense(model="a/b c")', "run/../../etc/passwd", "run/" + "x" * 300, 'run(path="ö|<>:")', "run/.."],
)
def test_any_other_row_has_a_place_inside_the_folder_that_carries_its_fingerprint(row: str, store: Store) -> None:
    method = parse_method(row)
    place = store.place("folder/../x y", method, 0).record
    assert place.parent.name.endswith(f"-{method.fingerprint()[:8]}")
    assert len(place.parent.name) < 120
    assert place.resolve().is_relative_to(store.root.resolve())
    assert len(place.relative_to(store.root).parts) == 3


def test_rows_that_differ_have_places_that_differ_though_their_names_look_alike(store: Store) -> None:
    rows = ['dense(model="a/b")', 'dense(model="a b")', 'dense(model="a-b")', "bm25(k1=1.2)", "bm25(k1=1.21)", "bm25"]
    assert len({store.place("d", parse_method(row), 0).record for row in rows}) == len(rows)


def test_what_is_saved_is_loaded(store: Store) -> None:
    place = store.place("d", BM25(), 0)
    values = {"nDCG@10": {"q1": 1 / 3, "q2": 0.0}}
    sha = store.write_run(place, a_run(), "bm25")
    saved = record(measures={"nDCG@10": 1 / 6}, run_sha256=sha, dataset={**DATASET, "queries": 2})
    store.save(place, saved, values)
    assert store.load(place) == saved
    assert store.values(StoredRecord(saved, place)) == {"nDCG@10": {"q1": 0.333333, "q2": 0.0}}
    assert sha == sha256(place.run)
    assert store.whole(place, saved)


def test_a_row_without_figures_leaves_no_old_run_and_values_behind(store: Store) -> None:
    place = store.place("d", BM25(), 0)
    store.write_run(place, a_run(), "bm25")
    store.save(place, record(), {"nDCG@10": {"q": 1.0}})
    store.save(place, record(status="error", problem={"reason": "x", "trace": "y"}), None)
    assert [p.name for p in place.record.parent.iterdir()] == ["seed0.json"]


@pytest.mark.parametrize("missing", ["run", "queries"])
def test_a_record_is_whole_only_with_its_run_and_its_values(missing: str, store: Store) -> None:
    place = store.place("d", BM25(), 0)
    saved = record(measures={"nDCG@10": 1.0}, run_sha256=store.write_run(place, a_run(), "bm25"))
    store.save(place, saved, {"nDCG@10": {"q": 1.0}})
    getattr(place, missing).unlink()
    assert not store.whole(place, saved)


def test_a_record_is_not_whole_with_another_run_than_its_own(store: Store) -> None:
    place = store.place("d", BM25(), 0)
    saved = record(measures={"nDCG@10": 1.0}, run_sha256=store.write_run(place, a_run(), "bm25"))
    store.save(place, saved, {"nDCG@10": {"q": 1.0}})
    store.write_run(place, a_run(), "another tag")
    assert not store.whole(place, saved)


def test_there_is_no_record_where_none_can_be_read(store: Store) -> None:
    place = store.place("d", BM25(), 0)
    assert store.load(place) is None
    place.record.parent.mkdir(parents=True)
    for raw in (b"", b"{", b"\xff\xfe", b'{"schema": 99}'):
        place.record.write_bytes(raw)
        assert store.load(place) is None


def test_all_gives_the_records_by_path_and_names_those_that_cannot_be_read(store: Store) -> None:
    for dataset, row, seed in (("b", "bm25", 1), ("a", "dense", 0), ("a", "bm25", 10), ("a", "bm25", 2)):
        store.save(store.place(dataset, parse_method(row), seed), record(f"{dataset} {row} {seed}"), {})
    broken = store.root / "a" / "dense" / "seed7.json"
    broken.write_text("{ not json")
    (store.root / "a" / "dense" / "seed8.json").write_bytes(b"\xff")
    records, faults = store.all()
    assert [r.row for r in records] == ["a bm25 10", "a bm25 2", "a dense 0", "b bm25 1"]
    assert len(faults) == 2
    assert str(broken) in str(faults[0])
    assert "seed8.json" in str(faults[1])
    assert all(isinstance(f, RecordError) for f in faults)


def test_a_copied_record_counts_once_and_is_named(store: Store) -> None:
    place = store.place("d", BM25(), 0)
    store.save(place, record(started="2026-01-02"), None)
    store.save(store.place("d", BM25(), 1), record(seed=1), None)
    copy = store.root / "d" / "a copy" / "seed0.json"
    copy.parent.mkdir()
    copy.write_bytes(place.record.read_bytes())
    other = store.root / "d" / "older" / "seed0.json"
    other.parent.mkdir()
    other.write_text(record(started="2026-01-01").to_json())
    held, faults = store.stored()
    assert [stored.place.record for stored in held] == [copy, place.record.with_name("seed1.json")]
    assert [str(fault) for fault in faults] == [
        f"{left} is left out: bm25 on a/b/test with seed 0 is in {copy} too; remove one of the two."
        for left in (place.record, other)
    ]


def test_of_a_failed_and_a_sound_record_the_sound_one_counts(store: Store) -> None:
    store.save(store.place("d", BM25(), 0), record(started="1"), None)
    store.save(store.place("e", BM25(), 0), record(started="2", status="error", problem={"reason": "x"}), None)
    (stored,), (fault,) = store.stored()
    assert stored.record.status == "ok"
    assert "e/bm25/seed0.json is left out" in str(fault)


def test_an_empty_or_missing_folder_holds_no_records(store: Store) -> None:
    assert store.all() == ([], [])


def test_a_folder_that_cannot_be_written_is_a_record_error_that_names_another_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for root in (tmp_path / "file", tmp_path / "file" / "inner"):
        with pytest.raises(RecordError, match=r"cannot be written .*; name another with --results") as caught:
            Store(root).check()
        assert str(root) in str(caught.value)


def test_checking_a_folder_leaves_it_empty(store: Store) -> None:
    store.check()
    assert list(store.root.iterdir()) == []


def test_a_half_written_record_is_never_seen(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    place = store.place("d", BM25(), 0)
    store.save(place, record(), {})
    before = place.record.read_bytes()
    monkeypatch.setattr(Path, "write_text", lambda *a, **k: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        store.save(place, record(notes=["new"]), {})
    monkeypatch.undo()
    assert place.record.read_bytes() == before
    assert json.loads(before)["notes"] == []
    assert sorted(p.name for p in place.record.parent.iterdir()) == ["seed0.json", "seed0.queries.json"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("./a b", "./a-b"), ("folder/雪/test", "folder/猫/test"), ("folder/a/b/test", "folder/a-b/test")],
)
def test_two_datasets_never_share_a_folder(one: str, other: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.place(one, BM25(), 0).record.parent != store.place(other, BM25(), 0).record.parent


def test_a_plain_name_is_a_plain_folder(tmp_path: Path) -> None:
    place = Store(tmp_path).place("beir/climate-fever/test", BM25(), 0)
    assert place.record == tmp_path / "beir-climate-fever-test" / "bm25" / "seed0.json"


def test_what_is_packed_in_one_folder_is_unpacked_in_another_byte_for_byte(store: Store, tmp_path: Path) -> None:
    place = store.place("a/b/test", BM25(), 0)
    store.write_run(place, a_run(), "bm25")
    store.save(place, record(), {"nDCG@10": {"q": 0.5}})
    packed = json.loads(json.dumps(store.packed(place)))
    other = Store(tmp_path / "other")
    there = other.place("a/b/test", BM25(), 0)
    other.unpack(there, packed, record())
    for name in ("record", "queries", "run"):
        assert getattr(there, name).read_bytes() == getattr(place, name).read_bytes()
    other.unpack(there, {}, record(status="error"))  # a row that failed has no figures beside it
    assert (there.run.exists(), there.queries.exists(), there.record.exists()) == (False, False, True)
