"""Frozen head: the encoder stays bit for bit, the head is all that learns, and it starts as nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from harness.base.errors import ModelError, SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.measures import means, parse_measures, per_query
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Run
from harness.methods import fit, index, search
from harness.methods.dense import Dense
from harness.recipes.frozen_head import FrozenHead
from harness.runtime.context import Context
from harness.training.trained import with_recipes


def fitted(view: TrainView, context: Context, model: Path, **settings: Any) -> Any:
    return fit(with_recipes(Dense(str(model)), (FrozenHead(budget="smoke", **settings),)), view, context)


def dev_ndcg(view: TrainView, method: Dense, context: Context) -> float:
    assert view.dev is not None
    top = search(method, index(method, fit(method, view, context), view.corpus, context), view.dev.queries, 10, context)
    return means(per_query(parse_measures(["nDCG@10"]), view.dev.qrels, Run.of(view.dev.queries, top, view.corpus)))[
        "nDCG@10"
    ]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Spies on the head and the loss: what the head was given, its weights then, and the loss."""
    from sentence_transformers.sentence_transformer.modules import Dense as Layer

    seen: list[Any] = []
    forward, entropy = Layer.forward, torch.nn.functional.cross_entropy

    def spy_forward(self: Any, features: dict[str, Any]) -> Any:
        if torch.is_grad_enabled():
            seen.append((features["sentence_embedding"].clone(), self.linear.weight.detach().clone()))
        return forward(self, features)

    def spy_entropy(logits: Any, target: Any, *more: Any, **named: Any) -> Any:
        value = entropy(logits, target, *more, **named)
        seen.append((logits.detach().clone(), value.item()))
        return value

    monkeypatch.setattr(Layer, "forward", spy_forward)
    monkeypatch.setattr(torch.nn.functional, "cross_entropy", spy_entropy)
    return seen


def test_nothing_but_the_head_changes(view: TrainView, context: Context, tiny_encoder: Path) -> None:
    model = fitted(view, context, tiny_encoder, choose="last").encoder.model
    before = dict(SentenceTransformer(str(tiny_encoder), device="cpu").named_parameters())
    after = dict(model.named_parameters())
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert set(after) - set(before) == {next(n for n in after if n not in before)}
    head = after[next(n for n in after if n not in before)]
    assert head.shape == (32, 32)
    assert not torch.equal(head, torch.eye(32))
    assert [type(m).__name__ for m in model] == ["Transformer", "Pooling", "Normalize", "Dense", "Normalize"]


def test_it_starts_as_the_identity_and_so_from_the_ranking_of_the_untrained_row(
    view: TrainView, context: Context, tiny_encoder: Path
) -> None:
    told = fitted(view, context, tiny_encoder).resolved["training"][0]
    assert told["dev"][0] == (0, pytest.approx(dev_ndcg(view, Dense(str(tiny_encoder)), context), abs=1e-6))


@pytest.mark.parametrize(
    "settings",
    [{"epochs": 20}, {"activation": "tanh"}, {"out": 8}, {"out": 40}, {"choose": "last"}, {"sides": "query"}],
)
def test_the_saved_model_gives_what_dev_saw_in_training(
    settings: dict[str, Any], view: TrainView, context: Context, tiny_encoder: Path
) -> None:
    recipe = FrozenHead(budget="smoke", **settings)
    row = with_recipes(Dense(str(tiny_encoder)), (recipe,))
    found: Any = fit(row, view, context)
    told = found.resolved["training"][0]
    width = settings.get("out", 32)
    assert found.encoder.encode(["wing"], "query").shape == (1, width)
    assert told["facts"]["head_parameters"] == 32 * width
    if told["dev"]:
        best = dict(told["dev"])[told["chosen"]]
        if 0 < told["average"] < 1:
            best = told["facts"]["dev_by_average"][f"{told['average']:g}"]
        assert best == pytest.approx(dev_ndcg(view, row, context), abs=1e-6)


def test_on_the_query_side_alone_documents_keep_their_vectors(
    view: TrainView, context: Context, tiny_encoder: Path
) -> None:
    found = fitted(view, context, tiny_encoder, sides="query", choose="last", epochs=8)
    plain: Any = fit(Dense(str(tiny_encoder)), view, context)
    texts = view.corpus.texts[:5]
    documents = found.encoder.vectors(texts, "document").block(0, 5)
    assert np.array_equal(documents, plain.encoder.vectors(texts, "document").block(0, 5))
    queries = found.encoder.vectors(texts, "query").block(0, 5)
    assert not np.allclose(queries, documents, atol=1e-3)
    loaded = SentenceTransformer(str(found.encoder.folder.path), device="cpu")
    assert np.allclose(loaded.encode_query(texts), queries, atol=1e-5)
    assert np.allclose(loaded.encode_document(texts), documents, atol=1e-5)
    assert np.allclose(found.encoder.encode_uncached(texts, "query"), queries, atol=1e-5)
    assert np.allclose(found.encoder.encode(texts, "query"), queries, atol=1e-5)
    assert np.allclose(found.encoder.encode(texts, "document"), documents, atol=1e-5)


def test_a_layer_that_changes_documents_is_refused_on_the_query_side() -> None:
    with pytest.raises(SettingError, match="out and activation change both sides"):
        FrozenHead(sides="query", out=8)


def test_the_loss_is_over_the_batch_by_hand_without_what_is_relevant_elsewhere(
    view: TrainView, context: Context, tiny_encoder: Path, batches: list[Any]
) -> None:
    told = fitted(view, context, tiny_encoder, choose="last", batch=20, negatives=2, scale=15.0).resolved["training"][0]
    assert view.train is not None
    encoder: Any = fit(Dense(str(tiny_encoder)), view, context).encoder  # type: ignore[attr-defined]
    vectors = encoder.encode(view.corpus.texts[:], "document")
    asked = encoder.encode(view.train.queries.texts, "query")
    relevant = [set(view.corpus.rows(list(view.train.qrels[q])).tolist()) for q in view.train.queries.ids]
    (queries, weight), (documents, _), (_, loss) = batches[:3]
    numbers = [int(np.argmin(np.abs(asked - q.numpy()).sum(axis=1))) for q in queries]
    rows = [int(np.argmin(np.abs(vectors - d.numpy()).sum(axis=1))) for d in documents]
    assert len(numbers) == 20
    assert len(rows) == 60

    def turned(vector: Any) -> Any:
        moved = weight.numpy().astype(np.float64) @ vector.numpy()
        return moved / np.linalg.norm(moved)

    by_hand, left_out = 0.0, 0
    for i, (query, number) in enumerate(zip(queries, numbers, strict=True)):
        own = 15.0 * turned(query) @ turned(documents[i])
        total = 0.0
        for j, (document, row) in enumerate(zip(documents, rows, strict=True)):
            if j != i and row in relevant[number]:
                left_out += 1
                continue
            total += math.exp(15.0 * turned(query) @ turned(document) - own)
        by_hand += math.log(total) / 20
    assert left_out > 5  # of two pairs of one query, each has the other's document for no negative
    assert loss == pytest.approx(by_hand, rel=1e-4)
    assert told["loss"][0][1] == pytest.approx(loss, abs=1e-5)


def test_a_pull_to_the_start_keeps_the_head_near_it(view: TrainView, context: Context, tiny_encoder: Path) -> None:
    far = {}
    for decay in (0.0, 100.0):
        model = fitted(view, context, tiny_encoder, decay=decay, choose="last", epochs=8).encoder.model
        far[decay] = float((model[3].linear.weight.detach() - torch.eye(32)).norm())
    assert far[100.0] < far[0.0] / 3


def test_what_is_said_of_the_schedule_is_the_schedules(view: TrainView, context: Context, tiny_encoder: Path) -> None:
    schedule = fitted(view, context, tiny_encoder, decay=0.5).resolved["training"][0]["schedule"]
    assert schedule["decay"] == "linear"  # the head's own setting of that name is another thing
    assert schedule["precision"] == "fp32"


def test_a_loss_that_is_not_a_number_stops_it(view: TrainView, context: Context, tiny_encoder: Path) -> None:
    with pytest.raises(ModelError, match=r"frozen_head: the loss is not a number at step .* lower learning_rate"):
        fitted(view, context, tiny_encoder, learning_rate=1e30, epochs=50)


def test_training_leaves_the_global_random_state_alone(view: TrainView, context: Context, tiny_encoder: Path) -> None:
    state = torch.get_rng_state()
    fitted(view, context, tiny_encoder, out=8)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_document_that_a_query_is_itself_is_no_negative_in_the_batch(
    context: Context, tiny_encoder: Path, batches: list[Any]
) -> None:
    """Documents 10 to 19 ask for 0 to 9, and these for them, so that each query is a positive of the batch."""
    ids = [f"d{n:02}" for n in range(20)]
    corpus = Corpus.of([(i, f"title {i}", f"text of {i}") for i in ids])
    judged = {i: {ids[(n + 10) % 20]: 1} for n, i in enumerate(ids)}
    queries = Queries(ids, [f"text of {i}" for i in ids])
    for own, barred in ((frozenset(ids), 2), (frozenset[str](), 1)):
        batches.clear()
        fitted(TrainView(corpus, train=Labelled(queries, judged, own)), context, tiny_encoder, batch=20, negatives=0)
        logits = next(first for first, second in batches if isinstance(second, float))
        assert logits.shape == (20, 20)
        assert set((torch.isinf(logits)).sum(dim=1).tolist()) == {barred - 1}
