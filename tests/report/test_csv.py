import csv
import io
import itertools
from collections.abc import Callable

from harness.bench.record import Record
from harness.report.board import tables
from harness.report.csv import HEAD, leaderboard

Made = Callable[..., Record]


def lines(*records: Record) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(leaderboard(tables(records)))))


def test_there_is_one_line_for_each_dataset_row_seed_and_measure(made: Made) -> None:
    both = {"nDCG@10": 0.678912, "R@100": 0.9253}
    found = lines(made("a", measures=both), made("a", measures=both, seed=1), made("a", 0.5, "other"))
    keys = [(x["dataset"], x["row"], x["seed"], x["measure"]) for x in found]
    assert keys == [
        ("beir/example/test", "a", "0", "nDCG@10"),
        ("beir/example/test", "a", "0", "R@100"),
        ("beir/example/test", "a", "1", "nDCG@10"),
        ("beir/example/test", "a", "1", "R@100"),
        ("other", "a", "0", "nDCG@10"),
    ]
    assert found[0]["value"] == "0.678912"


def test_a_line_says_what_made_it(made: Made) -> None:
    (line,) = lines(made("a", 0.5, method="bm25(k1=0.9)"))
    expected = {
        "status": "ok",
        "supervision": "none",
        "index_seconds": "2.5",
        "query_p95_ms": "2.505",
        "index_bytes": "4194304",
        "depth": "1000",
        "dataset_revision": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "method": "bm25(k1=0.9)",
        "identity": "00112233445566778899aabbccddeeff",
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "dirty": "False",
        "started": "2026-01-02T03:04:05+00:00",
    }
    assert {name: line[name] for name in expected} == expected


def test_a_latency_of_a_busy_machine_is_marked(made: Made) -> None:
    (busy,) = lines(made("a", 0.5, latency={"p50_ms": 9.0, "p95_ms": 9.5, "busy": True}))
    (old,) = lines(made("a", 0.5, latency={"p50_ms": 9.0, "p95_ms": 9.5}))
    assert (busy["query_p50_ms"], busy["query_busy"], old["query_busy"]) == ("9.0", "True", "")


def test_a_row_without_figures_is_one_line_with_its_status(skipped: Made) -> None:
    (line,) = lines(skipped("a"))
    assert (line["status"], line["measure"], line["value"], line["query_p50_ms"]) == ("skipped", "", "", "")


def test_commas_quotes_and_line_ends_in_names_are_quoted(made: Made) -> None:
    row = 'hybrid(methods=(bm25, dense(model="a,b\nc")))'
    (line,) = lines(made(row, 0.5, "folder/a,b"))
    assert (line["row"], line["dataset"]) == (row, "folder/a,b")


def test_the_file_is_the_same_bytes_in_any_order_of_the_records(made: Made, skipped: Made) -> None:
    records = [made("a", 0.5, seed=1), made("a", 0.6), made("b", 0.55), skipped("c"), made("b", 0.55, "other")]
    assert len({leaderboard(tables(order)) for order in itertools.permutations(records)}) == 1


def test_no_records_are_the_head_alone() -> None:
    assert leaderboard([]) == ",".join(HEAD) + "\n"
