"""Test queries among what a row's models were taught: found by kind, in every stage and every part, and not made up."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.bench.leak_history import taught_leaks, taught_notes
from harness.bench.record import Record
from harness.data.dataset import Dataset
from harness.data.queries import Labelled, Queries
from harness.leaks.history import BESIDE, INSIDE, TrainedQuery, history, write_history
from harness.runtime.context import Context
from harness.training.trained_models import MODEL

VALUES = {"nDCG@10": {"a": 1.0, "b": 0.5, "c": 0.0}}
MADE = 'qgen(budget="smoke", documents=60, choose="last", generator=extractive(kinds=("title",)))'


@pytest.fixture
def record(tmp_path: Path, context: Context) -> Callable[[str, str], Record]:
    """Row, dataset → its record."""

    def one(row: str, dataset: str) -> Record:
        board = api.run(row, dataset=dataset, results=tmp_path / "results", context=context, measures=["nDCG@10"])
        (result,) = board.results
        assert result.record.status == "ok", result.record.problem
        return result.record

    return one


@pytest.fixture
def planted(plant: Any, titles: dict[str, str]) -> str:
    """Two test queries are titles, which are taken for questions; the document of one is relevant to it."""
    return str(plant({"name0": titles["d01"].upper(), "asked0": titles["d11"]}))


@pytest.fixture
def three(small: Dataset) -> Dataset:
    texts = {"a": "what is a quagga of the plains", "b": "zebras of the wide steppe", "c": "nothing like the others"}
    qrels = {"a": {"d00": 1}, "b": {"d01": 1, "d02": 0}, "c": {"d03": 1}}
    return dataclasses.replace(small, test=Labelled(Queries(list(texts), list(texts.values())), qrels))


def made(folder: Path, *taught: TrainedQuery, whole: bool = True) -> Path:
    """A folder as training leaves it, without a model."""
    (folder / MODEL).mkdir(parents=True)
    write_history(folder / MODEL, history(taught, whole=whole))
    return folder / MODEL


def test_each_kind_is_counted_and_the_means_are_without_any(three: Dataset, context: Context, tmp_path: Path) -> None:
    model = made(
        tmp_path / "one",
        TrainedQuery("generated", "what is a quagga of the plain", ("d05",)),
        TrainedQuery("generated", "What is a quagga -- of the plains?", ("d00",)),
        TrainedQuery("silver", "zebras of the wide steppe", ("d02", "d04")),
        TrainedQuery("gold", "an answer to everything"),
    )
    found = taught_leaks([(three, [model])], VALUES, context)
    assert found == {
        "known": True,
        "texts": {"generated": 2, "gold": 1, "silver": 1},
        "queries": {
            "count": 2,
            "kinds": {"generated": {"normalised": 1}, "silver": {"exact": 1}},
            "without": {"nDCG@10": 0.0},
            "only": {"nDCG@10": 0.75},
        },
        # d02 is judged 0 for b, and the near copy of a is of another document: the other copy counts.
        "pairs": {"count": 1, "kinds": {"generated": 1}, "without": {"nDCG@10": 0.25}, "only": {"nDCG@10": 1.0}},
    }
    json.dumps(found, allow_nan=False)
    assert taught_notes({"taught": found}) == [
        "2 test queries occur in its training data (1 generated, 1 silver), 1 with a document that is "
        "relevant to "
        "it; without them nDCG@10 is 0.0000"
    ]


def test_a_near_copy_with_the_right_document_is_a_pair(three: Dataset, context: Context, tmp_path: Path) -> None:
    model = made(
        tmp_path / "one",
        TrainedQuery("silver", "what is a quagga of the plains", ("d09",)),
        TrainedQuery("silver", "what is a quagga of the plain", ("d00",)),
    )
    found = taught_leaks([(three, [model])], VALUES, context)
    assert found["queries"]["kinds"] == {"silver": {"exact": 1}}
    assert found["pairs"]["count"] == 1


def test_all_models_of_a_row_count_and_a_folder_without_texts_by_its_copies(
    three: Dataset, context: Context, tmp_path: Path
) -> None:
    one = made(tmp_path / "one", TrainedQuery("gold", "what is a quagga of the plains", ("d00",)))
    alone = tmp_path / "alone"
    shutil.copytree(made(tmp_path / "two", TrainedQuery("generated", "Zebras: of the wide steppe", ("d01",))), alone)
    found = taught_leaks([(three, [one, alone, one])], VALUES, context)
    assert found["queries"]["kinds"] == {"generated": {"normalised": 1}, "gold": {"exact": 1}}
    assert found["pairs"]["count"] == 1
    assert found["known"]
    assert found["copies_alone"]
    assert taught_notes({"taught": found})[1].startswith("a model of this row came without the texts")


def test_what_is_not_known_is_said(three: Dataset, context: Context, tmp_path: Path) -> None:
    old = tmp_path / "old" / MODEL
    old.mkdir(parents=True)
    (old.parent / "training.json").write_text("{}")
    hub = tmp_path / "hub"
    hub.mkdir()
    assert taught_leaks([(three, [hub])], VALUES, context) == {}
    assert taught_leaks([(three, [hub, old])], VALUES, context) == {"known": False}
    (note,) = taught_notes({"taught": {"known": False}})
    assert note.startswith("its training queries are not known in full")
    found = taught_leaks(
        [(three, [made(tmp_path / "on-old", TrainedQuery("gold", "what is a quagga of the plains"), whole=False)])],
        VALUES,
        context,
    )
    assert not found["known"]
    assert found["queries"]["count"] == 1
    assert len(taught_notes({"taught": found})) == 2


def test_gold_that_the_collection_has_is_told_once(three: Dataset, context: Context, tmp_path: Path) -> None:
    model = made(
        tmp_path / "one",
        TrainedQuery("gold", "what is a quagga of the plains"),
        TrainedQuery("dev", "zebras of the wide steppe"),
    )
    found = taught_leaks([(three, [model])], VALUES, context)
    assert found["queries"]["count"] == 2
    assert taught_notes({"taught": found, "queries": {"count": 2}}) == []
    assert len(taught_notes({"taught": found, "queries": {"count": 1}})) == 1
    assert taught_notes({}) == []


# Of rows


@pytest.mark.parametrize(
    "row",
    [
        "dense(model={})+" + MADE,
        "dense(model={})+" + MADE + '+frozen_head(budget="smoke")',
        "hybrid(methods=(bm25, dense(model={})+" + MADE + "))",
        "bm25>>dense(model={})+" + MADE,
        'dense(model={0})+gist_embed(budget="smoke", guide=dense(model={0})+' + MADE + ")",
        'dense(model={0})+supervised(budget="smoke", judge=dense(model={0})+' + MADE + ")",
    ],
    ids=["alone", "chain", "hybrid", "re-ranker", "guide", "judge"],
)
def test_generated_questions_that_test_has_are_found_in_every_part(
    row: str, planted: str, record: Callable[[str, str], Record], tiny_encoder: Path
) -> None:
    made = record(row.format(json.dumps(str(tiny_encoder))), planted)
    found = made.leaks["taught"]
    assert found["known"]
    assert found["queries"]["kinds"]["generated"] == {"exact": 1, "normalised": 1}
    assert found["pairs"]["kinds"]["generated"] == 1
    assert any(f"{n} test queries occur in its training" in note for n in (2,) for note in made.notes)


def test_the_teacher_that_no_setting_names_counts(
    plant: Any, titles: dict[str, str], record: Callable[[str, str], Record], tiny_encoder: Path
) -> None:
    # It learns from extracted questions, its student from the gold and silver pairs of training queries.
    row = f'dense(model="{tiny_encoder}")+augmented_sbert(budget="smoke")'
    found = record(row, plant({"name0": titles["d01"], "name1": titles["d11"]})).leaks["taught"]
    assert {"generated", "gold", "silver", "dev"} == set(found["texts"])


def test_silver_queries_and_pairs(
    plant: Any, language: Any, record: Callable[[str, str], Record], tiny_models: Any
) -> None:
    trained = {f"train{topic}{i}": language.queries[f"asked{topic}"] for topic in range(10) for i in range(3)}
    encoder, pairs = tiny_models
    row = f'dense(model="{encoder}")+augmented_sbert(budget="smoke", teacher=cross_encoder(model="{pairs}"))'
    made = record(row, plant(trained))
    found = made.leaks["taught"]
    assert found["queries"]["kinds"]["silver"] == found["queries"]["kinds"]["gold"]
    assert found["queries"]["count"] == found["pairs"]["count"] == 10
    assert found["pairs"]["kinds"]["gold"] >= 8
    assert found["texts"]["gold"] < 30
    assert found["queries"]["only"] != found["queries"]["without"]


def test_a_model_that_was_kept_before_is_not_trained_again_and_not_known(
    planted: str, record: Callable[[str, str], Record], tiny_encoder: Path, context: Context
) -> None:
    row = f'dense(model="{tiny_encoder}")+{MADE}'
    first = record(row, planted)
    (folder,) = (context.cache.root / "models").iterdir()
    meta = json.loads((folder / "meta.json").read_text())
    for file in (BESIDE, f"{MODEL}/{INSIDE}"):  # as it was kept before there were such files
        (folder / file).unlink()
        del meta["files"][file]
    (folder / "meta.json").write_text(json.dumps(meta))
    weights = {f: f.stat().st_mtime_ns for f in (folder / MODEL).iterdir()}
    shutil.rmtree(context.cache.root.parent / "results")
    context.ledger.forget()
    again = record(row, planted)
    assert again.leaks["taught"] == {"known": False}
    assert again.measures == first.measures
    assert again.resolved["sha"] == first.resolved["sha"]
    assert {f: f.stat().st_mtime_ns for f in (folder / MODEL).iterdir()} == weights
    assert any("not known in full" in note for note in again.notes)
    # What is trained on top of it now is known in part.
    on_top = record(f'{row}+frozen_head(budget="smoke")', planted).leaks["taught"]
    assert not on_top["known"]
    assert on_top["texts"]["gold"] > 0


def test_a_row_without_a_trained_model_says_nothing(
    planted: str, record: Callable[[str, str], Record], tiny_encoder: Path
) -> None:
    assert "taught" not in record(f'bm25>>dense(model="{tiny_encoder}")', planted).leaks


def test_a_collection_without_labels_is_told_too(
    planted: str, record: Callable[[str, str], Record], tiny_encoder: Path, small_folder: Path
) -> None:
    (small_folder / "qrels" / "train.tsv").unlink()
    made = record(f'dense(model="{tiny_encoder}")+{MADE}', planted)
    assert set(made.leaks) == {"taught"}
    assert made.leaks["taught"]["queries"]["count"] == 2
    assert len([note for note in made.notes if "occur in its training" in note]) == 1
