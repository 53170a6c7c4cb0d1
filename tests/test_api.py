import json
from pathlib import Path

import pytest

import harness
from harness import api
from harness.base.errors import RecordError, SettingError
from harness.bench.runner import Result
from harness.bench.store import Store
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.methods.run import RunFile
from harness.rows import DEFAULT_ROWS
from harness.runtime.context import Context


def test_rows_run_over_a_dataset_and_come_back_in_order(small_folder: Path, tmp_path: Path, context: Context) -> None:
    board = api.run("bm25", BM25(k1=1.2), dataset=str(small_folder), results=tmp_path / "results", context=context)
    assert [r.record.row for r in board.results] == ["bm25", "bm25(k1=1.2)"]
    assert {r.record.status for r in board.results} == {"ok"}
    assert set(board.measures("bm25")) == {"nDCG@10", "R@100", "RR@10", "AP@100"}
    assert board.measures("bm25")["nDCG@10"] > 0.3
    with pytest.raises(KeyError, match="dense"):
        board.measures("dense")


def test_several_datasets_are_done_one_after_the_other(small_folder: Path, tmp_path: Path, context: Context) -> None:
    told: list[Result] = []
    datasets = [str(small_folder), f"{small_folder}/train"]
    board = api.run(
        "bm25", "bm25(b=0)", dataset=datasets, results=tmp_path / "results", context=context, tell=told.append
    )
    assert [(r.record.dataset["name"].rpartition("/")[2], r.record.row) for r in board.results] == [
        ("test", "bm25"),
        ("test", "bm25(b=0)"),
        ("train", "bm25"),
        ("train", "bm25(b=0)"),
    ]
    assert [(r.record.identity, r.record.measures) for r in told] == [
        (r.record.identity, r.record.measures) for r in board.results
    ]
    stored, _ = Store(tmp_path / "results").all()
    newest = {(record.dataset["name"], record.row): record for record in stored}
    for result, before in zip(board.results, told, strict=True):  # each is timed once more at the end of its dataset
        assert result.record == newest[result.record.dataset["name"], result.record.row]
        assert result.record.latency is not None
        assert before.record.latency is not None
        # How many rounds count depends on the load of the machine; tests/bench/test_latency.py has that with a clock of
        # its own.
        assert result.record.latency["repeats"] > 0
    assert "nDCG@10 across datasets" in str(board)


def test_no_rows_are_the_default_rows_and_a_row_twice_is_one() -> None:
    assert api.methods_of([]) == [harness.parse_method(text) for text in DEFAULT_ROWS]
    assert api.methods_of(["bm25", BM25(), "bm25(k1=0.9)", "dense"]) == [BM25(), Dense()]


def test_a_precision_for_all_rows_is_checked_and_tells_of_rows_that_become_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(SettingError, match="--precision: precision must be one of"):
        api.methods_of(["bm25"], "nonsense")
    assert len(api.methods_of(["bm25", "dense"], "auto")) == 2
    assert not caplog.records
    assert len(api.methods_of(["dense", 'dense(precision="fp32")'], "fp32")) == 1
    assert "some of these rows are now one" in caplog.text


def test_a_context_takes_its_settings(tmp_path: Path) -> None:
    made = api.open_context(seed=3, device="cpu", cache_dir=tmp_path / "c", data_dirs=[tmp_path])
    assert (made.seed, made.device, made.cache.root, made.data_dirs) == (3, "cpu", tmp_path / "c", (tmp_path,))


def test_the_leaderboard_is_written_from_the_records_alone_byte_for_byte_the_same(
    small_folder: Path, tmp_path: Path, context: Context
) -> None:
    results = tmp_path / "results"
    api.run("bm25", "bm25(k1=2)", "run/nowhere.trec", dataset=str(small_folder), results=results, context=context)
    files = [results / "leaderboard.md", results / "leaderboard.csv"]
    api.write_leaderboard(results)
    first = [f.read_bytes() for f in files]
    for file in files:
        file.unlink()
    found, _, faults = api.write_leaderboard(results)
    assert [f.read_bytes() for f in files] == first
    assert len(found) == 1
    assert faults == []
    assert b"| `bm25`" in first[0]
    assert b'run(path=""nowhere.trec"")' in first[1]


def test_a_broken_record_is_named_and_the_others_are_shown(
    small_folder: Path, tmp_path: Path, context: Context
) -> None:
    results = tmp_path / "results"
    api.run("bm25", "bm25(k1=2)", dataset=str(small_folder), results=results, context=context)
    paths = sorted(p for p in results.glob("*/*/seed0.json"))
    paths[0].write_text("{ half a rec")
    extra = paths[1].with_name("seed1.json")
    extra.write_text(json.dumps({**json.loads(paths[1].read_text()), "dataset": {"name": "x"}, "seed": 1}))
    found, _, faults = api.write_leaderboard(results)
    assert [len(t.lines) for t in found] == [1]
    assert [str(p) in str(f) for p, f in zip([paths[0], extra], faults, strict=True)] == [True, True]
    assert (results / "leaderboard.md").exists()


def test_a_leaderboard_of_no_records_says_how_to_make_some(tmp_path: Path) -> None:
    assert api.write_leaderboard(tmp_path / "results") == ([], None, [])
    assert "harness run" in (tmp_path / "results" / "leaderboard.md").read_text()


def test_a_leaderboard_that_cannot_be_written_is_a_record_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot be written"):
        api.write_leaderboard(tmp_path / "file")


def test_every_public_name_can_be_imported_and_importing_the_package_imports_none(python) -> None:
    for name in harness.__all__:
        assert getattr(harness, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = harness.nothing
    done = python("import sys, harness; print(sorted({'numpy', 'pyarrow', 'torch', 'harness.api'} & set(sys.modules)))")
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize(
    ("settings", "told"), [({"seed": -1}, "seed must be 0 or more"), ({"device": "banana"}, "device 'banana'")]
)
def test_a_seed_or_device_that_cannot_be_is_refused_before_anything_is_done(
    settings: dict[str, object], told: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=told):
        api.open_context(cache_dir=tmp_path / "cache", **settings)
    assert not (tmp_path / "cache").exists()


def test_a_dataset_or_row_whose_name_holds_a_long_key_is_refused_and_nothing_is_written(
    small_folder: Path, tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "sk-0123456789abcdef"
    small_folder.rename(tmp_path / f"of-{secret}")
    (tmp_path / f"{secret}.trec").write_text("q Q0 d 1 1 x\n")
    monkeypatch.setenv("MISTRAL_API_KEY", secret)
    monkeypatch.chdir(tmp_path)
    for row, dataset in (
        ("bm25", f"./of-{secret}"),
        (f"run/{secret}.trec", "stdlib/code"),
        (RunFile(f"{secret}.trec"), "stdlib/code"),
    ):
        with pytest.raises(
            SettingError, match="contains the key in the environment variable MISTRAL_API_KEY"
        ) as caught:
            api.run(row, dataset=dataset, results=tmp_path / "results", context=context)
        assert secret not in str(caught.value)
    assert not (tmp_path / "results").exists()
    assert not any(secret.encode() in path.read_bytes() for path in context.cache.root.rglob("*") if path.is_file())


def test_a_key_that_is_part_of_a_datasets_name_costs_no_board(
    small_folder: Path, tmp_path: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real-secretword1").mkdir()
    for path in small_folder.iterdir():
        (tmp_path / "real-secretword1" / path.name).symlink_to(path)
    monkeypatch.setenv("DB_PASSWORD", "secretword1")
    name = str(tmp_path / "real-secretword1")
    for rerun in (False, False, True):
        board = api.run("bm25", "bm25(b=0)", dataset=name, results=tmp_path / "results", context=context, rerun=rerun)
        assert "secretword1" not in str(board)
        assert [result.record.status for result in board.results] == ["ok", "ok"]
        assert board.tables[0].has_intervals, "rows have intervals"
