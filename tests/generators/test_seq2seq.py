"""A random T5 asks by the seed and its batch alone, each batch is kept, and faults say what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.base.errors import ModelError, SettingError
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.generators import Question, questions
from harness.generators.seq2seq import Seq2seq
from harness.runtime.context import Context

CORPUS = Corpus.of([(f"d{i}", "", f"{word} is a passage of its own about {word}") for i, word in enumerate("abcdefg")])


def small(folder: Path, **settings: Any) -> Seq2seq:
    return Seq2seq(**{"model": str(folder), "max_length": 8, "batch": 2, **settings})


def made(generator: Seq2seq, context: Context, rows: list[int]) -> list[Question]:
    return list(generator.generate(CORPUS, rows, context))


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The texts of each batch that goes through the model."""
    seen: list[list[str]] = []
    real: Callable[..., Any] = Seq2seq._sampled

    def counted(self: Seq2seq, texts: list[str], *more: Any) -> Any:
        seen.append(texts)
        return real(self, texts, *more)

    monkeypatch.setattr(Seq2seq, "_sampled", counted)
    return seen


def test_each_passage_gets_its_questions_in_order(tiny_t5: Path, context: Context) -> None:
    found = made(small(tiny_t5, per_document=2), context, [4, 1, 2])
    assert [q.row for q in found] == [4, 4, 1, 1, 2, 2]
    assert {q.origin for q in found} == {str(tiny_t5)}
    assert all(0 < len(q.text) <= 8 for q in found if q.text)
    assert len({q.text for q in found}) > 3


def test_a_batch_does_not_hang_on_the_others_nor_on_torchs_own_seed(tiny_t5: Path, tmp_path: Path) -> None:
    all_of_them = made(small(tiny_t5), Context(cache=Cache(tmp_path / "a")), [0, 1, 2, 3])
    torch.manual_seed(5)
    before = torch.get_rng_state()
    second = made(small(tiny_t5), Context(cache=Cache(tmp_path / "b")), [2, 3])
    assert second == all_of_them[6:]
    assert torch.equal(torch.get_rng_state(), before)


def test_a_killed_run_goes_on_where_it_stopped(tiny_t5: Path, context: Context, batches: list[list[str]]) -> None:
    stream = small(tiny_t5).generate(CORPUS, [0, 1, 2, 3, 4], context)
    first = [next(stream) for _ in range(7)]  # into the second batch
    stream.close()
    assert len(batches) == 2
    again = made(small(tiny_t5), Context(cache=context.cache), [0, 1, 2, 3, 4])
    assert len(batches) == 3
    assert again[:7] == first


def test_questions_are_kept_whole_too(tiny_t5: Path, context: Context, batches: list[list[str]]) -> None:
    assert questions(small(tiny_t5), CORPUS, [0, 1], context) == questions(small(tiny_t5), CORPUS, [0, 1], context)
    assert len(batches) == 1


def test_other_settings_or_weights_are_other_questions(tiny_t5: Path, tmp_path: Path, batches: list[list[str]]) -> None:
    context = Context(cache=Cache(tmp_path / "c"))
    other = tmp_path / "other"
    shutil.copytree(tiny_t5, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "dropout_rate": 0.2}))
    for generator in (small(tiny_t5), small(tiny_t5, temperature=2.0), small(tiny_t5, max_input=5), small(other)):
        made(generator, context, [0, 1])
    assert len(batches) == 4
    assert small(tiny_t5).inputs(context) != small(other).inputs(context)


def test_a_temperature_near_zero_takes_the_likeliest(tiny_t5: Path, context: Context) -> None:
    found = made(small(tiny_t5, temperature=1e-4), context, [0])
    assert len({q.text for q in found}) == 1


def test_length_and_input_are_cut(tiny_t5: Path, tmp_path: Path) -> None:
    context = Context(cache=Cache(tmp_path / "c"))
    corpus = Corpus.of([("a", "", "abc"), ("b", "", "abz")])
    found = list(
        small(tiny_t5, max_input=3, temperature=1e-4).generate(corpus, [0, 1], context)
    )  # two letters and the end
    assert found[0].text == found[3].text
    assert all(len(q.text) <= 2 for q in made(small(tiny_t5, max_length=2), context, [0, 1, 2, 3]))


def test_a_model_of_another_kind_is_refused(tiny_encoder: Path, context: Context) -> None:
    with pytest.raises(ModelError, match=r"sequence-to-sequence.*query-gen-msmarco"):
        made(Seq2seq(model=str(tiny_encoder)), context, [0])
    with pytest.raises(ModelError, match="not a model folder"):
        Seq2seq(model="/nowhere").inputs(context)


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), r"lower batch, max_input"),
        (RuntimeError("probability tensor contains either `inf`, `nan` or element < 0"), r'precision="fp32"'),
    ],
)
def test_what_breaks_down_says_which_settings_help(
    tiny_t5: Path, context: Context, monkeypatch: pytest.MonkeyPatch, fault: RuntimeError, advice: str
) -> None:
    from transformers import T5ForConditionalGeneration

    def broken(self: Any, **given: Any) -> None:
        raise fault

    monkeypatch.setattr(T5ForConditionalGeneration, "generate", broken)
    with pytest.raises(ModelError, match=advice):
        made(small(tiny_t5), context, [0])


@pytest.mark.parametrize(
    "settings",
    [
        {"per_document": 0},
        {"batch": 0},
        {"max_length": 0},
        {"max_input": 0},
        {"temperature": 0.0},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.5},
        {"precision": "int8"},
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(settings))):
        Seq2seq(**settings)
