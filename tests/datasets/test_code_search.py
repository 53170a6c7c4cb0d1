from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.datasets._code_search import Pair, _split, _unambiguous, first_sentence, query_of, words, write_collection
from harness.datasets._functions import Function

BODY = "def {name}(a):\n    b = a + {n}\n    return b"


def function(id: str, docstring: str = "", source: str | None = None, n: int = 0) -> Function:
    name = id.rpartition(".")[2]
    return Function(id, name, source or BODY.format(name=name, n=n), docstring)


@pytest.mark.parametrize(
    ("docstring", "query"),
    [
        ("Return the number of leap years.\n\nMore of it.", "Return the number of leap years."),
        ("Return the number\n    of leap years. It counts.", "Return the number of leap years."),
        ("Use of e.g. a parser (cf. RFC 822) for dates. Next.", None),
        ("Parse a date, e.g. Monday. Next one.", "Parse a date, e.g. Monday."),
        ("Open it", None),
        ("Open the open", None),
        ("See the other function.", None),
        ("Deprecated since 3.4, to be removed.", None),
        ("Helper function for the parser.", None),
        ("f(x) -> the number of x", None),
        (">>> f(1) gives the number", None),
        ("One of the following things:", None),
        ("Format with compute_it and print.", None),
        ("Like that function but with strings.", None),
        (" ".join(["word"] * 41), None),
    ],
)
def test_query(docstring: str, query: str | None) -> None:
    assert query_of(function("m.compute_it", docstring)) == query


@pytest.mark.parametrize(
    "docstring", ["strip removes the white space.", "Do what strip() does to it.", "Apply `strip` to all of it."]
)
def test_a_query_does_not_name_its_function(docstring: str) -> None:
    assert query_of(function("m.strip", docstring)) is None
    assert query_of(function("m.other", docstring)) is not None


def test_a_plain_word_that_is_also_the_name_may_stay() -> None:
    assert query_of(function("m.strip", "Strip white space off both ends.")) is not None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One. Two.", "One."),
        ("See i.e. One. Two.", "See i.e. One."),
        ("Is it (so?) Yes", "Is it (so?)"),
        ("Version 3.4 of it", "Version 3.4 of it"),
        ("J. Doe wrote it. He did.", "J. Doe wrote it."),
    ],
)
def test_first_sentence(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence


def test_like_queries_of_two_documents_are_both_left_out() -> None:
    pairs = [
        Pair("Return the name of the file", "a"),
        Pair("return the NAME of the file.", "b"),
        Pair("Close all open sockets at once", "c"),
        Pair("Read one line of the mailbox", "d"),
        Pair("Reads one line of the mailbox", "d"),
    ]
    assert [pair.document for pair in _unambiguous(pairs)] == ["c", "d", "d"]


def test_likeness_against_all_pairs() -> None:
    texts = [
        f"{verb} the {adjective} {noun} of it"
        for verb in ("get", "put")
        for adjective in ("old", "new", "big")
        for noun in ("cat", "dog")
    ]
    texts += ["get the old cat of it now", "wholly different words stand here"]
    pairs = [Pair(text, str(n)) for n, text in enumerate(texts)]

    def alike(a: str, b: str) -> bool:
        return len(words(a) & words(b)) >= 0.8 * len(words(a) | words(b))

    expected = [p for p in pairs if not any(q is not p and alike(p.query, q.query) for q in pairs)]
    assert _unambiguous(pairs) == expected


def test_written_collection(tmp_path: Path) -> None:
    functions = [
        function("m.one", "Return the number of leap years."),
        function("n.one", "", BODY.format(name="one", n=0).replace("    ", "\t")),  # a copy but for white space
        function("m.__len__", "Return the length of the list."),
        function("m.test_it", "Check that all is in order."),
        function("m.stub", "Give back what was taken.", "def stub(\n    self,\n):\n    raise NotImplementedError"),
        function("m.short", "Take away what was given.", "def short(): pass"),
        function("m.plain", n=3),
    ]
    counts = write_collection(functions, tmp_path)
    documents = [json.loads(line) for line in (tmp_path / "corpus.jsonl").read_text().splitlines()]
    assert [d["_id"] for d in documents] == ["m.one", "m.plain"]
    assert {d["title"] for d in documents} == {""}
    queries = [json.loads(line) for line in (tmp_path / "queries.jsonl").read_text().splitlines()]
    assert [q["text"] for q in queries] == ["Return the number of leap years."]
    split = _split("m.one")
    assert (tmp_path / "qrels" / f"{split}.tsv").read_text() == f"query-id\tcorpus-id\tscore\n{split}-1\tm.one\t1\n"
    assert counts == {"documents": 2, "test": 0, "dev": 0, "train": 0} | {split: 1}


def test_a_private_twin_is_in_the_split_of_its_module() -> None:
    assert _split("_pyio.open") == _split("pyio.open")
    assert _split("io.open") == _split("_io.open.inner")
