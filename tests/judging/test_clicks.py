"""Clicks become labels: a simulated user with a bias to the first position, and logs that are refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import DatasetError
from harness.collection.labels import Labels
from harness.judging.clicks import NAME, clicked, from_clicks
from harness.judging.target import Target

HEAD = ["query", "document", "position", "clicks", "views"]


def write(path: Path, rows: list[list[object]], head: list[str] = HEAD) -> Path:
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def test_a_good_document_shown_low_gets_its_grade(target: Target, tmp_path: Path) -> None:
    """Users examine half as much at each further place; d0 is bad and mostly first, d8 good and mostly third."""
    rng = np.random.default_rng(0)
    theta, gamma = [1.0, 0.5, 0.25], {"d0": 0.15, "d8": 0.6, "d16": 0.02}
    shown = {"d0": [2000, 400, 100], "d8": [100, 400, 2000], "d16": [400, 1600, 400]}
    rows = [
        ["what is part0", name, place + 1, rng.binomial(views, theta[place] * gamma[name]), views]
        for name, by_place in shown.items()
        for place, views in enumerate(by_place)
    ]
    rows += [["q0", "nowhere", 1, 1, 9], ["somebody else's query", "d0", 1, 1, 9], ["q1", "d1", 1, 2, 3]]
    naive = {name: sum(r[3] for r in rows if r[1] == name) / sum(by) for name, by in shown.items()}
    assert naive["d8"] < 2 * naive["d0"]
    found = clicked(target, write(tmp_path / "log.csv", rows))
    assert {label.document: label.grade for label in found.labels} == {"d0": 1, "d8": 3, "d16": 0}
    assert {(label.query, label.judge, label.kind) for label in found.labels} == {("q0", NAME, "machine")}
    assert found.propensity == pytest.approx(theta, abs=0.05)
    assert (found.few, found.unknown) == (1, 2)


def test_labels_are_in_the_qrels_under_their_own_judge(target: Target, tmp_path: Path) -> None:
    rows = [["q2", "d2", 1, 80, 100], ["q2", "d2", 2, 40, 100], ["q2", "d29", 2, 45, 100]]
    from_clicks(target, write(tmp_path / "log.csv", rows))
    labels = Labels(tuple(target.labels))
    assert labels.qrels()["q2"]["d29"] == 3
    assert labels.summary()["judges"] == {"clicks": "machine", "dense": "machine"}


@pytest.mark.parametrize(
    ("rows", "head", "message"),
    [
        ([["q0", "d0", 1, 1]], HEAD[:2] + HEAD[3:], "no column position.*shown first"),
        ([["q0", "d0", 1, 5, 3]], HEAD, "row 1: .*clicks are at most views"),
        ([["q0", "d0", 0, 1, 3]], HEAD, "a position is 1 to 1000"),
        ([["q0", "d0", "first", 1, 3]], HEAD, "must be numbers"),
        ([["q0", "d0", 1, 0, 0]], HEAD, "no line with views"),
        ([["a", "b", 1, 1, 3]], HEAD, "log of another collection"),
    ],
)
def test_a_faulty_log_is_refused(
    target: Target, tmp_path: Path, rows: list[list[object]], head: list[str], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        clicked(target, write(tmp_path / "log.csv", rows, head))
