"""A corpus is the documents it was made of, in their order, in memory or mapped."""

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
from harness.data import corpus as module
from harness.data.corpus import ROWS_PER_BATCH, Corpus, Document, joined, write_corpus

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
DOCUMENTS = st.lists(
    st.tuples(TEXT, st.none() | TEXT, st.none() | TEXT), min_size=1, max_size=12, unique_by=lambda d: d[0]
)
Rows = Sequence[tuple[str, str | None, str | None]]


def documents(n: int) -> list[Document]:
    return [Document(f"d{i}", f"title {i}" if i % 3 else "", f"text of {i} ä漢😀") for i in range(n)]


def read(corpus: Corpus) -> list[Document]:
    return [document for batch in corpus.batches() for document in batch]


@pytest.mark.parametrize(
    ("title", "text", "whole"),
    [
        ("A title", "a text", "A title a text"),
        ("", "a text", "a text"),
        ("", "  a text\n", "a text"),
        ("A title", "", "A title"),
        (" A title ", " a text ", "A title   a text"),
        ("", "", ""),
    ],
)
def test_title_and_text_are_joined_by_one_space(title: str, text: str, whole: str) -> None:
    assert joined(title, text) == whole


def test_documents_keep_their_order_and_content() -> None:
    rows = documents(7)
    corpus = Corpus.of(rows)
    assert len(corpus) == 7
    assert read(corpus) == rows
    assert [corpus[i] for i in range(7)] == rows
    assert corpus[np.int64(3)] == rows[3]
    assert list(corpus.texts) == [joined(d.title, d.text) for d in rows]
    assert corpus.nbytes > sum(len("".join(d).encode()) for d in rows)


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


@pytest.mark.parametrize(
    "other",
    [
        [("a", "", "xy"), ("b", "", "z")],
        [("b", "", "y"), ("a", "", "x")],
        [("a", "x", ""), ("b", "", "y")],
        [("a", "", "x"), ("b", "", "y"), ("c", "", "")],
        [("ab", "", "x"), ("", "", "y")],
        [("a", "", "xb"), ("", "", "y")],
    ],
)
def test_the_revision_tells_corpora_apart(other: Rows) -> None:
    assert Corpus.of([("a", "", "x"), ("b", "", "y")]).revision != Corpus.of(other).revision


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
    with pytest.raises(DatasetError, match=r"corpus\.arrow is not a whole corpus file \(.*\); delete it and run again"):
        Corpus.open(path)


def test_an_arrow_file_of_something_else_is_refused(tmp_path: Path) -> None:
    table = pa.table({"a": [1]})
    with pa.OSFile(str(tmp_path / "c"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(DatasetError, match="not a whole corpus file"):
        Corpus.open(tmp_path / "c")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="absent is not a whole corpus file"):
        Corpus.open(tmp_path / "absent")


@given(ids=st.lists(TEXT, min_size=1, unique=True, max_size=20))
def test_id_order_is_that_of_utf8_bytes_descending(ids: list[str]) -> None:
    places = Corpus.of([(i, "", "") for i in ids]).id_order
    by_place = [i for _, i in sorted(zip(places.tolist(), ids, strict=True))]
    assert by_place == sorted(ids, key=str.encode, reverse=True)


def test_id_order_is_not_that_of_utf16() -> None:
    """U+FF5E comes before U+1F600 in UTF-8 and after it in UTF-16; `strcmp` sees bytes."""
    assert Corpus.of([("\uff5e", "", ""), ("😀", "", "")]).id_order.tolist() == [1, 0]


def test_ids_of_no_rows_and_rows_of_no_ids() -> None:
    corpus = Corpus.of(documents(3))
    assert corpus.ids(np.zeros(0, np.int64)) == []
    assert corpus.rows([]).tolist() == []
    assert corpus.rows([]).dtype == np.int64


@given(
    n=st.integers(1, 9),
    rows=st.none() | st.lists(st.integers(0, 8), max_size=12),
    start=st.none() | st.integers(-12, 12),
    stop=st.none() | st.integers(-12, 12),
    step=st.none() | st.integers(-3, 3).filter(bool),
)
def test_texts_are_a_sequence_like_a_list(n: int, rows: list[int] | None, start: int, stop: int, step: int) -> None:
    corpus = Corpus.of(documents(n))
    if rows is None:
        texts, like = corpus.texts, [joined(d.title, d.text) for d in documents(n)]
    else:
        rows = [row % n for row in rows]
        texts = corpus.texts_of(np.array(rows, np.int64))
        like = [joined(documents(n)[row].title, documents(n)[row].text) for row in rows]
    assert len(texts) == len(like)
    assert texts[start:stop:step] == like[start:stop:step]
    assert list(texts) == like
    assert list(reversed(texts)) == like[::-1]
    for place in {-len(like), -1, 0, len(like) - 1} if like else ():
        assert texts[place] == texts[np.int64(place)] == like[place]
    for place in (len(like), -len(like) - 1):
        with pytest.raises(IndexError):
            texts[place]


def test_texts_are_read_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, seen = Corpus.of(documents(9)), []
    monkeypatch.setattr(module, "joined", lambda title, text: seen.append(text) or text)
    assert len(corpus.texts) == 9
    assert corpus.texts[2:4]
    assert len(seen) == 2
