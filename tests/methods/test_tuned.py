"""A tuned row: the best on dev by a slow look at every candidate; what it does without labels; its identity."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness import api
from harness.base.errors import HarnessError, SettingError
from harness.bench.dev_scores import on_dev
from harness.bench.identity import modules_of_row
from harness.data.dataset import Dataset, TrainView
from harness.data.measures import parse_measures
from harness.datasets import load_dataset
from harness.methods import DEV_LABELS, TRAIN_LABELS, Searcher, fit
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.methods.tuned import Tuned
from harness.rows import parse_method
from harness.runtime.context import Context

OVER = ("k1=0.1,0.9,3", "b=0,1")


def test_the_best_on_dev_is_searched(small: Dataset, context: Context, searcher_of: Callable[..., Searcher]) -> None:
    method = Tuned(over=OVER)
    by = parse_measures(["nDCG@10"])
    scores = [on_dev(each, small, by, context).measures["nDCG@10"] for each in method.candidates]
    best = method.candidates[int(np.argmax(scores))]
    fitted = fit(method, small.train, context)
    assert len(method.candidates) == 7
    assert fitted.resolved["chosen"] == str(best)
    assert list(fitted.resolved["dev"].values()) == pytest.approx(scores, abs=1e-5)
    assert fitted.supervision == DEV_LABELS
    queries = small.test.queries
    found = searcher_of(method, small.corpus, view=small.train).search(queries, 10)
    assert np.array_equal(found.indices, searcher_of(best, small.corpus).search(queries, 10).indices)


def test_without_dev_queries_train_chooses_and_without_any_the_row_stays(small: Dataset, context: Context) -> None:
    view = small.train
    on_train = fit(Tuned(over=OVER), dataclasses.replace(view, dev=None), context)
    assert on_train.supervision == TRAIN_LABELS
    assert "train" in on_train.resolved
    alone = fit(Tuned(over=OVER), TrainView(small.corpus), context)
    assert alone.resolved["chosen"] == "bm25"
    assert alone.notes == ("no train or dev queries to choose on: bm25 taken as it is",)


def test_a_trained_row_is_not_chosen_on_what_it_learnt_from(
    small: Dataset, context: Context, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = Tuned(Dense(model=str(tiny_encoder)), over=("dimensions=8,16",))
    real = Dense.fit

    def learnt(self: Dense, view: TrainView, context: Context) -> object:
        fitted = real(self, view, context)
        fitted.supervision = TRAIN_LABELS
        return fitted

    monkeypatch.setattr(Dense, "fit", learnt)
    with pytest.raises(SettingError, match=r"learns from the training queries, so nothing can be chosen on them"):
        fit(method, dataclasses.replace(small.train, dev=None), context)


def test_each_fold_chooses_for_itself(small_folder: Path, context: Context, tmp_path: Path) -> None:
    row = 'tuned(bm25, over=("k1=0.1,3", "b=0,1"))'
    name = f"{small_folder}/folds-3"
    record = api.run(row, dataset=name, results=tmp_path / "results", context=context).results[0].record
    assert (record.status, record.problem) == ("ok", None)
    view = load_dataset(name, context).train
    assert view.folds is not None
    chosen = [fit(parse_method(row), fold.view, context).resolved["chosen"] for fold in view.folds.parts]
    for each in chosen:
        assert each in str(record.resolved)
    assert record.supervision == DEV_LABELS


def test_what_may_be_chosen_is_in_the_identity() -> None:
    assert "harness.feedback.rm3" in modules_of_row(Tuned(over=("feedback=None,rm3",)))
    assert "harness.feedback.rm3" not in modules_of_row(Tuned(over=("k1=1,2",)))


def test_it_is_a_row_and_its_record_says_what_was_chosen(
    small_folder: Path, context: Context, tmp_path: Path
) -> None:
    row = 'tuned(bm25, over=("k1=0.1,3",))'
    board = api.run(row, "bm25", dataset=str(small_folder), results=tmp_path / "results", context=context)
    record = board.results[0].record
    assert (record.status, record.problem) == ("ok", None)
    assert record.supervision == DEV_LABELS
    assert any(note.startswith("chosen of 3: bm25") for note in record.notes)
    assert parse_method(row) == Tuned(BM25(), ("k1=0.1,3",))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("tuned(bm25, over=())", "over names no setting"),
        ('tuned(bm25, over=("kk=1,2",))', r"unknown setting of bm25 'kk'; did you mean 'k1'"),
        ('tuned(bm25, over=("k1=1,2",), measure="nDGC@10")', "nDGC"),
        ('tuned(bm25, over=("b=0,2",))', "bm25: b must be between 0 and 1, not 2"),
    ],
)
def test_faults_are_told_when_the_row_is_read(row: str, message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        parse_method(row)
