"""What the page shows, from the tables."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

from harness.bench.record import Record
from harness.report.board import Across, Table, tables
from harness.report.page_data import charts, command, family, page_data

Made = Callable[..., Record]


def data_of(*records: Record) -> dict[str, Any]:
    found = tables(records)
    return page_data(
        [[t.by(m) for m in t.measures] or [t] for t in found],
        [[[{}] * len(ln.records) for ln in t.lines] for t in found],
    )


def test_figures_are_written_as_on_the_other_boards(made: Made) -> None:
    (dataset,) = data_of(made("a", 0.512349), made("b", 0.4))["datasets"]
    shown = {row["name"]: row["values"]["nDCG@10"] for row in dataset["rows"]}
    assert (shown["a"]["text"], shown["a"]["best"], shown["b"]["best"]) == ("0.5123", True, False)


def test_a_row_that_was_skipped_has_no_figures_and_its_reason(made: Made, skipped: Made) -> None:
    (dataset,) = data_of(made("a", 0.5), skipped("b"))["datasets"]
    row = next(row for row in dataset["rows"] if row["name"] == "b")
    assert row["problem"] == "no model <x>. hf download x|y."
    assert row["values"]["nDCG@10"]["text"] == "–"
    assert {cost["value"] for cost in row["costs"]} == {None}
    assert [r["name"] for r in charts(data_of(made("a", 0.5), skipped("b")))["datasets"][0]["rows"]] == ["a"]


def test_the_command_names_all_that_makes_the_record_again(made: Made) -> None:
    record = made('dense(model="a b")', 0.5, dataset="beir/x/test", seed=3)
    assert shlex.split(command(record)) == [
        *("harness", "run", "--dataset", "beir/x/test", "--method", 'dense(model="a b")'),
        *("--seed", "3", "--depth", "1000", "--measure", "nDCG@10"),
    ]


def test_a_family_is_the_head_of_the_method() -> None:
    assert [family(m) for m in ("bm25(k1=1)", "run/some.trec", "dense", "dense+supervised")] == [
        "bm25",
        "run",
        "dense",
        "dense",
    ]


def test_rows_are_not_dominated_by_each_measure_of_its_own(made: Made) -> None:
    def row(name: str, ndcg: float, recall: float, p50: float) -> Record:
        return made(name, measures={"nDCG@10": ndcg, "R@100": recall}, latency={"p50_ms": p50, "p95_ms": p50})

    (dataset,) = data_of(row("fast", 0.4, 0.6, 1.0), row("slow", 0.5, 0.5, 9.0))["datasets"]
    fronts = {row["name"]: row["trades"]["latency"]["front"] for row in dataset["rows"]}
    assert fronts == {"fast": ["nDCG@10", "R@100"], "slow": ["nDCG@10"]}


def test_a_latency_of_a_busy_machine_is_no_point_of_the_plot(made: Made) -> None:
    busy = {"p50_ms": 0.5, "p95_ms": 0.6, "busy": True, "others": 2.0, "cores": 2}
    (dataset,) = data_of(made("a", 0.4, latency=busy), made("b", 0.5, latency={"p50_ms": 9.0, "p95_ms": 9.0}))[
        "datasets"
    ]
    trades = {row["name"]: row["trades"]["latency"] for row in dataset["rows"]}
    assert trades["a"]["value"] is None
    assert trades["a"]["front"] == []
    assert trades["b"]["front"] == ["nDCG@10"]
    told = next(row for row in dataset["rows"] if row["name"] == "a")
    assert "not the row's own: other processes used 2.0 of 2 processors" in json.dumps(told)


def test_learning_is_told_once_with_all_rows_that_stand_on_it(made: Made) -> None:
    told = {"training": [{"recipe": "supervised(x=1)", "dev": [[0, 0.5], [10, 0.6], None], "loss": None, "chosen": 10}]}
    (dataset,) = data_of(made("a", 0.5, resolved=told), made("b", 0.4, resolved={"methods": [{}, told]}))["datasets"]
    assert dataset["curves"] == [
        {"name": "supervised, seed 0", "rows": ["a", "b"], "dev": [[0, 0.5], [10, 0.6]], "loss": [], "chosen": 10}
    ]


def test_a_long_curve_of_the_loss_is_thinned_to_means(made: Made) -> None:
    told = {"training": [{"recipe": "gpl()", "dev": [], "loss": [[step, float(step % 2)] for step in range(1, 1001)]}]}
    ((curve,),) = [d["curves"] for d in data_of(made("a", 0.5, resolved=told))["datasets"]]
    assert len(curve["loss"]) == 250
    assert curve["loss"][:2] == [[4, 0.5], [8, 0.5]]
    assert curve["loss"][-1] == [1000, 0.5]


def test_each_seed_has_its_record(made: Made) -> None:
    (dataset,) = data_of(made("a", 0.5, seed=0), made("a", 0.7, seed=1))["datasets"]
    (row,) = dataset["rows"]
    assert [r["seed"] for r in row["records"]] == [0, 1]
    assert [s["values"]["nDCG@10"] for s in row["seeds"]] == [0.5, 0.7]
    assert row["spread"][0].startswith("nDCG@10 of 2 seeds: 0.5000, 0.7000")


def test_datasets_are_set_side_by_side_by_every_measure_they_share(made: Made) -> None:
    one, two = {"nDCG@10": 0.5, "R@100": 0.6}, {"nDCG@10": 0.4, "R@100": 0.7}
    data = data_of(made("a", measures=one), made("a", measures=two, dataset="other"), made("b", 0.1))
    assert [over["measure"] for over in data["across"]] == ["nDCG@10", "R@100"]
    rows = {row["name"]: [c["text"] for c in row["cells"]] for row in data["across"][0]["rows"]}
    assert rows == {"a": ["0.5000", "0.4000", "0.4500"], "b": ["0.1000", "–", "–"]}
    assert data["across"][0]["rows"][0]["cells"][0]["key"].startswith("record-0-")


def test_what_stands_beside_a_mean_leads_to_the_records_it_is_made_of(
    two_datasets: Callable[[], tuple[list[Table], Across]],
) -> None:
    found, over = two_datasets()
    data = page_data([[table] for table in found], [[[{}] * len(ln.records) for ln in t.lines] for t in found], over)
    rows = {row["name"]: row for row in data["across"][0]["rows"]}
    assert (rows["best"]["first"], rows["best"]["ranks"], rows["last"]["ranks"]) == (True, "1–2", "3")
    assert rows["last"]["against"][1] == {"text": "0/0/2", "value": 0}
    assert {cell["text"] for cell in rows["half"]["against"]} == {"–"}
    means = {row["name"]: row for row in data["means"]}
    assert rows["last"]["cells"][-1]["key"] == rows["last"]["key"] == means["last"]["key"]
    assert {there["key"] for there in means["last"]["datasets"].values()} == {
        c["key"] for c in rows["last"]["cells"][:-1]
    }
    assert list(means["half"]["datasets"]) == ["d1"]


def test_a_record_without_provenance_is_no_reason_to_fail(made: Made) -> None:
    assert data_of(made("a", 0.5, provenance={}, seconds={}, size={}, latency=None))["datasets"]
