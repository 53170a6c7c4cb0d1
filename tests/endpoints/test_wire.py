"""No answer is longer, later or of another address than it may be, and no library sends what it was not given."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import httpx
import pytest

from harness.base.errors import HarnessError, ModelError, Unavailable
from harness.endpoints import wire
from harness.endpoints.chat import ChatEndpoint
from harness.endpoints.cohere import CohereClient
from harness.endpoints.embeddings import EmbeddingClient
from harness.endpoints.keys import Key
from harness.endpoints.openai import OpenAIClient
from harness.endpoints.providers import Provider
from harness.endpoints.retries import Retrier, Retryable
from harness.endpoints.service import Service

SECRET = "sk-secret-1234567890"
CHAT = b'{"choices": [{"message": {"content": "hi"}}]}'
Script = Callable[[socket.socket], None]


class Raw:
    """Sends whatever a script sends, to each who connects; `requests` has what they sent first."""

    def __init__(self, script: Script) -> None:
        self.requests: list[bytes] = []
        self._script, self._listening = script, socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._answer, args=(self._listening.accept()[0],), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError), closing(connection):
            self.requests.append(connection.recv(65536))
            self._script(connection)

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def raw() -> Iterator[Callable[[Script], Raw]]:
    made: list[Raw] = []

    def make(script: Script) -> Raw:
        made.append(Raw(script))
        return made[-1]

    yield make
    for one in made:
        one.close()


def head(status: int = 200, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", "Content-Type: application/json", *lines, "", ""]).encode()


def trickle(first: bytes, forever: bytes) -> Script:
    def script(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(forever)
            time.sleep(0.05)

    return script


def endless(first: bytes) -> Script:
    def script(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(b" " * 65536)

    return script


def whole(body: bytes, *lines: str, status: int = 200) -> Script:
    return lambda connection: connection.sendall(head(status, f"Content-Length: {len(body)}", *lines) + body)


def embedding(kind: type[EmbeddingClient], library: str, url: str, timeout: float) -> Callable[[], Any]:
    pytest.importorskip(library)
    key = Key("api", url, "NO_SUCH_KEY")
    client = kind(
        Service("api", "m", url, key_variable="NO_SUCH_KEY", timeout=timeout),
        Provider("K"),
        None,
        key,
        Retrier("api", url, key, 0),
    )
    return lambda: client.embed(["x"], None)


CLIENTS: dict[str, Callable[[str, float], Callable[[], Any]]] = {
    "chat": lambda url, timeout: lambda: ChatEndpoint("chat", url, "NO_SUCH_KEY", timeout, 0).ask({"model": "m"}),
    "openai": lambda url, timeout: embedding(OpenAIClient, "openai", url, timeout),
    "cohere": lambda url, timeout: embedding(CohereClient, "cohere", url, timeout),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "script",
    [
        trickle(head(200, "Content-Length: 100000"), b" "),
        trickle(head(200, "Transfer-Encoding: chunked"), b"1\r\n \r\n"),
        trickle(head(400, "Content-Length: 100000"), b" "),
        trickle(b"", b"H"),
        trickle(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        trickle(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    ],
    ids=["body", "chunks", "refusal", "status", "header", "interim"],
)
def test_an_answer_that_comes_byte_by_byte_ends_in_time(client: str, script: Script, raw: Any) -> None:
    ask = CLIENTS[client](raw(script).url, 0.5)
    started = time.monotonic()
    with pytest.raises((ModelError, Retryable)):
        ask()
    assert time.monotonic() - started < 2.5


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("first", [head(), head(200, "Content-Length: 10000000000")], ids=["unsaid", "said"])
def test_an_answer_without_end_is_left(client: str, first: bytes, raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST", 1 << 20)
    with pytest.raises(ModelError, match=r"answers with more than [\d,]+ bytes.*not read further"):
        CLIENTS[client](raw(endless(first)).url, 20.0)()


@pytest.mark.parametrize("client", CLIENTS)
def test_of_a_long_refusal_the_beginning_is_read(client: str, raw: Any) -> None:
    message = b'{"error": {"message": "no such thing"}, "message": "no such thing", "x": "'
    server = raw(endless(head(400, "Content-Length: 10000000000") + message))
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"HTTP 400: .*no such thing"):
        CLIENTS[client](server.url, 20.0)()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_answer_is_not_blown_up(
    client: str, encoding: str, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MOST", 1 << 20)
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    server = raw(whole(pack(b" " * (64 << 20)), f"Content-Encoding: {encoding}"))
    with pytest.raises(ModelError, match="answers with more than"):
        CLIENTS[client](server.url, 20.0)()
    assert b"accept-encoding: identity" in server.requests[0].lower()


def test_a_compressed_answer_is_read_where_a_server_insists(raw: Any) -> None:
    for pack, name in ((gzip.compress, "gzip"), (zlib.compress, "deflate")):
        url = raw(whole(pack(CHAT), f"Content-Encoding: {name}")).url
        assert ChatEndpoint("chat", url, "NO_SUCH_KEY", 5.0, 0).ask({"model": "m"}).text == "hi"


@pytest.mark.parametrize(
    ("body", "name"),
    [(gzip.compress(CHAT)[:-9], "gzip"), (b"no", "gzip"), (CHAT, "br")],
    ids=["cut short", "not gzip", "unknown"],
)
def test_what_cannot_be_decompressed_is_no_answer(body: bytes, name: str, raw: Any) -> None:
    with pytest.raises(ModelError, match="no whole answer"):
        ChatEndpoint("chat", raw(whole(body, f"Content-Encoding: {name}")).url, "NO_SUCH_KEY", 5.0, 0).ask(
            {"model": "m"}
        )


def test_an_answer_that_is_expected_to_be_long_may_be(raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MOST", 10)
    url = raw(whole(b"x" * 100)).url
    client, made = wire.client(Key("x", url, "NO_SUCH_KEY"), url, 5.0)
    with made.expecting(100):
        assert client.get(url).content == b"x" * 100
    with pytest.raises(httpx.TransportError):
        client.get(url)


@pytest.mark.parametrize("client", CLIENTS)
def test_no_server_is_told(client: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(Unavailable, match="there is no server"):
        CLIENTS[client](url, 5.0)()


@pytest.mark.parametrize("client", CLIENTS)
def test_what_libraries_take_from_the_environment_goes_nowhere(
    client: str, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "CO_API_KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-of-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"X-Mine: {SECRET}")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://models.example/v1")
    monkeypatch.setenv("CO_API_URL", "https://models.example")
    server = raw(whole(b"{}"))
    with suppress(Retryable, HarnessError):
        CLIENTS[client](server.url, 5.0)()
    (sent,) = server.requests
    assert b"Host: 127.0.0.1" in sent
    for word in (b"secret", b"of-mine", b"Authorization", b"X-Mine", b"placeholder", b"added on the wire"):
        assert word.lower() not in sent.lower()


@pytest.mark.parametrize("client", ["openai", "cohere"])
def test_no_library_is_given_the_key(client: str, raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_SUCH_KEY", SECRET)
    server = raw(whole(b"{}"))
    with suppress(Retryable, HarnessError):
        CLIENTS[client](server.url, 5.0)()
    assert f"authorization: bearer {SECRET}".encode() in server.requests[0].lower().replace(b"\r\n", b" ")
    assert server.requests[0].lower().count(b"authorization") == 1


def test_a_redirect_to_another_host_is_not_followed(raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    stranger = raw(whole(CHAT))
    server = raw(whole(b"", f"Location: {stranger.url}/chat/completions", status=307))
    with pytest.raises(ModelError, match="HTTP 307"):
        ChatEndpoint("chat", server.url, "MY_KEY", 5.0, 0).ask({"model": "m"})
    assert stranger.requests == []


def test_a_request_to_another_address_is_not_sent(raw: Any) -> None:
    server, stranger = raw(whole(CHAT)), raw(whole(CHAT))
    client, _ = wire.client(Key("x", server.url, "NO_SUCH_KEY"), server.url, 5.0)
    with pytest.raises(httpx.TransportError, match="instead of"):
        client.get(stranger.url)
    assert stranger.requests == []


def test_a_proxy_is_not_asked_for_this_machine_and_is_for_others(raw: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    proxy, server = raw(whole(b"{}", status=403)), raw(whole(CHAT))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
    assert ChatEndpoint("chat", server.url, "MY_KEY", 5.0, 0).ask({"model": "m"}).text == "hi"
    assert proxy.requests == []
    with pytest.raises(ModelError, match="no whole answer"):
        ChatEndpoint("chat", "https://models.example/v1", "MY_KEY", 5.0, 0).ask({"model": "m"})
    (sent,) = proxy.requests
    assert sent.startswith(b"CONNECT models.example:443 ")
    assert SECRET.encode() not in sent
    monkeypatch.setenv("no_proxy", "models.example")
    assert wire._proxy("https://models.example/v1") is None


def test_the_account_is_told_to_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    request = httpx.Request(
        "POST", "https://api.openai.com/v1/embeddings", headers={"OpenAI-Organization": "mine", "X-Mine": "x"}
    )
    key = Key("x", "https://api.openai.com/v1", "OPENAI_API_KEY")
    sent = dict(wire.Wire(key, "https://api.openai.com/v1", 1.0)._headers(request))
    assert sent[b"OpenAI-Organization"] == b"mine"
    assert sent[b"Authorization"] == f"Bearer {SECRET}".encode()
    assert b"X-Mine" not in sent


def test_threads_have_their_own_time(raw: Any) -> None:
    def slow(connection: socket.socket) -> None:
        time.sleep(0.3)
        whole(json.dumps({"ok": True}).encode())(connection)

    url = raw(slow).url
    client, _ = wire.client(Key("x", url, "NO_SUCH_KEY"), url, 2.0)
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(client.get(url).status_code)) for _ in range(12)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 12
    assert time.monotonic() - started < 1.9
