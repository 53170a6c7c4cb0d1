"""A server that speaks what the rows use of the protocols of Elasticsearch and OpenSearch, as their references have it.

It is not the engine: words are ranked by how often they occur, vectors by inner product, and mappings are checked.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]
WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def refusal(status: int, kind: str, reason: str) -> Answer:
    """An error in the form of both."""
    cause = {"type": kind, "reason": reason}
    return status, {"error": {"root_cause": [cause], **cause}, "status": status}


class ElasticServer:
    """Holds indexes and aliases.

    Args:
        product: value of the header by which Elasticsearch's client knows the server.
        fault: (method, path, number of the request) → an answer instead of the usual one, None for the usual one; may
            raise to drop the connection.
    """

    def __init__(self, version: str = "9.1.0", product: str = "Elasticsearch") -> None:
        self.version, self.product = version, product
        self.indexes: dict[str, dict[str, Any]] = {}
        self.aliases: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        self.searched: list[dict[str, Any]] = []
        self.fault: Callable[[str, str, int], Answer | None] = lambda method, path, n: None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.partition("?")[0]
                outer.asked.append((self.command, path))
                try:
                    told = outer.fault(self.command, path, len(outer.asked))
                except ConnectionError:
                    self.close_connection = True
                    return
                status, body = told or outer.reply(self.command, path, raw)
                data = b"" if self.command == "HEAD" else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("X-Elastic-Product", outer.product)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

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

    def reply(self, method: str, path: str, raw: bytes) -> Answer:
        parts = path.strip("/").split("/")
        if path == "/":
            return 200, {
                "version": {"number": self.version, "distribution": "opensearch"},
                "tagline": "You Know, for Search",
            }
        if parts[0] == "_alias":
            return (200, {}) if parts[1] in self.aliases else (404, {})
        name = self.aliases.get(parts[0], parts[0])
        action = parts[1] if len(parts) > 1 else ""
        if action == "" and method == "PUT":
            body = json.loads(raw)
            self.indexes[name] = {
                "fields": body["mappings"]["properties"],
                "settings": body["settings"],
                "documents": {},
            }
            return 200, {"acknowledged": True}
        if name not in self.indexes:
            return refusal(404, "index_not_found_exception", f"no such index [{name}]")
        if action == "" and method == "DELETE":
            del self.indexes[name]
            return 200, {"acknowledged": True}
        held = self.indexes[name]
        if action == "_bulk":
            return 200, self._bulk(held, [json.loads(line) for line in raw.splitlines()])
        if action in ("_alias", "_aliases"):
            self.aliases[parts[2]] = name
            return 200, {"acknowledged": True}
        if action == "_count":
            return 200, {"count": len(held["documents"])}
        if action == "_stats":
            size = sum(len(json.dumps(each)) for each in held["documents"].values())
            return 200, {"_all": {"primaries": {"store": {"size_in_bytes": size}}}}
        if action == "_search":
            return self._search(held, json.loads(raw))
        return 200, {"_shards": {"failed": 0}}

    def _bulk(self, held: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
        items, fields = [], held["fields"]
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            item: dict[str, Any] = {"_id": action["index"]["_id"], "status": 201}
            dims = fields.get("vector", {}).get("dims", fields.get("vector", {}).get("dimension"))
            if set(document) - set(fields) or (dims and len(document["vector"]) != dims):
                reason = f"failed to parse, {dims} dimensions are expected"
                item |= {"status": 400, "error": {"type": "document_parsing_exception", "reason": reason}}
            else:
                held["documents"][item["_id"]] = document
            items.append({"index": item})
        return {"errors": any(each["index"]["status"] != 201 for each in items), "items": items}

    def _search(self, held: dict[str, Any], body: dict[str, Any]) -> Answer:
        self.searched.append(body)
        try:
            ranked = self._ranked(held, body)
        except KeyError as error:
            return refusal(400, "search_phase_execution_exception", f"failed to find field {error}")
        hits = [{"_id": name, "_score": score} for name, score in ranked[: body["size"]]]
        return 200, {"timed_out": False, "_shards": {"failed": 0}, "hits": {"hits": hits}}

    def _ranked(self, held: dict[str, Any], body: dict[str, Any]) -> list[tuple[str, float]]:
        if "retriever" in body:
            rrf = body["retriever"]["rrf"]
            parts = [each.get("standard") or each for each in rrf["retrievers"]]
            return self._fused(held, parts, rrf["rank_constant"], rrf["rank_window_size"])
        if "knn" in body:
            return self._near(held, body["knn"]["query_vector"])[: body["knn"]["k"]]
        query = body["query"]
        if "hybrid" in query:
            processor = body["search_pipeline"]["phase_results_processors"][0]["score-ranker-processor"]
            parts = [{"query": each} for each in query["hybrid"]["queries"]]
            return self._fused(
                held, parts, processor["combination"]["rank_constant"], query["hybrid"]["pagination_depth"]
            )
        if "script_score" in query:
            return self._near(held, query["script_score"]["script"]["params"]["query_value"])
        if "knn" in query:
            return self._near(held, query["knn"]["vector"]["vector"])[: query["knn"]["vector"]["k"]]
        asked = words(query["match"]["body"]["query"])
        held["fields"]["body"]
        scored = {name: words(each["body"]) for name, each in held["documents"].items()}
        found = {name: sum(terms.count(word) for word in asked) / (9 + len(terms)) for name, terms in scored.items()}
        return _best({name: score for name, score in found.items() if score > 0})

    def _near(self, held: dict[str, Any], vector: list[float]) -> list[tuple[str, float]]:
        held["fields"]["vector"]
        products = {
            name: sum(a * b for a, b in zip(each["vector"], vector, strict=True))
            for name, each in held["documents"].items()
        }
        # As Lucene makes scores of inner products: always positive.
        return _best({name: 1 + p if p >= 0 else 1 / (1 - p) for name, p in products.items()})

    def _fused(
        self, held: dict[str, Any], parts: list[dict[str, Any]], constant: int, depth: int
    ) -> list[tuple[str, float]]:
        total: dict[str, float] = {}
        for part in parts:
            for rank, (name, _) in enumerate(self._ranked(held, part)[:depth], start=1):
                total[name] = total.get(name, 0.0) + 1 / (constant + rank)
        return _best(total)


def _best(scores: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
