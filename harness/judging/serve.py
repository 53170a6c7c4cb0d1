"""The page for people, on this machine only.

The server listens on the loopback address. A page of another site in the same browser must not reach it: requests with
another host in their header (a name that was pointed at this machine) or from another origin are refused, and what
stores a grade must be JSON, which a form of another site cannot send.
"""

from __future__ import annotations

import json
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any

from harness.judges import MEANING
from harness.judging.session import Session, answer

HOST = "127.0.0.1"
MOST_BYTES = 100_000
"""Of a request."""


def page(nonce: str) -> str:
    """The page; scripts and styles with this nonce are the only ones that run."""
    text = resources.files("harness.judging").joinpath("assets/judge.html").read_text(encoding="utf-8")
    return text.replace("NONCE", nonce).replace("MEANING", json.dumps(MEANING))


class PageServer(ThreadingHTTPServer):
    """A server of the page, on a port of the loopback address.

    Args:
        session: of the collection.
        port: 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """

    daemon_threads = True

    def __init__(self, session: Session, port: int) -> None:
        super().__init__((HOST, port), _Handler)
        self.session = session

    @property
    def hosts(self) -> frozenset[str]:
        """What a browser calls it."""
        return frozenset({f"{HOST}:{self.server_port}", f"localhost:{self.server_port}"})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PageServer

    def do_GET(self) -> None:
        if not self._own():
            self._send(403, b"", "text/plain")
        elif self.path != "/":
            self._send(404, b"", "text/plain")
        else:
            nonce = secrets.token_urlsafe(16)
            own = "; ".join(f"{kind} 'nonce-{nonce}'" for kind in ("style-src", "script-src"))
            allowed = f"default-src 'none'; {own}; connect-src 'self'"
            self._send(200, page(nonce).encode(), "text/html; charset=utf-8", allowed)

    def do_POST(self) -> None:
        try:
            length = int(self.headers.get("Content-Length", ""))
            body = json.loads(self.rfile.read(length)) if 0 <= length <= MOST_BYTES else None
        except (ValueError, RecursionError):
            body = None
        if not self._own() or self.headers.get_content_type() != "application/json":
            status, found = 403, {"problem": "this request is not from the page"}
        elif not isinstance(body, dict):
            status, found = 400, {"problem": "the request is not JSON"}
        else:
            status, found = answer(self.server.session, self.path, body)
        self._send(status, json.dumps(found).encode(), "application/json")

    def _own(self) -> bool:
        hosts, origin = self.server.hosts, self.headers.get("Origin")
        return self.headers.get("Host") in hosts and (origin is None or origin.partition("://")[2] in hosts)

    def _send(self, status: int, content: bytes, kind: str, allowed: str = "default-src 'none'") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", allowed)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        if status >= 400:  # a body that was not read must not be taken for the next request
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *given: Any) -> None:
        """Prints nothing."""


def open_server(session: Session, port: int = 0) -> ThreadingHTTPServer:
    """A server of the page; `serve_forever` answers until `shutdown`.

    Args:
        session: of the collection.
        port: 0 takes a free one; `server_address` has it.

    Raises:
        OSError: the port is taken.
    """
    return PageServer(session, port)
