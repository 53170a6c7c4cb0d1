"""Every recipe learns: in a made-up language, from a random transformer, by at least the amount stated.

Twelve topics have twelve words each that documents use and four that people ask with; a document uses seven of the
twelve. To find all documents of a topic, queries of said words need to know which words go together, which the corpus
tells; queries of asked words share nothing with any document, and only judgements tell.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.measures import means, parse_measures, per_query
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Run
from harness.methods import Method, fit, index, search
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.late import Late
from harness.methods.rerank import Rerank
from harness.methods.sparse import Sparse
from harness.recipes import RECIPES, Recipe
from harness.recipes.augmented_sbert import AugmentedSBERT
from harness.recipes.colbert import ColBERT
from harness.recipes.contrastive_pairs import ContrastivePairs
from harness.recipes.contrastive_pretraining import ContrastivePretraining
from harness.recipes.contrastive_tension import ContrastiveTension
from harness.recipes.cross_encoder import CrossEncoder as PairRecipe
from harness.recipes.distill import Distill
from harness.recipes.frozen_head import FrozenHead
from harness.recipes.gist_embed import GISTEmbed
from harness.recipes.gpl import GPL
from harness.recipes.qgen import QGen
from harness.recipes.ranked_list import RankedList
from harness.recipes.soup import Soup
from harness.recipes.splade import Splade
from harness.recipes.supervised import Supervised
from harness.recipes.triplet import Triplet
from harness.recipes.tsdae import TSDAE
from harness.runtime.context import Context
from harness.training.trained import with_recipes

SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]


@dataclass(frozen=True)
class Tongue:
    """The collection, and the folder of a random encoder that knows its words.

    Args:
        view: 96 documents; per topic 4 train and 2 dev queries of asked words.
        said: test queries of said words.
        asked: test queries of asked words.
        model: one layer, 32 dimensions.
        context: one for the file, so that what two tests need is trained once.
    """

    view: TrainView
    said: Labelled
    asked: Labelled
    model: Path
    context: Context


def random_encoder(root: Path, words: Iterable[str]) -> Path:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {token: i for i, token in enumerate([*special, ".", ":", "query", "passage", *sorted(set(words))])}
    tokens = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokens.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokens.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokens.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), special, strict=True))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    BertModel(config).save_pretrained(root / "bert")
    PreTrainedTokenizerFast(tokenizer_object=tokens, model_max_length=64, **names).save_pretrained(root / "bert")
    modules = [Transformer(str(root / "bert")), Pooling(32, "mean")]
    SentenceTransformer(modules=modules, device="cpu").save(str(root / "random-encoder"))
    return root / "random-encoder"


@pytest.fixture(scope="module")
def tongue(tmp_path_factory: pytest.TempPathFactory) -> Tongue:
    rng = random.Random(11)
    known = rng.sample([a + b for a in SYLLABLES for b in SYLLABLES], 10 + 12 * 16)
    words = iter(known)
    filler = [next(words) for _ in range(10)]
    documents = []
    parts: dict[str, dict[str, tuple[str, dict[str, int]]]] = {"train": {}, "dev": {}, "said": {}, "asked": {}}
    for topic in range(12):
        said, asked = [next(words) for _ in range(12)], [next(words) for _ in range(4)]
        judged = {f"d{topic}_{i}": 1 for i in range(8)}
        for name in judged:
            own = rng.sample(said, 7)
            sentences = [
                " ".join([*rng.choices(own, k=4), *rng.sample(filler, 2)]).capitalize() + "." for _ in range(4)
            ]
            documents.append((name, " ".join(rng.sample(own, 2)), " ".join(sentences)))
        for split, count, source, held in (
            ("train", 4, asked, 2),
            ("dev", 2, asked, 2),
            ("said", 2, said, 2),
            ("asked", 2, asked, 3),
        ):
            for i in range(count):
                parts[split][f"{split}{topic}_{i}"] = (
                    " ".join([*rng.sample(source, held), rng.choice(filler)]),
                    judged,
                )
    splits = {
        name: Labelled(
            Queries(list(part), [text for text, _ in part.values()]), {q: judged for q, (_, judged) in part.items()}
        )
        for name, part in parts.items()
    }
    root = tmp_path_factory.mktemp("tongue")
    view = TrainView(Corpus.of(documents), splits["train"], splits["dev"])
    context = Context(cache=Cache(root / "cache"))
    return Tongue(view, splits["said"], splits["asked"], random_encoder(root, known), context)


def ndcg(method: Method, split: Labelled, tongue: Tongue) -> float:
    fitted = fit(method, tongue.view, tongue.context)
    top = search(method, index(method, fitted, tongue.view.corpus, tongue.context), split.queries, 10, tongue.context)
    measure = "nDCG@10"
    return means(per_query(parse_measures([measure]), split.qrels, Run.of(split.queries, top, tongue.view.corpus)))[
        measure
    ]


def assert_loss_falls(method: Method, tongue: Tongue, share: float) -> None:
    """That the loss of the last tenth of a training is at most this share of the first tenth's."""
    resolved: Any = fit(method, tongue.view, tongue.context).resolved
    loss = [value for _, value in resolved["training"][-1]["loss"]]
    tenth = max(1, len(loss) // 10)
    assert np.mean(loss[-tenth:]) < share * np.mean(loss[:tenth])


FAST: dict[str, Any] = {"batch": 16, "learning_rate": 5e-3, "max_length": 64, "precision": "fp32"}
PAIRS = PairRecipe(epochs=4, batch=8, learning_rate=5e-3, max_length=48, precision="fp32")
"""With it a cross-encoder learns; it is also the teacher of `augmented_sbert`, trained once for both."""


@pytest.mark.parametrize(
    ("recipe", "gain", "share"),
    [
        (Supervised(epochs=2, **FAST), 0.7, 0.5),
        (Soup(recipe=Supervised(epochs=2, **FAST), seeds=2), 0.5, 0.6),
        (GISTEmbed(epochs=2, **FAST), 0.3, 0.6),
        (RankedList(epochs=16, decay=0.0, **FAST), 0.6, 0.5),
        (Triplet(epochs=4, **FAST), 0.3, 0.6),
        (ContrastivePairs(epochs=5, **FAST), 0.3, 0.8),
        (FrozenHead(epochs=40, learning_rate=5e-3), 0.25, 0.75),
        (ContrastivePretraining(pairs="gold", epochs=3, learning_rate=5e-3, batch=64, precision="fp32"), 0.5, 0.8),
    ],
    ids=lambda value: value.name() if isinstance(value, Recipe) else None,
)
def test_gold_pairs_teach_which_documents_are_asked_for_in_other_words(
    recipe: Recipe, gain: float, share: float, tongue: Tongue
) -> None:
    untrained = Dense(str(tongue.model))
    row = with_recipes(Dense(str(tongue.model)), (recipe,))
    assert_loss_falls(row, tongue, share)
    dev = fit(row, tongue.view, tongue.context).resolved["training"][0]["dev"]
    assert max(value for _, value in dev[1:]) > dev[0][1] + gain
    assert ndcg(row, tongue.asked, tongue) > ndcg(untrained, tongue.asked, tongue) + gain


@pytest.mark.parametrize(("form", "epochs", "gain", "share"), [("margin", 4, 0.4, 0.8), ("cosine", 6, 0.3, 0.8)])
def test_a_teacher_that_learnt_from_gold_hands_it_on_through_silver(
    form: Any, epochs: int, gain: float, share: float, tongue: Tongue
) -> None:
    recipe = AugmentedSBERT(
        teacher=with_recipes(CrossEncoder(str(tongue.model)), (PAIRS,)),
        sampling="random",
        loss=form,
        epochs=epochs,
        **FAST,
    )
    row = with_recipes(Dense(str(tongue.model)), (recipe,))
    assert_loss_falls(row, tongue, share)
    assert ndcg(row, tongue.asked, tongue) > ndcg(Dense(str(tongue.model)), tongue.asked, tongue) + gain


def test_a_student_learns_from_a_teacher_that_ranks_better(tongue: Tongue) -> None:
    teacher = with_recipes(Dense(str(tongue.model)), (Supervised(epochs=2, **FAST),))
    row = with_recipes(Dense(str(tongue.model)), (Distill(teacher=teacher, epochs=4, **FAST),))
    assert_loss_falls(row, tongue, 0.9)
    assert ndcg(row, tongue.asked, tongue) > ndcg(Dense(str(tongue.model)), tongue.asked, tongue) + 0.3


@pytest.mark.parametrize(
    ("recipe", "gain", "share"),
    [
        (QGen(epochs=4, choose="last", **FAST), 0.25, 0.5),
        (
            ContrastivePretraining(epochs=6, batch=32, words=12, learning_rate=3e-3, choose="last", precision="fp32"),
            0.3,
            0.5,
        ),
    ],
    ids=lambda value: value.name() if isinstance(value, Recipe) else None,
)
def test_the_corpus_alone_teaches_which_words_go_together(
    recipe: Recipe, gain: float, share: float, tongue: Tongue
) -> None:
    row = with_recipes(Dense(str(tongue.model)), (recipe,))
    assert_loss_falls(row, tongue, share)
    assert ndcg(row, tongue.said, tongue) > ndcg(Dense(str(tongue.model)), tongue.said, tongue) + gain
    assert fit(row, tongue.view, tongue.context).supervision == "none"


def test_gpl_hands_on_what_its_teacher_knows_of_made_questions(tongue: Tongue) -> None:
    pretrained = ContrastivePretraining(
        epochs=6, batch=32, words=12, learning_rate=3e-3, choose="last", precision="fp32"
    )
    teacher = with_recipes(Dense(str(tongue.model)), (pretrained,))
    row = with_recipes(Dense(str(tongue.model)), (GPL(teacher=teacher, epochs=3, negatives=2, choose="last", **FAST),))
    assert_loss_falls(row, tongue, 0.6)
    assert ndcg(row, tongue.said, tongue) > ndcg(Dense(str(tongue.model)), tongue.said, tongue) + 0.1


def test_a_cross_encoder_learns_to_re_rank_for_queries_in_other_words(tongue: Tongue) -> None:
    scorer = with_recipes(CrossEncoder(str(tongue.model)), (PAIRS,))
    assert_loss_falls(scorer, tongue, 0.5)
    dev = fit(scorer, tongue.view, tongue.context).resolved["training"][0]["dev"]
    assert max(value for _, value in dev[1:]) > dev[0][1] + 0.08  # of BM25's 20 best, chance ones
    for first in (Dense(str(tongue.model)), BM25()):
        reranked = ndcg(Rerank(first, scorer, depth=96), tongue.asked, tongue)
        assert reranked > ndcg(first, tongue.asked, tongue) + 0.08


def test_a_sparse_encoder_learns_which_words_documents_use_for_those_that_people_ask_with(tongue: Tongue) -> None:
    row = with_recipes(Sparse(str(tongue.model)), (Splade(epochs=4, **FAST),))
    assert_loss_falls(row, tongue, 0.5)
    fitted: Any = fit(row, tongue.view, tongue.context)
    dev = fitted.resolved["training"][0]["dev"]
    assert max(value for _, value in dev[1:]) > dev[0][1] + 0.3
    found = ndcg(row, tongue.asked, tongue)
    assert found > ndcg(BM25(), tongue.asked, tongue) + 0.3


def test_the_price_of_products_makes_vectors_sparse(tongue: Tongue) -> None:
    active = []
    for price in (0.0, 0.1):
        recipe = Splade(epochs=2, query_flops=price, document_flops=price, choose="last", **FAST)
        fitted = fit(with_recipes(Sparse(str(tongue.model)), (recipe,)), tongue.view, tongue.context)
        searcher = index(with_recipes(Sparse(str(tongue.model)), (recipe,)), fitted, tongue.view.corpus, tongue.context)
        active.append(searcher.report(tongue.asked.queries).resolved["active_terms"]["document"])
    assert active[1] < 0.7 * active[0]


def test_a_late_interaction_encoder_learns_and_re_ranks(tongue: Tongue) -> None:
    row = with_recipes(Late(str(tongue.model)), (ColBERT(epochs=3, **FAST),))
    assert_loss_falls(row, tongue, 0.7)  # a batch holds other documents of the topic: the loss has a floor
    dev = fit(row, tongue.view, tongue.context).resolved["training"][0]["dev"]
    assert max(value for _, value in dev[1:]) > dev[0][1] + 0.3
    assert ndcg(row, tongue.asked, tongue) > ndcg(BM25(), tongue.asked, tongue) + 0.3
    first = Dense(str(tongue.model))
    assert ndcg(Rerank(first, row, depth=96), tongue.asked, tongue) > ndcg(first, tongue.asked, tongue) + 0.3


def test_tsdae_rebuilds_texts_better_than_at_first(tongue: Tongue) -> None:
    assert_loss_falls(
        with_recipes(
            Dense(str(tongue.model)),
            (TSDAE(decoder="fresh", decoder_rate=5e-3, learning_rate=5e-3, choose="last", precision="fp32"),),
        ),
        tongue,
        0.85,
    )


# Contrastive Tension is made for the similarity of sentences


def apart(model: SentenceTransformer, pairs: list[tuple[str, str]]) -> float:
    """AUC: how often a sentence is nearer to its own paraphrase than a pair of other sentences are to each other."""
    one, two = (model.encode([p[side] for p in pairs], normalize_embeddings=True) for side in (0, 1))
    cosines = one @ two.T
    others = cosines[~np.eye(len(pairs), dtype=bool)]
    return float((np.diag(cosines)[:, None] > others).mean())


@pytest.mark.parametrize(
    ("recipe", "gain"),
    [
        (ContrastiveTension(learning_rate=3e-3, epochs=10, batch=16, max_length=32, precision="fp32"), 0.05),
        (ContrastiveTension(form="in_batch", learning_rate=1e-3, epochs=10, max_length=32, precision="fp32"), 0.1),
    ],
    ids=["pairs", "in_batch"],
)
def test_contrastive_tension_tells_sentences_apart_that_a_narrow_encoder_finds_all_alike(
    recipe: ContrastiveTension, gain: float, tmp_path: Path, context: Context
) -> None:
    """The encoder's word vectors have one large part in common (the paper's starting point: all sentences alike)."""
    rng = random.Random(5)
    words = rng.sample([a + b for a in SYLLABLES for b in SYLLABLES], 33)
    telling, filler = words[:30], words[30:]

    def say(about: list[str]) -> str:
        said = [*about, *rng.choices(filler, k=rng.randrange(1, 4))]
        rng.shuffle(said)
        return " ".join(said)

    corpus = Corpus.of([(f"s{i}", "", say(rng.sample(telling, 4))) for i in range(400)])
    pairs = [(say(about), say(about)) for about in (rng.sample(telling, 4) for _ in range(100))]
    folder = random_encoder(tmp_path, words)
    model = SentenceTransformer(str(folder), device="cpu")
    vectors = model[0].auto_model.embeddings.word_embeddings.weight
    with torch.no_grad():
        torch.manual_seed(1)
        vectors.copy_(vectors.mean(0) + 0.1 * torch.randn(32) + 0.3 * vectors)
    model.save(str(tmp_path / "narrow"))
    row = with_recipes(Dense(str(tmp_path / "narrow")), (recipe,))
    fitted: Any = fit(row, TrainView(corpus), context)
    assert apart(fitted.encoder.model, pairs) > apart(model, pairs) + gain
    loss = [value for _, value in fitted.resolved["training"][0]["loss"]]
    assert loss[-1] < 0.1 * loss[0]


def test_no_recipe_is_left_out() -> None:
    here = Path(__file__).read_text()
    for name in RECIPES.names():
        assert f"from harness.recipes.{name} import" in here, f"{name} is not shown to learn"
