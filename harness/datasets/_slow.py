"""Connections that would never end: what comes byte by byte is given up, as what does not come at all."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
import urllib.request

SPAN = 30.0
"""Seconds within which an answer begins, and `LEAST` bytes come of it."""

LEAST = 32 << 10


class Broken(Exception):
    """The connection ended before the file did."""


class Slow(Broken):
    """What comes is so little that it would never end."""


class Rate:
    """Looks whether enough comes: a byte now and then keeps a connection open for ever."""

    def __init__(self) -> None:
        self._since, self._bytes = time.monotonic(), 0

    def add(self, count: int) -> None:
        """So many bytes more.

        Raises:
            Slow: fewer than `LEAST` have come within `SPAN` seconds.
        """
        self._bytes += count
        if (now := time.monotonic()) - self._since >= SPAN:
            if self._bytes < LEAST:
                raise Slow(f"no more than {self._bytes:,} bytes in {SPAN:g} s")
            self._since, self._bytes = now, 0


class _Timed:
    """A connection whose answer begins within `SPAN` seconds, however slowly its first lines come."""

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
        if self.over:  # what came before the end would be taken for the whole
            raise TimeoutError("timed out")
        return answer

    def _end(self) -> None:
        self.over = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(
                    self.sock, socket.SHUT_RDWR
                )  # of the socket itself: the other thread reads through TLS


class _OverHTTP(_Timed, http.client.HTTPConnection):
    """Over http."""


class _OverHTTPS(_Timed, http.client.HTTPSConnection):
    """Over https."""


class TimedHTTP(urllib.request.HTTPHandler):
    """Opens http addresses so."""

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """See `urllib.request.HTTPHandler`."""
        return self.do_open(_OverHTTP, req)


class TimedHTTPS(urllib.request.HTTPSHandler):
    """Opens https addresses so."""

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """See `urllib.request.HTTPSHandler`."""
        return self.do_open(_OverHTTPS, req)
