from __future__ import annotations

import dataclasses
from pathlib import Path

from harness.data.dataset import TrainView
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.models.encoder import Encoder
from harness.recipes.supervised import Supervised
from harness.runtime.context import Context
from harness.training.base import EncoderBase


def test_each_gold_pair_has_as_many_negatives_as_are_requested_and_none_is_relevant(
    encoder: Encoder, tiny_encoder: Path, view: TrainView, context: Context
) -> None:
    base = EncoderBase(encoder, [BM25()], Dense(model=str(tiny_encoder)))
    recipe = Supervised(queries=5, negatives=2, miners=(BM25(),))
    mined = recipe.mined(base, view, context)
    assert mined.facts["train_queries"] == len(mined.gold) == 5
    assert list(mined.triplets(view)) == ["query", "positive", "negative_1", "negative_2"]
    assert len(mined.pairs) == len(mined.negatives.rows) == sum(map(len, mined.gold.relevant))
    for (number, _), rows in zip(mined.pairs, mined.negatives.rows, strict=True):
        assert not set(rows.tolist()) & set(mined.gold.never_negative[number].tolist())


def test_with_several_positives_in_an_example_there_is_one_for_each_query(
    encoder: Encoder, tiny_encoder: Path, view: TrainView, context: Context
) -> None:
    base = EncoderBase(encoder, [BM25()], Dense(model=str(tiny_encoder)))
    recipe = dataclasses.replace(Supervised(miners=(BM25(),)), negatives=1)
    mined = recipe.mined(base, view, context, one_per_query=True)
    assert [number for number, _ in mined.pairs] == list(range(len(mined.gold)))
    assert [row for _, row in mined.pairs] == [int(rows[0]) for rows in mined.gold.relevant]
