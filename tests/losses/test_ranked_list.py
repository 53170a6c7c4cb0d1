from __future__ import annotations

import itertools
import math
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.base.errors import HarnessError, SettingError
from harness.losses.ranked_list import RankedList, ranked_list_loss, scaled_alpha, unit_distances


def slow(distances, positive, valid, alpha, margin, temperature, balance):
    """The loss and its gradient by the distances, as in section 3 of 1903.03238, with the weights as constants."""
    queries = len(distances)
    total, gradient = 0.0, [[0.0] * len(row) for row in distances]
    for i, row in enumerate(distances):
        far = [j for j, d in enumerate(row) if valid[i][j] and positive[i][j] and d > alpha - margin]
        near = [j for j, d in enumerate(row) if valid[i][j] and not positive[i][j] and d < alpha]
        for j in far:
            total += (1 - balance) * (row[j] - (alpha - margin)) / len(far) / queries
            gradient[i][j] += (1 - balance) / len(far) / queries
        top = max((temperature * (alpha - row[j]) for j in near), default=0.0)
        weights = {j: math.exp(temperature * (alpha - row[j]) - top) for j in near}
        for j in near:
            share = weights[j] / sum(weights.values())
            total += balance * share * (alpha - row[j]) / queries
            gradient[i][j] -= balance * share / queries
    return total, gradient


def slow_module(queries, columns, labels, loss: RankedList):
    """The loss of lists of vectors, pair by pair: column by column, the first copy of a document is the one that
    counts.
    """
    seen, documents = set(), []
    for column, i in itertools.product(range(len(columns)), range(len(queries))):
        if labels[i][column] != -1 and labels[i][column] not in seen:
            seen.add(labels[i][column])
            documents.append((labels[i][column], columns[column][i]))

    def distance(u, v):
        lengths = math.sqrt(sum(x * x for x in u)) * math.sqrt(sum(x * x for x in v))
        return math.sqrt(max(0.0, 2 - 2 * sum(x * y for x, y in zip(u, v, strict=True)) / lengths))

    own = [{n for k, n in enumerate(row) if k < loss.positives or k >= len(columns)} for row in labels]
    return slow(
        [[distance(query, vector) for _, vector in documents] for query in queries],
        [[number in own[i] for number, _ in documents] for i in range(len(queries))],
        [[True] * len(documents) for _ in queries],
        loss.alpha,
        loss.margin,
        loss.temperature,
        loss.balance,
    )[0]


def some(queries: int, documents: int, seed: int = 0, dtype: torch.dtype = torch.float64):
    draw = torch.Generator().manual_seed(seed)
    distances = torch.rand(queries, documents, generator=draw, dtype=torch.float64) * 2
    positive = torch.rand(queries, documents, generator=draw) < 0.3
    valid = torch.rand(queries, documents, generator=draw) < 0.8
    return distances.to(dtype), positive, valid


SETTINGS = [
    (1.2, 0.4, 10.0, 0.5),
    (1.2, 0.4, 0.0, 0.5),
    (0.7, 0.2, 3.0, 0.1),
    (2.0, 1.9, 50.0, 1.0),
    (1.0, 0.5, 1.0, 0.0),
]


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (4, 12), (9, 40)])
@pytest.mark.parametrize("chosen", SETTINGS)
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 1e-5), (torch.float16, 1e-5)],
)
def test_it_is_the_papers_formula_and_so_is_its_gradient(shape, chosen, dtype, tolerance) -> None:
    distances, positive, valid = some(*shape, dtype=dtype)
    distances.requires_grad_()
    found = ranked_list_loss(distances, positive, valid, *chosen)
    found.backward()
    # The oracle is given the numbers as the type holds them, so what is left is the rounding of the loss itself.
    value, gradient = slow(distances.detach().double().tolist(), positive.tolist(), valid.tolist(), *chosen)
    assert found.item() == pytest.approx(value, abs=tolerance)
    narrow = (
        1e-2 if dtype in (torch.bfloat16, torch.float16) else tolerance
    )  # the gradient comes back in the type of the input
    torch.testing.assert_close(
        distances.grad.double(), torch.tensor(gradient, dtype=torch.float64), atol=tolerance, rtol=narrow
    )


@given(st.data())
@settings(max_examples=60)
def test_it_is_the_papers_formula_whatever_the_distances(data: st.DataObject) -> None:
    queries, documents = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    cell = st.tuples(st.floats(0, 2), st.booleans(), st.booleans())
    rows = data.draw(
        st.lists(st.lists(cell, min_size=documents, max_size=documents), min_size=queries, max_size=queries)
    )
    alpha = data.draw(st.floats(0.05, 2))
    chosen = alpha, data.draw(st.floats(0.01, 0.99)) * alpha, data.draw(st.floats(0, 1e4)), data.draw(st.floats(0, 1))
    distances, positive, valid = ([[c[k] for c in row] for row in rows] for k in range(3))
    held = torch.tensor(distances, dtype=torch.float64, requires_grad=True)
    found = ranked_list_loss(held, torch.tensor(positive), torch.tensor(valid), *chosen)
    found.backward()
    value, gradient = slow(distances, positive, valid, *chosen)
    assert found.item() == pytest.approx(value, abs=1e-12)
    np.testing.assert_allclose(held.grad.numpy(), gradient, atol=1e-12)


def test_the_gradient_is_that_of_finite_differences_where_no_weight_moves() -> None:
    distances, positive, valid = some(4, 9, seed=3)
    distances.requires_grad_()
    assert torch.autograd.gradcheck(lambda d: ranked_list_loss(d, positive, valid, 1.2, 0.4, 0.0, 0.5), distances)
    with pytest.raises(
        torch.autograd.gradcheck.__globals__["GradcheckError"]
    ):  # with T the weights move, and are held constant
        torch.autograd.gradcheck(lambda d: ranked_list_loss(d, positive, valid, 1.2, 0.4, 10.0, 0.5), distances)


def test_the_gradient_through_the_distances_is_that_of_finite_differences() -> None:
    draw = torch.Generator().manual_seed(5)
    queries, documents = (torch.randn(n, 4, generator=draw, dtype=torch.float64, requires_grad=True) for n in (3, 6))
    assert torch.autograd.gradcheck(unit_distances, (queries, documents))


def test_without_temperature_it_is_a_plain_mean_and_with_a_large_one_the_nearest_alone() -> None:
    distances = torch.tensor([[0.3, 0.9, 1.1, 1.5]], dtype=torch.float64)
    none, all_ = torch.zeros(1, 4, dtype=torch.bool), torch.ones(1, 4, dtype=torch.bool)
    plain = ranked_list_loss(distances, none, all_, 1.2, 0.4, 0.0, 1.0)
    assert plain.item() == pytest.approx((0.9 + 0.3 + 0.1) / 3)
    for temperature in (200.0, 1e4, 1e6):
        assert ranked_list_loss(distances, none, all_, 1.2, 0.4, temperature, 1.0).item() == pytest.approx(0.9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("temperature", [100.0, 1e4, 1e6])
def test_a_large_temperature_does_not_overflow(dtype, temperature) -> None:
    distances, positive, valid = some(6, 20, dtype=dtype)
    distances[0] = 0
    distances.requires_grad_()
    found = ranked_list_loss(distances, positive, valid, 2.0, 0.4, temperature, 0.5)
    found.backward()
    assert found.isfinite()
    assert distances.grad.isfinite().all()


@pytest.mark.parametrize(
    ("distance", "positive", "valid", "value"),
    [
        (1.5, False, True, 0.0),  # a negative far enough
        (0.5, True, True, 0.0),  # a positive near enough
        (1.5, True, False, 0.0),  # would be amiss, does not count
        (0.5, False, False, 0.0),
        (1.5, True, True, 0.35),  # .5 · (1.5 − .8), and no negative
        (0.5, False, True, 0.35),  # .5 · (1.2 − .5), and no positive
    ],
)
def test_an_empty_side_adds_nothing_and_the_gradient_still_flows(distance, positive, valid, value) -> None:
    distances = torch.tensor([[distance]], requires_grad=True)
    found = ranked_list_loss(distances, torch.tensor([[positive]]), torch.tensor([[valid]]), 1.2, 0.4, 10.0, 0.5)
    assert found.item() == pytest.approx(value)
    found.backward()
    assert distances.grad.item() == pytest.approx(0.0 if value == 0 else math.copysign(0.5, 1 if positive else -1))


def test_on_the_boundary_nothing_is_amiss() -> None:
    distances = torch.tensor([[0.75, 1.25]], dtype=torch.float64, requires_grad=True)
    found = ranked_list_loss(
        distances, torch.tensor([[True, False]]), torch.ones(1, 2, dtype=torch.bool), 1.25, 0.5, 10, 0.5
    )
    found.backward()
    assert found.item() == 0
    assert distances.grad.tolist() == [[0, 0]]


def test_a_distance_that_is_no_number_is_not_hidden_unless_it_counts_for_nothing() -> None:
    distances = torch.tensor([[math.nan, 0.5]])
    positive = torch.tensor([[False, False]])
    assert ranked_list_loss(distances, positive, torch.tensor([[True, True]]), 1.2, 0.4, 10, 0.5).isnan()
    assert ranked_list_loss(
        distances, positive, torch.tensor([[False, True]]), 1.2, 0.4, 10, 0.5
    ).item() == pytest.approx(0.35)


@given(st.integers(0, 10**6), st.floats(0.01, 0.5))
@settings(max_examples=40)
def test_a_relevant_document_drawn_in_or_another_pushed_out_never_raises_the_loss(seed: int, step: float) -> None:
    distances, positive, valid = some(3, 8, seed=seed)
    chosen = (1.2, 0.4, 0.0, 0.5)
    i, j = seed % 3, seed % 8
    moved = distances.clone()
    moved[i, j] += -step if positive[i, j] else step
    # Only where the set of those amiss stays as it was: a mean can rise when a member of it leaves.
    limit = 0.8 if positive[i, j] else 1.2
    same = (distances[i, j] > limit) == (moved[i, j] > limit)
    before, after = (ranked_list_loss(d, positive, valid, *chosen) for d in (distances, moved))
    assert not same or after <= before


def test_distances_are_euclidean_with_a_finite_gradient_at_0() -> None:
    draw = torch.Generator().manual_seed(1)
    queries, documents = torch.randn(5, 8, generator=draw), torch.randn(7, 8, generator=draw)
    exact = [
        [math.dist(u / np.linalg.norm(u), v / np.linalg.norm(v)) for v in documents.double().numpy()]
        for u in queries.double().numpy()
    ]
    np.testing.assert_allclose(unit_distances(queries.double(), documents.double()).numpy(), exact, atol=1e-12)
    np.testing.assert_allclose(unit_distances(queries, documents).numpy(), exact, atol=1e-5)
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        same = queries.to(dtype, copy=True).requires_grad_()
        found = unit_distances(same, same.detach() * 4)
        found.sum().backward()
        assert found.diagonal().abs().max() < 1e-3
        assert same.grad.isfinite().all()
        assert same.grad.abs().max() < 100
    plain = unit_distances(queries, documents)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(unit_distances(queries, documents), plain)


def columns_of(queries: int, columns: int, seed: int = 0, dimension: int = 5) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [
        torch.randn(queries, dimension, generator=draw, dtype=torch.float64).requires_grad_()
        for _ in range(1 + columns)
    ]


def loss_of(loss: RankedList, vectors: list[torch.Tensor], labels: list[list[int]]) -> torch.Tensor:
    module = loss.build(torch.nn.Identity())  # the vectors are given, so no encoder is asked
    return module.compute_loss_from_embeddings(vectors, torch.tensor(labels))


def vectors_of_numbers(vectors: list[torch.Tensor], labels: list[list[int]]) -> list[torch.Tensor]:
    """The same number has the same vector wherever it stands, as the same text has."""
    held: dict[int, torch.Tensor] = {}
    columns = [v.detach().clone() for v in vectors]
    for c, i in itertools.product(range(1, len(columns)), range(len(columns[0]))):
        columns[c][i] = held.setdefault(labels[i][c - 1], columns[c][i].clone())
    return columns


@given(st.integers(0, 10**6))
@settings(max_examples=60)
def test_the_module_is_the_slow_loop_over_numbered_documents(seed: int) -> None:
    rng = random.Random(seed)
    queries, columns = rng.randint(1, 5), rng.randint(1, 4)
    loss = RankedList(
        alpha=1.4,
        temperature=rng.choice([0, 2, 10]),
        balance=rng.choice([0.2, 0.5]),
        positives=rng.randint(1, columns),
        other_positives=rng.randint(0, 2),
    )
    labels = [[rng.randint(-1, 8) for _ in range(columns + loss.other_positives)] for _ in range(queries)]
    vectors = vectors_of_numbers(columns_of(queries, columns, seed), labels)
    expected = slow_module(vectors[0].tolist(), [c.tolist() for c in vectors[1:]], labels, loss)
    assert loss_of(loss, vectors, labels).item() == pytest.approx(expected, abs=1e-9)


PLAIN = RankedList(alpha=1.9, margin=1.5)


def test_a_document_of_two_rows_is_relevant_for_both_and_counts_once() -> None:
    vectors = columns_of(2, 1)
    shared = vectors[1].detach()[:1].repeat(2, 1).requires_grad_()
    loss_of(PLAIN, [vectors[0], shared], [[7], [7]]).backward()
    assert shared.grad[0].abs().max() > 0
    assert shared.grad[1].tolist() == [0] * 5  # its second copy
    pull = -vectors[0].grad  # both queries are drawn to it: no row's negative
    assert (pull * shared.detach()).sum(dim=1).min() > 0


def test_a_relevant_document_is_so_where_another_row_mined_it() -> None:
    vectors = vectors_of_numbers(columns_of(2, 2), [[1, 2], [3, 1]])
    document = vectors[2][1:].clone()
    known = loss_of(PLAIN, vectors, [[1, 2], [3, 1]])
    other = loss_of(PLAIN, [*vectors[:2], torch.cat([vectors[2][:1], document])], [[1, 2], [3, 9]])
    assert known != other  # as document 9 it would be a negative of query 0


def test_other_positives_are_relevant_though_no_column_of_the_row_holds_them() -> None:
    vectors = columns_of(2, 1)
    without, with_ = (
        loss_of(PLAIN if not n else RankedList(alpha=1.9, margin=1.5, other_positives=n), vectors, labels)
        for n, labels in ((0, [[1], [2]]), (1, [[1, 2], [2, -1]]))
    )
    expected = [
        slow_module(
            vectors[0].tolist(), [vectors[1].tolist()], labels, RankedList(alpha=1.9, margin=1.5, other_positives=n)
        )
        for n, labels in ((0, [[1], [2]]), (1, [[1, 2], [2, -1]]))
    ]
    assert [without.item(), with_.item()] == pytest.approx(expected)
    assert without != with_


def test_no_document_counts_for_nothing_and_a_batch_of_none_has_a_gradient() -> None:
    vectors = columns_of(3, 2)
    found = loss_of(PLAIN, vectors, [[1, -1], [2, -1], [-1, -1]])
    found.backward()
    assert vectors[2].grad.abs().max() == 0
    assert vectors[1].grad[2].abs().max() == 0
    assert vectors[1].grad[:2].abs().min() > 0
    vectors = columns_of(3, 2)
    empty = loss_of(PLAIN, vectors, [[-1, -1]] * 3)
    empty.backward()
    assert empty.item() == 0
    assert all(v.grad.abs().max() == 0 for v in vectors)


def test_only_the_query_moves_where_so_chosen() -> None:
    labels = [[1, 2], [3, 4]]
    both, queries = columns_of(2, 2), columns_of(2, 2)
    first = loss_of(RankedList(alpha=1.9), both, labels)
    second = loss_of(RankedList(alpha=1.9, query_gradient_only=True), queries, labels)
    first.backward()
    second.backward()
    assert first.item() == second.item()
    assert torch.equal(both[0].grad, queries[0].grad)
    assert both[1].grad.abs().max() > 0
    assert queries[1].grad is None


class Watched(torch.nn.Module):
    """An encoder whose vectors are given, and which notes whether a gradient was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bool] = []

    def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        self.asked.append(torch.is_grad_enabled())
        return features


@pytest.mark.parametrize("alone", [False, True])
def test_documents_are_encoded_without_a_gradient_where_only_the_query_moves(alone) -> None:
    model = Watched()
    vectors = columns_of(2, 2)
    found = RankedList(alpha=1.9, query_gradient_only=alone).build(model)(
        ({"sentence_embedding": v} for v in vectors), torch.tensor([[1, 2], [3, 4]])
    )
    found.backward()
    assert model.asked == [True, not alone, not alone]
    assert torch.is_grad_enabled()
    with torch.no_grad():
        RankedList(query_gradient_only=alone).build(model)(
            [{"sentence_embedding": v} for v in vectors], torch.tensor([[1, 2], [3, 4]])
        )
    assert not any(model.asked[3:])
    assert [v.grad is None for v in vectors] == [False, alone, alone]


def test_the_trainer_trains_with_it_on_lists_of_numbers(tiny_encoder: Path, tmp_path: Path) -> None:
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )

    model = SentenceTransformer(str(tiny_encoder), device="cpu")
    loss = RankedList(temperature=5.0).build(model)
    before = [p.detach().clone() for p in model.parameters()]
    rows = {"query": ["kala", "bero"], "first": ["one", "two"], "second": ["three", "four"], "label": [[1, 2], [3, -1]]}
    arguments = SentenceTransformerTrainingArguments(
        str(tmp_path), max_steps=2, report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True
    )
    SentenceTransformerTrainer(model=model, args=arguments, train_dataset=Dataset.from_dict(rows), loss=loss).train()
    assert any(not torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))
    assert loss.get_config_dict()["temperature"] == 5.0


def test_half_precision_vectors_are_compared_in_float32() -> None:
    vectors = [v.detach().to(torch.bfloat16).requires_grad_() for v in columns_of(4, 3, dimension=16)]
    labels = [[4 * i + c for c in range(3)] for i in range(4)]
    found = loss_of(RankedList(), vectors, labels)
    found.backward()
    exact = loss_of(RankedList(), [v.detach().double() for v in vectors], labels)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(exact.item(), abs=1e-6)
    assert all(v.grad.dtype == torch.bfloat16 and v.grad.isfinite().all() for v in vectors)


@pytest.mark.parametrize(
    "labels",
    [
        None,
        torch.zeros(2, 3),
        torch.zeros(2, 2, dtype=torch.long),
        torch.zeros(2, dtype=torch.long),
        torch.ones(3, 3).long(),
    ],
)
def test_other_labels_than_numbers_of_the_documents_are_refused(labels) -> None:
    module = RankedList().build(torch.nn.Identity())
    with pytest.raises(HarnessError, match=r"whole numbers of shape \(2, 3\)"):
        module.compute_loss_from_embeddings(columns_of(2, 3), labels)


def test_fewer_columns_than_relevant_documents_are_refused() -> None:
    with pytest.raises(HarnessError, match="positives=2"):
        loss_of(RankedList(positives=2), columns_of(2, 1), [[1], [2]])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"alpha": 0}, "alpha must be above 0 and at most 2"),
        ({"alpha": 2.1}, "alpha must be above 0 and at most 2"),
        ({"alpha": math.nan}, "alpha must be"),
        ({"margin": 0}, "margin must be above 0"),
        ({"margin": 1.2}, "margin must be below alpha"),
        ({"temperature": -1}, "temperature must be between 0"),
        ({"temperature": math.inf}, "temperature must be between 0 and 1000000 and finite"),
        ({"balance": 1.1}, "balance must be between 0 and 1"),
        ({"positives": 0}, "positives must be 1 or more"),
        ({"other_positives": -1}, "other_positives must be 0 or more"),
    ],
)
def test_settings_out_of_range_are_refused(changed, words) -> None:
    with pytest.raises(SettingError, match=words):
        RankedList(**changed)


def test_an_alpha_is_a_quantile_of_the_distances() -> None:
    assert scaled_alpha([0.6, 0.7, 0.8]) == pytest.approx(0.7)
    assert scaled_alpha(np.array([[0.6, 0.7], [0.8, 0.9]], dtype=np.float32), 1) == pytest.approx(0.9)
    assert scaled_alpha([2.0004], 0.5) == 2  # rounding of a kernel
    rng = np.random.default_rng(0)
    sample = rng.uniform(0.45, 0.9, 1001)
    assert (sample < scaled_alpha(sample)).mean() == pytest.approx(0.5, abs=0.01)
    RankedList(alpha=scaled_alpha(sample), margin=scaled_alpha(sample) / 3)


@pytest.mark.parametrize("wrong", [[], [math.nan], [-0.1], [2.5], [0.0]])
def test_no_alpha_comes_of_what_is_no_distance(wrong) -> None:
    with pytest.raises(HarnessError, match="scaled_alpha"):
        scaled_alpha(wrong)


@pytest.mark.parametrize("quantile", [-0.1, 1.1, math.nan])
def test_a_quantile_out_of_range_is_refused(quantile) -> None:
    with pytest.raises(SettingError, match="between 0 and 1"):
        scaled_alpha([0.5], quantile)
