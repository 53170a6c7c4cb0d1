"""What the page shows of single records."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from harness.bench.record import Record
from harness.report.board import tables
from harness.report.page_data import page_data
from harness.report.page_records import command

Made = Callable[..., Record]


def data_of(*records: Record) -> dict[str, Any]:
    found = tables(records)
    by_measure = [[t.by(m) for m in t.measures] or [t] for t in found]
    return page_data(by_measure, [[[{}] * len(ln.records) for ln in t.lines] for t in found])


def test_the_command_repeats_the_record(made: Made) -> None:
    record = made('dense(model="a b")', 0.5, dataset="beir/x/test", seed=3)
    assert shlex.split(command(record)) == [
        *("harness", "run", "--dataset", "beir/x/test", "--method", 'dense(model="a b")'),
        *("--seed", "3", "--depth", "1000", "--measure", "nDCG@10"),
    ]


def test_a_training_is_shown_once_with_all_rows_that_use_it(made: Made) -> None:
    curve = {"recipe": "supervised(x=1)", "dev": [[0, 0.5], [10, 0.6], None], "loss": None, "chosen": 10}
    training = {"training": [curve]}
    records = [made("a", 0.5, resolved=training), made("b", 0.4, resolved={"methods": [{}, training]})]
    (dataset,) = data_of(*records)["datasets"]
    assert dataset["curves"] == [
        {"name": "supervised, seed 0", "rows": ["a", "b"], "dev": [[0, 0.5], [10, 0.6]], "loss": [], "chosen": 10}
    ]


def test_a_long_curve_of_the_loss_is_thinned_to_means(made: Made) -> None:
    training = {
        "training": [{"recipe": "gpl()", "dev": [], "loss": [[step, float(step % 2)] for step in range(1, 1001)]}]
    }
    ((curve,),) = [d["curves"] for d in data_of(made("a", 0.5, resolved=training))["datasets"]]
    assert len(curve["loss"]) == 250
    assert curve["loss"][:2] == [[4, 0.5], [8, 0.5]]
    assert curve["loss"][-1] == [1000, 0.5]
