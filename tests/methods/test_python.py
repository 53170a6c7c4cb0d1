"""A function as a row: its three forms agree, its faults are named, its code decides whether it runs again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness import api
from harness.base.errors import HarnessError, SettingError
from harness.cache import code as hashes
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods.python import Documents, PythonFunction
from harness.rows import parse_method
from harness.runtime.context import Context

Rank = Callable[..., TopK]
OWN = Path(__file__).parent / "own_search.py"


@pytest.fixture
def function(tmp_path: Path) -> Callable[[str], PythonFunction]:
    """A row of `def search(query, k): <body>` in a file of its own."""

    def one(body: str, name: str = "search", head: str = "def search(query, k):") -> PythonFunction:
        lines = [head, *(f"    {line}" for line in body.splitlines())]
        (tmp_path / "mine.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return PythonFunction(f"{tmp_path / 'mine.py'}:{name}")

    return one


@pytest.mark.parametrize("name", ["search_many", "Engine"])
def test_a_batch_function_and_a_class_rank_as_the_function_does(
    name: str, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    expected, found = (rank(PythonFunction(f"{OWN}:{each}"), corpus, queries, 10) for each in ("search", name))
    assert np.array_equal(found.indices, expected.indices)
    assert np.array_equal(found.scores, expected.scores)
    assert (expected.indices[0] >= 0).any()
    assert (expected.indices[5] == -1).all()  # no word of it is in the corpus


def test_a_file_and_a_function_are_a_row_by_themselves() -> None:
    assert parse_method(f"{OWN}:search") == PythonFunction(f"{OWN}:search")
    with pytest.raises(SettingError, match=r"is not a row; name a function of the file, as .*own_search\.py:search"):
        parse_method(str(OWN))
    with pytest.raises(SettingError, match="name a file and a function in it"):
        parse_method('python(file="own_search.py")')


def test_scores_decide_ids_may_be_numbers_and_a_list_of_ids_is_a_ranking(
    function: Callable[..., PythonFunction], rank: Rank
) -> None:
    corpus, queries = Corpus.of([("1", "", "a"), ("2", "", "b"), ("3", "", "c")]), Queries(["q"], ["text"])
    top = rank(function("return ((i, i / 10) for i in (1, 3))"), corpus, queries, 3)
    assert corpus.ids(top.indices[0, :2]) == ["3", "1"]
    assert top.indices[0, 2] == -1


def test_a_list_of_ids_is_a_ranking(function: Callable[..., PythonFunction], rank: Rank) -> None:
    corpus = Corpus.of([("1", "", "a"), ("2", "", "b"), ("3", "", "c")])
    top = rank(function("return ['2', '3', '1']"), corpus, Queries(["q"], ["text"]), 3)
    assert corpus.ids(top.indices[0]) == ["2", "3", "1"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return [('a', float('nan'))]", r"returned the score nan for 'a' for query 'q'; return finite numbers\."),
        ("return [('a', 1e300)]", r"returned the score 1e\+300 for 'a' .*numbers of 32 bits"),
        ("return [('a', 2), ('b', 1), ('a', 1)]", r"returned 'a' twice for query 'q'; return each document once"),
        ("return [('A', 1)]", r"1 of 1 ids that are no documents .*'A' for query 'q'; its ids are like 'a'.*differ in"),
        ("return 3", r"returned 3 for query 'q'; return a list of \(id, score\)"),
        ("return None", r"returned None for query 'q'; return a list of \(id, score\)"),
        ("return [('a', 1, 2)]", r"returned \('a', 1, 2\) at place 1 for query 'q'"),
        ("return [(None, 1)]", "returned None as the id at place 1"),
        ("return [('a', 'high')]", "returned the score 'high' for 'a'"),
        (
            "if query:\n    raise KeyError(query)",
            r"mine.py:search failed for query 'q' \('text'\): .*mine\.py, line 3: KeyError: 'text'\. Repair it, or",
        ),
    ],
)
def test_a_fault_names_the_query_what_was_returned_and_what_to_do(
    body: str, message: str, function: Callable[..., PythonFunction], rank: Rank
) -> None:
    with pytest.raises(HarnessError, match=message):
        rank(function(body), Corpus.of([("a", "", "x"), ("b", "", "y")]), Queries(["q"], ["text"]), 2)


def test_a_batch_of_another_length_is_refused(function: Callable[..., PythonFunction], rank: Rank) -> None:
    method = function("return [[]]", head="def search(queries, k):")
    with pytest.raises(HarnessError, match="returned 1 rankings for 2 queries; return one for each"):
        rank(method, Corpus.of([("a", "", "x")]), Queries(["q", "r"], ["one", "two"]), 2)


@pytest.mark.parametrize(
    "body",
    ["for _ in queries:\n    yield ['b', 'a']", "import numpy as np\nreturn np.array([['b', 'a']] * len(queries))"],
)
def test_a_batch_may_be_a_generator_or_an_array(body: str, function: Callable[..., PythonFunction], rank: Rank) -> None:
    method = function(body, head="def search(queries, k):")
    corpus = Corpus.of([("a", "", "x"), ("b", "", "y")])
    assert rank(method, corpus, Queries(["q", "r"], ["one", "two"]), 2).indices.tolist() == [[1, 0], [1, 0]]


def test_a_fault_in_a_generator_of_a_batch_is_named(function: Callable[..., PythonFunction], rank: Rank) -> None:
    method = function("yield ['a']\nraise ValueError('full')", head="def search(queries, k):")
    with pytest.raises(HarnessError, match=r"failed for 2 queries: .*mine\.py, line 3: ValueError: full"):
        rank(method, Corpus.of([("a", "", "x")]), Queries(["q", "r"], ["one", "two"]), 2)


def test_a_function_that_is_not_there_is_named_with_those_that_are(
    function: Callable[..., PythonFunction], rank: Rank
) -> None:
    with pytest.raises(SettingError, match=r"mine\.py has no function 'find'; it has search\. Name one that takes"):
        rank(function("return []", name="find"), Corpus.of([("a", "", "x")]), Queries(["q"], ["x"]), 2)


def test_distances_are_noted(function: Callable[..., PythonFunction], searcher_of: Callable[..., object]) -> None:
    corpus, queries = Corpus.of([("a", "", "x"), ("b", "", "y")]), Queries(["q"], ["text"])
    searcher = searcher_of(function("return [('a', 0.25), ('b', 0.5)]"), corpus)
    searcher.search(queries, 2)  # type: ignore[attr-defined]
    (note,) = searcher.notes(queries)  # type: ignore[attr-defined]
    assert "in 1 queries, for example 'q', 0.25 before 0.5: higher counts as better" in note


def test_the_code_decides_whether_a_row_runs_again(tmp_path: Path) -> None:
    def code(source: str) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / "changed.py").write_text(source, encoding="utf-8")
        sys.modules.pop("harness_plugin_changed", None)  # as in another process
        hashes.source_of.cache_clear()
        hashes._module.cache_clear()
        (found,) = PythonFunction(f"{folder / 'changed.py'}:search").inputs(Context()).values()
        return found

    first = code("def search(query, k):\n    return []\n")
    assert code("# a comment\ndef search(query, k):\n    return [ ]\n") == first
    assert code("def search(query, k):\n    return [1]\n") != first


def test_a_fault_in_one_query_of_many_is_told_with_that_query(
    function: Callable[..., PythonFunction], rank: Rank
) -> None:
    method = function("return ['a', 'b'][: len({'one': 1}[query])] if query != 'one' else ['a']")
    three = Queries(["q", "r", "s"], ["one", "two", "one"])
    with pytest.raises(HarnessError, match=r"failed for query 'r' \('two'\): .*line 2: KeyError: 'two'"):
        rank(method, Corpus.of([("a", "", "x"), ("b", "", "y")]), three, 2)


def test_fewer_than_k_are_a_short_ranking(function: Callable[..., PythonFunction], rank: Rank) -> None:
    method = function("return ['b'] if query == 'one' else []")
    top = rank(method, Corpus.of([("a", "", "x"), ("b", "", "y")]), Queries(["q", "r"], ["one", "two"]), 2)
    assert top.indices.tolist() == [[1, -1], [-1, -1]]


def test_a_syntax_error_names_file_and_line(tmp_path: Path, small_folder: Path, context: Context) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("x = 1\ndef search(query, k:\n", encoding="utf-8")
    board = api.run(
        f"{broken}:search", "bm25", dataset=str(small_folder), results=tmp_path / "results", context=context
    )
    failed, ok = (result.record for result in board.results)
    assert failed.status == "error"
    assert "broken.py, line 2: SyntaxError" in str(failed.problem)
    assert ok.status == "ok"


def test_a_row_that_fails_is_a_record_and_the_others_run(
    function: Callable[..., PythonFunction], small_folder: Path, context: Context, tmp_path: Path
) -> None:
    board = api.run(
        function("1 / 0"), "bm25", dataset=str(small_folder), results=tmp_path / "results", context=context
    )
    failed, ok = (result.record for result in board.results)
    assert failed.status == "error"
    assert "ZeroDivisionError" in str(failed.problem)
    assert ok.status == "ok"


def test_the_documents_that_index_gets_are_a_sequence(corpus: Corpus) -> None:
    documents = Documents(corpus)
    assert len(documents) == len(corpus) == len(list(documents))
    assert documents[-1] == corpus[len(corpus) - 1]
    assert [document.id for document in documents[1:3]] == ["1", "2"]
    with pytest.raises(IndexError):
        documents[len(corpus)]
