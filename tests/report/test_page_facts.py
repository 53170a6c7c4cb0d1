"""What the page says of itself."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from harness.bench.record import Record
from harness.report.board import tables
from harness.report.page_facts import facts_of


def test_title_dates_and_commits_are_those_of_the_records(made: Callable[..., Record]) -> None:
    records = [
        made("a", 0.5, "d1", started="2026-01-02T03:04:05+00:00", provenance={"commit": "c1", "dirty": False}),
        made("b", 0.5, "d1", started="2026-02-03T03:04:05+00:00", provenance={"commit": "c1", "dirty": False}),
        made("a", 0.5, "d2", started="2026-01-09T03:04:05+00:00", provenance={"commit": "c2", "dirty": True}),
    ]
    facts = facts_of(tables(records), None)
    assert facts["title"] == "Retrieval leaderboard: d1, d2"
    assert facts["about"] == "2 retrieval systems on 2 datasets"
    assert facts["dates"] == {"first": "2026-01-02", "last": "2026-02-03"}
    assert facts["code"] == [
        {"commit": "c1", "records": 2},
        {"commit": "c2 with uncommitted changes", "records": 1},
    ]


def test_the_command_of_a_dataset_runs_its_rows_whatever_their_names(made: Callable[..., Record]) -> None:
    (table,) = tables([made("a b'c", 0.5), made("d", 0.4)])
    (entry,) = facts_of([table], None)["commands"]
    words = shlex.split(entry["command"])
    assert words[:4] == ["harness", "run", "--dataset", "beir/example/test"]
    assert [words[i + 1] for i, word in enumerate(words) if word == "--method"] == ["a b'c", "d"]


def test_without_records_there_is_a_title() -> None:
    facts = facts_of([], None)
    assert (facts["title"], facts["dates"], facts["code"]) == ("Leaderboard", {"first": "", "last": ""}, [])
