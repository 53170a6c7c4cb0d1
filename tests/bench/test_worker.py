"""What workers do for boards and sweeps: parts of a corpus make the batches of the whole, a row is the requested row, a
sweep's cell is the row on dev.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import Timeout

from harness.base.errors import HarnessError
from harness.bench import corpus_parts as cutting
from harness.bench.corpus_parts import CorpusPart, corpus_parts
from harness.bench.dev_scores import on_dev
from harness.bench.record import Record
from harness.bench.row_job import RowRequest
from harness.bench.worker import dev, encode, row, train
from harness.cache.folders import Cache
from harness.data.dataset import Dataset
from harness.data.measures import parse_measures
from harness.datasets import load_dataset
from harness.methods import Encodes, fit
from harness.models import encode_once
from harness.models.encoder import Encoder
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.training.trained import Trained


@pytest.fixture
def arguments(small_folder: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """`arguments("bm25", part=…, seed=…)`: a job's arguments for a row on the made-up collection, as they arrive."""

    def made(text: str, part: CorpusPart | None = None, seed: int = 0, **changed: Any) -> dict[str, Any]:
        context = Context(seed=seed, cache=Cache(tmp_path / "requesting"))
        dataset = load_dataset(str(small_folder), context)
        request = RowRequest.of(str(small_folder), dataset, parse_method(text), context, ["nDCG@10"], 50)
        return crossed(dataclasses.replace(request, part=part, **changed).to_json())

    return made


def crossed(value: Mapping[str, Any]) -> dict[str, Any]:
    """As it comes out of another process."""
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The texts of each batch that has gone through an encoder."""
    seen: list[tuple[str, ...]] = []
    through = Encoder.run

    def watched(self: Encoder, items: Any, side: Any) -> Any:
        seen.append(tuple(item.source for item in items))
        return through(self, items, side)

    monkeypatch.setattr(Encoder, "run", watched)
    return seen


def test_parts_made_apart_in_any_order_are_the_bytes_of_the_whole(
    small_folder: Path,
    tiny_encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batches: list[tuple[str, ...]],
    arguments: Callable[..., dict[str, Any]],
) -> None:
    corpus = small_folder / "corpus.jsonl"
    lines = corpus.read_text().splitlines()
    again = [line.replace('"_id": "', '"_id": "again-') for line in lines[::3]]  # texts that occur in two parts
    corpus.write_text("\n".join([*lines, *again]) + "\n")
    for module in (cutting, encode_once):
        monkeypatch.setattr(module, "CHUNK", 16)
    text = f'dense(model="{tiny_encoder}")'

    def vectors(context: Context) -> Any:
        dataset = load_dataset(str(small_folder), context)
        fitted = fit(parse_method(text), dataset.train, context)
        assert isinstance(fitted, Encodes)
        found = fitted.encoder.vectors(dataset.corpus.texts, "document")
        return found.block(0, len(found))

    whole = vectors(Context(cache=Cache(tmp_path / "whole"), batch_tokens=40))
    expected, batches[:] = sorted(batches), []
    parts = corpus_parts(load_dataset(str(small_folder), Context(cache=Cache(tmp_path / "whole"))).corpus.texts)
    assert len(parts) == 5
    assert any(part.repeated for part in parts)
    for part in reversed(parts):
        apart = Context(cache=Cache(tmp_path / "apart"), batch_tokens=40)
        encode(arguments(text, part), apart)
    assert sorted(batches) == expected
    batches.clear()
    np.testing.assert_array_equal(vectors(Context(cache=Cache(tmp_path / "apart"), batch_tokens=40)), whole)
    assert not batches  # every text was there


def test_two_parts_are_made_at_once_and_one_part_by_only_one(tmp_path: Path) -> None:
    ours, theirs = Cache(tmp_path), Cache(tmp_path)
    with ours.apart("0"), ours.shared_lock("embeddings", "k"):
        with theirs.apart("16384"), theirs.shared_lock("embeddings", "k").acquire(timeout=0):
            pass
        with theirs.apart("0"), pytest.raises(Timeout):
            theirs.shared_lock("embeddings", "k").acquire(timeout=0)
        with theirs.shared_lock("embeddings", "k").acquire(timeout=0):
            pass  # a process that makes the whole does not wait for a part, and finds what is there


def test_queries_go_with_a_part_if_that_is_requested(
    arguments: Callable[..., dict[str, Any]], tiny_encoder: Path, context: Context
) -> None:
    encode(arguments(f'dense(model="{tiny_encoder}")', CorpusPart(0, 60, queries=True)), context)
    described = [context.cache.meta(p)["describe"]["side"] for p in (context.cache.root / "embeddings").iterdir()]
    assert sorted(described) == ["document", "query"]


def test_a_model_is_trained_and_cached(
    arguments: Callable[..., dict[str, Any]], small_folder: Path, tiny_encoder: Path, context: Context
) -> None:
    text = f'dense(model="{tiny_encoder}")+supervised(budget="smoke")'
    train(arguments(text), context)
    (model,) = (context.cache.root / "models").iterdir()
    trained = parse_method(text)
    assert isinstance(trained, Trained)
    dataset = load_dataset(str(small_folder), context)
    again = Context(cache=context.cache)
    assert fit(trained, dataset.train, again).models == (model / "model",)


@pytest.mark.parametrize("job", [train, encode])
def test_an_error_that_a_row_meets_again_does_not_fail_the_jobs_before_it(
    job: Callable[..., None],
    arguments: Callable[..., dict[str, Any]],
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    job(arguments('dense(model="no/such-model")', CorpusPart(0, 60)), context)
    assert not [entry for kind in ("models", "embeddings") for entry in (context.cache.root / kind).glob("*")]


def test_a_row_comes_with_its_record_and_files_and_leaves_nothing_behind(
    arguments: Callable[..., dict[str, Any]], context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    value = crossed(row(arguments("bm25"), context))
    record = Record.from_json(value["record"], "here")
    assert (record.row, record.status, record.seed) == ("bm25", "ok", 0)
    assert sorted(value["files"]) == ["queries", "run"]
    assert value["final"] is True
    assert not list((tmp_path / "tmp").iterdir())
    again = Record.from_json(row(arguments("bm25", seed=5), context)["record"], "here")
    assert (again.seed, again.run_sha256) == (5, record.run_sha256)


def test_a_row_that_is_skipped_or_fails_has_a_record_that_is_not_final(
    arguments: Callable[..., dict[str, Any]], context: Context
) -> None:
    absent = row(arguments('dense(model="no/such-model")'), context)
    assert Record.from_json(absent["record"], "here").status == "skipped"
    failed = row(arguments("bm25(analyzer=standard) >> bm25"), context)
    assert Record.from_json(failed["record"], "here").status == "error"
    assert [(value["final"], value["files"]) for value in (absent, failed)] == [(False, {})] * 2


@pytest.mark.parametrize("job", [train, encode, row, dev])
def test_every_job_checks_that_the_worker_would_do_the_same(
    job: Callable[..., Any], arguments: Callable[..., dict[str, Any]], context: Context
) -> None:
    for changed, message in (
        ({"code": "0" * 16}, "another version of retrieval-harness"),
        ({"revision": "0" * 64}, "is another collection on this worker"),
        ({"train_revision": "0" * 64}, "is another collection on this worker"),
        ({"identity": "0" * 32}, "a worker would run another bm25"),
    ):
        with pytest.raises(HarnessError, match=message):
            job(arguments("bm25", **changed), context)


def test_a_cell_is_the_row_on_dev_with_the_cells_own_seed(
    arguments: Callable[..., dict[str, Any]], small: Dataset, tiny_encoder: Path, context: Context
) -> None:
    text = f'dense(model="{tiny_encoder}")+frozen_head(budget="smoke", queries=8, choose="last")'
    cell = crossed(dev(arguments(text, seed=3), context))
    scores = on_dev(parse_method(text), small, parse_measures(["nDCG@10"]), context.reseeded(3))
    assert cell["mean"] == scores.measures["nDCG@10"]
    assert cell["values"] == pytest.approx(scores.values["nDCG@10"], abs=1e-6)
    assert cell["supervision"] == "train labels"
    (training,) = cell["training"]
    assert training["examples"] > 0
    assert training["recipe"].startswith("frozen_head(")
    assert "view" not in json.dumps(training)
    assert dev(arguments(text, seed=4), context)["mean"] != cell["mean"]


def test_on_dev_an_absent_model_is_a_skip_with_its_remedy(
    arguments: Callable[..., dict[str, Any]], context: Context
) -> None:
    value = dev(arguments('dense(model="nobody/nothing")'), context)
    assert "cannot be reached" in value["skipped"]
    assert value["final"] is False
