from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sentence_transformers.util import cos_sim

from harness.losses._gold_and_silver import Settings, gold_and_silver

SCALE, INTERCEPT, DOCUMENTS = 5.0, 0.3, 50


def slow(vectors: list[np.ndarray], labels: list[list[float]], weight: float, known: set[tuple[int, int]]) -> float:
    """Row by row and document by document."""
    queries, *columns = vectors
    count = len(columns)
    entropies, errors = [], []
    for i, label in enumerate(labels):
        own = [SCALE * float(queries[i] @ column[i]) for column in columns]
        is_gold = label[1] == 1
        for a in range(count):
            for b in range(a + 1, count):
                wanted = label[2 + count + a] - label[2 + count + b]
                if is_gold and a == 0 and wanted < 0:
                    continue
                errors.append((own[a] - own[b] - wanted - (INTERCEPT if a == 0 else 0)) ** 2)
        if not is_gold:
            continue
        others = 0.0
        for place, column in enumerate(columns):
            for j in range(len(labels)):
                is_target = place == 0 and j == i
                is_own_silver = place == count - 1 and j == i
                if not is_target and (is_own_silver or (int(label[0]), int(labels[j][2 + place])) in known):
                    continue
                others += math.exp(SCALE * float(queries[i] @ column[j]))
        entropies.append(math.log(others) - own[0])
    return (float(np.mean(entropies)) if entropies else 0.0) + weight * float(np.mean(errors))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("weight", [0.0, 0.1, 2.0])
def test_it_is_the_cross_entropy_of_gold_and_the_margins_of_all(seed: int, weight: float) -> None:
    rng = np.random.default_rng(seed)
    size, count = 5, 3
    vectors = [rng.normal(size=(size, 4)) for _ in range(1 + count)]
    vectors = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in vectors]
    labels = [
        [float(q), float(rng.integers(2)), *rng.integers(8, size=count).tolist(), *rng.normal(size=count).tolist()]
        for q in rng.integers(3, size=size)
    ]
    known = {(int(label[0]), int(label[2])) for label in labels} | {(0, 1), (2, 5)}
    keys = sorted(query * DOCUMENTS + document for query, document in known)
    settings = Settings(cos_sim, SCALE, weight, INTERCEPT, DOCUMENTS, torch.tensor(keys))
    loss = gold_and_silver(torch.nn.Identity(), settings)
    found = loss.compute_loss_from_embeddings([torch.from_numpy(each) for each in vectors], torch.tensor(labels))
    assert found.item() == pytest.approx(slow(vectors, labels, weight, known), rel=1e-4)


def test_a_margin_that_the_teacher_has_the_wrong_way_round_does_not_move_a_gold_document() -> None:
    """The defect of learning `max(0, margin)`: the student is right, and was pulled to 0."""
    settings = Settings(cos_sim, SCALE, 1.0, 0.0, DOCUMENTS, torch.tensor([0]))
    loss = gold_and_silver(torch.nn.Identity(), settings)
    query = torch.tensor([[1.0, 0.0]])
    gold, silver = torch.tensor([[0.9, 0.1]], requires_grad=True), torch.tensor([[0.2, 0.9]], requires_grad=True)
    loss.compute_loss_from_embeddings([query, gold, silver], torch.tensor([[0.0, 1.0, 0.0, 1.0, -3.0, 3.0]])).backward()
    assert gold.grad is not None
    assert gold.grad.abs().max() == 0
