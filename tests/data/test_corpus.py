"""A corpus is the documents it was made of, in their order, in memory or mapped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data import corpus as module
from harness.data.corpus import Corpus
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


def test_documents_keep_their_order_and_content() -> None:
    rows = documents(7)
    corpus = Corpus.of(rows)
    assert len(corpus) == 7
    assert read(corpus) == rows
    assert [corpus[i] for i in range(7)] == rows
    assert corpus[np.int64(3)] == rows[3]
    assert list(corpus.texts) == [joined(d.title, d.text) for d in rows]
    assert corpus.nbytes > sum(len("".join(d).encode()) for d in rows)


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
