"""Step 0 of dev: what the row itself ranks, without another encoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ir_measures
import pytest

from harness.data.dataset import TrainView
from harness.methods import fit, index, search
from harness.methods.dense import Dense
from harness.models.encoder import Encoder
from harness.recipes.supervised import Supervised
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.training.base import EncoderBase, PairBase
from harness.training.dev import EncoderProbe, PairProbe
from harness.training.dev_before import score_of_row
from harness.training.schedule import Schedule
from harness.training.trained_models import trained_model

NDCG = ir_measures.nDCG @ 10


def test_step_0_of_an_encoder_is_the_score_of_the_untrained_row_and_nothing_is_encoded_for_it(
    encoder: Encoder, tiny_encoder: Path, view: TrainView, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert view.dev is not None
    row = Dense(model=str(tiny_encoder))
    fitted = fit(row, view, context)
    top = search(row, index(row, fitted, view.corpus, context), view.dev.queries, 60, context)
    run = {
        query: dict(zip(view.corpus.ids(rows), map(float, scores), strict=True))
        for query, (rows, scores) in zip(view.dev.queries.ids, top.rows(), strict=True)
    }
    expected = ir_measures.calc_aggregate([NDCG], view.dev.qrels, run)[NDCG]
    measured: list[float] = []
    measure = EncoderProbe.__call__
    monkeypatch.setattr(EncoderProbe, "__call__", lambda *given: (measured.append(measure(*given)), measured[-1])[1])
    base = EncoderBase(encoder, [parse_method("bm25"), row], row)
    report = trained_model(Supervised(budget="smoke", average=1.0), base, view, context).report
    assert report.dev[0] == (0, pytest.approx(expected, abs=1e-6))
    assert 0.1 < expected < 0.9
    assert len(measured) == len(report.dev) - 1, "each evaluation after the first encodes the pool, and no other does"


def test_step_0_of_a_trained_cross_encoder_re_ranks_its_own_candidates(
    tiny_cross_encoder: Path, view: TrainView, context: Context
) -> None:
    row: Any = parse_method(f'cross_encoder(model="{tiny_cross_encoder}", precision="fp32")')
    base = PairBase.of(row.open_model(context), row)
    assert base.row == row
    probe = base.probe(view, Schedule(precision="fp32"), context)
    assert isinstance(probe, PairProbe)
    assert [len(rows) <= 20 for rows in probe.ranked] == [True] * len(probe.pool.split.queries)
    assert score_of_row(row, probe, view, context) == pytest.approx(probe(base.fresh(context)), abs=1e-6)


def test_a_new_scoring_head_has_no_row_of_its_own(
    tiny_encoder: Path, view: TrainView, context: Context
) -> None:
    row: Any = parse_method(f'cross_encoder(model="{tiny_encoder}")')
    assert PairBase.of(row.open_model(context), row).row is None
