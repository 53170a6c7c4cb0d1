"""What a collection says of queries and documents, without a download."""

from __future__ import annotations

from pathlib import Path

import pytest

import harness.report.collection as told
from harness.data.dataset import Dataset
from harness.datasets import at_hand, may_be_passed_on
from harness.report.collection import words
from harness.runtime.context import Context


def test_texts_titles_and_overlaps_are_those_of_the_collection(small: Dataset, context: Context) -> None:
    said, why = words(small.name, small.revision, context)
    assert said is not None
    assert why == ""
    assert said.texts == dict(zip(small.test.queries.ids, small.test.queries.texts, strict=True))
    document = small.corpus[1]
    assert said.titles([document.id, "nowhere"]) == {document.id: document.title}
    assert said.titles([small.corpus[0].id])[small.corpus[0].id] == small.corpus[0].text
    assert {said.overlap[q] for q in said.texts if q.startswith("asked")} == {0.0}
    assert all(said.overlap[q] > 0 for q in said.texts if q.startswith("name"))


def test_texts_that_may_not_be_passed_on_are_shown_on_request_only(
    small: Dataset, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "may_be_passed_on", lambda *_: False)
    said, why = words(small.name, small.revision, context)
    assert said is not None
    assert (said.shown, why) == (False, told.RESEARCH_ONLY)
    said, why = words(small.name, small.revision, context, texts=True)
    assert said is not None
    assert (said.shown, why) == (True, "")


def test_ones_own_collections_may_be_passed_on_and_published_ones_not(small: Dataset, context: Context) -> None:
    assert may_be_passed_on(small.name, context)
    assert may_be_passed_on("stdlib/code/test", context)
    assert not may_be_passed_on("beir/scifact/test", context)


def test_another_revision_says_nothing(small: Dataset, context: Context) -> None:
    said, why = words(small.name, "0" * 32, context)
    assert said is None
    assert "another revision" in why


def test_what_is_not_at_hand_is_not_fetched(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "load_dataset", lambda *_: pytest.fail("loaded"))
    for name in ("beir/scifact/test", "folder/nowhere/test", "gone/away"):
        said, why = words(name, "0" * 32, context)
        assert said is None
        assert "ids only" in why


def test_a_folder_and_the_standard_library_are_at_hand(small_folder: Path, context: Context) -> None:
    assert at_hand(f"folder/{small_folder}", context)
    assert at_hand("stdlib/code/test", context)
    assert not at_hand("beir/scifact", context)


def test_a_long_title_is_cut(small: Dataset) -> None:
    assert len(told._short("word " * 100)) <= told.LONGEST
