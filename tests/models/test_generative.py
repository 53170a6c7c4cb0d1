"""Generative re-rankers: the scores of the model card's own code on a tiny Qwen3, padding, cutting, the cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import ModelError, SettingError
from harness.models.generative import INSTRUCTION, PREFIX, SUFFIX, GenerativeSettings, open_generative
from harness.runtime.context import Context

PAIRS = [
    ("what is lift", "the lift of a wing"),
    ("drag", "a text that is much longer than the others, so that they are padded " * 3),
    ("", ""),
    ("no", "yes"),
]


def by_the_card(folder: Path, pairs: list[tuple[str, str]], max_length: int = 1024) -> list[float]:
    """As the card of Qwen3-Reranker computes it, padded on the left; the difference instead of the probability."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder), padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(str(folder)).eval()
    false, true = (tokenizer.convert_tokens_to_ids(word) for word in ("no", "yes"))
    before, after = (tokenizer.encode(text, add_special_tokens=False) for text in (PREFIX, SUFFIX))
    texts = [f"<Instruct>: {INSTRUCTION}\n<Query>: {query}\n<Document>: {document}" for query, document in pairs]
    inputs = tokenizer(
        texts,
        padding=False,
        truncation="longest_first",
        return_attention_mask=False,
        max_length=max_length - len(before) - len(after),
    )
    for i, ids in enumerate(inputs["input_ids"]):
        inputs["input_ids"][i] = before + ids + after
    inputs = tokenizer.pad(inputs, padding=True, return_tensors="pt", max_length=max_length)
    with torch.no_grad():
        scores = model(**inputs).logits[:, -1, :]
    return (scores[:, true] - scores[:, false]).tolist()


def test_the_scores_are_those_of_the_model_card(tiny_generative: Path, context: Context) -> None:
    scorer = open_generative(GenerativeSettings(str(tiny_generative)), context)
    expected = by_the_card(tiny_generative, PAIRS)
    assert scorer.scores(PAIRS).tolist() == pytest.approx(expected, abs=1e-4)
    assert scorer.compute(PAIRS[:1]).tolist() == pytest.approx(expected[:1], abs=1e-4)
    assert scorer.compute([]).shape == scorer.scores([]).shape == (0,)
    assert len({round(score, 4) for score in expected}) > 2


def test_a_long_pair_is_cut_as_by_the_card(tiny_generative: Path, context: Context) -> None:
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(str(tiny_generative))
    around = len(tokenizer.encode(PREFIX)) + len(tokenizer.encode(SUFFIX))
    settings = GenerativeSettings(str(tiny_generative), max_length=around + 40)
    found = open_generative(settings, context).scores(PAIRS)
    assert found.tolist() == pytest.approx(by_the_card(tiny_generative, PAIRS, around + 40), abs=1e-4)
    with pytest.raises(SettingError, match="leaves no room for query and document"):
        open_generative(replace(settings, max_length=around), context).scores(PAIRS)


def test_each_pair_is_scored_once(tiny_generative: Path, context: Context) -> None:
    settings = GenerativeSettings(str(tiny_generative))
    first = open_generative(settings, context).scores(PAIRS)
    again = Context(cache=context.cache)
    assert np.array_equal(open_generative(settings, again).scores(PAIRS[::-1]), first[::-1])
    assert not any(step.label.startswith("load") for step in again.ledger.steps.values())
    assert open_generative(replace(settings, instruction="other"), again).key != open_generative(settings, again).key


def test_an_answer_that_is_no_token_is_refused(tiny_generative: Path, context: Context) -> None:
    with pytest.raises(ModelError, match="no single token for 'perhaps so'"):
        open_generative(GenerativeSettings(str(tiny_generative), yes="perhaps so"), context).scores(PAIRS)


def test_a_folder_of_another_kind_is_refused(tmp_path: Path, context: Context) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "nothing"}')
    with pytest.raises(ModelError, match="cannot be loaded"):
        open_generative(GenerativeSettings(str(tmp_path)), context).scores(PAIRS)
