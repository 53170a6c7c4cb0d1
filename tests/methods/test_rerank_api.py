"""Hosted re-rankers as scorers: what is sent, what is kept, what is capped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import api
from harness.base.errors import HarnessError, ModelError, SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.methods import CandidateScorer, Reranks, fit
from harness.methods.rerank_api import RerankAPI
from harness.rows import parse_method
from harness.runtime.context import Context

CORPUS = Corpus.of([("a", "", "red apple"), ("b", "", "green pear"), ("c", "", "red pear"), ("d", "", "red apple")])
ALL = np.arange(4)


def scorer(method: RerankAPI, context: Context) -> CandidateScorer:
    fitted = fit(method, TrainView(CORPUS), context)
    assert isinstance(fitted, Reranks)
    return fitted.candidate_scorer(CORPUS, context)


def test_scores_are_those_of_the_server_and_equal_texts_are_sent_once(reranker: Any, context: Context) -> None:
    found = scorer(RerankAPI("m", reranker.url), context).scores(["red pear", "apple"], [ALL[::-1], ALL[:2]])
    assert found[0].tolist() == [0.125, 0.25, 0.125, 0.125]
    assert found[1].tolist() == [0.125, 0]
    assert sorted(body["documents"] for body in reranker.bodies) == [  # in flight at once
        ["red apple", "green pear"],
        ["red apple", "red pear", "green pear"],
    ]


def test_nothing_is_paid_for_twice_however_candidates_are_batched(reranker: Any, context: Context) -> None:
    scorer(RerankAPI("m", reranker.url, batch_items=2), context).scores(["red pear"], [ALL])
    assert sorted(len(body["documents"]) for body in reranker.bodies) == [1, 2]
    again = Context(cache=context.cache)
    scorer(RerankAPI("m", reranker.url, cap_tokens=0, retries=0), again).scores(["red pear"], [ALL[1:]])
    assert len(reranker.bodies) == 2
    scorer(RerankAPI("other", reranker.url), again).scores(["red pear"], [ALL[:1]])
    scorer(RerankAPI("m", reranker.url, max_characters=3), again).scores(["red pear"], [ALL[:1]])
    assert [body["documents"] for body in reranker.bodies[2:]] == [["red apple"], ["red"]]


def test_above_the_cap_nothing_is_sent(reranker: Any, context: Context) -> None:
    with pytest.raises(SettingError, match=r"exceeds the cap of 5 tokens. Nothing was sent"):
        scorer(RerankAPI("m", reranker.url, cap_tokens=5), context).scores(["red pear"], [ALL])
    with pytest.raises(SettingError, match="cap is in dollars, but the price is unknown"):
        RerankAPI("m", reranker.url, cap=1.0)
    assert reranker.bodies == []
    scorer(RerankAPI("m", reranker.url, cap=1.0, price_in=0.02), context).scores(["red pear"], [ALL])
    assert len(reranker.bodies) == 1


def test_scores_that_came_before_an_error_are_kept(reranker: Any, context: Context) -> None:
    usual = reranker.reply
    reranker.reply = lambda n, body: usual(n, body) if n == 0 else (400, {}, b'{"message": "no"}')
    method = RerankAPI("m", reranker.url, batch_items=2, concurrency=1)
    with pytest.raises(ModelError, match="HTTP 400: no"):
        scorer(method, context).scores(["red pear"], [ALL])
    reranker.reply = usual
    scorer(method, Context(cache=context.cache)).scores(["red pear"], [ALL])
    assert [body["documents"] for body in reranker.bodies][2:] == [["green pear"]] or len(reranker.bodies) == 3


def test_as_a_row_of_a_board(reranker: Any, small_folder: Path, context: Context, tmp_path: Path) -> None:
    row = f'rerank(first=bm25, scorer=rerank_api(model="m", url="{reranker.url}"), depth=5)'
    record = api.run(row, dataset=str(small_folder), results=tmp_path / "results", context=context).results[0].record
    assert (record.status, record.problem) == ("ok", None)
    assert record.resolved["scorer"]["protocol"] == "jina"
    assert all(len(body["documents"]) <= 5 for body in reranker.bodies)
    assert json.dumps(record.resolved)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('rerank_api(url="ftp://x")', "url must be the base of an http or https address"),
        ('rerank_api(protocol="other")', "protocol must be one of"),
        ('rerank_api(model=" ")', "model is empty"),
        ('rerank_api(key_variable="sk-secret")', "never the key itself"),
    ],
)
def test_faults_are_told_when_the_row_is_read(row: str, message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        parse_method(row)
