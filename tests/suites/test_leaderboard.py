import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

Suites = Callable[..., "object"]
BROKEN = "run/nowhere.trec"
WATCH = """
import pathlib, sys
HEAVY = {"torch", "transformers", "sentence_transformers", "scipy", "bm25s", "networkx", "datasketch", "pandas"}
def pytest_unconfigure():
    pathlib.Path("loaded").write_text(" ".join(sorted(HEAVY & set(sys.modules))))
"""


@pytest.fixture
def small_options(small_folder: Path) -> list[str]:
    """A row that runs and one that cannot, on the made-up collection."""
    return ["--benchmark", "--dataset", "./small", "--method", "bm25", "--method", BROKEN]


def board(out: str) -> str:
    return out.partition("leaderboard")[2]


def test_without_benchmark_everything_is_skipped_nothing_is_made_and_no_slow_library_is_imported(
    suites, tmp_path: Path
) -> None:
    (tmp_path / "watch.py").write_text(WATCH)
    outcome = suites("-q", "-p", "watch", cold=True)
    assert outcome.status == 0
    assert set(outcome.counts()) == {"skipped"}
    assert outcome.counts()["skipped"] >= 6
    assert (tmp_path / "loaded").read_text() == ""
    assert {p.name for p in tmp_path.iterdir()} <= {"watch.py", "loaded", "pytest", "__pycache__"}


def test_a_skipped_suite_says_how_to_run_it(suites) -> None:
    assert "run with --benchmark" in suites("-q", "-rs").out


def test_each_row_on_each_dataset_is_a_test_with_a_readable_id(suites, small_folder: Path) -> None:
    options = [
        "--benchmark",
        "--dataset",
        "./small",
        "--dataset",
        "./small/train",
        "--method",
        "bm25",
        "--method",
        "bm25>>dense",
    ]
    outcome = suites("--collect-only", "-q", *options, file="test_leaderboard.py")
    ids = re.findall(r"test_leaderboard\[(.*)\]", outcome.out)
    assert ids == ["./small-bm25", "./small-bm25>>dense", "./small/train-bm25", "./small/train-bm25>>dense"]


def test_a_row_that_fails_fails_its_test_with_its_reason_and_the_others_pass(
    suites, small_options: list[str], tmp_path: Path
) -> None:
    outcome = suites(*small_options, file="test_leaderboard.py")
    assert outcome.status == 1
    assert outcome.counts() == {"failed": 1, "passed": 1}
    assert "there is no run file nowhere.trec" in outcome.out
    statuses = {
        p.parent.name[:4]: json.loads(p.read_text())["status"] for p in (tmp_path / "results").glob("*/*/seed0.json")
    }
    assert statuses == {"bm25": "ok", "run-": "error"}


def test_the_leaderboard_is_printed_at_the_end_and_written(suites, small_options: list[str], tmp_path: Path) -> None:
    outcome = suites(*small_options, file="test_leaderboard.py", cold=True)
    assert "folder/small/test" in board(outcome.out)
    assert re.search(r"bm25 +0\.\d{4}", board(outcome.out))
    assert "records, leaderboard.md and leaderboard.html in results" in board(outcome.out)
    assert "`bm25`" in (tmp_path / "results" / "leaderboard.md").read_text()


def test_only_the_rows_that_were_run_are_printed_and_all_are_written(
    suites, small_options: list[str], tmp_path: Path
) -> None:
    suites(*small_options[:3], "--method", "bm25(b=0)", file="test_leaderboard.py")
    outcome = suites(*small_options, "-k", "bm25", file="test_leaderboard.py")
    assert "bm25(b=0)" not in board(outcome.out)
    assert "`bm25(b=0)`" in (tmp_path / "results" / "leaderboard.md").read_text()


def test_k_selects_rows(suites, small_options: list[str]) -> None:
    outcome = suites(*small_options, "-k", "bm25", file="test_leaderboard.py")
    assert outcome.status == 0
    assert outcome.counts() == {"passed": 1, "deselected": 1}


def test_lf_runs_only_what_failed(suites, small_options: list[str]) -> None:
    suites(*small_options, file="test_leaderboard.py")
    outcome = suites(*small_options, "--lf", file="test_leaderboard.py")
    assert outcome.counts()["failed"] == 1
    assert "passed" not in outcome.counts()


def test_two_workers_give_the_records_and_the_leaderboard_of_one(
    suites, small_options: list[str], tmp_path: Path
) -> None:
    pytest.importorskip("xdist")
    rows = ["--method", "bm25(k1=1.2)", "--method", "bm25(b=0)"]
    one = suites(*small_options, *rows, "--results", "one", file="test_leaderboard.py")
    workers = ["-p", "xdist", "-n", "2", "--cache-dir", "other"]
    two = suites(*small_options, *rows, "--results", "two", *workers, file="test_leaderboard.py")
    assert two.status == 1
    assert two.counts() == one.counts() == {"failed": 1, "passed": 3}
    for row in ("bm25", "bm25(k1=1.2)", "bm25(b=0)"):
        assert row in board(two.out)
    measured = [
        {p.parent.name: json.loads(p.read_text())["measures"] for p in (tmp_path / name).glob("*/*/seed0.json")}
        for name in ("one", "two")
    ]
    assert measured[0] == measured[1]
    assert len(measured[0]) == 4


def test_what_is_absent_is_skipped_with_reason_and_remedy(suites, small_options: list[str]) -> None:
    outcome = suites(*small_options[:3], "--method", 'dense(model="nobody/nothing")', "-rs", file="test_leaderboard.py")
    assert outcome.status == 0
    assert outcome.counts() == {"skipped": 1}
    assert "hf download nobody/nothing" in outcome.out


def test_a_collection_that_is_not_here_is_skipped_and_one_that_is_malformed_fails(suites, small_folder: Path) -> None:
    options = ["--benchmark", "--method", "bm25", "--dataset"]
    outcome = suites(*options, "beir/scifact", file="test_leaderboard.py", HARNESS_OFFLINE="1")
    assert outcome.counts() == {"skipped": 1}
    (small_folder / "corpus.jsonl").write_text("no json\n")
    outcome = suites(*options, "./small", file="test_leaderboard.py")
    assert outcome.counts() == {"failed": 1}
    assert "corpus.jsonl, line 1" in outcome.out


def test_an_unknown_row_is_a_usage_error_with_the_closest_names(suites, small_options: list[str]) -> None:
    outcome = suites(*small_options, "--method", "bm52", file="test_leaderboard.py")
    assert outcome.status == 4
    (line,) = outcome.err.strip().splitlines()
    assert line.startswith("ERROR: unknown method 'bm52'; did you mean 'bm25'?")
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--depth", "0"], "depth must be 1"),
        (["--depth", str(2**63)], "depth must be below 2^63"),
        (["--seed", str(2**63)], "seed must be below 2^63"),
        (["--measure", "nDGC"], "'nDGC'"),
    ],
)
def test_a_wrong_option_is_a_usage_error_in_its_own_words(
    options: list[str], told: str, suites, small_options: list[str]
) -> None:
    outcome = suites(*small_options, *options, file="test_leaderboard.py")
    assert outcome.status == 4
    assert told in outcome.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--seed", "-1"], "--seed must be 0 or more, not -1."),
        (["--memory", "banana"], "memory 'banana' is not a size; write it as 2GB, 512MiB or in bytes."),
        (["--device", "qpu"], "unknown device 'qpu'; use cpu, cuda, cuda:1 or mps"),
        (["--dataset", "./nowhere"], "there is no folder nowhere; name a folder with corpus.jsonl"),
        (["--dataset", "beer/scifact"], "unknown dataset 'beer/scifact'; did you mean 'beir/scifact'"),
        (["--dataset", "beir/scifat"], "unknown BEIR collection 'scifat'; did you mean 'scifact'?"),
        (["--dataset", "stdlib/cod"], "unknown stdlib collection 'cod'; did you mean 'code'?"),
        (["--dataset", "./small/tset"], "unknown split 'tset'; did you mean 'test'?"),
    ],
)
def test_a_setting_or_dataset_that_harness_run_refuses_is_a_usage_error_of_one_line(
    options: list[str], told: str, suites, small_options: list[str]
) -> None:
    outcome = suites(*small_options, *options)
    assert (outcome.status, outcome.out) == (4, "")
    (line,) = outcome.err.strip().splitlines()
    assert line.startswith(f"ERROR: {told}")


def test_options_mean_what_they_mean_to_harness_run(suites, small_options: list[str], tmp_path: Path) -> None:
    outcome = suites(
        *small_options[:5], "--measure", "P@5", "--depth", "7", "--seed", "3", "--results", "r", "--cache-dir", "c",
        file="test_leaderboard.py",
    )  # fmt: skip
    assert outcome.status == 0
    (path,) = (tmp_path / "r").glob("*/bm25/seed3.json")
    held = json.loads(path.read_text())
    assert (list(held["measures"]), held["depth"], held["seed"]) == (["P@5"], 7, 3)
    assert (tmp_path / "c" / "bm25").is_dir()


def test_rows_that_are_up_to_date_are_kept_unless_they_are_asked_for_again(
    suites, small_options: list[str], tmp_path: Path
) -> None:
    options = [*small_options[:5], "-q"]
    suites(*options, file="test_leaderboard.py")
    (path,) = (tmp_path / "results").glob("*/bm25/seed0.json")
    before = path.stat().st_mtime_ns
    suites(*options, file="test_leaderboard.py")
    assert path.stat().st_mtime_ns == before
    suites(*options, "--rerun", file="test_leaderboard.py")
    assert path.stat().st_mtime_ns > before


def test_a_broken_record_is_named_below_the_leaderboard(suites, small_options: list[str], tmp_path: Path) -> None:
    suites(*small_options[:5], file="test_leaderboard.py")
    (path,) = (tmp_path / "results").glob("*/bm25/seed0.json")
    path.with_name("seed9.json").write_text("{")
    outcome = suites(*small_options[:5], file="test_leaderboard.py")
    assert "seed9.json is not JSON" in board(outcome.out)


def test_rows_are_made_elsewhere_with_an_executor_and_only_those_that_are_selected(
    suites, small_folder: Path, tmp_path: Path
) -> None:
    options = ["--benchmark", "--dataset", "./small", "--method", "bm25", "--method", "bm25(k1=2)"]
    outcome = suites(*options, "--executor", "processes(workers=1)", "-k", "k1", file="test_leaderboard.py")
    assert (outcome.status, outcome.counts()) == (0, {"passed": 1, "deselected": 1})
    (record,) = (tmp_path / "results").glob("*/*/seed0.json")
    assert json.loads(record.read_text())["provenance"]["executor"] == "processes(workers=1)"


def test_an_executor_that_is_not_there_is_told_before_anything_is_run(suites, small_options: list[str]) -> None:
    outcome = suites(*small_options, "--executor", "rya", file="test_leaderboard.py")
    assert outcome.status == 4
    assert "did you mean 'ray'" in outcome.err
    both = suites(
        *small_options, "-p", "xdist.plugin", "-n", "2", "--executor", "processes", file="test_leaderboard.py"
    )
    assert both.status == 4
    assert "--executor and -n do the same" in both.err
