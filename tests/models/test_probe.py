"""What is cut, and what a vector depends on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.models.encoder import Encoder, EncoderSettings, open_encoder
from harness.models.probe import drifts, token_counts, truncation
from harness.runtime.context import Context

TEXTS = [f"{n} {chr(97 + n % 26)}{chr(97 + n % 7)} text" for n in range(40)]


@pytest.fixture
def encoder(tiny_encoder: Path, context: Context) -> Encoder:
    settings = EncoderSettings(str(tiny_encoder), None, None, None, None, 12, "fp32", None, False)
    return open_encoder(settings, context)


def test_texts_longer_than_the_model_reads_are_counted(encoder: Encoder) -> None:
    found = truncation(encoder, ["a b c", "a " * 30], "document")
    assert found is not None
    short, long = token_counts(encoder, ["a b c", "a " * 30], "document")
    assert short < 12 < long
    assert (found.texts, found.limit, found.cut, found.longest) == (2, 12, 1, long)
    assert found.lost == pytest.approx((long - 12) / (short + long))
    assert truncation(encoder, [], "document").cut == 0  # type: ignore[union-attr]


def test_without_a_fast_tokenizer_nothing_is_counted(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.models.probe.token_counts", lambda *_: [])
    assert truncation(encoder, ["a"], "document") is None


def test_the_same_text_has_the_same_vector_alone_and_in_a_batch(encoder: Encoder) -> None:
    documents = encoder.encode(TEXTS, "document")
    alone, half = drifts(encoder, TEXTS, documents)
    assert (alone.way, half.way) == ("one at a time", "in bf16")
    assert alone.texts == 32
    assert 0 <= alone.cosine < 1e-5 < half.cosine < 0.1
    assert alone.changed == 0


def test_a_vector_that_depends_on_its_batch_is_found(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = encoder.encode(TEXTS, "document")
    honest = Encoder.run

    def leaky(self: Encoder, items: list, side: str) -> np.ndarray:
        found = honest(self, items, side)  # type: ignore[arg-type]
        return found if len(items) > 1 else -found

    monkeypatch.setattr(Encoder, "run", leaky)
    (alone,) = drifts(encoder, TEXTS, documents, precisions=())
    assert alone.cosine == pytest.approx(2.0)
    assert alone.order == alone.changed == 32, "the farthest come first"


def test_no_queries_and_no_other_precision(encoder: Encoder) -> None:
    documents = encoder.encode(TEXTS[:3], "document")
    assert drifts(encoder, [], documents) == []
    assert [d.way for d in drifts(encoder, TEXTS[:2], documents, ("fp32",))] == ["one at a time"]
