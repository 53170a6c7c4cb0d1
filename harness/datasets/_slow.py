"""Connections so slow that they would never end are closed, like those on which nothing arrives."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
import urllib.request

SPAN = 30.0
"""Seconds within which an answer has to begin, and `LEAST` bytes of it have to arrive."""

LEAST = 32 << 10


class Broken(Exception):
    """The connection ended before the file did."""


class Slow(Broken):
    """So few bytes arrive that the transfer would never end."""


class Rate:
    """Checks that enough bytes arrive: a byte now and then keeps a connection open for ever."""

    def __init__(self) -> None:
        self._since, self._bytes = time.monotonic(), 0

    def add(self, count: int) -> None:
        """Counts bytes that arrived.

        Raises:
            Slow: fewer than `LEAST` within `SPAN` seconds.
        """
        self._bytes += count
        if (now := time.monotonic()) - self._since >= SPAN:
            if self._bytes < LEAST:
                raise Slow(f"only {self._bytes:,} bytes in {SPAN:g} s")
            self._since, self._bytes = now, 0


class _Timed:
    """A connection whose answer has to begin within `SPAN` seconds, even if its first lines arrive slowly."""

    sock: socket.socket | None
    over = False

    def getresponse(self) -> http.client.HTTPResponse:
        """See `http.client.HTTPConnection.getresponse`."""
        timer = threading.Timer(SPAN, self._end)
        timer.daemon = True
        timer.start()
        try:
            answer: http.client.HTTPResponse = super().getresponse()  # type: ignore[misc]
        finally:
            timer.cancel()
        if self.over:  # the part that arrived would be taken for the whole answer
            raise TimeoutError("timed out")
        return answer

    def _end(self) -> None:
        self.over = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                # The method of the plain socket: the other thread may be reading through TLS.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class _OverHTTP(_Timed, http.client.HTTPConnection):
    """Over http."""


class _OverHTTPS(_Timed, http.client.HTTPSConnection):
    """Over https."""


class TimedHTTP(urllib.request.HTTPHandler):
    """Opens http addresses with such connections."""

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """See `urllib.request.HTTPHandler`."""
        return self.do_open(_OverHTTP, req)


class TimedHTTPS(urllib.request.HTTPSHandler):
    """Opens https addresses with such connections."""

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """See `urllib.request.HTTPSHandler`."""
        return self.do_open(_OverHTTPS, req)
