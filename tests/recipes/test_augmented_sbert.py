"""Augmented SBERT: which pairs are sampled, what the labels are, domain transfer."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import SettingError, Unavailable
from harness.cache.folders import Cache
from harness.data.dataset import TrainView
from harness.data.ranking import Ints
from harness.datasets import load_dataset
from harness.methods import fit, index, search
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.recipes import supervision
from harness.recipes._silver import sampled_by_density
from harness.recipes.augmented_sbert import DEEP, AugmentedSBERT
from harness.recipes.cross_encoder import CrossEncoder as Recipe
from harness.runtime.context import Context
from harness.training.gold import Gold, gold
from harness.training.lesson import Lesson
from harness.training.trained import with_recipes

Lessons = Callable[..., Lesson]
KINDS = ("bm25", "semantic", "both", "kde", "random")


@pytest.fixture
def teacher(tiny_cross_encoder: Path) -> CrossEncoder:
    return CrossEncoder(model=str(tiny_cross_encoder))


@pytest.fixture
def student(tiny_encoder: Path) -> Dense:
    return Dense(model=str(tiny_encoder))


@pytest.fixture
def held(view: TrainView, context: Context) -> Gold:
    return gold(view, context)


Sample = Callable[[str, int], list[Ints]]


@pytest.fixture
def sample(view: TrainView, context: Context, student: Dense, held: Gold) -> Sample:
    """Sampling, documents per query → what is sampled."""

    def one(sampling: str, per_query: int) -> list[Ints]:
        recipe = AugmentedSBERT(budget="smoke", sampling=sampling, per_query=per_query)  # type: ignore[arg-type]
        return recipe._sample(held.queries, held, student, view, context)

    return one


def ranked(method: Any, view: TrainView, held: Gold, context: Context) -> list[list[int]]:
    top = search(method, index(method, fit(method, view, context), view.corpus, context), held.queries, DEEP, context)
    return [[int(r) for r in row if r >= 0] for row in top.indices]


@pytest.mark.parametrize("sampling", KINDS)
def test_gold_comes_first_and_no_sampled_document_is_relevant_or_comes_twice(
    sampling: str, sample: Sample, held: Gold
) -> None:
    for rows, relevant in zip(sample(sampling, 4), held.relevant, strict=True):
        n = len(relevant)
        assert rows[:n].tolist() == relevant.tolist()
        drawn = rows[n:].tolist()
        assert len(set(drawn)) == len(drawn) <= 4 * (2 if sampling == "kde" else 1)
        assert not set(drawn) & set(relevant.tolist())


@pytest.mark.parametrize("sampling", ["bm25", "semantic", "both", "kde"])
def test_documents_are_drawn_from_the_best_of_each_method(
    sampling: str, sample: Sample, view: TrainView, context: Context, student: Dense, held: Gold
) -> None:
    methods: dict[str, list[Any]] = {"bm25": [BM25()], "semantic": [student]}
    rankings = [ranked(m, view, held, context) for m in methods.get(sampling, [BM25(), student])]
    wanted = 6 * (2 if sampling == "kde" else 1)
    each = -(-wanted // len(rankings))
    for number, rows in enumerate(sample(sampling, 6)):
        pool = set()
        for ranking in rankings:
            for row in ranking[number][: 2 * each]:
                if row not in held.relevant[number]:
                    pool.add(row)
        drawn = set(rows[len(held.relevant[number]) :].tolist())
        assert drawn <= pool
        assert len(drawn) == min(wanted, len(pool))


def test_random_documents_come_from_the_whole_corpus(sample: Sample, held: Gold) -> None:
    drawn = Counter(int(r) for rows, g in zip(sample("random", 6), held.relevant, strict=True) for r in rows[len(g) :])
    assert len(drawn) > 45  # of 60
    assert max(drawn.values()) < 12


def test_kernel_density_thins_silver_until_it_lies_as_gold_does(context: Context) -> None:
    rng = np.random.default_rng(0)
    queries = 60
    relevant = tuple(np.array([0, 1]) for _ in range(queries))
    held = Gold(None, relevant, relevant, relevant)  # type: ignore[arg-type]
    sampled = [np.arange(22) for _ in range(queries)]
    scores = [np.concatenate([rng.normal(2, 1, 2), rng.normal(0, 2, 20)]) for _ in range(queries)]
    rows, values = sampled_by_density(sampled, scores, held, context)
    before = np.concatenate([s[2:] for s in scores])
    after = np.concatenate([v[2:] for v in values])
    assert 0.2 * len(before) < len(after) < 0.8 * len(before)
    assert abs(after.mean() - 2) < abs(before.mean() - 2) / 1.5
    for kept, own, whole in zip(rows, values, scores, strict=True):
        assert kept[:2].tolist() == [0, 1]  # gold stays
        assert own.tolist() == whole[kept].tolist()


def test_without_gold_scores_kernel_density_keeps_all(context: Context) -> None:
    sampled, scores = [np.arange(4)], [np.array([1.0, 2.0, 3.0, 4.0])]
    assert sampled_by_density(sampled, scores, None, context) == (sampled, scores)


def test_a_triple_sets_gold_against_a_sampled_document_with_a_margin_of_at_least_zero(
    lesson_of: Lessons, view: TrainView, teacher: CrossEncoder, sample: Sample, held: Gold, context: Context
) -> None:
    lesson = lesson_of(AugmentedSBERT(budget="smoke", teacher=teacher, per_query=3), view)
    scorer = fit(teacher, view, context).candidate_scorer(view.corpus, context)  # type: ignore[attr-defined]
    texts = view.corpus.texts[:]
    expected = []
    for number, rows in enumerate(sample("both", 3)):
        n = len(held.relevant[number])
        scores = scorer.scores([held.queries.texts[number]], [rows])[0]
        for good in range(n):
            for other in range(n, len(rows)):
                margin = max(0.0, float(scores[good]) - float(scores[other]))
                expected.append((held.queries.texts[number], texts[rows[good]], texts[rows[other]], margin))
    found = list(zip(*lesson.columns.values(), strict=True))
    assert found == [e[:3] for e in expected]
    assert lesson.labels == pytest.approx([e[3] for e in expected], abs=1e-4)
    assert 0 in lesson.labels
    assert max(lesson.labels) > 0
    assert lesson.facts["triples"] == len(expected)


def test_the_cosine_form_labels_gold_one_and_silver_by_the_teachers_sigmoid(
    lesson_of: Lessons, view: TrainView, teacher: CrossEncoder, sample: Sample, held: Gold, context: Context
) -> None:
    lesson = lesson_of(AugmentedSBERT(budget="smoke", teacher=teacher, per_query=3, loss="cosine"), view)
    scorer = fit(teacher, view, context).candidate_scorer(view.corpus, context)  # type: ignore[attr-defined]
    texts = view.corpus.texts[:]
    pairs, labels = [], []
    for number, rows in enumerate(sample("both", 3)):
        scores = scorer.scores([held.queries.texts[number]], [rows])[0]
        for place, row in enumerate(rows):
            pairs.append((held.queries.texts[number], texts[row]))
            labels.append(1.0 if place < len(held.relevant[number]) else 1 / (1 + np.exp(-float(scores[place]))))
    assert list(zip(*lesson.columns.values(), strict=True)) == pairs
    assert lesson.labels == pytest.approx(labels, abs=1e-5)
    assert all(0 <= label <= 1 for label in lesson.labels)  # type: ignore[union-attr]


def test_few_gold_queries_may_be_joined_by_others_whose_judgements_are_not_used(
    lesson_of: Lessons, view: TrainView, teacher: CrossEncoder
) -> None:
    few = lesson_of(AugmentedSBERT(budget="smoke", queries=4, teacher=teacher), view)
    assert (few.facts["gold_queries"], few.facts["queries"]) == (4, 4)
    more = lesson_of(AugmentedSBERT(budget="smoke", queries=4, others=True, teacher=teacher), view)
    assert (more.facts["gold_queries"], more.facts["queries"]) == (4, 24)
    gold_texts = list(dict.fromkeys(few.columns["query"]))
    assert list(dict.fromkeys(more.columns["query"]))[: len(gold_texts)] == gold_texts
    unjudged = [(q, m) for q, m in zip(more.columns["query"], more.labels, strict=True) if q not in gold_texts]  # type: ignore[arg-type]
    assert unjudged
    assert min(m for _, m in unjudged) >= 0  # against the teacher's best


def test_the_local_teacher_sees_the_same_few_queries(lesson_of: Lessons, view: TrainView) -> None:
    facts = lesson_of(AugmentedSBERT(budget="smoke", queries=5, choose="last"), view).facts
    assert 'cross_encoder(budget="smoke", choose="last", queries=5)' in facts["teacher"]["teacher"]


def another(folder: Path, tmp_path: Path) -> Path:
    """A collection like the one in the folder, with one more document."""
    source = shutil.copytree(folder, tmp_path / "source")
    with open(source / "corpus.jsonl", "a", encoding="utf-8") as file:
        file.write('{"_id": "more", "title": "", "text": "one more"}\n')
    return Path(source)


def test_the_collection_of_the_run_is_no_source_for_its_queries_may_be_those_that_are_reported(
    small_folder: Path, lesson_of: Lessons, view: TrainView
) -> None:
    with pytest.raises(SettingError, match="is the collection of this run"):
        lesson_of(AugmentedSBERT(budget="smoke", source=str(small_folder)), TrainView(view.corpus))


def test_what_the_source_holds_is_part_of_the_key(small_folder: Path, tmp_path: Path) -> None:
    source = another(small_folder, tmp_path)
    recipe = AugmentedSBERT(source=str(source))
    before = recipe.inputs(Context(cache=Cache(tmp_path / "cache")))
    lines = (source / "qrels" / "train.tsv").read_text(encoding="utf-8").splitlines()
    (source / "qrels" / "train.tsv").write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    assert recipe.inputs(Context(cache=Cache(tmp_path / "cache"))) != before


def test_domain_transfer_learns_from_another_collection_and_no_label_of_this_one(
    small_folder: Path, tmp_path: Path, view: TrainView, context: Context, student: Dense
) -> None:
    target = TrainView(load_dataset(str(small_folder), context).corpus)
    source = another(small_folder, tmp_path)
    recipe = AugmentedSBERT(budget="smoke", source=str(source), documents=15)
    assert recipe.needed() == {"teacher", "generator"}
    fitted: Any = fit(with_recipes(Dense(student.model), (recipe,)), target, context)
    told = fitted.resolved["training"][0]
    assert fitted.supervision == "none"
    assert told["facts"]["gold_queries"] == 0
    assert 0 < told["facts"]["queries"] <= 45
    teachers = [p for p in (context.cache.root / "models").glob("*/meta.json") if '"cross_encoder(' in p.read_text()]
    assert len(teachers) == 2  # it learnt in two steps, on the source


def test_a_teacher_of_domain_transfer_counts_no_label_of_this_collection(view: TrainView, tiny_encoder: Path) -> None:
    teacher = with_recipes(CrossEncoder(str(tiny_encoder)), (Recipe(),))
    assert supervision(AugmentedSBERT(source="beir/scifact", teacher=teacher), view) == "dev labels"
    assert supervision(AugmentedSBERT(source="beir/scifact", teacher=teacher, choose="last"), view) == "none"


def test_a_source_without_training_judgements_is_refused(
    small_folder: Path, tmp_path: Path, lesson_of: Lessons, view: TrainView
) -> None:
    source = another(small_folder, tmp_path)
    (source / "qrels" / "train.tsv").unlink()
    with pytest.raises(Unavailable, match="has no training judgements for the teacher"):
        lesson_of(AugmentedSBERT(budget="smoke", source=str(source)), TrainView(view.corpus))


@pytest.mark.parametrize("sampling", KINDS)
@pytest.mark.parametrize("queries", [None, 5])
def test_no_query_is_sampled_for_itself(
    sampling: str, queries: int | None, documents_ask: TrainView, student: Dense, context: Context
) -> None:
    recipe = AugmentedSBERT(budget="smoke", sampling=sampling, per_query=40, queries=queries, others=True)  # type: ignore[arg-type]
    asked, own = recipe._queries(documents_ask, context)
    assert len(asked) == 20
    sampled = recipe._sample(asked, own, student, documents_ask, context)
    assert sum(map(len, sampled)) > 20
    for query, rows in zip(asked.ids, sampled, strict=True):
        assert query not in documents_ask.corpus.ids(rows)
