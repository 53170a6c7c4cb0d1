"""The collections that scripts make: what is a document, and what is a fair query."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from harness.datasets import load_dataset
from harness.runtime.context import Context

LS = """LS(1)                              User Commands                              LS(1)

BEZEICHNUNG
       ls, dir - Verzeichnisinhalte auf dem Schirm auflisten

ÜBERSICHT
       ls [OPTION]…

BESCHREIBUNG
       Auflistung von   Informationen.

       -a     Einträge nicht ignorieren

GNU coreutils 9.1                  September 2022                             LS(1)
"""
PAGE = """
=========
The title
=========

.. module:: x

Some text.

How to use ``it`` *well*
========================

More text, and a table:

=====  =====
a      b
=====  =====

The :setting:`DEBUG` switch of :ref:`the site <site-ref>`
---------------------------------------------------------

Last.
"""


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))


@pytest.fixture
def manpages() -> ModuleType:
    import manpages

    return manpages


@pytest.fixture
def long_documents() -> ModuleType:
    import long_documents

    return long_documents


def test_a_manual_page_is_its_summary_and_the_rest(manpages: ModuleType) -> None:
    page = manpages.page_of("ls.1", LS)
    assert (page.names, page.summary) == (("ls", "dir"), "Verzeichnisinhalte auf dem Schirm auflisten")
    lines = "ÜBERSICHT|ls [OPTION]…|BESCHREIBUNG|Auflistung von Informationen.|-a Einträge nicht ignorieren"
    assert page.text.split("\n") == lines.split("|")
    assert manpages.page_of("ls.1", LS.replace(" - ", " ")) is None
    assert manpages.page_of("ls.1", "nothing") is None


@pytest.mark.parametrize(
    ("summary", "fair"),
    [("Verzeichnisinhalte schnell auflisten", True), ("zwei Worte", False), ("ls listet Verzeichnisse auf", False)],
)
def test_a_query_does_not_name_its_page(summary: str, fair: bool, manpages: ModuleType) -> None:
    assert manpages.is_query(manpages.Page("ls.1", ("ls", "dir"), summary, "text")) is fair


def test_headings_are_taken_out_of_a_page_and_tables_are_not(long_documents: ModuleType) -> None:
    title, others, text = long_documents.headings(PAGE)
    assert title == "The title"
    assert others == ["How to use it *well*", "The DEBUG switch of the site"]
    kept = ".. module:: x Some text. More text, and a table: ===== ===== a b ===== ===== Last."
    assert " ".join(text.split()) == kept


def test_the_modules_of_a_library_answer_for_their_functions(
    long_documents: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = 'def fold(text):\n    """Fold all lines of a text."""\n    lines = text.split()\n    return lines\n'
    library = long_documents.Library({"email/message.py": function, "json/__init__.py": "x = 1\n"}, "")
    monkeypatch.setattr(long_documents.Library, "running", lambda: library)
    made = long_documents.of_modules()
    assert set(made["corpus"]) == {"email.message"}
    title, text = made["corpus"]["email.message"]
    assert title == "email.message"
    assert "Fold all lines" not in text
    (answered,) = [pairs for pairs in made["relevant"].values() if pairs]
    assert list(answered.values()) == ["email.message"]
    assert list(made["queries"].values()) == ["Fold all lines of a text."]


def test_pages_are_written_as_a_collection(long_documents: ModuleType, tmp_path: Path, context: Context) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(6):
        body = "word " * 120
        (docs / f"p{number}.txt").write_text(f"Page\n====\n\n{body}\n\nA heading of {number}\n------------\n\n{body}\n")
    made = long_documents.of_pages(docs)
    assert len(made["relevant"]["test"]) == len(made["relevant"]["dev"]) == 3
    long_documents.write(tmp_path / "made", **made)
    dataset = load_dataset(str(tmp_path / "made"), context)
    assert len(dataset.corpus) == 6
    query = dataset.test.queries.ids[0]
    assert dataset.test.qrels[query] == {query.partition("#")[0]: 1}
