from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import DatasetError, HarnessError
from harness.bench.dev_scores import on_dev
from harness.bench.provenance import code_hash
from harness.bench.record import Record
from harness.data.dataset import Dataset
from harness.data.measures import parse_measures
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.sweep import worker as work


@pytest.fixture
def given(small: Dataset, small_folder: Path, tiny_encoder: Path) -> dict[str, Any]:
    row = f'dense(model="{tiny_encoder}")+frozen_head(budget="smoke", queries=8)'
    return {
        "dataset": str(small_folder),
        "view": small.train.revision,
        "code": code_hash(),
        "method": parse_method(row).full(),
        "seed": 3,
        "measure": "nDCG@10",
        "measures": ["nDCG@10"],
    }


def crossed(value: Mapping[str, Any]) -> dict[str, Any]:
    """As it comes out of another process."""
    return json.loads(json.dumps(value, allow_nan=False))


def test_a_cell_is_the_row_on_dev_with_the_cells_own_seed(
    given: dict[str, Any], small: Dataset, context: Context
) -> None:
    told = crossed(work.dev(crossed(given), context))
    found = on_dev(parse_method(given["method"]), small, parse_measures(["nDCG@10"]), context.reseeded(3))
    assert told["mean"] == found.measures["nDCG@10"]
    assert told["values"] == pytest.approx(found.values["nDCG@10"], abs=1e-6)
    assert told["supervision"] == "train labels"
    (training,) = told["training"]
    assert training["examples"] > 0
    assert training["recipe"].startswith("frozen_head(")
    assert "view" not in json.dumps(training)
    assert work.dev({**given, "seed": 4}, context)["mean"] != told["mean"]


def test_what_is_absent_is_a_skip_with_its_remedy(given: dict[str, Any], context: Context) -> None:
    given["method"] = parse_method('dense(model="nobody/nothing")').full()
    assert "cannot be reached" in work.dev(given, context)["skipped"]


def test_another_collection_on_the_worker_is_an_error(given: dict[str, Any], context: Context) -> None:
    for do in (work.dev, work.reported):
        with pytest.raises(DatasetError, match="is another collection on this worker"):
            do({**given, "view": "0" * 32}, context)
        with pytest.raises(HarnessError, match="another version of retrieval-harness"):
            do({**given, "code": "0" * 16}, context)


def test_a_row_on_test_comes_back_as_its_record_with_values_and_run(given: dict[str, Any], context: Context) -> None:
    told = crossed(work.reported({**given, "method": parse_method("bm25").full()}, context))
    record = Record.from_json(json.dumps(told["record"]), "worker")
    assert record.status == "ok"
    assert record.seed == 3
    assert set(told["values"]) == {"nDCG@10"}
    lines = gzip.decompress(base64.b64decode(told["run"])).decode().splitlines()
    assert len(lines[0].split()) == 6


def test_a_row_that_fails_on_test_says_why(given: dict[str, Any], context: Context) -> None:
    with pytest.raises(HarnessError, match="there is no run file nowhere"):
        work.reported({**given, "method": parse_method("run/nowhere").full()}, context)
    absent = work.reported({**given, "method": parse_method('dense(model="nobody/nothing")').full()}, context)
    assert list(absent) == ["skipped"]
    assert "cannot be reached" in absent["skipped"]
