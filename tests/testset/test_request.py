"""The settings of a test set, and its price."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.judges.chat import Chat
from harness.methods.rerank import Rerank
from harness.rows import parse_generator, parse_method
from harness.testset.documents import Source
from harness.testset.request import DENSE_UP_TO, Request


def test_a_large_corpus_is_searched_by_bm25_and_reranked(tmp_path: Path) -> None:
    request = Request(Source(tmp_path), tmp_path / "out")
    assert list(map(str, request.rows(DENSE_UP_TO))) == ["bm25", "dense"]
    assert request.rows(DENSE_UP_TO + 1) == (parse_method("bm25"), Rerank(depth=25))
    assert request.encoding(10) == request.encoding(10**6) == parse_method("dense")


def test_no_encoder_without_one_in_the_pool(request_of: Callable[..., Request]) -> None:
    assert request_of().encoding(10) is None


def test_the_price_counts_every_request(request_of: Callable[..., Request]) -> None:
    corpus = Corpus.of((f"d{i}", "", f"some words of a document {i} here " * 4) for i in range(30))
    generator = parse_generator('chat(model="m", price_in=1.0, price_out=1.0)')
    request = request_of(judge=Chat("m", again=10, price_in=1.0, price_out=1.0), generators=(generator,))
    price = request.price(corpus, list(range(18)))
    assert price is not None
    assert price.requests == 18 + 12 * 6 + 10
    assert price.dollars == pytest.approx((price.tokens_in + price.tokens_out) / 1e6)
    assert request_of().price(corpus, [1]) is None


def test_wrong_settings(request_of: Callable[..., Request], tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="1 or more"):
        request_of(queries=0)
    with pytest.raises(SettingError, match="name a generator"):
        request_of(generators=())
    (tmp_path / "mine").mkdir()
    with pytest.raises(SettingError, match="is the corpus itself"):
        request_of(source=Source(tmp_path / "mine"))
