"""`harness data`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_data_check_of_a_sound_collection_is_0_and_counts(harness_command, small_folder: Path) -> None:
    said = harness_command("data", "check", small_folder)
    assert said.status == 0
    assert "usable" in said.out
    assert "60" in said.out
    assert "0 of 60 documents (0%) are longer than the 256 tokens that dense reads." in said.out


def test_data_check_of_a_broken_collection_is_1_and_lists_every_fault(harness_command, small_folder: Path) -> None:
    with open(small_folder / "corpus.jsonl", "a") as file:
        file.write("not json\n" + json.dumps({"_id": "d00", "title": "", "text": "again"}) + "\n")
    said = harness_command("data", "check", "./small")
    assert said.status == 1
    assert "not usable" in said.out
    assert "corpus.jsonl, line 61" in said.out
    assert "duplicate-document-id" in said.out


def test_data_fetch_of_what_is_here_says_where_and_fetches_nothing(
    harness_command, small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    said = harness_command("data", "fetch", "beir/small")
    assert said.status == 0
    assert said.out == f"beir/small is in {small_folder}\n"


def test_data_fetch_without_a_network_says_where_to_put_it_by_hand(
    harness_command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_OFFLINE", "1")
    said = harness_command("data", "fetch", "beir/scifact")
    assert said.status == 2
    assert "HARNESS_DATA" in said.err
