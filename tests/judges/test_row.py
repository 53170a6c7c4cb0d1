"""A row as judge: its scores are cut into grades at places between random documents and known ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.judges import Pairs
from harness.judges.row import Row, models_of
from harness.methods import Reranks, fit
from harness.methods.dense import Dense
from harness.rows import parse_judge, parse_method
from harness.runtime.context import Context

CORPUS = Corpus.of((f"d{i}", "", f"subject {i} and detail {i * 3} of part {i % 4}") for i in range(20))


def judge(tiny_encoder: Path, **settings: float) -> Row:
    return Row(Dense(model=str(tiny_encoder), precision="fp32"), **settings)


def test_a_grade_is_the_number_of_cuts_that_the_score_reaches(tiny_encoder: Path, context: Context) -> None:
    one = judge(tiny_encoder)
    texts = [CORPUS.texts[i] for i in range(8)]
    known = Pairs(texts, [np.array([i]) for i in range(8)])
    pairs = Pairs(["subject 1 and detail 3", texts[5]], [np.arange(20), np.array([5, 6])])
    found = one.grade(CORPUS, pairs, known, context)
    fitted = fit(one.method, TrainView(CORPUS), context)
    assert isinstance(fitted, Reranks)
    scores = fitted.candidate_scorer(CORPUS, context).scores(pairs.texts, pairs.candidates)
    scale = found.facts["scale"]
    assert scale["known"] == pytest.approx(1, abs=1e-5)  # a text and itself
    for own, grades in zip(scores, found.values, strict=True):
        assert grades.tolist() == [sum(score >= cut for cut in scale["cuts"]) for score in own.tolist()]
    assert found.values[1][0] == 3
    assert found.unusable == 0


def test_what_is_no_judge_is_refused(context: Context, tiny_encoder: Path) -> None:
    known = Pairs(["subject 1"], [np.array([1])])
    with pytest.raises(SettingError, match="bm25 scores no pairs"):
        Row(parse_method("bm25")).grade(CORPUS, known, known, context)
    with pytest.raises(SettingError, match="bm25 scores no pairs"):
        Row(parse_method("bm25")).check(CORPUS, context)
    judge(tiny_encoder).check(CORPUS, context)
    with pytest.raises(SettingError, match="depend on the other candidates"):
        Row(parse_method('pointwise(model="m", url="http://127.0.0.1:1/v1")')).grade(CORPUS, known, known, context)
    with pytest.raises(SettingError, match="no document with a sentence"):
        judge(tiny_encoder).grade(CORPUS, known, Pairs([], []), context)
    with pytest.raises(SettingError, match="at most"):
        Row(first=0.9, second=0.5)


def test_a_corpus_of_equal_documents_has_no_scale(tiny_encoder: Path, context: Context) -> None:
    same = Corpus.of((f"d{i}", "", "one text for all") for i in range(20))
    known = Pairs(["one text for all"], [np.array([1])])
    with pytest.raises(SettingError, match="as high as those that answer"):
        judge(tiny_encoder).grade(same, known, known, context)


def test_models_that_a_judge_shares_with_rows() -> None:
    assert parse_judge("dense").models() == models_of(parse_method("hybrid")) != {"bm25"}
    assert models_of(parse_method("bm25")) == {"bm25"}
    assert not parse_judge("cross_encoder").models() & models_of(parse_method("dense"))
