from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.engines.torch import CPU_TOKENS
from harness.models.encoder import Encoder
from harness.models.tokens import Tokens
from harness.runtime.context import Context

TEXTS = ["kala bero", "a much longer text, with many more words than the first has", "kala", "", "Zwei Wörter"]


@pytest.fixture
def encoder(tiny_encoder: Path, context: Context) -> Encoder:
    from harness.methods.dense import Dense

    return Encoder(Dense(model=str(tiny_encoder))._encoder_settings(), context)


@pytest.fixture
def tokenised(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that went through a tokenizer."""
    found: list[str] = []
    items: Callable = Tokens.items
    monkeypatch.setattr(Tokens, "items", lambda self, some: (found.extend(some), items(self, some))[1])
    return found


def test_a_text_is_tokenised_once(encoder: Encoder, tokenised: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    preprocess = type(encoder.model).preprocess
    monkeypatch.setattr(
        type(encoder.model),
        "preprocess",
        lambda self, some, **more: (calls.append(len(some)), preprocess(self, some, **more))[1],
    )
    encoder.vectors([*TEXTS, TEXTS[0]], "document")
    assert sorted(tokenised) == sorted(TEXTS)
    assert sum(calls) == len(TEXTS)


def test_answers_come_in_the_order_asked_whatever_the_batches(encoder: Encoder) -> None:
    encoder._context = replace(encoder._context, batch_tokens=20)
    found = encoder.encode_in_batches(TEXTS, "document")
    one_by_one = np.concatenate([encoder.encode([text], "document") for text in TEXTS])
    assert np.abs(found - one_by_one).max() < 1e-5


def test_batches_are_as_large_as_the_context_says_else_as_suits_the_engine(encoder: Encoder) -> None:
    assert encoder._runner.budget() == CPU_TOKENS
    larger = Encoder(encoder.settings, replace(encoder._context, batch_tokens=77))
    assert larger._runner.budget() == 77
