"""Result files that MTEB's own code reads back, and figures from files that MTEB's own code wrote."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import RecordError
from harness.bench.store import StoredRecord
from harness.exchange.mteb_results import TASKS, datasets_of, read_results, task_of, write_results

mteb = pytest.importorskip("mteb", reason="mteb is not installed")

from mteb.cache import ResultCache  # noqa: E402
from mteb.results import TaskResult  # noqa: E402

Put = Callable[..., StoredRecord]
FIGURES = {
    "nDCG@10": 0.64508,
    "R@100": 0.925,
    "RR@10": 0.6,
    "AP@100": 0.59,
    "P@5": 0.2,
    "Success@1": 0.4,
    "ERR@20": 0.3,
}


def test_mteb_loads_what_is_written(put: Put, tmp_path: Path) -> None:
    record = put("bm25", {"q1": 0.5}, dataset="beir/scifact/test", measures=FIGURES).record
    (path,) = write_results([record], tmp_path / "out")
    result = TaskResult.from_disk(path)
    assert result.task_name == "SciFact"
    assert result.get_score() == 0.64508
    assert result.dataset_revision == f"retrieval-harness:{record.dataset['revision']}"
    (scores,) = result.scores["test"]
    named = ("ndcg_at_10", "recall_at_100", "mrr_at_10", "map_at_100", "precision_at_5", "hit_rate_at_1")
    assert [scores[name] for name in named] == list(FIGURES.values())[:-1]
    assert not [name for name in scores if "err" in name]
    assert path.parent.parent.name == "retrieval-harness__bm25"
    meta = json.loads((path.parent / "model_meta.json").read_text())
    assert meta["name"] == "retrieval-harness/bm25"
    assert meta["model_type"] == ["sparse"]


def test_mtebs_cache_gives_a_table_of_it(put: Put, tmp_path: Path) -> None:
    records = [
        put(row, {"q1": 0.5}, seed, dataset=dataset, measures={"nDCG@10": figure}).record
        for row, seed, dataset, figure in (
            ("bm25", 0, "beir/scifact/test", 0.6789),
            ("bm25", 0, "beir/nfcorpus/test", 0.3218),
            ("dense", 0, "beir/scifact/test", 0.6451),
            ("dense", 1, "beir/scifact/test", 0.6452),
        )
    ]
    assert len(set(write_results(records, tmp_path / "out"))) == 4
    loaded = ResultCache(tmp_path / "out").load_results(require_model_meta=False)
    found = {
        (model.model_name, model.model_revision.rpartition("-")[2], task.task_name): task.get_score()
        for model in loaded.model_results
        for task in model.task_results
    }
    assert found == {
        ("retrieval-harness/bm25", "seed0", "SciFact"): 0.6789,
        ("retrieval-harness/bm25", "seed0", "NFCorpus"): 0.3218,
        ("retrieval-harness/dense", "seed0", "SciFact"): 0.6451,
        ("retrieval-harness/dense", "seed1", "SciFact"): 0.6452,
    }


def test_two_collections_that_are_one_task_do_not_become_two_scores_of_one_split(put: Put, tmp_path: Path) -> None:
    here, theirs = (
        put("bm25", {"q1": f}, dataset=dataset, measures={"nDCG@10": f}).record
        for dataset, f in (("beir/scifact/test", 0.5), ("mteb/SciFact/test", 0.25))
    )
    with pytest.raises(RecordError, match=r"bm25 has records of beir/scifact/test, mteb/SciFact/test, .*--dataset"):
        write_results([here, theirs], tmp_path / "out")
    assert write_results([here], tmp_path / "out") == write_results([theirs], tmp_path / "out")


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("lucene", "sparse"),
        ("sparse(query_terms=8)", "sparse"),
        ("late+colbert", "late-interaction"),
        ("dense", "dense"),
    ],
)
def test_a_row_is_of_the_type_that_mteb_has_for_it(put: Put, tmp_path: Path, row: str, kind: str) -> None:
    (path,) = write_results([put(row, {"q1": 0.5}, dataset="beir/scifact/test").record], tmp_path / "out")
    assert json.loads((path.parent / "model_meta.json").read_text())["model_type"] == [kind]


def test_splits_of_one_task_go_into_one_file(put: Put, tmp_path: Path) -> None:
    records = [
        put("bm25", {"q1": f}, dataset=f"mteb/MIRACLRetrieval/{rest}", measures={"nDCG@10": f}).record
        for rest, f in (("de/dev", 0.5), ("fr/dev", 0.25), ("de/test", 0.75))
    ]
    (path,) = set(write_results(records, tmp_path / "out"))
    scores = TaskResult.from_disk(path).scores
    assert {(split, s["hf_subset"]): s["main_score"] for split, of in scores.items() for s in of} == {
        ("dev", "de"): 0.5,
        ("dev", "fr"): 0.25,
        ("test", "de"): 0.75,
    }


def test_only_rows_with_mtebs_main_score_are_results(put: Put, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"bm25 on beir/example/test lacks nDCG@10"):
        write_results([put("bm25", {"q1": 0.5}, measures={"R@100": 0.5}).record], tmp_path / "out")
    with pytest.raises(RecordError, match="no record has figures to export"):
        write_results([put("bm25", {"q1": 0.5}, status="skipped").record], tmp_path / "out")


@pytest.mark.parametrize(
    ("dataset", "task"),
    [
        ("beir/scifact/test", ("SciFact", "default", "test")),
        ("beir/cqadupstack/tex/test", ("CQADupstackTexRetrieval", "default", "test")),
        ("mteb/NFCorpus/test", ("NFCorpus", "default", "test")),
        ("mteb/MIRACLRetrieval/de/dev", ("MIRACLRetrieval", "de", "dev")),
        ("beir/example/test", ("beir-example", "default", "test")),
        ("stdlib/code/test", ("stdlib-code", "default", "test")),
        ("folder/./my docs/test", ("folder-.-my-docs", "default", "test")),
    ],
)
def test_a_dataset_is_a_task(dataset: str, task: tuple[str, str, str]) -> None:
    assert task_of(dataset) == task
    if dataset.startswith("mteb/") or task[0] in TASKS.values():
        assert dataset in datasets_of(*task)


def test_beirs_collections_are_tasks_of_mteb() -> None:
    known = sys.modules["mteb.get_tasks"]._TASKS_REGISTRY
    assert set(TASKS.values()) <= known.keys()
    assert len(set(TASKS.values())) == len(TASKS)
    assert {known[task].metadata.type for task in TASKS.values()} == {"Retrieval"}


def result(place: Path, task: str, scores: dict[str, list[dict[str, object]]], version: str | None = "1.18.0") -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    TaskResult(
        task_name=task, dataset_revision="abc", mteb_version=version, scores=scores, evaluation_time=1.0
    ).to_disk(place)
    return place


def scores(figure: float, subset: str = "default") -> dict[str, object]:
    return {
        "ndcg_at_10": figure,
        "recall_at_100": 0.9,
        "mrr_at_10": 0.6,
        "nauc_ndcg_at_10_max": 0.1,
        "main_score": figure,
        "hf_subset": subset,
        "languages": ["eng-Latn"],
    }


def test_figures_come_from_results_by_both_names_of_a_collection(tmp_path: Path) -> None:
    folder = tmp_path / "org__model" / "a5beb1e3e68b"
    result(folder / "SciFact.json", "SciFact", {"test": [scores(0.645)]})
    result(folder / "MSMARCO.json", "MSMARCO", {"dev": [scores(0.36)]})
    result(folder / "MIRACLRetrieval.json", "MIRACLRetrieval", {"dev": [scores(0.5, "de"), scores(0.25, "fr")]})
    (found,), left_out = read_results([tmp_path])
    assert left_out == []
    assert found.title == "org/model"
    assert found.source == "MTEB's results, revision a5beb1e3e68b, mteb 1.18.0"
    figures = {"nDCG@10": 0.645, "R@100": 0.9, "RR@10": 0.6}
    assert found.figures["beir/scifact/test"] == found.figures["mteb/SciFact/test"] == figures
    assert found.figures["beir/msmarco/dev"]["nDCG@10"] == 0.36
    assert found.figures["mteb/MIRACLRetrieval/fr/dev"]["nDCG@10"] == 0.25
    assert len(found.figures) == 6


def test_the_model_is_named_by_its_meta_and_revisions_are_told_apart(tmp_path: Path) -> None:
    for revision, figure in (("aaaaaaaaaaaaaaaa", 0.5), ("bbbb", 0.25)):
        place = result(tmp_path / "x" / revision / "SciFact.json", "SciFact", {"test": [scores(figure)]})
        (place.parent / "model_meta.json").write_text(
            json.dumps({"name": "org/Model", "revision": revision}), encoding="utf-8"
        )
    found, _ = read_results([tmp_path])
    assert [(each.title, each.figures["beir/scifact/test"]["nDCG@10"]) for each in found] == [
        ("org/Model@aaaaaaaaaaaa", 0.5),
        ("org/Model@bbbb", 0.25),
    ]


def test_what_is_no_ranking_of_all_documents_is_left_out_and_told(tmp_path: Path) -> None:
    place = result(
        tmp_path / "m" / "r" / "AskUbuntuDupQuestions.json", "AskUbuntuDupQuestions", {"test": [scores(0.6)]}
    )
    found, left_out = read_results([place])
    assert found == []
    assert left_out == [f"{place}: AskUbuntuDupQuestions is Reranking, not a ranking of all documents: left out"]


def test_our_own_results_come_back(put: Put, tmp_path: Path) -> None:
    record = put("bm25", {"q1": 0.5}, dataset="beir/scifact/test", measures=FIGURES).record
    write_results([record], tmp_path / "out")
    (found,), _ = read_results([tmp_path / "out"])
    assert found.title == "retrieval-harness/bm25"
    assert found.figures["beir/scifact/test"] == {m: f for m, f in FIGURES.items() if m != "ERR@20"}


@pytest.mark.parametrize("text", ["{", "[1]", '{"scores": {}}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordError, match=r"x\.json is no result of MTEB's"):
        read_results([tmp_path / "x.json"])
    with pytest.raises(RecordError, match="there is no result of MTEB's"):
        read_results([tmp_path / "empty"])


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (64.0, r"is 64\.0, not a score from 0 to 1; MTEB's own files hold shares: divide percent by 100\."),
        (float("nan"), "is nan, not a score from 0 to 1"),
        (float("inf"), "is inf, not a score from 0 to 1"),
        (-0.1, r"is -0\.1, not a score from 0 to 1"),
    ],
)
def test_what_is_no_score_is_refused_when_it_is_imported(value: float, why: str, tmp_path: Path) -> None:
    place = result(tmp_path / "m" / "r" / "SciFact.json", "SciFact", {"test": [scores(0.5)]})
    held = json.loads(place.read_text(encoding="utf-8"))
    held["scores"]["test"][0]["ndcg_at_10"] = value
    place.write_text(json.dumps(held), encoding="utf-8")
    with pytest.raises(RecordError, match=rf"SciFact\.json: ndcg_at_10 of SciFact {why}"):
        read_results([place])


def test_a_perfect_score_may_be_rounded_up(tmp_path: Path) -> None:
    place = result(tmp_path / "m" / "r" / "SciFact.json", "SciFact", {"test": [scores(1.0000000000000002)]})
    assert read_results([place])[0][0].figures["beir/scifact/test"]["nDCG@10"] == 1.0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_that_an_editor_has_marked_is_read(encoding: str, tmp_path: Path) -> None:
    place = result(tmp_path / "m" / "r" / "SciFact.json", "SciFact", {"test": [scores(0.5)]})
    place.write_bytes(place.read_text(encoding="utf-8").encode(encoding))
    assert read_results([place])[0][0].figures["beir/scifact/test"]["nDCG@10"] == 0.5
