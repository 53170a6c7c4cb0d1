"""What workers are asked on behalf of a board: parts of a corpus make the batches of the whole; a row is the row asked
for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from filelock import Timeout

from harness.base.errors import SettingError
from harness.bench import remote_jobs as jobs
from harness.bench.record import Record
from harness.bench.remote_jobs import encode, parts, row, train
from harness.cache.folders import Cache
from harness.datasets import load_dataset
from harness.methods import Encodes, fit
from harness.methods.dense import Dense
from harness.models import encode_once as keep
from harness.models.encoder import Encoder
from harness.rows import parse_method
from harness.runtime.context import Context


def board(*methods: str, dataset: str) -> dict[str, Any]:
    told = {"methods": list(methods), "datasets": [dataset], "measures": ["nDCG@10"], "depth": 50}
    return {"board": told, "dataset": dataset, "method": methods[0]}


@hypothesis.given(texts=st.lists(st.sampled_from("abcdefgh"), max_size=30), chunk=st.integers(1, 9))
def test_a_text_belongs_to_the_first_part_that_has_it(texts: list[str], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(jobs, "CHUNK", chunk)
        found = parts(texts)
    assert [i for part in found for i in range(part.start, part.stop)] == list(range(len(texts)))
    assert all(part.start % chunk == 0 and part.stop - part.start <= chunk for part in found)
    if len(found) > 1:
        for part in found:
            seen = set(texts[: part.start])
            assert list(part.again) == [i for i, text in enumerate(texts[part.start : part.stop]) if text in seen]


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
) -> None:
    corpus = small_folder / "corpus.jsonl"
    lines = corpus.read_text().splitlines()
    again = [line.replace('"_id": "', '"_id": "again-') for line in lines[::3]]  # texts that stand in two parts
    corpus.write_text("\n".join([*lines, *again]) + "\n")
    for module in (jobs, keep):
        monkeypatch.setattr(module, "CHUNK", 16)
    row = f'dense(model="{tiny_encoder}")'

    def vectors(context: Context) -> Any:
        dataset = load_dataset(str(small_folder), context)
        fitted = fit(parse_method(row), dataset.train, context)
        assert isinstance(fitted, Encodes)
        found = fitted.encoder.vectors(dataset.corpus.texts, "document")
        return found.block(0, len(found))

    whole = vectors(Context(cache=Cache(tmp_path / "whole"), batch_tokens=40))
    expected, batches[:] = sorted(batches), []
    cut = parts(load_dataset(str(small_folder), Context(cache=Cache(tmp_path / "whole"))).corpus.texts)
    assert len(cut) == 5
    assert any(part.again for part in cut)
    for part in reversed(cut):
        apart = Context(cache=Cache(tmp_path / "apart"), batch_tokens=40)
        given = {"start": part.start, "stop": part.stop, "again": list(part.again), "queries": False}
        encode({**board(row, dataset=str(small_folder)), **given}, apart)
    assert sorted(batches) == expected
    batches.clear()
    np.testing.assert_array_equal(vectors(Context(cache=Cache(tmp_path / "apart"), batch_tokens=40)), whole)
    assert not batches  # every text was there


def test_two_parts_are_made_at_once_and_one_part_by_one_alone(tmp_path: Path) -> None:
    ours, theirs = Cache(tmp_path), Cache(tmp_path)
    with ours.apart("0"), ours.shared_lock("embeddings", "k"):
        with theirs.apart("16384"), theirs.shared_lock("embeddings", "k").acquire(timeout=0):
            pass
        with theirs.apart("0"), pytest.raises(Timeout):
            theirs.shared_lock("embeddings", "k").acquire(timeout=0)
        with theirs.shared_lock("embeddings", "k").acquire(timeout=0):
            pass  # whoever makes the whole does not wait for a part, and finds what is there


def test_queries_go_with_a_part_where_that_is_asked(small_folder: Path, tiny_encoder: Path, context: Context) -> None:
    given = board(f'dense(model="{tiny_encoder}")', dataset=str(small_folder))
    part = {"start": 0, "stop": 60, "again": [], "queries": True}
    encode({**given, **part}, context)
    described = [context.cache.meta(p)["describe"]["side"] for p in (context.cache.root / "embeddings").iterdir()]
    assert sorted(described) == ["document", "query"]


def test_a_model_is_trained_and_kept(small_folder: Path, tiny_encoder: Path, context: Context) -> None:
    text = f'dense(model="{tiny_encoder}")+supervised(budget="smoke")'
    train(board(text, dataset=str(small_folder)), context)
    (model,) = (context.cache.root / "models").iterdir()
    trained = parse_method(text)
    assert isinstance(trained, Dense)
    dataset = load_dataset(str(small_folder), context)
    again = Context(cache=context.cache)
    assert fit(trained, dataset.train, again).models == (model / "model",)


@pytest.mark.parametrize("do", [train, encode])
def test_what_a_row_meets_again_is_no_failure_of_what_is_made_for_it(
    do: Callable[..., None], small_folder: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    given = {
        **board('dense(model="no/such-model")', dataset=str(small_folder)),
        "start": 0,
        "stop": 60,
        "again": [],
        "queries": False,
    }
    do(given, context)


def test_a_row_comes_with_its_record_and_files_and_leaves_nothing_behind(
    small_folder: Path, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    value = row({**board("bm25", dataset=str(small_folder)), "identity": ""}, context)
    record = Record.from_json(value["record"], "here")
    assert (record.row, record.status) == ("bm25", "ok")
    assert sorted(value["files"]) == ["queries", "run"]
    assert not list((tmp_path / "tmp").iterdir())
    again = row({**board("bm25", dataset=str(small_folder)), "identity": record.identity}, context)
    assert Record.from_json(again["record"], "here").run_sha256 == record.run_sha256


def test_a_worker_whose_code_data_or_models_differ_makes_no_row(small_folder: Path, context: Context) -> None:
    with pytest.raises(SettingError, match="a worker would make another bm25"):
        row({**board("bm25", dataset=str(small_folder)), "identity": "0" * 32}, context)
