"""Everything that the package caches has a kind that is listed, and a name of the listed shape."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import harness
from harness.cache import kinds
from harness.cache.marker import strangers
from harness.runtime.context import Context

SOURCES = Path(harness.__file__).parent


def test_every_kind_that_the_source_names_is_listed() -> None:
    files = [path for path in SOURCES.rglob("*.py") if "suites" not in path.parts]  # which look at what rows stored
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    named = set(re.findall(r"cache\.folder\(\s*\"([^\"]+)\"", text))
    named |= set(re.findall(r"build_once\(\s*context, \"([^\"]+)\"", text))
    named |= set(re.findall(r"(?:VectorStore|RaggedStore|Journal)\([^()]*cache, \"([^\"]+)\"", text))
    assert {"bm25", "models", "embeddings", "generated"} <= named
    assert named <= set(kinds.WORDS)
    beside = set(re.findall(r"cache\.root / \"([^\"]+)\"", text))
    assert beside <= kinds.BESIDE


def test_kinds_that_grow_are_kinds() -> None:
    assert set(kinds.WORDS) > kinds.GROWING
    assert not kinds.BESIDE & set(kinds.WORDS)


@pytest.mark.parametrize(
    ("name", "key", "part"),
    [
        ("0123456789abcdef" * 2, True, None),
        (f".{'a' * 32}.x1_y.part", False, "a" * 32),
        ("a" * 31, False, None),
        ("A" * 32, False, None),
        ("a" * 33, False, None),
        (f".{'a' * 32}.part", False, None),
        ("Documents", False, None),
        (".git.x.part", False, None),
    ],
)
def test_names_of_entries_and_of_half_built_ones(name: str, key: bool, part: str | None) -> None:
    assert kinds.is_key(name) is key
    assert kinds.key_of_part(name) == part


def test_all_that_a_run_leaves_is_known(
    small_folder: Path, tiny_encoder: Path, context: Context, tmp_path: Path
) -> None:
    pytest.importorskip("faiss", reason="faiss is not installed")
    from harness.api import run, write_leaderboard

    dense = f'dense(model="{tiny_encoder}")'
    rows = [
        "bm25",
        f'{dense}+supervised(budget="smoke")',
        f"bm25>>{dense}",
        f'dense(model="{tiny_encoder}", index=hnsw)',
    ]
    run(*rows, dataset=str(small_folder), results=tmp_path / "results", context=context)
    write_leaderboard(tmp_path / "results", context)
    there = {path.name for path in context.cache.root.iterdir()}
    assert {"corpora", "bm25", "embeddings", "models", "indexes"} <= there
    assert list(strangers(context.cache.root)) == []
