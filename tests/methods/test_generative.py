"""Generative re-rankers as rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness import api
from harness.base.errors import HarnessError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.methods import Reranks, fit
from harness.methods.generative import Generative
from harness.models.generative import GenerativeSettings, open_generative
from harness.rows import parse_method
from harness.runtime.context import Context


def test_candidates_get_the_scores_of_their_pairs(tiny_generative: Path, context: Context) -> None:
    corpus = Corpus.of([("a", "T", "wing"), ("b", "", "drag"), ("c", "", "flow")])
    fitted = fit(Generative(str(tiny_generative)), TrainView(corpus), context)
    assert isinstance(fitted, Reranks)
    found = fitted.candidate_scorer(corpus, context).scores(["lift", "x"], [np.array([2, 0]), np.array([1])])
    pairs = [("lift", "flow"), ("lift", "T wing"), ("x", "drag")]
    expected = open_generative(GenerativeSettings(str(tiny_generative)), context).scores(pairs)
    assert np.concatenate(found).tolist() == expected.tolist()


def test_as_a_row_of_a_board(tiny_generative: Path, small_folder: Path, context: Context, tmp_path: Path) -> None:
    row = f'rerank(first=bm25, scorer=generative(model="{tiny_generative}"), depth=3)'
    record = api.run(row, dataset=str(small_folder), results=tmp_path / "results", context=context).results[0].record
    assert (record.status, record.problem) == ("ok", None)
    assert record.resolved["scorer"]["yes"] == "yes"
    assert record.size["model_bytes"] > 0


def test_faults_are_told_when_the_row_is_read() -> None:
    with pytest.raises(HarnessError, match="precision must be one of"):
        parse_method('generative(precision="int8")')
