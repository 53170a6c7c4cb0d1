"""Learning to rank: features by a slow loop, LightGBM and scikit-learn used directly, folds that hide labels."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness import api
from harness.base.errors import HarnessError, Unavailable
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.queries import Labelled, Queries
from harness.data.ranking import TopK
from harness.methods import NO_LABELS, TRAIN_LABELS, Fitted, Searcher, fit, index, search
from harness.methods._ltr_features import KINDS, features, judged
from harness.methods._ltr_learners import CUT, LambdaMART, Learning, Linear, best_trees
from harness.methods.bm25 import BM25
from harness.methods.hybrid import Hybrid
from harness.methods.ltr import LTR
from harness.methods.memory import Memory
from harness.rows import parse_method
from harness.runtime.context import Context

TWO = (BM25(), BM25(k1=2, b=1))
SMALL = {"methods": TWO, "trees": 10, "folds": 3}


def top(*rankings: list[tuple[int, float]]) -> TopK:
    k = max(map(len, rankings))
    indices, scores = np.full((len(rankings), k), -1), np.full((len(rankings), k), -np.inf, np.float32)
    for place, ranking in enumerate(rankings):
        for rank, (row, score) in enumerate(ranking):
            indices[place, rank], scores[place, rank] = row, score
    return TopK(indices, scores)


def test_features_are_those_of_a_slow_loop() -> None:
    rankings = [[[(4, 9.0), (1, 5.0), (2, 1.0)], [(0, 2.0)]], [[(2, 0.5), (7, 0.25)], []]]
    for place, found in enumerate(features([top(*rows) for rows in rankings])):
        documents = sorted({row for rows in rankings for row, _ in rows[place]})
        assert found.rows.tolist() == documents
        for document, values in zip(documents, found.values, strict=True):
            expected: list[float] = []
            for rows in rankings:
                scores = [score for _, score in rows[place]]
                ranks = {row: rank for rank, (row, _) in enumerate(rows[place], 1)}
                if document in ranks:
                    score = scores[ranks[document] - 1]
                    spread = max(scores) - min(scores)
                    expected += [score, (score - min(scores)) / spread if spread else 1, 1 / (60 + ranks[document]), 1]
                else:
                    expected += [min(scores, default=0), 0, 0, 0]
            assert values.tolist() == pytest.approx(expected)


def test_judged_candidates_have_grades_and_lack_the_query_itself() -> None:
    corpus = Corpus.of([(name, "", name) for name in ("a", "b", "c", "q")])
    split = Labelled(Queries(["q"], ["x"]), {"q": {"a": 2, "c": -1, "lost": 1}}, frozenset({"q"}))
    (found,) = judged(split, [top([(3, 4.0), (0, 3.0), (1, 2.0), (2, 1.0)])], corpus)
    assert found.rows.tolist() == [0, 1, 2]
    assert found.grades.tolist() == [2, 0, 0]
    assert found.values[0, KINDS.index("reciprocal rank")] == 1 / 62  # the query itself was ranked, as in a search


@pytest.fixture
def small_folder(small_folder: Path) -> Path:
    """Only half of each topic's documents are relevant, else BM25 finds nothing that is not."""
    for path in (small_folder / "qrels").iterdir():
        first, *lines = path.read_text().splitlines(keepends=True)
        path.write_text(first + "".join(line for line in lines if line.split("\t")[1][-1] in "012"))
    return small_folder


@pytest.fixture
def labelled(small: Dataset) -> Labelled:
    view = small.train
    assert view.train is not None
    assert view.dev is not None
    parts = (view.train, view.dev)
    ids, texts = ([x for part in parts for x in getattr(part.queries, name)] for name in ("ids", "texts"))
    return Labelled(Queries(ids, texts), {**view.train.qrels, **view.dev.qrels})


def test_lightgbm_used_directly_on_the_same_features_gives_the_same_scores(
    small: Dataset, context: Context, labelled: Labelled, searcher_of: Callable[..., Searcher]
) -> None:
    lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    method = LTR(**SMALL)
    fitted = fit(method, small.train, context)
    parts = [searcher_of(row, small.corpus) for row in TWO]
    rankings = [part.search(labelled.queries, 100) for part in parts]
    taught = [each for each in judged(labelled, rankings, small.corpus) if each.teaches]
    data = lightgbm.Dataset(
        np.concatenate([c.values for c in taught]),
        label=np.concatenate([c.grades for c in taught]),
        group=[len(c.rows) for c in taught],
    )
    booster = lightgbm.train(
        {
            "objective": "lambdarank", "num_leaves": 8, "learning_rate": 0.05, "label_gain": [0, 1],
            "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
        },
        data,
        fitted.resolved["trees"],
    )  # fmt: skip
    queries = small.test.queries
    found = index(method, fitted, small.corpus, context).search(queries, 60)
    candidates = features([part.search(queries, 100) for part in parts])
    for (rows, scores), each in zip(found.rows(), candidates, strict=True):
        expected = dict(zip(each.rows.tolist(), booster.predict(each.values).tolist(), strict=True))
        assert dict(zip(rows.tolist(), scores.tolist(), strict=True)) == pytest.approx(expected, abs=1e-5)
    gains = booster.feature_importance("gain")
    shares = dict(zip(method.names(), (gains / gains.sum()).tolist(), strict=True))
    assert fitted.resolved["importances"] == pytest.approx(shares, abs=1e-3)


def made(seed: int, queries: int = 40, noise: float = 0.3) -> list:
    """Candidates whose grade is decided by the second feature."""
    from harness.methods._ltr_features import Candidates

    rng = np.random.default_rng(seed)
    found = []
    for _ in range(queries):
        values = rng.random((20, 4))
        grades = (values[:, 1] + noise * rng.random(20) > 0.9).astype(np.int64)
        found.append(Candidates(np.arange(20), values, grades))
    return [each for each in found if each.teaches]


@pytest.mark.parametrize("learner", [LambdaMART, Linear])
def test_a_learner_finds_the_feature_that_decides(learner: type) -> None:
    pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    ranker = learner(made(0), Learning(30, 4, 0.1))
    assert ranker.importances.argmax() == 1
    assert ranker.importances.sum() == pytest.approx(1)
    for each in made(1):
        scores = ranker.scores(each.values)
        assert each.grades[scores.argmax()] == 1
        assert [ranker.scores(row[None])[0] for row in each.values] == pytest.approx(scores.tolist())


def test_the_linear_weights_are_at_the_minimum_of_the_loss_by_a_slow_loop() -> None:
    taught = made(2, queries=12)
    ranker = Linear(taught)
    scale = np.concatenate([each.values for each in taught]).std(axis=0)

    def loss(weights: np.ndarray) -> float:
        total = 0.5 * float(weights @ weights)
        for each in taught:
            pairs = [(a, b) for a in range(20) for b in range(20) if each.grades[a] > each.grades[b]]
            for a, b in pairs:
                margin = float((each.values[a] - each.values[b]) / scale @ weights)
                total += np.log1p(np.exp(-margin)) / len(pairs)
        return total

    least = loss(ranker.weights)
    for column in range(4):
        for step in (-0.05, 0.05):
            moved = ranker.weights.copy()
            moved[column] += step
            assert loss(moved) > least


def test_the_number_of_trees_is_the_best_of_single_trainings() -> None:
    pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    folds = [made(seed, queries=12, noise=1.0) for seed in range(3)]

    def mean(trees: int) -> float:
        total, count = 0.0, 0
        for fold in folds:
            others = [each for other in folds if other is not fold for each in other]
            ranker = LambdaMART(others, Learning(trees, 4, 0.2))
            for each in fold:
                order = np.argsort(-ranker.scores(each.values), kind="stable")[:CUT]
                discounts = 1 / np.log2(np.arange(CUT) + 2)
                ideal = np.sort(each.grades)[::-1][:CUT]
                total += float((each.grades[order] * discounts).sum() / (ideal * discounts).sum())
                count += 1
        return total / count

    scores = [mean(trees) for trees in range(1, 9)]
    assert scores[best_trees(folds, Learning(8, 4, 0.2)) - 1] == pytest.approx(max(scores), abs=1e-6)


@pytest.mark.parametrize("learner", ["lambdamart", "linear"])
def test_it_is_a_row_and_its_record_has_the_importances(
    learner: str, small_folder: Path, context: Context, tmp_path: Path
) -> None:
    row = f'ltr(methods=(bm25, bm25(k1=2, b=1)), learner="{learner}", trees=10, folds=3)'
    if learner == "lambdamart":
        pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    board = api.run(row, dataset=str(small_folder), results=tmp_path / "results", context=context)
    record = board.results[0].record
    assert (record.status, record.problem) == ("ok", None)
    assert record.supervision == TRAIN_LABELS
    method = parse_method(row)
    assert isinstance(method, LTR)
    assert record.resolved["importances"].keys() == set(method.names())
    assert sum(record.resolved["importances"].values()) == pytest.approx(1, abs=0.01)
    assert 0 < record.resolved["held_out"]["nDCG@10"] <= 1
    assert ("trees" in record.resolved) == (learner == "lambdamart")
    assert any(note.startswith(f"{learner} of") and "most important" in note for note in record.notes)


def test_without_labels_it_is_rrf_with_a_note(
    small: Dataset, context: Context, searcher_of: Callable[..., Searcher]
) -> None:
    method, queries = LTR(learner="linear", methods=TWO), small.test.queries
    fitted = fit(method, TrainView(small.corpus), context)
    assert fitted.supervision == NO_LABELS
    assert fitted.notes == ("no train or dev queries to learn from: fused by rrf; try --folds 5",)
    found = index(method, fitted, small.corpus, context).search(queries, 10)
    fused = searcher_of(Hybrid(TWO, depth=100), small.corpus).search(queries, 10)
    assert np.array_equal(found.indices, fused.indices)


def test_a_row_that_learns_is_seen_on_queries_it_has_not_learnt_from(
    small: Dataset, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[set[str], set[str]]] = []
    real = Memory.fit

    def noted(self: Memory, view: TrainView, context: Context) -> Fitted:
        fitted = real(self, view, context)
        remembered = {query for split in (view.train, view.dev) if split for query in split.queries.ids}
        made = fitted.index

        def indexed(corpus: Corpus, context: Context) -> Searcher:
            searcher = made(corpus, context)
            ranked = searcher.search

            def searched(queries: Queries, k: int) -> TopK:
                seen.append((remembered, set(queries.ids)))
                return ranked(queries, k)

            monkeypatch.setattr(searcher, "search", searched)
            return searcher

        monkeypatch.setattr(fitted, "index", indexed)
        return fitted

    monkeypatch.setattr(Memory, "fit", noted)
    method = LTR((BM25(), Memory(BM25(), beta=2)), learner="linear", folds=3)
    fitted = fit(method, small.train, context)
    assert fitted.supervision == TRAIN_LABELS
    assert len(seen) == 3
    for remembered, asked in seen:
        assert asked
        assert not remembered & asked
    share = fitted.resolved["importances"]
    assert sum(v for name, v in share.items() if name.startswith("memory")) < 0.9  # looked up, it would decide alone


def test_a_row_that_learns_nothing_is_searched_once(small: Dataset, context: Context) -> None:
    fit(LTR(**SMALL, learner="linear"), small.train, context)
    kinds = [step.label for step in context.ledger.steps.values() if step.kind == "index"]
    assert len(kinds) == len(TWO)


def test_in_folds_no_model_saw_a_document_of_its_queries(
    small_folder: Path, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import harness.methods.ltr as module

    taught: list[set[str]] = []
    real = module.learnt

    def noted(method: LTR, fitted: object, view: TrainView, context: Context) -> object:
        splits = [split for split in (view.train, view.dev) if split is not None]
        taught.append({d for split in splits for grades in split.qrels.values() for d in grades})
        return real(method, fitted, view, context)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "learnt", noted)
    row, name = 'ltr(methods=(bm25, bm25(k1=2, b=1)), learner="linear", folds=2)', f"{small_folder}/folds-3"
    record = api.run(row, dataset=name, results=tmp_path / "results", context=context).results[0].record
    assert (record.status, record.problem) == ("ok", None)
    assert record.resolved["learner"] == "linear"
    from harness.datasets import load_dataset

    dataset = load_dataset(name, context)
    assert dataset.train.folds is not None
    for part, documents in zip(dataset.train.folds.parts, taught, strict=True):
        asked = {d for query in part.queries for d in dataset.test.qrels[query]}
        assert asked
        assert not asked & documents


def test_few_queries_are_drawn_by_the_seed(small: Dataset, context: Context) -> None:
    method = LTR(**SMALL, learner="linear", queries=9)
    first = fit(method, small.train, context)
    again = fit(method, small.train, Context(cache=context.cache))
    other = fit(method, small.train, Context(cache=context.cache, seed=1))
    assert first.key == again.key
    assert first.resolved == again.resolved
    assert first.resolved["queries"] <= 9
    assert other.key != first.key


def test_queries_that_share_documents_are_cut_by_queries_with_a_note(small: Dataset, context: Context) -> None:
    view = small.train
    assert view.train is not None
    one = {query: {**grades, "d00": 1} for query, grades in view.train.qrels.items()}
    view = dataclasses.replace(view, train=Labelled(view.train.queries, one), dev=None)
    fitted = fit(LTR(**SMALL, learner="linear"), view, context)
    assert fitted.resolved["folds_by"] == "queries"
    assert any(note.startswith("folds of training queries may share documents") for note in fitted.notes)


def test_nothing_relevant_among_the_candidates_is_no_error(small: Dataset, context: Context) -> None:
    view = small.train
    assert view.train is not None
    lost = Labelled(view.train.queries, {query: {"lost": 1} for query in view.train.queries.ids})
    fitted = fit(LTR(**SMALL, learner="linear"), dataclasses.replace(view, train=lost, dev=None), context)
    assert fitted.supervision == NO_LABELS
    assert "too few to learn from: fused by rrf" in fitted.notes[0]


def test_without_lightgbm_it_says_what_to_install(
    small: Dataset, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(Unavailable, match=r'lightgbm is not installed.*retrieval-harness\[ltr\]'):
        fit(LTR(**SMALL), small.train, context)
    assert fit(LTR(**SMALL, learner="linear"), small.train, context).supervision == TRAIN_LABELS


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("ltr(methods=())", "methods must name one row or more"),
        ('ltr(learner="forest")', 'learner must be one of "lambdamart", "linear"'),
        ("ltr(folds=1)", "folds must be 2 or more"),
    ],
)
def test_faults_are_told_when_the_row_is_read(row: str, message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        parse_method(row)


def test_its_rows_are_searched_as_deep_as_the_candidates(small: Dataset, context: Context) -> None:
    method = LTR(**SMALL, learner="linear", depth=4)
    assert method.reach(1000) == 4
    found = search(
        method, index(method, fit(method, small.train, context), small.corpus, context), small.test.queries, 50, context
    )
    assert max(len(rows) for rows, _ in found.rows()) <= 8
