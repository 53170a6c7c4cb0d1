"""A server as a row: its own form and a foreign one, and every way in which it can fail."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import api
from harness.base.errors import HarnessError, SettingError, Unavailable
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.endpoints import retries
from harness.methods import Searcher
from harness.methods.http import HTTP
from harness.methods.python import PythonFunction
from harness.runtime.context import Context

Rank = Callable[..., TopK]
ROOT = Path(__file__).parents[2]
OWN = Path(__file__).parent / "own_search.py"
TWO = Corpus.of([("a", "", "x"), ("b", "", "y")])
ONE = Queries(["q"], ["text"])


def reply(content: Any, status: int = 200, **headers: str) -> Callable[[int, Any], tuple[int, dict[str, str], bytes]]:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda n, body: (status, headers, raw)


@pytest.mark.parametrize(("batch", "requests"), [(16, 1), (4, 2), (1, 6)])
def test_a_server_ranks_as_the_function_behind_it(
    batch: int, requests: int, search_server: Any, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    found = rank(HTTP(url=search_server.url, batch=batch, concurrency=2), corpus, queries, 10)
    expected = rank(PythonFunction(f"{OWN}:search"), corpus, queries, 10)
    assert np.array_equal(found.indices, expected.indices)
    assert np.array_equal(found.scores, expected.scores)
    assert len(search_server.bodies) == requests
    assert {body["k"] for body in search_server.bodies} == {10}


@pytest.mark.parametrize("in_file", [False, True])
def test_a_foreign_form_is_a_template_and_paths(in_file: bool, server: Any, rank: Rank, tmp_path: Path) -> None:
    request = '{"size": {{ k }}, "query": {"match": {"text": {{ query|tojson }}}}}'
    hits = [{"_id": "b", "_score": 2.0}, {"_id": "a", "_score": 1.5}]
    server.reply = reply({"hits": {"hits": hits}})
    if in_file:
        (tmp_path / "es.json").write_text(request, encoding="utf-8")
        request = f"@{tmp_path / 'es.json'}"
    method = HTTP(url=server.url, request=request, ids="$.hits.hits[*]._id", scores="$.hits.hits[*]._score")
    top = rank(method, TWO, Queries(["q", "r"], ['a "quoted" text', "another"]), 2)
    assert top.indices.tolist() == [[1, 0], [1, 0]]
    assert top.scores.tolist() == [[2.0, 1.5], [2.0, 1.5]]
    assert server.bodies[0] == {"size": 2, "query": {"match": {"text": 'a "quoted" text'}}}
    assert len(method.inputs(Context())) == int(in_file)


@pytest.mark.parametrize("scores", [{}, {"scores": None}, {"scores": [None]}])
def test_without_scores_the_order_counts(scores: dict[str, Any], server: Any, rank: Rank) -> None:
    server.reply = reply({"ids": [["b", "a"]], **scores})
    assert rank(HTTP(url=server.url), TWO, ONE, 2).indices.tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>", r"query 'q' with what is no JSON: <html>"),
        ([1, 2], r"answered query 'q' with no lists of ids; the form is \{\"ids\".*: \[1, 2\]"),
        ({"ids": ["a"]}, "no lists of ids"),
        ({"ids": [["a"], ["b"]]}, "2 lists of ids for 1 queries"),
        ({"ids": [["a", "b"]], "scores": [[1.0]]}, "2 ids and 1 scores"),
        ({"ids": [["a"]], "scores": [3]}, "1 ids and no list of scores"),
        (b'{"ids": [["a"]], "scores": [[NaN]]}', r"returned the score nan for 'a' for query 'q'"),
        ({"ids": [["a", "a"]], "scores": [[2, 1]]}, "returned 'a' twice for query 'q'"),
        ({"ids": [["c"]], "scores": [[2]]}, "no documents of the collection, as 'c' for query 'q'"),
        (b"[" * 100_000, "what is no JSON"),
    ],
)
def test_an_answer_that_is_no_ranking_is_refused(content: Any, message: str, server: Any, rank: Rank) -> None:
    server.reply = reply(content)
    with pytest.raises(HarnessError, match=message):
        rank(HTTP(url=server.url), TWO, ONE, 2)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, r"refused query 'q' \(HTTP 400: \"no\"\)\. Correct url, or request"),
        (401, "Set ENDPOINT_API_KEY to a valid key"),
        (302, "Redirects are not followed"),
    ],
)
def test_a_refusal_is_not_repeated(status: int, message: str, server: Any, rank: Rank) -> None:
    server.reply = reply("no", status)
    with pytest.raises(HarnessError, match=message):
        rank(HTTP(url=server.url), TWO, ONE, 2)
    assert len(server.bodies) == 1


def test_a_busy_server_is_asked_again_and_the_report_says_so(
    server: Any, searcher_of: Callable[..., Searcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(retries, "pause", lambda stopped, seconds: waits.append(seconds))
    found = reply({"ids": [["a"]]})
    server.reply = lambda n, body: found(n, body) if n > 1 else (429, {"Retry-After": "7"}, b"slow down")
    searcher = searcher_of(HTTP(url=server.url), TWO)
    assert searcher.search(ONE, 2).indices.tolist() == [[0, -1]]
    assert [wait for wait in waits if 6 < wait <= 7]
    asked = searcher.report(ONE).resolved["requests"]
    assert (asked["answered"], asked["failed"]) == (1, {"HTTP 429": 2})
    assert asked["p95_ms"] >= asked["p50_ms"] > 0
    assert searcher.notes(ONE) == ("requests that failed and were repeated: 2 × HTTP 429",)


def test_a_server_that_stays_busy_ends_the_row(server: Any, rank: Rank) -> None:
    server.reply = reply("later", 503)
    message = r"for query 'q' after 3 tries; the last error: HTTP 503: \"later\"\. Repair"
    with pytest.raises(HarnessError, match=message):
        rank(HTTP(url=server.url, retries=2), TWO, ONE, 2)
    assert len(server.bodies) == 3


def test_a_slow_server_has_a_deadline(server: Any, rank: Rank) -> None:
    def slow(n: int, body: Any) -> tuple[int, dict[str, str], bytes]:
        time.sleep(0.4)
        return 200, {}, b"{}"

    server.reply = slow
    with pytest.raises(HarnessError, match=r"after 1 try; the last error: no whole answer within 0\.1 s"):
        rank(HTTP(url=server.url, timeout=0.1, retries=0), TWO, ONE, 2)


def test_a_server_that_ends_the_connection_is_not_called_slow(server: Any, rank: Rank) -> None:
    def broken(n: int, body: Any) -> tuple[int, dict[str, str], bytes]:
        raise ConnectionError

    server.reply = broken
    with pytest.raises(HarnessError, match=r"the last error: the server ended the connection without an answer"):
        rank(HTTP(url=server.url, retries=0), TWO, ONE, 2)


def test_an_answer_that_never_ends_is_not_read(server: Any, rank: Rank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.endpoints.wire.MOST", 1000)
    server.reply = reply({"ids": [["a" * 2000]]})
    with pytest.raises(HarnessError, match=r"with more than 1,000 bytes; lower k or batch"):
        rank(HTTP(url=server.url), TWO, ONE, 2)
    assert len(server.bodies) == 1


def test_a_server_that_is_not_there_is_a_skipped_row(small_folder: Path, context: Context, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/search"
    board = api.run(HTTP(url=url), dataset=str(small_folder), results=tmp_path / "results", context=context)
    record = board.results[0].record
    assert record.status == "skipped"
    assert "there is no server at" in str(record.problem)


def test_a_server_that_goes_away_ends_the_row_with_what_was_answered(
    server: Any, searcher_of: Callable[..., Searcher]
) -> None:
    server.reply = reply({"ids": [["a"]]})
    searcher = searcher_of(HTTP(url=server.url, retries=1), TWO)
    searcher.search(ONE, 2)
    server.close()
    with pytest.raises(HarnessError, match=r"after 2 tries; the last error: the server is gone.* 1 requests were") as e:
        searcher.search(ONE, 2)
    assert not isinstance(e.value, Unavailable)


def test_a_rate_is_kept_and_then_latency_is_not_measured(
    server: Any, searcher_of: Callable[..., Searcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(retries, "pause", lambda stopped, seconds: waits.append(seconds))
    server.reply = reply({"ids": [["a"]]})
    searcher = searcher_of(HTTP(url=server.url, requests_per_minute=60, batch=1), TWO)
    searcher.search(Queries(["q", "r", "s"], ["one", "two", "three"]), 2)
    assert [round(wait) for wait in waits] == [1, 2]
    assert not searcher.live


def test_a_key_is_sent_only_if_a_variable_has_one(server: Any, rank: Rank, monkeypatch: pytest.MonkeyPatch) -> None:
    server.reply = reply({"ids": [["a"]]})
    rank(HTTP(url=server.url), TWO, ONE, 2)
    monkeypatch.setenv("MY_SEARCH_KEY", "a-key-of-some-length")
    rank(HTTP(url=server.url, key_variable="MY_SEARCH_KEY", version="2"), TWO, ONE, 2)
    assert [headers.get("Authorization") for headers in server.headers] == [None, "Bearer a-key-of-some-length"]
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-some-length")
    with pytest.raises(SettingError, match=r"the key in OPENAI_API_KEY is not sent to search\.example\.org"):
        rank(HTTP(url="https://search.example.org/q", key_variable="OPENAI_API_KEY"), TWO, ONE, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "name the whole address"),
        ({"url": "notaurl"}, r'name the whole address, as http\(url="http://localhost:8080/search"\)'),
        ({"url": "localhost:8080/search"}, "name the whole address"),
        ({"url": "http:///search"}, "name the whole address"),
        ({"url": "http://localhost/?q="}, r"no \? or # part"),
        ({"url": "http://localhost/q", "ids": "$.a"}, "request and ids go together"),
        ({"url": "http://localhost/q", "scores": "$.a"}, "request and ids go together"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        HTTP(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"request": "{{ query", "ids": "$.a"}, "request is no template"),
        ({"request": "{{ question }}", "ids": "$.a"}, "'question' is undefined; it has query, queries and k"),
        ({"request": "{{ query }}", "ids": "$.["}, "ids is no JSONPath"),
        ({"request": "@no-such-file.json", "ids": "$.a"}, "there is no file no-such-file.json"),
    ],
)
def test_a_wrong_mapping_is_named(settings: dict[str, str], message: str, server: Any, rank: Rank) -> None:
    with pytest.raises(HarnessError, match=message):
        rank(HTTP(url=server.url, **settings), TWO, ONE, 2)


@pytest.fixture
def documented_server(tmp_path: Path, small_folder: Path) -> Iterator[str]:
    """The server of the documentation, with functions of the test, in a process of its own."""
    text = (ROOT / "docs" / "any-system.md").read_text(encoding="utf-8")
    (source,) = [code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "HTTPServer" in code]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "8080" in source
    (tmp_path / "server.py").write_text(source.replace("8080", str(port)), encoding="utf-8")
    (tmp_path / "my-corpus").symlink_to(small_folder)
    (tmp_path / "my_search.py").write_text(
        "def index(corpus):\n    return {document.id: len(document.title + document.text) for document in corpus}\n"
        "def search(query, k, words):\n    assert len(words) == 60\n    return [('d00', 2.0), ('d10', 1.0)][:k]\n",
        encoding="utf-8",
    )
    running = subprocess.Popen([sys.executable, "server.py"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            break
        except OSError:
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/search"
    running.kill()
    running.wait()


def test_the_documented_server_is_a_row(
    documented_server: str, small_folder: Path, context: Context, tmp_path: Path
) -> None:
    board = api.run(
        f'http(url="{documented_server}")', dataset=str(small_folder), results=tmp_path / "results", context=context
    )
    record = board.results[0].record
    assert (record.status, record.problem) == ("ok", None)
    assert record.measures["RR@10"] == pytest.approx(0.15)  # 2 of 20 queries at rank 1, 2 at rank 2
    assert record.resolved["requests"]["answered"] >= 2
    assert record.latency is not None
