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
from harness.recipes.augmented_sbert import AugmentedSBERT
from harness.recipes.cross_encoder import CrossEncoder as Recipe
from harness.runtime.context import Context
from harness.training.dev import Pool, interleaved
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
        return recipe._sampling(student).documents(held.queries, held, view, context)

    return one


def ranked(method: Any, view: TrainView, held: Gold, context: Context) -> list[list[int]]:
    top = search(method, index(method, fit(method, view, context), view.corpus, context), held.queries, 50, context)
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
    beyond = 0
    for number, rows in enumerate(sample(sampling, 6)):
        pool = {row for ranking in rankings for row in ranking[number][:50]} - set(held.relevant[number].tolist())
        drawn = set(rows[len(held.relevant[number]) :].tolist())
        assert drawn <= pool
        assert len(drawn) == min(wanted, len(pool))
        beyond += len(drawn - {row for ranking in rankings for row in ranking[number][:6]})
    assert beyond > 0 or sampling == "bm25"  # not only the best, which are relevant more often than not


def test_the_ranks_that_silver_comes_from_are_a_setting(
    view: TrainView, context: Context, student: Dense, held: Gold
) -> None:
    recipe = AugmentedSBERT(budget="smoke", sampling="bm25", per_query=3, silver_ranks=(4, 6))
    rankings = ranked(BM25(), view, held, context)
    for number, rows in enumerate(recipe._sampling(student).documents(held.queries, held, view, context)):
        assert set(rows[len(held.relevant[number]) :].tolist()) <= set(rankings[number][3:6])


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


def test_gold_is_ranked_and_each_pass_takes_another_silver_document_of_the_query(
    lesson_of: Lessons, view: TrainView, teacher: CrossEncoder, sample: Sample, held: Gold, context: Context
) -> None:
    lesson = lesson_of(AugmentedSBERT(budget="smoke", teacher=teacher, per_query=3, epochs=4), view)
    assert list(lesson.columns) == ["query", "positive", "negative_1", "negative_2"]
    assert len(lesson) == sum(map(len, held.relevant)) == lesson.per_pass
    assert lesson.order == "given"
    whole = list(zip(*lesson.columns.values(), lesson.labels, strict=True))  # type: ignore[arg-type]
    texts = view.corpus.texts[:]
    sampled = {
        text: {texts[row] for row in rows[len(own) :]}
        for text, rows, own in zip(held.queries.texts, sample("both", 3), held.relevant, strict=True)
    }
    gold_of = {text: {texts[r] for r in own} for text, own in zip(held.queries.texts, held.relevant, strict=True)}
    seen: dict[tuple[str, str], list[str]] = {}
    for query, positive, negative, silver, label in whole:
        assert positive in gold_of[query]
        assert negative not in gold_of[query]
        assert silver in sampled[query]
        assert label[1] == 1
        seen.setdefault((query, positive), []).append(silver)
    assert len(seen) == len(lesson)
    for (query, _), silvers in seen.items():
        assert len(silvers) == 4
        assert len(set(silvers[:3])) == len(sampled[query])
    first, second = (sorted(e[:2] for e in whole[n * len(lesson) : (n + 1) * len(lesson)]) for n in (0, 1))
    assert first == second  # a pass has all pairs
    assert whole[: len(lesson)] != whole[len(lesson) : 2 * len(lesson)]


def test_labels_are_the_teachers_scores_on_a_line_fitted_to_the_students_margins(
    lesson_of: Lessons, view: TrainView, teacher: CrossEncoder, student: Dense, context: Context
) -> None:
    lesson = lesson_of(AugmentedSBERT(budget="smoke", teacher=teacher, per_query=3), view)
    texts = view.corpus.texts[:]
    scored: dict[str, list[Any]] = {"teacher": [], "student": []}
    for query, *documents in zip(*lesson.columns.values(), strict=True):
        rows = [np.array([texts.index(text) for text in documents])]
        for name, method in (("teacher", teacher), ("student", student)):
            scorer = fit(method, view, context).candidate_scorer(view.corpus, context)  # type: ignore[attr-defined]
            scored[name].append(scorer.scores([query], rows)[0])
    theirs, own = (np.array(scored[name], dtype=np.float64) for name in ("teacher", "student"))
    theirs_margins, own_margins = theirs[:, :1] - theirs[:, 1:], own[:, :1] - own[:, 1:]
    right = theirs_margins >= 0  # gold outranks what the teacher prefers
    assert 0 < lesson.facts["contradicted"] == pytest.approx(1 - right.mean(), abs=1e-3)
    slope, intercept = np.polyfit(theirs_margins[right], own_margins[right], 1)
    slope = max(0.0, slope)
    labels = np.array(lesson.labels)
    assert lesson.facts["labels"]["slope"] == pytest.approx(slope, abs=1e-3)
    assert labels[:, 5:] == pytest.approx(20 * slope * theirs, rel=1e-3, abs=1e-3)
    if slope > 0:
        assert lesson.facts["labels"]["intercept"] == pytest.approx(intercept, abs=1e-3)


def test_the_trained_student_stands_next_to_its_teacher_in_the_record(
    view: TrainView, context: Context, teacher: CrossEncoder, tiny_encoder: Path
) -> None:
    untrained = Dense(str(tiny_encoder), precision="fp32")
    recipe = AugmentedSBERT(budget="smoke", teacher=teacher, precision="fp32")
    fitted: Any = fit(with_recipes(untrained, (recipe,)), view, context)
    told = fitted.resolved["training"][0]["facts"]["teacher"]
    pool = Pool(view.dev, view, np.arange(60), (), whole=True)  # type: ignore[arg-type]
    assert view.dev is not None
    stages = [ranked_all(BM25(), view, context), ranked_all(untrained, view, context)]
    scored = []
    for number, text in enumerate(view.dev.queries.texts):
        rows = interleaved([top[number] for top in stages])[:20]
        vectors = fitted.encoder.encode(view.corpus.texts_of(rows)[:], "document")
        scored.append((rows, vectors @ fitted.encoder.encode([text], "query")[0]))
    assert told["trained_student_dev"] == pytest.approx(pool.measure(scored), abs=1e-5)
    assert {"teacher_dev", "student_dev"} <= set(told)


def ranked_all(method: Any, view: TrainView, context: Context) -> Any:
    assert view.dev is not None
    searcher = index(method, fit(method, view, context), view.corpus, context)
    return search(method, searcher, view.dev.queries, 100, context).indices


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
    gold_texts = set(few.columns["query"])
    assert gold_texts < set(more.columns["query"])
    unjudged = [label for q, label in zip(more.columns["query"], more.labels, strict=True) if q not in gold_texts]  # type: ignore[arg-type]
    assert unjudged
    for label in unjudged:
        assert label[1] == 0
        assert label[5] == max(label[5:])  # the teacher's best comes first


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
    sampled = recipe._sampling(student).documents(asked, own, documents_ask, context)
    assert sum(map(len, sampled)) > 20
    for query, rows in zip(asked.ids, sampled, strict=True):
        assert query not in documents_ask.corpus.ids(rows)
