"""What the steps of a row took, for its record; through a whole row in `test_runner.py`."""

from __future__ import annotations

from harness.bench.step_times import phase, row_seconds, throughput
from harness.data.dataset import Dataset
from harness.runtime.ledger import Step


def test_a_step_counts_by_the_kind_that_needed_it_and_a_model_as_a_model() -> None:
    model = Step("model", "model m", "m", seconds=5.0)
    dev = Step("search", "search dev", "s0", seconds=2.0, inner=[model])
    fit = Step("fit", "fit row", "f", seconds=1.0, inner=[dev])
    search = Step("search", "search row", "s1", seconds=0.5, cached_seconds=4.0, inner=[model])
    row = Step("row", "row", "row", inner=[fit, search])
    assert row_seconds(row) == {"model": 5.0, "fit": 3.0, "index": 0.0, "search": 4.5}


def test_a_phase_has_what_the_cache_spared() -> None:
    told = phase(
        Step("index", "index row", "i", seconds=0.25, cached_seconds=3.0, peak_mb=12.34, counts={"encoded": 2})
    )
    assert told == {
        "kind": "index",
        "label": "index row",
        "seconds": 0.25,
        "cached_seconds": 3.0,
        "peak_mb": 12.3,
        "counts": {"encoded": 2},
    }


def test_throughput_leaves_out_what_took_no_time(small: Dataset) -> None:
    assert throughput({"fit": 1.0, "index": 2.0, "search": 0.0}, small) == {"documents_per_second": 20.0}
