"""Machine labels are uncalibrated; people's labels of some queries correct means, differences and intervals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.bench.run_rows import run_rows
from harness.bench.store import Store
from harness.collection.labels import Label, labels_file, read_labels, write_labels
from harness.compare.advice import sentences
from harness.compare.calibration import Calibration, shares_a_model
from harness.compare.decision import decide
from harness.compare.evidence import Scores, contrasts, scores
from harness.compare.judge_errors import bounds
from harness.compare.verdict import verdict
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.statistics.family import family
from harness.statistics.ppi import LEAST

ROWS = ("bm25", "bm25(k1=4.0, b=0.0)")
WORDS = ("valve", "hedge", "crane", "shelf", "stove")


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Path]:
    """40 queries that a machine judged; people judged the first n, and found every fourth unanswered."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mine"
    (folder / "qrels").mkdir(parents=True)
    rng = np.random.default_rng(0)
    texts = {f"d{i}": " ".join([*rng.choice(WORDS, 2 + i % 9), f"n{i % 40}"]) for i in range(80)}
    queries = {f"q{i:02}": f"{rng.choice(WORDS)} n{i}" for i in range(40)}
    (folder / "corpus.jsonl").write_text("".join(json.dumps({"_id": i, "text": t}) + "\n" for i, t in texts.items()))
    (folder / "queries.jsonl").write_text(
        "".join(json.dumps({"_id": i, "text": t}) + "\n" for i, t in queries.items())
    )

    def one(people: int) -> Path:
        labels = []
        for i, query in enumerate(queries):
            for place, document in enumerate((f"d{i}", f"d{i + 40}", f"d{(i + 7) % 80}")):
                labels.append(Label(query, document, 3 - place, "dense", "machine"))
                if i < people:
                    labels.append(Label(query, document, (2 - place) * (i % 4 > 0), "ann", "person"))
        write_labels(folder, labels)
        return folder

    return one


def scored(folder: Path, context: Context) -> list[Scores]:
    made = run_rows(*ROWS, dataset=str(folder), results="results", context=Context(cache=context.cache))
    store = Store(Path("results"))
    stored, _ = store.stored()
    by_row = {each.record.row: each for each in stored}
    return [scores([by_row[result.record.row]], store, "nDCG@10") for result in made]


def test_machine_labels_alone_are_uncalibrated(judged: Callable[[int], Path], context: Context) -> None:
    rows = scored(judged(0), context)
    assert all(row.calibration is not None and not row.calibration.corrected for row in rows)
    assert rows[0].records[0].dataset["labels"]["people_queries"] == 0
    assert "uncalibrated" in " ".join(rows[0].records[0].dataset["notes"])
    said = " ".join(verdict(contrasts([(rows[0], rows[1])])[0]).sentences)
    assert "Uncalibrated: all labels are by dense." in said
    assert "widened for the judge's errors" in said
    assert "since the judge errs" in said
    decision = decide(rows)
    assert "Uncalibrated" in " ".join(sentences(decision))
    assert "since the judge errs" in decision.comparison.power


def test_machine_labels_alone_widen_intervals(judged: Callable[[int], Path], context: Context) -> None:
    """By the bound of the pair; people's judgements replace that by estimates."""
    rows = scored(judged(0), context)
    found = decide(rows).comparison.family
    assert found.judge_size(0, 1) == bounds(["dense"]).apart  # neither row has the judge's model
    narrow = family([np.stack([row.values.mean(1) for row in rows], axis=1)])
    one, other = found.difference(0, 1).interval, narrow.difference(0, 1).interval
    assert one.high - one.low > other.high - other.low
    people = decide(scored(judged(20), context)).comparison.family
    assert not people.widened


def test_a_few_peoples_queries_correct_nothing_yet(judged: Callable[[int], Path], context: Context) -> None:
    [row, _] = scored(judged(LEAST - 1), context)
    assert row.calibration is not None
    assert not row.calibration.corrected
    assert f"people judged {LEAST - 1}." in row.calibration.sentence
    assert "78% of the labels are by dense" in row.calibration.sentence


def test_people_correct_means_differences_and_intervals(judged: Callable[[int], Path], context: Context) -> None:
    machine = scored(judged(0), context)
    rows = scored(judged(20), context)
    [contrast] = contrasts([(rows[0], rows[1])])
    own, other = contrast.row.calibration, contrast.baseline.calibration
    assert own is not None
    assert other is not None
    assert own.weight == other.weight
    people, made, others = own.parts
    assert (len(people), len(made), len(others)) == (20, 20, 20)
    by_hand = own.weight * others.mean() + (people - own.weight * made).mean()
    assert contrast.row.mean == pytest.approx(by_hand)
    assert contrast.difference == pytest.approx(contrast.row.mean - contrast.baseline.mean)
    assert contrast.row.mean < machine[0].mean - 0.05
    assert own.weight > 0
    assert len(contrast.family.strata) == 2
    found = verdict(contrast).sentences
    assert any(line.startswith("Calibrated: dense judged all 40 queries, people 20 of them") for line in found)
    assert any("would detect 0.01" in line or "Even if people" in line for line in found)
    decision = decide(rows)
    assert decision.comparison.people == 20
    assert "20 of them judged by people" in decision.comparison.power or decision.comparison.power == ""
    for option in decision.options:
        assert option.interval.low <= option.scores.mean <= option.interval.high


def test_people_who_hardly_agree_are_a_caveat(judged: Callable[[int], Path], context: Context) -> None:
    folder = judged(12)
    labels = read_labels(labels_file(folder))
    assert labels is not None
    ann = [label for label in labels.every if label.judge == "ann"]
    write_labels(folder, [*labels.every, *(label._replace(judge="bob", grade=2 - label.grade) for label in ann)])
    [row, _] = scored(folder, context)
    assert row.calibration is not None
    assert row.calibration.corrected
    assert "Agreement between people is low (ann and bob, kappa -" in row.calibration.sentence


def test_if_people_judged_everything_their_judgements_count_as_they_are(
    judged: Callable[[int], Path], context: Context
) -> None:
    [row, _] = scored(judged(40), context)
    assert row.calibration is None
    assert row.mean == row.records[0].measures["nDCG@10"]


def test_labels_that_are_not_of_these_qrels_are_ignored(judged: Callable[[int], Path], context: Context) -> None:
    folder = judged(20)
    qrels = folder / "qrels" / "test.tsv"
    qrels.write_text(qrels.read_text().replace("\t3\n", "\t1\n", 1))
    [row, _] = scored(folder, context)
    assert row.calibration is None
    assert "it is ignored" in " ".join(row.records[0].dataset["notes"])


def test_judges_and_rows_that_share_a_model() -> None:
    assert shares_a_model("dense", parse_method("bm25>>dense").full())
    assert not shares_a_model("dense", "bm25")
    assert not shares_a_model("no such judge", "bm25")


def test_of_a_judge_that_was_not_measured_the_sentence_says_whose_errors_are_taken() -> None:
    def said(*judges: str) -> str:
        return Calibration(judges, (), 9).sentence

    assert "the largest errors of any judge there: this judge was not measured" in said("chat")
    assert "the largest errors of any judge there: these judges together were not measured" in said("clicks", "panel")
    assert "not measured" not in said("panel")
