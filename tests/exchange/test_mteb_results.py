"""Result files that MTEB's own code reads back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import RecordError
from harness.bench.store import StoredRecord
from harness.exchange.mteb_results import write_results

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
    with pytest.raises(RecordError, match="no record has scores to export"):
        write_results([put("bm25", {"q1": 0.5}, status="skipped").record], tmp_path / "out")
