from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.models import tokens as module
from harness.models.tokens import InputFormat, Tokens, token_lengths

TEXTS = ["kala bero", "a longer text, of more words", "", "日本語のテキスト", "x " * 200]


def no_lengths(some: Sequence[Any]) -> list[int]:
    raise AssertionError("a plain model's lengths are counted by tokenising")


@pytest.fixture(scope="module")
def model(tiny_models: tuple[Path, Path]) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(tiny_models[0]), device="cpu")


@pytest.fixture(scope="module")
def pairs(tiny_models: tuple[Path, Path]) -> Any:
    from sentence_transformers import CrossEncoder

    return CrossEncoder(str(tiny_models[1]), device="cpu")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=60), min_size=1, max_size=6), st.sampled_from(["", "query: "]))
def test_a_batch_is_the_librarys_own(model: Any, texts: list[str], prompt: str) -> None:
    usual = model.preprocess(texts, prompt=prompt)
    feed = Tokens(model, InputFormat(prompt, "document"), no_lengths)
    batch = feed.batch(feed.items(texts))
    assert set(batch.arrays) | set(batch.extras) == set(usual)
    for name, values in batch.arrays.items():
        assert values.tolist() == usual[name].tolist()
    for name, value in batch.extras.items():
        assert value == usual[name]


def test_a_batch_of_pairs_is_the_librarys_own(pairs: Any) -> None:
    some = [("kala", text) for text in TEXTS]
    usual = pairs.preprocess(some)
    feed = Tokens(pairs, InputFormat(), no_lengths)
    batch = feed.batch(feed.items(some))
    assert {name: values.tolist() for name, values in batch.arrays.items()} == {
        n: usual[n].tolist() for n in batch.arrays
    }


def test_where_the_tokenizer_pads_on_the_left_so_does_a_batch(model: Any) -> None:
    model.tokenizer.padding_side = "left"
    try:
        usual = model.preprocess(TEXTS)
        feed = Tokens(model, InputFormat(), no_lengths)
        found = feed.batch(feed.items(TEXTS))
    finally:
        model.tokenizer.padding_side = "right"
    assert found.arrays["attention_mask"].tolist() == usual["attention_mask"].tolist()
    assert found.arrays["input_ids"].tolist() == usual["input_ids"].tolist()
    assert found.arrays["attention_mask"][0, 0] == 0


def test_lengths_are_those_that_the_model_sees_cut_at_its_limit(model: Any) -> None:
    items = Tokens(model, InputFormat("q: "), no_lengths).items(TEXTS)
    assert [item.length for item in items] == token_lengths(model, TEXTS, InputFormat("q: "))
    assert max(item.length for item in items) == model.max_seq_length
    assert [item.source for item in items] == TEXTS


def test_items_do_not_depend_on_how_many_are_tokenised_at_once(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = Tokens(model, InputFormat(), no_lengths)
    usual = feed.items(TEXTS)
    monkeypatch.setattr(module, "BLOCK", 2)
    for one, other in zip(feed.items(TEXTS), usual, strict=True):
        assert one.source == other.source
        assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in other.arrays)


def test_of_a_model_that_reads_anything_else_items_are_the_texts_with_the_lengths_that_are_told(model: Any) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    static = SentenceTransformer(
        modules=[StaticEmbedding(model.tokenizer.backend_tokenizer, embedding_dim=8)], device="cpu"
    )
    feed = Tokens(static, InputFormat(), lambda some: [len(text) for text in some])
    assert not feed.plain
    assert [(item.source, item.length, dict(item.arrays)) for item in feed.items(TEXTS)] == [
        (t, len(t), {}) for t in TEXTS
    ]


def test_a_batch_may_be_wider_than_its_longest_text_but_not_than_the_models_positions(model: Any) -> None:
    feed = Tokens(model, InputFormat(), no_lengths)
    items = feed.items(["kala bero", "x"])
    usual, wide = feed.batch(items), feed.batch(items, 8)
    longest = usual.arrays["input_ids"].shape[1]
    assert wide.arrays["input_ids"].shape[1] == -(-longest // 8) * 8 > longest
    assert np.array_equal(wide.arrays["input_ids"][:, :longest], usual.arrays["input_ids"])
    assert not wide.arrays["attention_mask"][:, longest:].any()
    assert feed.batch(items, 10**6).arrays["input_ids"].shape[1] == module.positions(model)
