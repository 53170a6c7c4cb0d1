"""Documents of whatever a person calls a corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import DatasetError
from harness.data.ids import unfit
from harness.testset.documents import Source

LONG = "\n\n".join(f"Sentence number {i} is about wheel {i} of the machine." for i in range(20))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    (root / "how to").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / ".git" / "x.md").write_text("hidden")
    (root / "how to" / "start.md").write_text(f"# Start\n\n{LONG}\n\n## End\n\nThe end of it.\n")
    (root / "note.txt").write_text("One short note.\n")
    (root / "empty.md").write_text("\n")
    (root / "picture.png").write_bytes(b"\x89PNG")
    return root


def test_a_folder_of_files(folder: Path) -> None:
    source = Source(folder, words=60)
    documents = list(source.documents())
    ids = [document.id for document in documents]
    assert ids[0] == "note.txt"
    assert ids[1] == "how%20to/start.md#L1"
    assert len(set(ids)) == len(ids) > 3
    assert not any(unfit(name) for name in ids)
    assert documents[2].title == "Start"
    text = (folder / "how to" / "start.md").read_text().split("\n")
    line = int(ids[2].partition("#L")[2])
    assert documents[2].text.startswith(text[line - 1])
    assert source.facts == {"kind": "folder of files", "files": 3, "words": 60}


def test_documents_of_a_beir_folder_stay_as_they_are(small_folder: Path) -> None:
    source = Source(small_folder, words=2)
    documents = list(source.documents())
    assert len(documents) == 60
    assert source.facts == {"kind": "BEIR folder"}


def test_a_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f'id,title,body\na b,T,"{LONG}"\n2,,short text here\n3,x,\n')
    documents = list(Source(path, words=60).documents())
    assert [document.id for document in documents][-1] == "2"
    assert documents[0].id == "a%20b#1"
    assert {document.title for document in documents} == {"T", ""}


def test_chunks_of_one_long_line_have_ids_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "line.txt"
    path.write_text("word " * 100)
    ids = [document.id for document in Source(path, words=20).documents()]
    assert ids[:2] == ["line.txt#L1", "line.txt#L1.2"]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none", None, "there is no"),
        ("x.pdf", b"%PDF", "the ending '.pdf'"),
        ("x.txt", b"caf\xe9", "not UTF-8"),
        ("x.md", b" \n", "no document with text"),
        ("x.csv", b"id,text\n1,a b\n1,c d\n", "row 2: '1' is in column 'id' twice"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        list(Source(tmp_path / name).documents())
