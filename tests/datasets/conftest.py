"""Collections written to a folder, and a web server on this machine that can break off, forget ranges or answer
wrongly.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

Write = Callable[..., Path]

DOCUMENTS = [("d1", "Wings", "lift of a wing"), ("d2", "", "drag of a body"), ("d3", "Heat", "heat transfer")]
QUERIES = {"q1": "lift", "q2": "drag", "q3": "heat"}


def write_collection(
    folder: Path,
    documents: Sequence[tuple[str, str, str]] = DOCUMENTS,
    queries: Mapping[str, str] = QUERIES,
    qrels: Mapping[str, Mapping[str, Mapping[str, int]]] | None = None,
) -> Path:
    """Writes the three files of BEIR's format."""
    if qrels is None:
        qrels = {"test": {"q1": {"d1": 1}, "q2": {"d2": 2, "d1": 0}}}
    (folder / "qrels").mkdir(parents=True)
    rows = [json.dumps({"_id": i, "title": t, "text": x}) for i, t, x in documents]
    (folder / "corpus.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    rows = [json.dumps({"_id": i, "text": x}) for i, x in queries.items()]
    (folder / "queries.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for split, judged in qrels.items():
        lines = [
            "query-id\tcorpus-id\tscore",
            *(f"{q}\t{d}\t{g}" for q, grades in judged.items() for d, g in grades.items()),
        ]
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def collection(tmp_path: Path) -> Write:
    """Writes a collection: `collection(name, documents=…, queries=…, qrels=…)` gives its folder."""

    def write(name: str = "mine", **parts: object) -> Path:
        return write_collection(tmp_path / "data" / name, **parts)  # type: ignore[arg-type]

    return write


@dataclass
class Served:
    """What the server holds and does, and what it was asked.

    Args:
        files: path → bytes.
        ranges: whether it knows ranges.
        break_after: for each of the next answers, after how many bytes the connection ends.
        statuses: for each of the next answers, a status to give instead.
        redirect: path → where to send the client.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    break_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    redirect: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(served: Served) -> Iterator[Served]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            return

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            served.asked.append((self.path, asked))
            if served.statuses:
                self.send_error(served.statuses.pop(0))
                return
            if self.path in served.redirect:
                self.send_response(302)
                self.send_header("Location", served.redirect[self.path])
                self.end_headers()
                return
            body = served.files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            found = re.fullmatch(r"bytes=(\d+)-", asked) if served.ranges else None
            start = int(found[1]) if found else 0
            if found and start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if found else 200)
            if found:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            rest = body[start:]
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest[: served.break_after.pop(0)] if served.break_after else rest)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server() -> Iterator[Served]:
    """A running server without files."""
    with serving(Served()) as served:
        yield served
