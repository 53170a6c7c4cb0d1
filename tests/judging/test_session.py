"""What people see and what is stored: systems hidden, whole queries, several people, nothing lost."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.collection.labels import Labels, labels_file, read_labels
from harness.judging.session import Session, answer
from harness.judging.target import Target
from harness.runtime.context import Context


@pytest.fixture
def session(target: Target, context: Context) -> Session:
    return Session(target, [("q0", "d29")], context)


def labels(made: Path) -> Labels:
    found = read_labels(labels_file(made))
    assert found is not None
    return found


def test_a_person_goes_through_all_pairs(session: Session, made: Path) -> None:
    found, seen = session.next("ann"), []
    assert set(found["pair"]) == {"query", "document", "query_text", "title", "text", "grade"}
    assert "dense" not in str(found)
    while found["pair"] is not None:
        seen.append((found["pair"]["query"], found["pair"]["document"]))
        found = session.add("ann", *seen[-1], len(seen) % 4)
        assert len(labels(made).every) == 24 + len(seen)
    assert len(set(seen)) == len(seen) == 25
    assert found["state"] == "25 of 25 pairs judged; 8 queries complete, 2 more until they correct the scores"
    assert len(labels(made).of_people()) == 8


def test_going_back_changes_a_grade(session: Session, made: Path) -> None:
    first = session.next("ann")["pair"]
    session.add("ann", first["query"], first["document"], 3)
    shown = session.pair("ann", first["query"], first["document"])["pair"]
    assert shown["grade"] == 3
    after = session.add("ann", first["query"], first["document"], 0)
    assert after["state"].startswith("1 of 25 pairs judged")
    assert labels(made).qrels()[first["query"]][first["document"]] == 0


def test_several_people_at_once_lose_nothing(session: Session, made: Path) -> None:
    def work(name: str) -> None:
        found = session.next(name)
        for _ in range(10):
            pair = found["pair"]
            found = session.add(name, pair["query"], pair["document"], 1)

    people = [threading.Thread(target=work, args=(name,)) for name in ("ann", "bob", "cem")]
    for one in people:
        one.start()
    for one in people:
        one.join()
    counts = [sum(label.judge == name for label in labels(made).every) for name in ("ann", "bob", "cem")]
    assert counts == [10, 10, 10]


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a\x1bb"])
def test_names_that_cannot_be_used(session: Session, name: str) -> None:
    with pytest.raises(SettingError, match="give a name"):
        session.next(name)


def test_the_name_of_a_machine_is_taken(session: Session) -> None:
    with pytest.raises(SettingError, match="another judge"):
        session.next("dense")


def test_what_is_no_grade_or_no_pair_is_refused(session: Session, made: Path) -> None:
    pair = {"person": "ann", "query": "q0", "document": "d0"}
    for grade in (4, -1, True, "2", 1.5, None):
        assert answer(session, "/label", {**pair, "grade": grade})[0] == 400
    assert answer(session, "/label", {**pair, "document": "d5", "grade": 1})[0] == 400
    assert answer(session, "/pair", {**pair, "query": "q9"})[0] == 400
    assert answer(session, "/else", pair)[0] == 404
    assert len(labels(made).every) == 24
    assert answer(session, "/label", {**pair, "grade": 1})[0] == 200
