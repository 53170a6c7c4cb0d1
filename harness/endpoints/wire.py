"""Requests to one address, with a limit on time and bytes, and with no other key than that of the address.

All clients send through it, also those of other libraries: they get no key, and what they read from the environment
themselves (keys, accounts, headers) is removed here. Redirects are not followed.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

import httpcore
import httpx

from harness.endpoints.address import host, is_local
from harness.endpoints.keys import Key
from harness.endpoints.retries import ResponseTooLarge

MOST: Final = 16 << 20
"""Bytes of an answer, unless the caller expects more."""
MOST_OF_AN_ERROR: Final = 64 << 10
"""Bytes that are read of an error; the rest is ignored."""
IDLE: Final = 5.0
"""Seconds after which a connection without a request is closed."""
_SENT: Final = frozenset({b"host", b"content-length", b"content-type", b"accept", b"user-agent", b"transfer-encoding"})
"""Headers that are sent. Others contain what a library read from the environment or reports about this machine."""
_ACCOUNT: Final = frozenset({b"openai-organization", b"openai-project"})
"""The account that pays is sent only to the service itself."""
PLACEHOLDER: Final = "the key is added on the wire"
"""The key that a library gets if it requires one."""


def client(key: Key, url: str, timeout: float) -> tuple[httpx.Client, Wire]:
    """A client for one address, and its wire.

    Args:
        key: for the header `Authorization`, which is not sent if it is empty.
        url: the base of the address.
        timeout: seconds for one whole answer, from the connection to the last byte.
    """
    wire = Wire(key, url, timeout)
    return httpx.Client(transport=wire, timeout=timeout, trust_env=False, follow_redirects=False), wire


class Wire(httpx.BaseTransport):
    """See `client`. Thread-safe."""

    def __init__(self, key: Key, url: str, timeout: float) -> None:
        self._key, self._url, self._timeout = key, httpx.URL(url), timeout
        self._of_thread = threading.local()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            proxy=_proxy(url),
            max_connections=None,
            keepalive_expiry=IDLE,
            network_backend=_Backend(self._left),
        )

    @contextlib.contextmanager
    def expecting(self, most: int) -> Iterator[None]:
        """Inside, an answer to this thread may have up to `most` bytes, compressed or not."""
        self._of_thread.most = most
        try:
            yield
        finally:
            del self._of_thread.most

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends one request and reads the whole answer.

        Raises:
            httpx.TransportError: no whole answer; its cause is `ResponseTooLarge` if it has too many bytes.
        """
        url, own = request.url, self._url
        if (url.scheme, url.host, url.port) != (own.scheme, own.host, own.port):
            raise httpx.UnsupportedProtocol(f"a request to {url.host} instead of {own.host}")
        self._of_thread.until = time.monotonic() + self._timeout
        outgoing = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=self._headers(request),
            content=request.read(),
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)},
        )
        try:
            answer = self._pool.handle_request(outgoing)
            try:
                most = getattr(self._of_thread, "most", MOST)
                body = _read(answer, most)
            finally:
                answer.close()
        except httpcore.TimeoutException as error:
            raise httpx.ReadTimeout(str(error)) from error
        except httpcore.ConnectError as error:
            raise httpx.ConnectError(str(error)) from error
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.ProxyError,
            httpcore.UnsupportedProtocol,
        ) as error:
            raise httpx.ReadError(str(error)) from error
        except ResponseTooLarge as error:
            raise httpx.ReadError(str(error)) from error
        left_out = (b"content-encoding", b"content-length", b"transfer-encoding")
        return httpx.Response(
            answer.status, headers=[pair for pair in answer.headers if pair[0].lower() not in left_out], content=body
        )

    def _headers(self, request: httpx.Request) -> list[tuple[bytes, bytes]]:
        allowed = _SENT | _ACCOUNT if host(str(self._url)) == "api.openai.com" else _SENT
        sent = [(name, value) for name, value in request.headers.raw if name.lower() in allowed]
        sent.append((b"Accept-Encoding", b"identity"))
        if self._key:
            sent.append((b"Authorization", f"Bearer {self._key.reveal()}".encode()))
        return sent

    def _left(self) -> float:
        """Seconds left for this thread's request."""
        return float(self._of_thread.until) - time.monotonic()

    def close(self) -> None:
        """Closes all connections."""
        self._pool.close()


def _read(answer: httpcore.Response, most: int) -> bytes:
    """The body, decompressed; of an error its beginning.

    Raises:
        ResponseTooLarge: it has more bytes than `most`.
        httpx.DecodingError: its compression is unknown, or it breaks off.
    """
    is_error = not 200 <= answer.status < 300
    most = MOST_OF_AN_ERROR if is_error else most
    raw = bytearray()
    assert isinstance(answer.stream, Iterable)
    for chunk in answer.stream:
        raw += chunk
        if len(raw) > most:
            if is_error:
                break
            raise ResponseTooLarge(most)
    encodings = [
        value.decode("latin-1").strip().lower() for name, value in answer.headers if name.lower() == b"content-encoding"
    ]
    body = bytes(raw[:most]) if is_error and len(raw) > most else bytes(raw)
    for encoding in encodings:
        body = _decompressed(body, encoding, most, whole=not is_error)
    return body


def _decompressed(raw: bytes, encoding: str, most: int, *, whole: bool) -> bytes:
    """Bytes without their compression, at most `most`."""
    if encoding in ("", "identity"):
        return raw
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise httpx.DecodingError(f"an answer with the unknown compression {encoding[:20]!r}")
    opened = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        plain = opened.decompress(raw, most + 1)
    except zlib.error as error:
        raise httpx.DecodingError(str(error)) from error
    if len(plain) > most and whole:
        raise ResponseTooLarge(most)
    if whole and not opened.eof:
        raise httpx.DecodingError("a compressed answer that breaks off")
    return plain[:most]


def _proxy(url: str) -> httpcore.Proxy | None:
    """The proxy that the environment sets for an address, as urllib reads it; None for this machine."""
    named = host(url)
    if is_local(url) or urllib.request.proxy_bypass(named):
        return None
    proxies = urllib.request.getproxies()
    address = proxies.get(httpx.URL(url).scheme) or proxies.get("all")
    if not address:
        return None
    proxy = httpx.Proxy(address if "://" in address else f"http://{address}")
    return httpcore.Proxy(str(proxy.url), auth=proxy.raw_auth, headers=proxy.headers.raw)


class _Backend(httpcore.NetworkBackend):
    """The network, with no operation that takes longer than the request may."""

    def __init__(self, left: Any) -> None:
        self._left, self._network = left, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> _Stream:
        limit = _bounded(timeout, self._left())
        return _Stream(self._network.connect_tcp(host, port, limit, local_address, socket_options), self._left)

    def sleep(self, seconds: float) -> None:
        self._network.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, left: Any) -> None:
        self._stream, self._left = stream, left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _bounded(timeout, self._left()))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _bounded(timeout, self._left()))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        return _Stream(
            self._stream.start_tls(ssl_context, server_hostname, _bounded(timeout, self._left())), self._left
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _bounded(timeout: float | None, left: float) -> float:
    """Seconds for one operation.

    Raises:
        httpcore.ReadTimeout: none are left.
    """
    if left <= 0:
        raise httpcore.ReadTimeout("the time for the whole answer is over")
    return left if timeout is None else min(timeout, left)
