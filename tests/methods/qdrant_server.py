"""The HTTP protocol of Qdrant's server over the client's own local mode: what the row uses of it."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]


class QdrantServer:
    """Collections in memory.

    Args:
        fault: (method, path, number of the request) → an answer instead of the usual one, None for the usual one; may
            raise to drop the connection.
    """

    def __init__(self) -> None:
        from qdrant_client import QdrantClient

        self.held = QdrantClient(":memory:")
        self.asked: list[tuple[str, str, Any]] = []
        self.fault: Callable[[str, str, int], Answer | None] = lambda method, path, n: None
        outer, guard = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path, body = self.path.partition("?")[0], json.loads(raw) if raw else None
                with guard:
                    outer.asked.append((self.command, path, body))
                    try:
                        status, result = outer.fault(self.command, path, len(outer.asked)) or outer.reply(
                            self.command, path, body
                        )
                    except ConnectionError:
                        self.close_connection = True
                        return
                    except (ValueError, KeyError) as error:
                        status, result = 400, {"status": {"error": str(error)}, "time": 0.0}
                data = json.dumps(result).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *given: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self.held.close()

    def reply(self, method: str, path: str, body: Any) -> Answer:
        from qdrant_client import models

        if path == "/":
            return 200, {"title": "qdrant - vector search engine", "version": "1.20.0"}
        if path == "/aliases":
            return _ok(self.held.get_aliases())
        if path == "/collections/aliases":
            return _ok(self.held.update_collection_aliases(models.ChangeAliasesOperation(**body).actions))
        _, name, *rest = path.strip("/").split("/")
        if not rest:
            if method == "GET":
                return _ok(self.held.get_collection(name))
            if method == "DELETE":
                return _ok(self.held.delete_collection(name))
            made = models.CreateCollection(**body)
            return _ok(self.held.create_collection(name, vectors_config=made.vectors or {}))
        done = {"operation_id": 1, "status": "completed"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # local mode has no indexes
            if rest == ["index"]:
                self.held.create_payload_index(
                    name, body["field_name"], models.TextIndexParams(type="text", scoring=True)
                )
                return _ok(done)
            if rest == ["points"]:
                self.held.upsert(name, models.Batch(**body["batch"]))
                return _ok(done)
            assert rest == ["points", "query"], path
            asked = models.QueryRequest(**body)
            prefetch = asked.prefetch
            for part in prefetch or []:
                part.params = None
            points = self.held.query_points(
                name, query=asked.query, using=asked.using, prefetch=prefetch, limit=asked.limit, with_payload=False
            )
        return _ok(points)


def _ok(result: Any) -> Answer:
    told = result.model_dump(mode="json") if hasattr(result, "model_dump") else result
    return 200, {"result": told, "status": "ok", "time": 0.0}
