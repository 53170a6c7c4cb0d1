"""The command that makes a test set, for a corpus that has no judgements."""

from __future__ import annotations

import itertools
import os
import shlex
from pathlib import Path

from harness.base.files import there

CORPUS = ("corpus.jsonl", "corpus.jsonl.gz")
QUERIES = ("queries.jsonl", "queries.jsonl.gz")
TEXTS = (".md", ".markdown", ".txt", ".rst")
TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")
"""Endings of files that `harness testset` reads, as documents and as tables of documents."""
LOOKED_AT = 10_000
"""Files that are looked at for one with text."""


def offer(path: Path) -> str:
    """A sentence with the command that makes a test set of a folder or a file; empty if there is no document in it."""
    if not _has_documents(path):
        return ""
    command = ["harness", "testset", str(path), "--out", "./mine"]
    queries = next((path / name for name in QUERIES if there((path / name).is_file)), None)
    if queries is not None:
        command += ["--queries", str(queries)]
    return f" Without judgements, make a test set of its documents: `{shlex.join(command)}`."


def _has_documents(path: Path) -> bool:
    if there(path.is_file):
        return path.suffix.lower() in (*TEXTS, *TABLES)
    if any(there((path / name).is_file) for name in CORPUS):
        return True
    names = itertools.chain.from_iterable(names for _, _, names in os.walk(path))
    return any(name.lower().endswith(TEXTS) for name in itertools.islice(names, LOOKED_AT))
