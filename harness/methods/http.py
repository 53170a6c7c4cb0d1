"""A search server as a row: http(url="http://localhost:8080/search")."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from harness.base.errors import HarnessError, SettingError
from harness.base.files import read_text, there
from harness.choices.bounds import Count, Positive, WholeNumber
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.endpoints.address import host, is_local
from harness.endpoints.keys import Key
from harness.endpoints.providers import provider
from harness.endpoints.retries import RateLimit
from harness.methods import UNKNOWN_LABELS, Fitted, Method, Searcher, SearchReport, Size
from harness.methods._foreign import ForeignRankings
from harness.methods._http import Limits, NoKey, SearchServer, json_path, template
from harness.runtime.context import Context

_FORM: Final = '{"ids": [["d1", …], …], "scores": [[12.5, …], …]}'


@dataclass(frozen=True)
class HTTP(Method):
    """Ranks by a server that has the collection indexed.

    It gets `{"queries": ["text", …], "k": 100}` by POST and answers `{"ids": [["d1", …], …], "scores": [[12.5, …],
    …]}`, a list for each query, the best first; without `scores`, or if they are null, the order counts. A server with
    another form is asked one query at a time: `request` is its body as a template, `ids` and `scores` are where an
    answer has them.

    A key is sent if the variable of `key_variable` is set, by the rule for hosted models (`harness.endpoints.keys`).
    What the server does is not known to the harness: change `version` when its index or its settings change.

    Args:
        url: of the search, without ? and #.
        version: any text; a row with another one runs again.
        request: the body of a request in Jinja's notation, with `query` and `k`, as `{"q": {{ query|tojson }}}`;
            `@file` reads it from a file. Empty for the form above.
        ids: JSONPath of the ids in an answer, as `$.hits.hits[*]._id`.
        scores: JSONPath of their scores; empty if the order counts.
        batch: queries in one request of the form above.
        concurrency: requests in flight at once.
        requests_per_minute: the most that are sent; None for no limit. With a limit, latency is not measured.
        timeout: seconds for one whole answer, from the connection to the last byte.
        retries: how often a request is repeated while the server is busy or gone.
        key_variable: the environment variable with the key; None takes that of the address.
    """

    url: str = ""
    version: str = ""
    request: str = ""
    ids: str = ""
    scores: str = ""
    batch: Count = 16
    concurrency: Count = 1
    requests_per_minute: Count | None = None
    timeout: Positive = 30.0
    retries: WholeNumber = 4
    key_variable: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.url.lower().startswith(("http://", "https://")) or not host(self.url):
            raise SettingError('http: name the whole address, as http(url="http://localhost:8080/search")')
        is_local(self.url, "http")
        if bool(self.request) != bool(self.ids) or (self.scores and not self.ids):
            raise SettingError("http: request and ids go together, and scores with both; or leave out all three.")

    @property
    def _file(self) -> Path | None:
        return Path(self.request[1:]).expanduser() if self.request.startswith("@") else None

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`; the file of `request`."""
        file = self._file
        return {self.request: context.cache.hashes.sha256(file)} if file is not None and there(file.is_file) else {}

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Reads the template; nothing is sent.

        Raises:
            Unavailable: the library for `ids` and `scores` is not installed.
            HarnessError: the template or a path cannot be read, or the key is not sent to this address.
        """
        return _Fitted(self, self._form(), self._key(), self.inputs(context))

    def _form(self) -> _Form:
        if not self.request:
            return _Own(self.batch)
        file = self._file
        if file is not None and not there(file.is_file):
            raise SettingError(f"http: there is no file {file}, which request names.")
        source = self.request if file is None else read_text(file)
        return _Foreign(
            template(source), json_path(self.ids, "ids"), json_path(self.scores, "scores") if self.scores else None
        )

    def _key(self) -> Key:
        variable = provider(self.url).key_variable if self.key_variable is None else self.key_variable
        return Key("http", self.url, variable) if os.environ.get(variable, "").strip() else NoKey(variable)


class _Form:
    """How queries become requests and answers rankings."""

    batch = 1

    def body(self, texts: Sequence[str], k: int) -> str:
        """The request."""
        raise NotImplementedError

    def rankings(self, answer: Any, texts: Sequence[str]) -> list[Any]:
        """A ranking for each text.

        Raises:
            ValueError: the answer has another form; says what is wrong.
        """
        raise NotImplementedError


class _Own(_Form):
    def __init__(self, batch: int) -> None:
        self.batch = batch

    def body(self, texts: Sequence[str], k: int) -> str:
        return json.dumps({"queries": list(texts), "k": k})

    def rankings(self, answer: Any, texts: Sequence[str]) -> list[Any]:
        ids = answer.get("ids") if isinstance(answer, dict) else None
        if not isinstance(ids, list) or not all(isinstance(each, list) for each in ids):
            raise ValueError(f"no lists of ids; the form is {_FORM}")
        scores = answer.get("scores")
        scores = [None] * len(ids) if scores is None else scores
        if not isinstance(scores, list) or not len(ids) == len(scores) == len(texts):
            raise ValueError(f"{len(ids):,} lists of ids for {len(texts):,} queries, or other lists of scores")
        return [_joined(names, values) for names, values in zip(ids, scores, strict=True)]


class _Foreign(_Form):
    def __init__(
        self, body: Callable[..., str], ids: Callable[[Any], list[Any]], scores: Callable[[Any], list[Any]] | None
    ) -> None:
        self._body, self._ids, self._scores = body, ids, scores

    def body(self, texts: Sequence[str], k: int) -> str:
        return self._body(query=texts[0], queries=list(texts), k=k)

    def rankings(self, answer: Any, texts: Sequence[str]) -> list[Any]:
        return [_joined(self._ids(answer), None if self._scores is None else self._scores(answer))]


def _joined(ids: list[Any], scores: Any) -> list[Any]:
    """Pairs; ids alone if the order counts."""
    if scores is None:
        return [str(each) if isinstance(each, int) else each for each in ids]
    if not isinstance(scores, list) or len(scores) != len(ids):
        found = len(scores) if isinstance(scores, list) else "no list of"
        raise ValueError(f"{len(ids):,} ids and {found} scores")
    return list(zip(ids, scores, strict=True))


class _Fitted(Fitted):
    supervision = UNKNOWN_LABELS

    def __init__(self, method: HTTP, form: _Form, key: Key, inputs: dict[str, str]) -> None:
        self._method, self._form, self._key = method, form, key
        self.key = f"http-{hashlib.sha256(f'{method.full()} {inputs}'.encode()).hexdigest()[:32]}"
        self.resolved = {**method.settings(), **inputs}

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        """Nothing is sent: the server has its index."""
        return _Searcher(f"{self.key}-{corpus.revision}", self._method, self._form, self._key, corpus)


class _Searcher(Searcher):
    def __init__(self, key: str, method: HTTP, form: _Form, secret: Key, corpus: Corpus) -> None:
        self.key, self.size = key, Size()
        self.live = method.requests_per_minute is None
        limits = Limits(method.timeout, method.retries, RateLimit(method.requests_per_minute))
        self._method, self._form = method, form
        self._server = SearchServer(method.url, secret, limits)
        self._rankings = ForeignRankings(method.url, corpus)

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`.

        Raises:
            Unavailable: there is no server.
            HarnessError: no usable answer; names the query.
        """
        starts, stopped = range(0, len(queries), self._form.batch), threading.Event()
        with ThreadPoolExecutor(self._method.concurrency, "harness-http") as pool:
            parts = [pool.submit(self._ask, queries, start, k, stopped) for start in starts]
            try:
                answers = [ranking for part in parts for ranking in part.result()]
            except BaseException:
                stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return self._rankings.top(queries, answers, k)

    def _ask(self, queries: Queries, start: int, k: int, stopped: threading.Event) -> list[Any]:
        texts = queries.texts[start : start + self._form.batch]
        which = f"query {queries.ids[start]!r}" + (f" and {len(texts) - 1} more" if len(texts) > 1 else "")
        answer = self._server.ask(self._form.body(texts, k), which, stopped)
        try:
            return self._form.rankings(answer, texts)
        except ValueError as error:
            shown = repr(answer)
            shown = shown if len(shown) <= 200 else f"{shown[:200]}…"
            raise HarnessError(f"{self._method.url} answered {which} with {error}: {shown}.") from error

    def report(self, queries: Queries) -> SearchReport:
        """See `Searcher.report`: how many requests there were, how long they took, and how often one failed."""
        with self._server.sent.lock:
            seconds, failures = list(self._server.sent.seconds), dict(self._server.sent.failures)
        if not seconds:
            return SearchReport(self.size)
        p50, p95 = (round(float(each) * 1000, 1) for each in np.percentile(seconds, [50, 95]))
        asked = {"answered": len(seconds), "failed": failures, "p50_ms": p50, "p95_ms": p95}
        return SearchReport(self.size, {"requests": asked})

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `Searcher.notes`."""
        failures = self._server.sent.failures
        failed = ", ".join(f"{count:,} × {why}" for why, count in sorted(failures.items()))
        return (*((f"requests that failed and were repeated: {failed}",) if failed else ()), *self._rankings.notes())
