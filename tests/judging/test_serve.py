"""The server answers its own page only."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from harness.judging.serve import open_server, page
from harness.judging.session import Session
from harness.judging.target import Target
from harness.runtime.context import Context


@pytest.fixture
def port(target: Target, context: Context) -> Iterator[int]:
    server = open_server(Session(target, [], context))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield int(server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join()


def asked(port: int, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    content = None if body is None else json.dumps(body)
    given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request(method, path, content, given)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_the_page_and_the_next_pair(port: int) -> None:
    status, text = asked(port, "GET", "/")
    assert status == 200
    assert "answers a part of it" in text
    status, text = asked(port, "POST", "/next", {"person": "ann"})
    assert status == 200
    assert json.loads(text)["state"].startswith("0 of 24 pairs")
    assert asked(port, "GET", "/else")[0] == 404


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Content_Type": "text/plain"}],
)
def test_requests_of_other_sites_are_refused(port: int, headers: dict[str, str]) -> None:
    body = {"person": "ann", "query": "q0", "document": "d0", "grade": 1}
    status, text = asked(port, "POST", "/label", body, **headers)
    assert status == 403
    assert "not from the page" in text


def test_what_is_no_json_is_refused(port: int) -> None:
    assert asked(port, "POST", "/next", "text")[0] == 400
    assert asked(port, "POST", "/next", {"person": "x" * 200_000})[0] == 400
    assert asked(port, "POST", "/next", {"person": "ann"}, Host=f"localhost:{port}")[0] == 200


def test_the_page_asks_nothing_of_other_places() -> None:
    text = page("abc")
    assert "http" not in text
    assert "NONCE" not in text
    assert "MEANING" not in text
