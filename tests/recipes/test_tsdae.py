"""TSDAE: what the damaged copy keeps, and what the decoder starts from and learns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM

from harness.base.errors import Unavailable
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.methods import fit
from harness.methods.dense import Dense
from harness.recipes._denoising import continuations, kept_tokens, words_of
from harness.recipes.tsdae import TSDAE
from harness.runtime.context import Context
from harness.training.lesson import Lesson
from harness.training.trained import with_recipes

FRESH: Any = {"budget": "smoke", "decoder": "fresh"}


@pytest.fixture
def language_model(tiny_encoder: Path, tmp_path: Path) -> Path:
    """The tiny encoder's architecture and words as a masked language model."""
    config = BertConfig.from_pretrained(tiny_encoder)
    torch.manual_seed(3)
    BertForMaskedLM(config).save_pretrained(tmp_path / "language-model")
    AutoTokenizer.from_pretrained(tiny_encoder).save_pretrained(tmp_path / "language-model")
    return tmp_path / "language-model"


@pytest.fixture
def built(lesson_of: Callable[..., Lesson], base_of: Callable[..., Any], view: TrainView, context: Context) -> Any:
    """Model and loss of a fresh decoder."""
    model = base_of(TSDAE(**FRESH), context).fresh(context)
    return model, lesson_of(TSDAE(**FRESH), view).loss(model)


def words(loss: Any, model: Any, texts: list[str], seed: int) -> list[str]:
    found = loss.damaged(model.preprocess(texts), torch.Generator().manual_seed(seed))
    return [model.tokenizer.decode(ids, skip_special_tokens=True) for ids in found["input_ids"]]


def is_part(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(word in rest for word in part)


@pytest.mark.parametrize("delete", [0.01, 0.3, 0.6, 0.99])
def test_words_go_whole_and_at_least_one_stays(delete: float) -> None:
    continues = torch.tensor([False, False, False, False, True])  # 0 padding, 1 and 2 special, 4 continues a word
    text = [1, *([3, 4, 4] * 20), 2]
    ids = torch.tensor([text, [1, 3, 4, 2] + [0] * (len(text) - 4)])
    numbers = words_of(ids, ids > 0, continues, torch.tensor([1, 2]), 0)
    assert numbers[0].tolist() == [-1, *(i for i in range(20) for _ in range(3)), -1]
    sizes = []
    for seed in range(200):
        kept = kept_tokens(numbers, delete, torch.Generator().manual_seed(seed))
        assert kept[:, 0].all()
        assert kept[0, -1]
        by_word = kept[0, 1:-1].view(20, 3)
        assert (by_word.all(1) == by_word.any(1)).all()
        assert kept[1, :4].all()  # its only word
        sizes.append(int(by_word.all(1).sum()))
    assert min(sizes) >= 1
    assert np.mean(sizes) == pytest.approx(max(20 * (1 - delete), 1), abs=0.6)


def test_a_prompt_is_not_damaged_and_a_cut_text_begins_with_a_word() -> None:
    continues = torch.tensor([False, False, False, False, True])
    ids = torch.tensor([[1, 3, 3, 4, 3, 4, 2]])
    numbers = words_of(ids, ids > 0, continues, torch.tensor([1, 2]), 2)
    assert numbers.tolist() == [[-1, -1, -1, 0, 1, 1, -1]]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(["a", "##b"], [False, True]), (["▁a", "b"], [False, True]), (["Ġa", "b"], [False, True]), (["a", "b"], [0, 0])],
)
def test_tokens_that_continue_a_word_are_known_by_their_mark(tokens: list[str], expected: list[bool]) -> None:
    class Tokenizer:
        def __len__(self) -> int:
            return len(tokens)

        def convert_ids_to_tokens(self, ids: Any) -> list[str]:
            return [tokens[i] for i in ids]

    assert continuations(Tokenizer()).tolist() == expected


def test_the_damage_is_drawn_again_at_each_visit(built: Any, view: TrainView) -> None:
    model, loss = built
    texts = view.corpus.texts[:12]
    seen = [words(loss, model, texts, seed) for seed in range(3)]
    assert seen[0] != seen[1] != seen[2]
    for copy in seen:
        for part, text in zip(copy, texts, strict=True):
            whole = model.tokenizer.decode(model.tokenizer(text)["input_ids"], skip_special_tokens=True)
            assert is_part(part.split(), whole.split())
    copies: list[Any] = []
    encoder = loss.encoder.forward
    loss.encoder.forward = lambda features: copies.append(features["input_ids"]) or encoder(features)
    for _ in range(2):
        loss([model.preprocess(texts)])
    assert copies[0].shape != copies[1].shape or not torch.equal(copies[0], copies[1])


def test_so_many_texts_are_drawn_as_requested(lesson_of: Callable[..., Lesson], view: TrainView) -> None:
    few = lesson_of(TSDAE(texts=7, **FRESH), view)
    assert len(few) == 7
    assert set(few.columns["text"]) < set(view.corpus.texts[:])
    other = lesson_of(TSDAE(texts=7, **FRESH), view, Context(cache=Context().cache, seed=1))
    assert other.columns["text"] != few.columns["text"]
    corpus = Corpus.of([("a", "", "one two"), ("empty", "", " ")])
    assert lesson_of(TSDAE(**FRESH), TrainView(corpus)).columns == {"text": ["one two"]}


def test_an_encoder_without_a_language_model_head_is_refused_with_what_to_do(
    view: TrainView, context: Context, tiny_encoder: Path
) -> None:
    with pytest.raises(Unavailable, match="tiny-encoder has no language-model head") as refused:
        fit(with_recipes(Dense(str(tiny_encoder)), (TSDAE(budget="smoke"),)), view, context)
    assert refused.value.remedy
    assert 'tsdae(decoder="fresh")' in refused.value.remedy


def test_a_language_model_and_its_decoder_share_their_weights(
    base_of: Callable[..., Any], view: TrainView, context: Context, language_model: Path
) -> None:
    recipe = TSDAE(budget="smoke")
    base = base_of(recipe, context, language_model)
    lesson = recipe.lesson(base, view, context)
    assert lesson.learning_rates == {}
    model = base.fresh(context)
    loss: Any = lesson.loss(model)
    mine = {id(p) for p in model.parameters()}
    decoder = dict(loss.decoder.named_parameters())
    shared = [name for name, p in decoder.items() if id(p) in mine]
    assert any("word_embeddings" in name for name in shared)
    assert any("layer.1.attention.self.query" in name for name in shared)
    assert all("crossattention" in n or "cls" in n or "lm_head" in n for n in decoder if n not in shared)
    head = BertForMaskedLM.from_pretrained(language_model).cls.predictions.transform.dense.weight
    assert torch.equal(loss.decoder.cls.predictions.transform.dense.weight, head)
    fitted: Any = fit(with_recipes(Dense(str(language_model)), (recipe,)), view, context)
    assert fitted.resolved["training"][0]["facts"]["decoder"] == "own"


def test_a_fresh_decoder_shares_nothing_and_learns_alone_first_at_its_own_rate(
    lesson_of: Callable[..., Lesson], built: Any, view: TrainView
) -> None:
    model, loss = built
    assert not {id(p) for p in model.parameters()} & {id(p) for p in loss.decoder.parameters()}
    lesson = lesson_of(TSDAE(**FRESH), view)
    assert list(lesson.learning_rates) == [r"^decoder\."]
    assert min(lesson.learning_rates.values()) > 5 * lesson.schedule.learning_rate
    batch = model.preprocess(view.corpus.texts[:4])
    for step in range(3):  # 3 steps at smoke, of which the first is the decoder's alone
        loss.zero_grad(set_to_none=True)
        loss([dict(batch)]).backward()
        learns = [p.grad is not None and bool(p.grad.any()) for p in model[0].auto_model.encoder.parameters()]
        assert all(learns) if step else not any(learns)
        assert any(p.grad is not None for p in loss.decoder.parameters())


def test_vectors_are_not_normalised_while_training_and_are_again_afterwards(
    view: TrainView, context: Context, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.recipes import _denoising

    modules = [Transformer(str(tiny_encoder)), Pooling(32, "mean"), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(tmp_path / "normalised"))
    seen: list[list[str]] = []
    before = _denoising.Denoising.build
    monkeypatch.setattr(
        _denoising.Denoising,
        "build",
        lambda self, model: seen.append([type(m).__name__ for m in model]) or before(self, model),
    )
    row = with_recipes(Dense(str(tmp_path / "normalised")), (TSDAE(**FRESH),))
    fitted: Any = fit(row, view, context)
    assert seen == [["Transformer", "Pooling"]]
    assert [type(m).__name__ for m in fitted.encoder.model] == ["Transformer", "Pooling", "Normalize"]


def test_a_decoder_that_does_not_read_the_vectors_is_noted(
    view: TrainView, context: Context, row: Callable[..., Any]
) -> None:
    training = fit(row(TSDAE(**FRESH)), view, context).resolved["training"][0]
    own, other = (training["facts"][name] for name in ("loss_with_own_vector", "loss_with_another"))
    assert other == pytest.approx(own, rel=0.01)
    assert any("has not learnt to read vectors" in note for note in training["notes"])
