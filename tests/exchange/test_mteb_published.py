"""Published scores from files that MTEB's own code wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import RecordError
from harness.bench.store import StoredRecord
from harness.exchange.mteb_published import read_results
from harness.exchange.mteb_results import write_results

mteb = pytest.importorskip("mteb", reason="mteb is not installed")

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
    with pytest.raises(RecordError, match=r"x\.json is not a result of MTEB"):
        read_results([tmp_path / "x.json"])
    with pytest.raises(RecordError, match="there is no result of MTEB"):
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
