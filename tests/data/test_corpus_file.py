"""A corpus file gives back the documents that were written to it, or is refused."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import DatasetError
from harness.data.corpus import ROWS_PER_BATCH, Corpus
from harness.data.corpus_file import write_corpus
from harness.data.documents import Document, joined

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
DOCUMENTS = st.lists(
    st.tuples(TEXT, st.none() | TEXT, st.none() | TEXT), min_size=1, max_size=12, unique_by=lambda d: d[0]
)
Rows = Sequence[tuple[str, str | None, str | None]]


def documents(n: int) -> list[Document]:
    return [Document(f"d{i}", f"title {i}" if i % 3 else "", f"text of {i} ä漢😀") for i in range(n)]


def read(corpus: Corpus) -> list[Document]:
    return [document for batch in corpus.batches() for document in batch]


@given(rows=DOCUMENTS)
def test_what_is_written_is_read_back_null_titles_as_empty_ones(rows: Rows) -> None:
    expected = [Document(i, title or "", text or "") for i, title, text in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.arrow"
        revision = write_corpus(path, (Document(*row) for row in rows), "mine")  # type: ignore[arg-type]
        mapped = Corpus.open(path)
        assert read(mapped) == expected
        assert mapped.path == path
        assert [p.name for p in Path(folder).iterdir()] == ["corpus.arrow"]
    memory = Corpus.of(rows)
    assert read(memory) == expected
    assert memory.revision == mapped.revision == revision
    assert mapped.id_order.tolist() == memory.id_order.tolist()


@pytest.mark.parametrize("n", [1, ROWS_PER_BATCH - 1, ROWS_PER_BATCH, ROWS_PER_BATCH + 1, 2 * ROWS_PER_BATCH, 10_000])
def test_many_rows_survive_the_cuts_between_batches(tmp_path: Path, n: int) -> None:
    rows = documents(n)
    write_corpus(tmp_path / "c", iter(rows), "mine")
    corpus = Corpus.open(tmp_path / "c")
    assert read(corpus) == rows
    assert [len(batch) for batch in corpus.batches(1000)] == [1000] * (n // 1000) + [n % 1000] * (n % 1000 > 0)
    some = np.array([n - 1, 0, n // 2], np.int64)
    assert corpus.ids(some) == [rows[i].id for i in some]
    assert corpus.texts_of(some)[:] == [joined(rows[i].title, rows[i].text) for i in some]
    assert corpus.rows([rows[n - 1].id, "absent", rows[0].id]).tolist() == [n - 1, -1, 0]
    assert corpus[n - 1] == rows[n - 1]


def test_documents_are_read_once_and_never_held_together(tmp_path: Path) -> None:
    alive: list[int] = []
    high = 0

    class Watched(str):
        def __del__(self) -> None:
            alive.pop()

    def stream() -> object:
        nonlocal high
        for i in range(3 * ROWS_PER_BATCH):
            alive.append(i)
            high = max(high, len(alive))
            yield Document(str(i), "", Watched("text"))

    write_corpus(tmp_path / "c", stream(), "mine")  # type: ignore[arg-type]
    assert high <= ROWS_PER_BATCH + 1


def test_an_id_twice_is_refused_with_the_id(tmp_path: Path) -> None:
    rows = [Document("a", "", "1"), Document("b", "", "2"), Document("a", "", "3")]
    with pytest.raises(DatasetError, match=r"documents given: 1 document ids appear more than once, for example 'a'"):
        Corpus.of(rows)
    with pytest.raises(DatasetError, match=r"mine: 1 document ids appear more than once, for example 'a'"):
        write_corpus(tmp_path / "c", rows, "mine")
    assert not list(tmp_path.iterdir())


def test_an_id_twice_in_different_batches_is_found(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'d0'"):
        write_corpus(tmp_path / "c", [*documents(ROWS_PER_BATCH), Document("d0", "", "")], "mine")


def test_no_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"mine: the corpus is empty"):
        write_corpus(tmp_path / "c", [], "mine")
    with pytest.raises(DatasetError, match="empty"):
        Corpus.of([])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("row", [("a\ud800", "", ""), ("a", "\ud800", ""), ("a", "", "x\udfff")])
def test_a_lone_surrogate_is_refused_with_the_document(tmp_path: Path, row: tuple[str, str, str]) -> None:
    with pytest.raises(DatasetError, match=r"document 'a.*lone surrogate"):
        Corpus.of([row])
    with pytest.raises(DatasetError, match="lone surrogate"):
        write_corpus(tmp_path / "c", [Document(*row)], "mine")
    assert not list(tmp_path.iterdir())


def test_a_reader_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def stream() -> object:
        yield from documents(ROWS_PER_BATCH + 5)
        raise RuntimeError("line 7")

    with pytest.raises(RuntimeError, match="line 7"):
        write_corpus(tmp_path / "c", stream(), "mine")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.9, 0.9999])
def test_a_truncated_file_is_refused_with_what_to_do(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "corpus.arrow"
    write_corpus(path, documents(5000), "mine")
    whole = path.read_bytes()
    path.write_bytes(whole[: min(int(len(whole) * kept), len(whole) - 1)])
    with pytest.raises(
        DatasetError, match=r"corpus\.arrow is not a complete corpus file \(.*\); delete it and run again"
    ):
        Corpus.open(path)


def test_an_arrow_file_of_something_else_is_refused(tmp_path: Path) -> None:
    table = pa.table({"a": [1]})
    with pa.OSFile(str(tmp_path / "c"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(DatasetError, match="not a complete corpus file"):
        Corpus.open(tmp_path / "c")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="absent is not a complete corpus file"):
        Corpus.open(tmp_path / "absent")
