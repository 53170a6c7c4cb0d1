"""Every kind of row through `mteb.evaluate`, and one figure from three evaluators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import MTEBModel, api
from harness.base.errors import HarnessError, Unavailable
from harness.data.trec import read_run
from harness.exchange.mteb_model import NOTHING
from harness.runtime.context import Context

mteb = pytest.importorskip("mteb", reason="mteb is not installed")

from datasets import Dataset as Rows  # noqa: E402
from mteb.abstasks import AbsTaskRetrieval  # noqa: E402
from mteb.abstasks.task_metadata import TaskMetadata  # noqa: E402
from mteb.models import SearchProtocol  # noqa: E402

SAME = {"nDCG@10": "ndcg_at_10", "R@100": "recall_at_100", "AP@100": "map_at_100", "P@5": "precision_at_5"}
Task = Callable[..., Any]


@pytest.fixture
def task(language: Any) -> Task:
    """The made-up collection as a task: `task(candidates=…, more_queries=…)`."""

    def one(
        candidates: dict[str, list[str]] | None = None, more: dict[str, str] | None = None, **attributes: Any
    ) -> Any:
        judged = language.qrels["test"] | {query: {language.documents[0][0]: 1} for query in more or {}}
        texts = language.queries | (more or {})

        class Local(AbsTaskRetrieval):
            metadata = TaskMetadata(
                name="Local",
                description="made up",
                dataset={"path": "nobody/nothing", "revision": "1"},
                type="Reranking" if candidates else "Retrieval",
                category="t2t",
                modalities=["text"],
                eval_splits=["test"],
                eval_langs=["eng-Latn"],
                main_score="ndcg_at_10",
            )

            def load_data(self, num_proc: int | None = None, **kwargs: Any) -> None:
                self.dataset = {}
                self.dataset["default"] = {
                    "test": {
                        "corpus": Rows.from_list([{"id": i, "title": t, "text": x} for i, t, x in language.documents]),
                        "queries": Rows.from_list([{"id": q, "text": texts[q]} for q in judged]),
                        "relevant_docs": {q: dict(grades) for q, grades in judged.items()},
                        "top_ranked": candidates,
                    }
                }
                self.data_loaded = True

        for name, value in attributes.items():
            setattr(Local, name, value)
        return Local()

    return one


def evaluated(model: Any, task: Any) -> dict[str, Any]:
    found = mteb.evaluate(model, task, cache=None, co2_tracker=False, show_progress_bar=False)
    (scores,) = found.task_results[0].scores["test"]
    return dict(scores)


@pytest.mark.parametrize(
    "row",
    [
        "bm25",
        'dense(model="{encoder}")',
        'bm25>>dense(model="{encoder}")',
        'hybrid(methods=(bm25, dense(model="{encoder}")), fusion=rrf)',
    ],
)
def test_mteb_beir_and_we_give_one_figure(
    row: str, tiny_encoder: Path, small_folder: Path, task: Task, context: Context, tmp_path: Path
) -> None:
    row = row.format(encoder=tiny_encoder)
    board = api.run(row, dataset=str(small_folder), measures=list(SAME), results=tmp_path / "results", context=context)
    record = board.results[0].record
    assert record.status == "ok", record.problem
    by_mteb = evaluated(MTEBModel(row, context), task())
    assert {m: by_mteb[name] for m, name in SAME.items()} == pytest.approx(record.measures, abs=1e-4)

    beir = pytest.importorskip("beir.retrieval.evaluation", reason="beir is not installed")
    loader = pytest.importorskip("beir.datasets.data_loader")
    _, _, qrels = loader.GenericDataLoader(str(small_folder)).load("test")
    (run,) = (tmp_path / "results").rglob("seed0.run.gz")
    rankings = read_run(
        run
    )  # without the queries that nothing answers, and BEIR's means are over those that it is given
    given = {query: rankings.get(query, {NOTHING: 0.0}) for query in qrels}
    ndcg, average, recall, precision = beir.EvaluateRetrieval.evaluate(qrels, given, [5, 10, 100])
    by_beir = {
        "nDCG@10": ndcg["NDCG@10"],
        "AP@100": average["MAP@100"],
        "R@100": recall["Recall@100"],
        "P@5": precision["P@5"],
    }
    assert by_beir == pytest.approx(record.measures, abs=1e-4)


def test_mtebs_own_wrapper_of_the_same_encoder_gives_the_same(tiny_encoder: Path, task: Task, context: Context) -> None:
    from sentence_transformers import SentenceTransformer

    ours = evaluated(MTEBModel(f'dense(model="{tiny_encoder}")', context), task())
    theirs = evaluated(SentenceTransformer(str(tiny_encoder), device="cpu"), task())
    for name in SAME.values():
        assert ours[name] == pytest.approx(theirs[name], abs=1e-4), name


def test_it_is_what_mteb_searches_with() -> None:
    model = MTEBModel("bm25(k1=1.2)")
    assert isinstance(model, SearchProtocol)
    meta = model.mteb_model_meta
    assert meta.name == "retrieval-harness/bm25-k1-1.2"
    assert meta.revision == f"{model.method.fingerprint()}-seed0"
    assert meta.model_type == ["sparse"]
    assert MTEBModel("bm25(k1=1.3)").mteb_model_meta.revision != meta.revision
    assert MTEBModel("bm25(k1=1.2)", Context(seed=1)).mteb_model_meta.revision != meta.revision


def test_a_query_that_nothing_answers_counts_0(task: Task, context: Context) -> None:
    whole = evaluated(MTEBModel("bm25", context), task(more={"none": "qqqq", "nor": "xxxx"}))
    without = evaluated(MTEBModel("bm25", context), task())
    share = 20 / 22
    assert whole["ndcg_at_10"] == pytest.approx(without["ndcg_at_10"] * share, abs=2e-5)
    assert whole["mrr_at_10"] == pytest.approx(without["mrr_at_10"] * share, abs=2e-5)
    model = MTEBModel("bm25", context)
    model.index(Rows.from_list([{"id": "d", "title": "", "text": "a wing"}]), task_metadata=task().metadata)
    assert model.search(Rows.from_list([{"id": "q", "text": "plate"}]), top_k=5) == {"q": {NOTHING: 0.0}}


@pytest.mark.parametrize("row", ["bm25", 'dense(model="{encoder}")'])
def test_candidates_are_put_into_the_order_that_a_whole_ranking_has(
    row: str, tiny_encoder: Path, task: Task, language: Any, context: Context
) -> None:
    candidates = {query: [i for i, _, _ in language.documents][3::4] for query in language.qrels["test"]}
    made = task(candidates)
    made.load_data()
    data = made.dataset["default"]["test"]
    model = MTEBModel(row.format(encoder=tiny_encoder), context)
    model.index(data["corpus"], task_metadata=made.metadata)
    whole = model.search(data["queries"], top_k=1000)
    ranked = model.search(data["queries"], top_k=1000, top_ranked=candidates)
    for query, ranking in whole.items():
        kept = [document for document in ranking if document in candidates[query]]
        assert list(ranked[query]) == (kept or [NOTHING])
    assert evaluated(model, task(candidates))["ndcg_at_10"] >= 0


def test_a_cross_encoder_ranks_candidates_though_it_cannot_search(
    tiny_cross_encoder: Path, task: Task, language: Any, context: Context
) -> None:
    candidates = {query: [i for i, _, _ in language.documents][:5] for query in language.qrels["test"]}
    model = MTEBModel(f'cross_encoder(model="{tiny_cross_encoder}")', context)
    assert evaluated(model, task(candidates))["ndcg_at_10"] > 0


def test_what_a_method_learns_from_is_named_and_is_no_task(
    tiny_encoder: Path, small_folder: Path, task: Task, context: Context
) -> None:
    row = f'dense(model="{tiny_encoder}")+supervised(budget="smoke", choose="last", average=1, learning_rate=0.01)'
    with pytest.raises(Unavailable, match="needs training judgements"):
        evaluated(MTEBModel(row, context), task())
    learnt = evaluated(MTEBModel(row, context, learn_from=str(small_folder)), task())
    assert learnt["ndcg_at_10"] != evaluated(MTEBModel(f'dense(model="{tiny_encoder}")', context), task())["ndcg_at_10"]


def test_task_queries_that_it_learnt_from_are_told_of(
    tiny_encoder: Path,
    small_folder: Path,
    language: Any,
    task: Task,
    context: Context,
    caplog: pytest.LogCaptureFixture,
) -> None:
    row = f'dense(model="{tiny_encoder}")+supervised(budget="smoke")'
    evaluated(MTEBModel(row, context, learn_from=str(small_folder)), task())
    assert "stand among" not in caplog.text
    taught = next(iter(language.qrels["train"]))
    evaluated(MTEBModel(row, context, learn_from=str(small_folder)), task(more={"again": language.queries[taught]}))
    assert "1 of the task's" in caplog.text


def test_searching_before_indexing_is_told() -> None:
    with pytest.raises(HarnessError, match="nothing is indexed yet"):
        MTEBModel("bm25").search([], top_k=3)
