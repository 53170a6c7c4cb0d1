from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import DatasetError
from harness.collection.jsonl import read_documents, read_queries
from harness.data.documents import Document
from harness.data.ids import WHITE
from harness.data.lines import Fault

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=10).filter(
    lambda name: name == name.strip(WHITE)
)


def written(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@given(rows=st.lists(st.tuples(IDS, TEXT, TEXT), max_size=20), ascii_only=st.booleans(), packed=st.booleans())
def test_what_is_written_is_read(
    rows: list[tuple[str, str, str]], ascii_only: bool, packed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("jsonl") / ("corpus.jsonl.gz" if packed else "corpus.jsonl")
    text = "".join(json.dumps({"_id": i, "title": t, "text": x}, ensure_ascii=ascii_only) + "\n" for i, t, x in rows)
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert [document for _, document in read_documents(path)] == [Document(*row) for row in rows]


@pytest.mark.parametrize(
    ("row", "document"),
    [
        ('{"_id": 7, "title": null, "text": null}', Document("7", "", "")),
        ('{"_id": "a", "text": "b", "metadata": {}}', Document("a", "", "b")),
        ('{"_id": "a", "text": "b", "metadata": {"text": "x", "_id": 3}}', Document("a", "", "b")),
        ('{"_id": "a", "text": "the keys \\"_id\\" and \\"_id\\""}', Document("a", "", 'the keys "_id" and "_id"')),
        ('{"_id": "text", "title": "text", "text": "_id"}', Document("text", "text", "_id")),
        ('{"_id": "a", "title": "\\ud83d\\ude00", "text": "b"}', Document("a", "😀", "b")),
    ],
)
def test_what_is_accepted(tmp_path: Path, row: str, document: Document) -> None:
    assert list(read_documents(written(tmp_path, row))) == [(1, document)]


@pytest.mark.parametrize(
    ("row", "code", "words"),
    [
        ('{"_id": "a"', "json", "not JSON"),
        ("[1]", "json", "an array"),
        ("[" * 100_000, "json", "not JSON"),
        ('{"id": "a", "text": "b"}', "missing-id", "rename 'id'"),
        ('{"_id": null, "text": "b"}', "bad-id", "null"),
        ('{"_id": true, "text": "b"}', "bad-id", "a boolean"),
        ('{"_id": 1.5, "text": "b"}', "bad-id", "a number"),
        ('{"_id": "", "text": "b"}', "bad-id", "empty"),
        ('{"_id": "a", "contents": "b"}', "missing-text", "rename 'contents'"),
        ('{"_id": "a", "text": ["b"]}', "bad-text", "an array"),
        ('{"_id": "a", "title": 3, "text": "b"}', "bad-text", "a number"),
        ('{"_id": "a", "text": "\\ud800"}', "surrogate", r"\\ud800"),
        ('{"_id": "a", "text": "b", "_id": "c"}', "duplicate-key", '"_id" occurs twice in the line; delete one'),
        ('{"_id": 1, "text": "b", "_id": 2}', "duplicate-key", '"_id" occurs twice'),
        ('{"_id": 1, "text": "b", "_id": "2"}', "duplicate-key", '"_id" occurs twice'),
        ('{"_id": "a", "text": "b", "metadata": {"text": "x"}, "text": "c"}', "duplicate-key", '"text" occurs twice'),
        ('{"_id": "a", "title": "", "title": null, "text": "c"}', "duplicate-key", '"title" occurs twice'),
    ],
)
def test_what_is_refused_and_where(tmp_path: Path, row: str, code: str, words: str) -> None:
    path = written(tmp_path, '{"_id": "first", "text": "x"}', row, '{"_id": "last", "text": "y"}')
    with pytest.raises(DatasetError, match=rf"corpus\.jsonl, line 2: .*{words}"):
        list(read_documents(path))
    faults: list[Fault] = []
    assert [document.id for _, document in read_documents(path, faults.append)] == ["first", "last"]
    assert [(f.code, f.line) for f in faults] == [(code, 2)]


def test_all_faults_of_a_line_are_told(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert list(read_documents(written(tmp_path, '{"_id": [], "title": 1}'), faults.append)) == []
    assert [f.code for f in faults] == ["bad-id", "bad-text", "missing-text"]


def test_repeated_query_id_names_both_lines(tmp_path: Path) -> None:
    path = written(tmp_path, '{"_id": "a", "text": "x"}', '{"_id": "b", "text": "x"}', '{"_id": "a", "text": "y"}')
    with pytest.raises(DatasetError, match=r"line 3: query id 'a' is also on line 1"):
        list(read_queries(path))
    faults: list[Fault] = []
    assert list(read_queries(path, faults.append)) == [(1, "a", "x"), (2, "b", "x")]
