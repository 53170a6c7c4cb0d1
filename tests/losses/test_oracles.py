"""The losses of sentence-transformers that our recipes rely on, value and gradient, each against a loop from its paper.

A loop works on float64 scalars, one pair at a time. Where the library does otherwise than the paper, the test holds
what the library does and a comment says what the paper says.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.cross_encoder import losses as cross_losses
from sentence_transformers.sentence_transformer import losses
from sentence_transformers.util import dot_score
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from torch import Tensor
from transformers import PreTrainedTokenizerFast

SHAPES = [(1, 3), (2, 4), (5, 3)]  # rows, dimension
TYPES = [torch.float64, torch.float32, torch.bfloat16]
SYMMETRIC = {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}


class Given(torch.nn.Sequential):
    """An encoder whose vectors are given: the features named `key` are the embeddings."""

    def __init__(self, key: str = "sentence_embedding") -> None:
        super().__init__(torch.nn.Identity())
        self.key = key
        self.max_seq_length = 8
        self.tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"a": 0}, unk_token="a")))

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": features[self.key]}


def columns(number: int, shape: tuple[int, int], dtype: torch.dtype = torch.float64, seed: int = 0) -> list[Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=draw, dtype=torch.float64).to(dtype).requires_grad_() for _ in range(number)]


def features(vectors: list[Tensor]) -> list[dict[str, Tensor]]:
    return [{"sentence_embedding": v} for v in vectors]


def assert_same(found: Tensor, leaves: list[Tensor], slow, *, rough: float = 0.1) -> None:
    """That a loss and its gradient are those that the loop finds from the same numbers in float64."""
    exact = [leaf.detach().double().requires_grad_() for leaf in leaves]
    value = slow(*exact)
    dtype = leaves[0].dtype
    tolerance = {torch.float64: 1e-9, torch.float32: 2e-4, torch.bfloat16: rough}[dtype]
    assert found.item() == pytest.approx(value.item(), abs=tolerance, rel=tolerance)
    mine = torch.autograd.grad(found, leaves, allow_unused=True)
    theirs = torch.autograd.grad(value, exact, allow_unused=True) if value.requires_grad else [None] * len(exact)
    for a, b, leaf in zip(mine, theirs, leaves, strict=True):
        a, b = (torch.zeros_like(leaf) if g is None else g for g in (a, b))
        torch.testing.assert_close(a.double(), b.double(), atol=tolerance * max(1.0, float(b.abs().max())), rtol=0)


def dot(u: Tensor, v: Tensor) -> Tensor:
    return sum((x * y for x, y in zip(u, v, strict=True)), torch.zeros((), dtype=torch.float64))


def cos(u: Tensor, v: Tensor) -> Tensor:
    return dot(u, v) / (dot(u, u).sqrt() * dot(v, v).sqrt())


def minus_log_share(logits: list[Tensor], right: int) -> Tensor:
    """−log of the softmax of one logit among all."""
    return sum((x - logits[right]).exp() for x in logits).log()


def mean(values: list[Tensor]) -> Tensor:
    return sum(values) / len(values)


def cross_entropy(logit: Tensor, label: float) -> Tensor:
    share = 1 / (1 + (-logit).exp())
    return -(label * share.log() + (1 - label) * (1 - share).log())


# In-batch negatives: Henderson et al. 1705.00652, section 4.4; with cosines and a temperature, van den Oord et al.
# 1807.03748.


def slow_ranking(scale: float, similarity=cos):
    def loss(queries: Tensor, *documents: Tensor) -> Tensor:
        every = [d for column in documents for d in column]  # the relevant of all rows, then the mined of all rows
        return mean([minus_log_share([scale * similarity(q, d) for d in every], i) for i, q in enumerate(queries)])

    return loss


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("mined", [0, 1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_in_batch_negatives(shape, mined, dtype) -> None:
    for scale in (1.0, 20.0) if dtype != torch.bfloat16 else (1.0,):
        leaves = columns(2 + mined, shape, dtype)
        found = losses.MultipleNegativesRankingLoss(Given(), scale=scale)(features(leaves), None)
        assert_same(found, leaves, slow_ranking(scale))


def test_in_batch_negatives_by_dot_product() -> None:
    leaves = columns(3, (4, 3))
    found = losses.MultipleNegativesRankingLoss(Given(), scale=1.0, similarity_fct=dot_score)(features(leaves), None)
    assert_same(found, leaves, slow_ranking(1.0, dot))


def slow_symmetric(scale: float):
    """cpt, 2201.10005, section 2.1: cross-entropy over the rows and over the columns of one matrix, averaged.

    The paper learns the temperature; the library's is a constant (`scale` = 1 / temperature). Its further documents,
    which the paper has not, are rivals in the rows only.
    """

    def loss(queries: Tensor, relevant: Tensor, *mined: Tensor) -> Tensor:
        rows = slow_ranking(scale)(queries, relevant, *mined)
        return (rows + slow_ranking(scale)(relevant, queries)) / 2

    return loss


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("mined", [0, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_symmetric_in_batch_negatives(shape, mined, dtype) -> None:
    for scale in (1.0, 50.0) if dtype != torch.bfloat16 else (1.0,):
        leaves = columns(2 + mined, shape, dtype)
        found = losses.MultipleNegativesRankingLoss(Given(), scale=scale, **SYMMETRIC)(features(leaves), None)
        assert_same(found, leaves, slow_symmetric(scale))


def test_the_older_name_of_the_symmetric_loss_is_the_same_loss() -> None:
    # Its documentation says that mined negatives are ignored; they are not.
    leaves = columns(3, (4, 3))
    with pytest.warns(DeprecationWarning, match="directions="):
        older = losses.MultipleNegativesSymmetricRankingLoss(Given())
    assert_same(older(features(leaves), None), leaves, slow_symmetric(20.0))


@pytest.mark.parametrize("chosen", [{}, SYMMETRIC])
@pytest.mark.parametrize("mini", [1, 2, 5, 64])
@pytest.mark.parametrize("mined", [0, 2])
def test_the_cached_loss_is_the_uncached_one(mined, mini, chosen) -> None:
    slow = slow_symmetric(20.0) if chosen else slow_ranking(20.0)
    for dtype in (torch.float64, torch.float32):
        leaves = columns(2 + mined, (5, 3), dtype)
        loss = losses.CachedMultipleNegativesRankingLoss(Given(), mini_batch_size=mini, **chosen)
        found = loss(features(leaves), None)
        found.backward()  # the gradient is made by a hook, of `backward` only
        plain = columns(2 + mined, (5, 3), dtype)
        value = losses.MultipleNegativesRankingLoss(Given(), **chosen)(features(plain), None)
        assert_same(value, plain, slow)
        value = losses.MultipleNegativesRankingLoss(Given(), **chosen)(features(plain), None)
        value.backward()
        tolerance = 1e-10 if dtype == torch.float64 else 1e-4
        assert found.item() == pytest.approx(value.item(), rel=tolerance)
        for cached, uncached in zip(leaves, plain, strict=True):
            torch.testing.assert_close(cached.grad, uncached.grad, atol=tolerance, rtol=0)


def test_the_cached_loss_of_an_encoder_moves_its_weights_as_the_uncached_does(tiny_encoder: Path) -> None:
    texts = [["kala bero", "one", "two three"], ["a text", "b text, longer", "c"], ["x", "y", "z z z"]]
    gradients = []
    for kind, chosen in (
        ("MultipleNegativesRankingLoss", {}),
        ("CachedMultipleNegativesRankingLoss", {"mini_batch_size": 2}),
    ):
        model = SentenceTransformer(str(tiny_encoder), device="cpu")
        getattr(losses, kind)(model, **chosen)([model.preprocess(column) for column in texts], None).backward()
        gradients.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, atol=1e-4, rtol=1e-3)


# GISTEmbed: Solatorio, 2402.16829, section 3; the loop follows the text and the author's release
# (gist_embed/trainer/loss.py).


def slow_gist(
    guide: list[Tensor], temperature: float, margin: float = 0.0, anchors: bool = True, positives: bool = True
):
    """Query–document, query–query, document–document and query–mined pairs, but those the guide finds nearer than its
    limit.
    """

    def loss(*vectors: Tensor) -> Tensor:
        blocks = [(0, 0)] * anchors + [(1, 1)] * positives + [(0, 2)] * (len(guide) > 2)
        rows = range(len(vectors[0]))
        found = []
        for i in rows:
            limit = cos(guide[0][i], guide[1][i]) - margin
            rivals = [(0, 1, j) for j in rows if j != i] + [(a, b, j) for a, b in blocks for j in rows]
            kept = [(a, b, j) for a, b, j in rivals if cos(guide[a][i], guide[b][j]) <= limit]
            logits = [cos(vectors[a][i], vectors[b][j]) / temperature for a, b, j in [(0, 1, i), *kept]]
            found.append(minus_log_share(logits, 0))  # the query's own document is never masked
        return mean(found)

    return loss


def gist(leaves: list[Tensor], guide: list[Tensor], **chosen) -> Tensor:
    loss = losses.GISTEmbedLoss(Given(), Given("guide"), **chosen)
    return loss([{"sentence_embedding": v, "guide": g} for v, g in zip(leaves, guide, strict=True)], None)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_guided_negatives(shape, number, dtype) -> None:
    for temperature in (1.0, 0.01) if dtype == torch.float64 else (1.0,):
        leaves = columns(number, shape, dtype)
        guide = [g.detach() for g in columns(number, shape, seed=1)]
        assert_same(gist(leaves, guide, temperature=temperature), leaves, slow_gist(guide, temperature))


@pytest.mark.parametrize("margin", [0.0, 0.1, -0.2])
@pytest.mark.parametrize(("anchors", "positives"), [(True, True), (False, False), (False, True)])
def test_guided_negatives_with_a_margin_and_fewer_blocks(margin, anchors, positives) -> None:
    leaves = columns(3, (5, 3))
    guide = [g.detach() for g in columns(3, (5, 3), seed=2)]
    found = gist(leaves, guide, temperature=0.1, margin=margin, contrast_anchors=anchors, contrast_positives=positives)
    assert_same(found, leaves, slow_gist(guide, 0.1, margin, anchors, positives))


def test_the_guide_masks_what_it_finds_nearer_than_the_relevant_and_keeps_ties() -> None:
    far, near = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    leaves = columns(3, (1, 2))
    guide = [far[None], near[None], far[None]]  # the mined negative is nearer than the relevant document: masked
    assert_same(gist(leaves, guide), leaves, lambda q, p, n: 0 * q.sum())  # nothing is left but the relevant document
    guide = [far[None], near[None], near[None]]  # as near: kept
    assert_same(
        gist(leaves, guide, temperature=0.5),
        leaves,
        lambda q, p, n: minus_log_share([2 * cos(q[0], d[0]) for d in (p, n)], 0),
    )


def test_where_the_relevant_document_is_as_near_as_the_query_itself_both_are_their_own_rivals() -> None:
    # A pair of two equal texts: guide(q, p) = 1 is not below guide(q, q) = 1, so the diagonals of the query–query and
    # the document–document blocks stay in (in the author's release too). The paper means them to be masked: drop such
    # pairs.
    leaves = columns(2, (1, 2))
    guide = [torch.tensor([[1.0, 0.0]])] * 2
    assert_same(
        gist(leaves, guide, temperature=1.0),
        leaves,
        lambda q, p: minus_log_share([cos(q[0], p[0]), *[torch.ones((), dtype=torch.float64)] * 2], 0),
    )


def test_a_second_mined_column_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected 2 or 3 embeddings"):
        gist(columns(4, (2, 3)), columns(4, (2, 3)))


class Kept:
    """A guide whose vectors were made beforehand, found by the tokens: how kept vectors are fed, for there is no
    setting.
    """

    def __init__(self, model: SentenceTransformer, guide: SentenceTransformer, texts: list[str]) -> None:
        self.tokenizer, self.max_seq_length = model.tokenizer, model.max_seq_length  # else the loss would tokenise anew
        found = model.preprocess(texts)
        self._vectors = dict(zip(self._keys(found), guide.encode(texts, convert_to_tensor=True), strict=True))

    def __call__(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": torch.stack([self._vectors[key] for key in self._keys(features)])}

    @staticmethod
    def _keys(features: dict[str, Tensor]) -> list[tuple[int, ...]]:
        rows = zip(features["input_ids"], features["attention_mask"].bool(), strict=True)
        return [tuple(ids[mask].tolist()) for ids, mask in rows]


def test_a_guide_may_be_a_table_of_vectors_made_beforehand(tiny_encoder: Path) -> None:
    texts = [["kala bero", "one", "two three"], ["a text", "b text, longer", "c"], ["x", "y", "z z z"]]
    model, guide = (SentenceTransformer(str(tiny_encoder), device="cpu") for _ in range(2))
    with torch.no_grad():
        for p in guide.parameters():
            p.mul_(0.9)
    columns_ = [model.preprocess(column) for column in texts]
    kept = Kept(model, guide, [text for column in texts for text in column])
    live = losses.GISTEmbedLoss(model, guide)([dict(c) for c in columns_], None)
    torch.testing.assert_close(losses.GISTEmbedLoss(model, kept)([dict(c) for c in columns_], None), live)


# Margin of a teacher: Hofstätter et al. 2010.02666, eq. 5, as GPL has it, 2112.07577, section 3.


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("mined", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_margin_of_a_teacher(shape, mined, dtype) -> None:
    leaves = columns(2 + mined, shape, dtype)
    scores = torch.randn(shape[0], 1 + mined, generator=torch.Generator().manual_seed(3)).to(dtype)

    def slow(queries: Tensor, relevant: Tensor, *mined: Tensor) -> Tensor:
        margins = (scores[:, :1] - scores[:, 1:]).double()
        return mean(
            [
                (dot(queries[i], relevant[i]) - dot(queries[i], column[i]) - margins[i, c]) ** 2
                for i in range(len(queries))
                for c, column in enumerate(mined)
            ]
        )

    loss = losses.MarginMSELoss(Given())
    assert_same(loss(features(leaves), scores[:, :1] - scores[:, 1:]), leaves, slow, rough=0.3)
    assert_same(loss(features(leaves), scores), leaves, slow, rough=0.3)  # the teacher's scores themselves are as good
    if mined == 1:
        assert_same(loss(features(leaves), scores[:, 0] - scores[:, 1]), leaves, slow, rough=0.3)


# Contrastive tension: Carlsson et al., ICLR 2021 (openreview Ov_sMNau-PF), section 3.


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(2, 3), (8, 4)])
def test_contrastive_tension(shape, dtype) -> None:
    leaves = columns(2, shape, dtype)
    labels = [1, *[0] * (shape[0] - 1)]
    found = losses.ContrastiveTensionLoss(Given())(features(leaves), torch.tensor(labels))
    # A sum over the batch; the authors' release takes the mean, so a learning rate of theirs is one of ours / batch
    # size.
    assert_same(
        found, leaves, lambda a, b: sum(cross_entropy(dot(u, v), y) for u, v, y in zip(a, b, labels, strict=True))
    )


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_contrastive_tension_with_in_batch_negatives(shape, dtype) -> None:
    # Of the library's own making; the paper has no such loss.
    leaves = columns(2, shape, dtype)
    scale = 20.0 if dtype != torch.bfloat16 else 1.0
    loss = losses.ContrastiveTensionLossInBatchNegatives(Given("a"), scale=scale)
    loss.model2.key = "b"
    found = loss([{"a": leaves[0], "b": leaves[1]}], None)  # one column, read by both towers
    assert_same(found, leaves, slow_symmetric(scale))
    assert loss.logit_scale.exp().item() == pytest.approx(scale)
    assert loss.logit_scale.requires_grad


@pytest.mark.parametrize("kind", [losses.ContrastiveTensionLoss, losses.ContrastiveTensionLossInBatchNegatives])
def test_the_two_towers_start_alike_share_nothing_and_the_second_is_the_model(kind, tiny_encoder: Path) -> None:
    model = SentenceTransformer(str(tiny_encoder), device="cpu")
    loss = kind(model)
    assert loss.model2 is model
    other = dict(loss.model1.named_parameters())
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, other[name])
        assert parameter.data_ptr() != other[name].data_ptr()


def test_a_batch_of_contrastive_tension_has_one_equal_pair_for_each_k_unequal_ones() -> None:
    sentences = [f"s{i}" for i in range(200)]
    random.seed(0)
    loader = losses.ContrastiveTensionDataLoader(sentences, batch_size=16, pos_neg_ratio=8)
    batches = list(loader)
    assert len(batches) == len(loader) == 200 // 30
    for batch in batches:
        assert [pair.label for pair in batch] == [1, *[0] * 7] * 2
        assert all((pair.texts[0] == pair.texts[1]) == bool(pair.label) for pair in batch)
    # The paper pairs one sentence s with itself and with K others. Here, as in the authors' release, each unequal pair
    # has two sentences of its own, and (unlike the release, which draws anew each time) none comes twice in a round.
    assert max(Counter(text for batch in batches for pair in batch for text in set(pair.texts)).values()) == 1
    with pytest.raises(ValueError, match="divisible"):
        losses.ContrastiveTensionDataLoader(sentences, batch_size=12, pos_neg_ratio=8)


def test_the_trainer_moves_both_towers(tiny_encoder: Path, tmp_path: Path) -> None:
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    model = SentenceTransformer(str(tiny_encoder), device="cpu")
    loss = losses.ContrastiveTensionLoss(model)
    before = {name: p.detach().clone() for name, p in loss.named_parameters()}
    rows = [("kala", "kala", 1), *[("kala bero", f"text {i}", 0) for i in range(7)]]
    data = Dataset.from_dict({name: [row[i] for row in rows] for i, name in enumerate(("first", "second", "label"))})
    arguments = SentenceTransformerTrainingArguments(
        str(tmp_path), max_steps=1, report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True
    )
    SentenceTransformerTrainer(model=model, args=arguments, train_dataset=data, loss=loss).train()
    moved = {name.partition(".")[0] for name, p in loss.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {"model1", "model2"}


def test_dropout_of_the_copied_tower_is_off_and_of_the_trained_one_on(tiny_encoder: Path) -> None:
    model = SentenceTransformer(str(tiny_encoder), device="cpu")
    loss = losses.ContrastiveTensionLoss(model)
    # The authors' release trains both without dropout. Here the copy is of a loaded model, in evaluation mode, and
    # stays so:
    model.train()  # as the trainer does; the loss's copy is out of its reach

    def drops(tower: torch.nn.Module) -> set[bool]:
        return {m.training for m in tower.modules() if isinstance(m, torch.nn.Dropout)}

    assert (drops(loss.model1), drops(loss.model2)) == ({False}, {True})


# Regression on the cosine: Reimers and Gurevych 1908.10084, section 3; the objective of Augmented SBERT, 2010.08240.


@pytest.mark.parametrize("dtype", TYPES[1:])
@pytest.mark.parametrize("shape", SHAPES)
def test_regression_on_the_cosine(shape, dtype) -> None:
    leaves = columns(2, shape, dtype)
    labels = torch.rand(shape[0], generator=torch.Generator().manual_seed(4))
    found = losses.CosineSimilarityLoss(Given())(features(leaves), labels)
    assert_same(
        found, leaves, lambda a, b: mean([(cos(u, v) - y) ** 2 for u, v, y in zip(a, b, labels.double(), strict=True)])
    )


def test_regression_on_the_cosine_takes_labels_in_float32_only() -> None:
    leaves = columns(2, (3, 4))
    loss = losses.CosineSimilarityLoss(Given())(features(leaves), torch.full((3,), 0.1, dtype=torch.float64))
    rounded = float(torch.tensor(0.1))  # in float64 the labels are rounded on their way in
    assert_same(loss, leaves, lambda a, b: mean([(cos(u, v) - rounded) ** 2 for u, v in zip(a, b, strict=True)]))


# Cross-encoders.


class Scored(CrossEncoder):
    """A cross-encoder whose scores are given: queries and documents are row and column numbers of a table."""

    num_labels = 1
    device = torch.device("cpu")

    def __init__(self, table: Tensor) -> None:
        torch.nn.Module.__init__(self)
        self.table = [table]  # in a list, so that it is no parameter

    def preprocess(self, pairs, **_) -> dict[str, Tensor]:
        return {"scores": torch.stack([self.table[0][int(q), int(d)] for q, d in pairs])[:, None]}

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return features


def table(rows: int, width: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return columns(1, (rows, width), dtype)[0]


@pytest.mark.parametrize("dtype", TYPES[1:])
@pytest.mark.parametrize("labels", [[1, 0, 0, 1], [0.3, 0.9, 0.0, 1.0]])
def test_binary_cross_entropy_of_pairs(labels, dtype) -> None:
    scores = table(2, 2, dtype)
    found = cross_losses.BinaryCrossEntropyLoss(Scored(scores))(
        [["0", "0", "1", "1"], ["0", "1"] * 2], torch.tensor(labels)
    )
    assert_same(
        found, [scores], lambda s: mean([cross_entropy(x, y) for x, y in zip(s.flatten(), labels, strict=True)])
    )


def test_binary_cross_entropy_with_a_weight_of_the_relevant() -> None:
    scores, labels = table(1, 3), [1, 0, 0]
    loss = cross_losses.BinaryCrossEntropyLoss(Scored(scores), pos_weight=torch.tensor(4.0))
    found = loss([["0"] * 3, ["0", "1", "2"]], torch.tensor(labels))
    assert_same(
        found,
        [scores],
        lambda s: mean([cross_entropy(x, y) * (4 if y else 1) for x, y in zip(s[0], labels, strict=True)]),
    )


def shares(values: list[Tensor]) -> list[Tensor]:
    return [(-minus_log_share(values, i)).exp() for i in range(len(values))]


@pytest.mark.parametrize("mini", [None, 1, -1])
def test_listnet(mini) -> None:
    """Cao et al., ICML 2007, section 4: cross-entropy of the two top-one distributions, here a mean over queries."""
    scores = table(2, 3)
    lists, labels = [["0", "1", "2"], ["1", "2"]], [[2.0, 0.0, 1.0], [0.0, 1.0]]

    def slow(s: Tensor) -> Tensor:
        found = []
        for i, (documents, grades) in enumerate(zip(lists, labels, strict=True)):
            logits = [s[i, int(d)] for d in documents]
            target = shares([torch.tensor(g, dtype=torch.float64) for g in grades])
            found.append(sum(t * minus_log_share(logits, k) for k, t in enumerate(target)))
        return mean(found)

    loss = cross_losses.ListNetLoss(Scored(scores), mini_batch_size=mini)
    assert_same(loss([["0", "1"], lists], [torch.tensor(g) for g in labels]), [scores], slow)


def test_listwise_softmax_is_listnet_with_labels_far_apart() -> None:
    """Softmax cross-entropy with one relevant document; of labels 1 and 0 ListNet makes shares of .58 and .21, not of 1
    and 0.
    """
    scores = table(2, 3)
    lists, right = [["0", "1", "2"], ["2", "1"]], [1, 0]
    labels = [torch.tensor([1e4 * (k == r) for k in range(len(d))]) for d, r in zip(lists, right, strict=True)]

    def slow(s: Tensor) -> Tensor:
        rows = zip(range(2), lists, right, strict=True)
        return mean([minus_log_share([s[i, int(d)] for d in documents], r) for i, documents, r in rows])

    assert_same(cross_losses.ListNetLoss(Scored(scores))([["0", "1"], lists], labels), [scores], slow)


def test_in_batch_negatives_of_a_cross_encoder_squash_the_score_first() -> None:
    # By default scores go through a sigmoid and × 10, and 4 of the other rows' documents, mined ones too, are drawn;
    # here all.
    scores = table(3, 6)
    inputs = [["0", "1", "2"], ["0", "1", "2"], ["3", "4", "5"]]

    def slow(s: Tensor) -> Tensor:
        return mean([minus_log_share([10 / (1 + (-x).exp()) for x in s[i]], i) for i in range(3)])

    loss = cross_losses.MultipleNegativesRankingLoss(Scored(scores), num_negatives=None)
    assert_same(loss(inputs, None), [scores], slow)


def test_in_batch_negatives_of_a_cross_encoder_cannot_be_left_out() -> None:
    loss = cross_losses.MultipleNegativesRankingLoss(Scored(table(2, 4)), num_negatives=0)
    with pytest.raises(RuntimeError, match="cannot sample"):
        loss([["0", "1"], ["0", "1"], ["2", "3"]], None)
