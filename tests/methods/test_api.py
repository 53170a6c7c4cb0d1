"""Hosted embeddings rank as the same model does here; a fault ends in a right result or a clear error, paid for
once.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import HarnessError, ModelError, SettingError, Unavailable
from harness.cache.folders import Cache
from harness.cache.manage import entries, faults
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import fit, index
from harness.methods.api import API
from harness.methods.dense import Dense
from harness.rows import parse_method
from harness.runtime.context import Context

pytest.importorskip("openai", reason="the client openai is not installed")

Rank = Callable[..., TopK]
KEY = "sk-secret-1234567890"
PROTOCOLS = ["openai", "cohere"]


def api(server: Any, **settings: Any) -> API:
    if settings.get("protocol") == "cohere":
        pytest.importorskip("cohere", reason="the client cohere is not installed")
    url = server.url.removesuffix("/v1") if settings.get("protocol") == "cohere" else server.url
    return API(**{"model": "tiny", "url": url, "batch_items": 8, "concurrency": 2, "retries": 3, **settings})


def asked(server: Any, side: str | None = None) -> list[str]:
    return [text for body in server.bodies for text in body.get("input", body.get("texts"))]


def authorization(headers: dict[str, str]) -> str:
    return next(value for name, value in headers.items() if name.lower() == "authorization")


def status(code: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return code, {"Content-Type": "application/json", **headers}, b'{"error": {"message": "no"}, "message": "no"}'


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_same_vectors_give_the_same_run_as_dense(
    protocol: str, hosted: Any, tiny_encoder: Path, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    ours = rank(api(hosted, protocol=protocol), corpus, queries, 100)
    theirs = rank(Dense(model=str(tiny_encoder)), corpus, queries, 100)
    for i in range(len(queries)):
        mine = dict(zip(ours.indices[i].tolist(), ours.scores[i].tolist(), strict=True))
        due = dict(zip(theirs.indices[i].tolist(), theirs.scores[i].tolist(), strict=True))
        assert mine == pytest.approx(due, abs=1e-6)
    # Where scores differ by more than rounding, so does the order.
    gaps = -np.diff(theirs.scores[:, : len(corpus)], axis=1)
    clear = (gaps > 1e-6).all(axis=1)
    assert np.array_equal(ours.indices[clear], theirs.indices[clear])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_each_distinct_text_is_sent_once_in_batches(
    protocol: str, hosted: Any, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    rank(api(hosted, protocol=protocol), corpus, queries, 5)
    texts = {text or " " for text in corpus.texts[:]}
    # Without input types a query is embedded as a document is: one that is both is sent once.
    due = {*texts, *queries.texts} if protocol == "openai" else [*texts, *set(queries.texts)]
    assert sorted(asked(hosted)) == sorted(due)
    assert all(len(body.get("input", body.get("texts"))) <= 8 for body in hosted.bodies)
    assert len(hosted.bodies) == -(-len(texts) // 8) + 1


def test_requests_keep_to_the_token_limit_and_a_longer_text_goes_alone(hosted: Any, rank: Rank) -> None:
    corpus = Corpus.of([(str(i), "", f"word{i} " * (30 if i == 3 else 4)) for i in range(7)])
    rank(api(hosted, batch_tokens=20), corpus, Queries(["q"], ["word1"]), 3)
    sizes = [[len(text) // 4 for text in body["input"]] for body in hosted.bodies]
    assert all(sum(size) <= 20 or len(size) == 1 for size in sizes)
    assert [1 for size in sizes if sum(size) > 20] == [1]
    assert max(len(size) for size in sizes) > 1


def test_as_scorer_only_the_candidates_are_paid_for(hosted: Any, corpus: Corpus, rank: Rank) -> None:
    two = Queries(["1", "2"], ["shock", "jet plate"])
    first = rank(parse_method("bm25"), corpus, two, 6)
    method = parse_method(f'rerank(first=bm25, scorer=api(model="tiny", url="{hosted.url}"), depth=6)')
    again = rank(method, corpus, two, 6)
    candidates = {corpus.texts[int(row)] for row in np.unique(first.indices[first.indices >= 0])}
    assert sorted(asked(hosted)) == sorted({*candidates, "shock", "jet plate"})
    assert set(again.indices[again.indices >= 0]) == set(first.indices[first.indices >= 0])


def test_a_hybrid_and_a_re_ranking_share_what_was_paid_for(
    hosted: Any, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    text = f'api(model="tiny", url="{hosted.url}")'
    full = rank(parse_method(text), corpus, queries, 10)
    sent = len(asked(hosted))
    both = rank(parse_method(f"hybrid(methods=(bm25, {text}))"), corpus, queries, 10)
    rank(parse_method(f"bm25 >> {text}"), corpus, queries, 10)
    assert len(asked(hosted)) == sent
    assert not np.array_equal(full.indices, both.indices)


def test_what_is_sent_in_openais_protocol(hosted: Any, rank: Rank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-mine")
    corpus = Corpus.of([("a", "T", "x" * 50)])
    method = api(
        hosted,
        key_variable="MY_KEY",
        dimensions=32,
        query_type="query",
        document_type="passage",
        query_prompt="ask: ",
        document_prompt="doc: ",
        max_characters=4,
    )
    rank(method, corpus, Queries(["q"], ["why so"]), 1)
    assert hosted.paths == ["/v1/embeddings"] * 2
    document, query = hosted.bodies
    assert document == {
        "model": "tiny", "input": ["doc: T xx"], "dimensions": 32, "input_type": "passage", "encoding_format": "base64"
    }  # fmt: skip
    assert (query["input"], query["input_type"]) == (["ask: why "], "query")
    assert {authorization(h) for h in hosted.headers} == {f"Bearer {KEY}"}
    assert not [h for h in hosted.headers if "org-of-mine" in h.values()]


def test_what_is_sent_in_coheres_protocol(hosted: Any, rank: Rank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    rank(
        api(hosted, protocol="cohere", key_variable="MY_KEY", dimensions=32),
        Corpus.of([("a", "", "x")]),
        Queries(["q"], ["y"]),
        1,
    )
    assert hosted.paths == ["/v2/embed"] * 2
    assert [(b["input_type"], b["texts"], b["output_dimension"], b["embedding_types"]) for b in hosted.bodies] == [
        ("search_document", ["x"], 32, ["float"]),
        ("search_query", ["y"], 32, ["float"]),
    ]
    assert {authorization(h) for h in hosted.headers} == {f"Bearer {KEY}"}


def test_a_text_without_a_character_goes_as_a_space(hosted: Any, rank: Rank) -> None:
    rank(api(hosted), Corpus.of([("a", "", ""), ("b", "", "x")]), Queries(["q"], ["y"]), 2)
    assert asked(hosted) == [" ", "x", "y"]


# Faults. Each: what the server does with the first requests; then the result is right.


def test_a_busy_server_is_asked_again_after_the_wait_it_asks_for(
    hosted: Any, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    usual = hosted.reply
    hosted.reply = lambda n, body: status(429, **{"Retry-After": "7"}) if n == 0 else usual(n, body)
    rank(api(hosted, concurrency=1), corpus, queries, 5)
    assert 7 <= max(hosted.waits) < 7.001
    assert len(hosted.bodies) == 1 + 3 + 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "fault",
    [
        status(429),
        status(429, **{"Retry-After": "3"}),
        status(500),
        status(503),
        (200, {"Content-Type": "application/json"}, b"{"),
        (200, {"Content-Type": "application/json"}, b""),
        (200, {"Content-Type": "application/json"}, b"[]"),
        (200, {"Content-Type": "text/html"}, b"<html>"),
        (200, {"Content-Type": "application/json", "Content-Length": "5000"}, b'{"data": [{"embed'),
    ],
    ids=["429", "429 with Retry-After", "500", "503", "half JSON", "nothing", "other JSON", "HTML", "cut short"],
)
def test_a_passing_fault_leaves_a_right_result(
    protocol: str, fault: Any, hosted: Any, corpus: Corpus, queries: Queries, rank: Rank, tmp_path: Path
) -> None:
    right = rank(api(hosted, protocol=protocol), corpus, queries, 9, within=Context(cache=Cache(tmp_path / "right")))
    sent, usual = len(hosted.bodies), hosted.reply
    hosted.reply = lambda n, body: fault if n in (sent, sent + 2) else usual(n, body)
    found = rank(api(hosted, protocol=protocol), corpus, queries, 9)
    assert np.array_equal(found.indices, right.indices)
    assert np.array_equal(found.scores, right.scores)
    assert len(hosted.bodies) == 2 * sent + 2
    assert len(hosted.waits) >= 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_slow_answer_is_asked_for_again(protocol: str, hosted: Any, rank: Rank) -> None:
    usual = hosted.reply

    def slow(n: int, body: dict[str, Any]) -> Any:
        time.sleep(1.0 if n == 0 else 0)
        return usual(n, body)

    hosted.reply = slow
    corpus = Corpus.of([("a", "", "x")])
    assert rank(api(hosted, protocol=protocol, timeout=0.3), corpus, Queries(["q"], ["y"]), 1).indices.tolist() == [[0]]
    assert len(hosted.bodies) == 3


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("code", [429, 500])
def test_a_server_that_stays_busy_is_given_up_with_what_it_said(
    protocol: str, code: int, hosted: Any, rank: Rank
) -> None:
    hosted.reply = lambda n, body: status(code)
    with pytest.raises(ModelError, match=rf"api: .*no usable answer after 4 tries; the last error: HTTP {code}: no\."):
        rank(api(hosted, protocol=protocol), Corpus.of([("a", "", "x")]), Queries(["q"], ["x"]), 1)
    assert len(hosted.bodies) == 4


def reordered(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "data": told["data"][::-1]}


def test_vectors_in_another_order_are_put_right_by_their_index(
    hosted: Any, corpus: Corpus, queries: Queries, rank: Rank, tmp_path: Path
) -> None:
    right = rank(api(hosted), corpus, queries, 9, within=Context(cache=Cache(tmp_path / "right")))
    usual = hosted.reply

    def shuffled(n: int, body: dict[str, Any]) -> Any:
        code, headers, raw = usual(n, body)
        return code, headers, json.dumps(reordered(json.loads(raw))).encode()

    hosted.reply = shuffled
    found = rank(api(hosted), corpus, queries, 9)
    assert np.array_equal(found.indices, right.indices)
    assert np.array_equal(found.scores, right.scores)


def altered(
    change: Callable[[list[list[float]]], list[list[float]]],
) -> Callable[[Any], Callable[[int, dict[str, Any]], Any]]:
    """A server whose second request is answered with other vectors than are due."""

    def server(usual: Any) -> Callable[[int, dict[str, Any]], Any]:
        def reply(n: int, body: dict[str, Any]) -> Any:
            code, headers, raw = usual(n, {**body, "encoding_format": "float"})
            told = json.loads(raw)
            if n != 1:
                return code, headers, raw
            if "embeddings" in told:
                told["embeddings"]["float"] = change(told["embeddings"]["float"])
            else:
                vectors = change([item["embedding"] for item in told["data"]])
                told["data"] = [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(vectors)]
            return code, headers, json.dumps(told).encode()

        return reply

    return server


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda vs: vs[:-1], r"7 vectors for 8 texts"),
        (lambda vs: [*vs, vs[0]], r"9 vectors for 8 texts"),
        (lambda vs: [v[:16] for v in vs], r"a vector of 16 dimensions instead of 32"),
        (lambda vs: [vs[0][:16], *vs[1:]], r"a vector of 16 dimensions instead of 32"),
        (lambda vs: [*vs[:-1], [float("nan")] * 32], r"values that are not numbers"),
        (lambda vs: [*vs[:-1], [float("inf"), *vs[0][1:]]], r"values that are not numbers"),
        (lambda vs: [*vs[:-1], [0.0] * 32], r"a vector of zeros"),
    ],
    ids=["one too few", "one too many", "other dimension", "mixed dimensions", "NaN", "infinity", "zeros"],
)
def test_vectors_that_are_none_are_refused_and_what_came_before_is_kept(
    protocol: str, change: Any, told: str, hosted: Any, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    usual = hosted.reply
    hosted.reply = altered(change)(usual)
    method = api(hosted, protocol=protocol, concurrency=1)
    with pytest.raises(ModelError, match=told):
        rank(method, corpus, queries, 5)
    assert len(hosted.bodies) == 2  # not asked again: that would be paid for again
    hosted.reply = usual
    rank(method, corpus, queries, 5)
    good = [body for n, body in enumerate(hosted.bodies) if n != 1]
    sent = [(body.get("input_type"), text) for body in good for text in body.get("input", body.get("texts"))]
    assert len(sent) == len(set(sent))


def test_an_index_that_comes_twice_is_refused(hosted: Any, rank: Rank) -> None:
    usual = hosted.reply

    def twice(n: int, body: dict[str, Any]) -> Any:
        code, headers, raw = usual(n, body)
        return code, headers, raw.replace(b'"index": 1', b'"index": 0')

    hosted.reply = twice
    with pytest.raises(ModelError, match=r"vectors of the texts \[0, 0\] instead of 0 to 1"):
        rank(api(hosted), Corpus.of([("a", "", "x"), ("b", "", "y")]), Queries(["q"], ["x"]), 1)


def test_a_dimension_that_is_not_the_one_asked_for_is_refused(hosted: Any, rank: Rank) -> None:
    with pytest.raises(ModelError, match="32 dimensions instead of 16"):
        rank(api(hosted, dimensions=16), Corpus.of([("a", "", "x")]), Queries(["q"], ["x"]), 1)


def test_another_dimension_than_what_is_kept_is_refused(
    hosted: Any, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    rank(api(hosted), corpus, queries, 5)
    usual = hosted.reply

    def shorter(n: int, body: dict[str, Any]) -> Any:
        code, headers, raw = usual(n, {**body, "encoding_format": "float"})
        told = json.loads(raw)
        told["data"] = [{**item, "embedding": item["embedding"][:8]} for item in told["data"]]
        return code, headers, json.dumps(told).encode()

    hosted.reply = shorter
    with pytest.raises(ModelError, match="8 dimensions instead of 32"):
        rank(api(hosted), corpus, Queries(["new"], ["never asked"]), 5)


# Keys, refusals


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_is_told_by_its_variable(
    protocol: str, code: int, hosted: Any, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", KEY)
    told = json.dumps({"error": {"message": f"bad {KEY}"}, "message": f"bad {KEY}"}).encode()
    hosted.reply = lambda n, body: (code, {"Content-Type": "application/json"}, told)
    with pytest.raises(ModelError, match="ENDPOINT_API_KEY") as error:
        rank(api(hosted, protocol=protocol), Corpus.of([("a", "", "x")]), Queries(["q"], ["x"]), 1)
    assert KEY not in str(error.value)
    assert len(hosted.bodies) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_other_refusals_say_what_the_server_says_without_the_key(
    protocol: str, hosted: Any, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", KEY)
    told = json.dumps({"error": {"message": f"no room for {KEY}"}, "message": f"no room for {KEY}"}).encode()
    for code, match in ((400, r"HTTP 400: no room for \*\*\*"), (404, r"no model 'tiny'.*no room for \*\*\*")):
        hosted.reply = lambda n, body, code=code: (code, {"Content-Type": "application/json"}, told)
        with pytest.raises(ModelError, match=match):
            rank(api(hosted, protocol=protocol), Corpus.of([("a", "", "x")]), Queries(["q"], ["x"]), 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_redirect_is_not_followed_with_the_key(protocol: str, hosted: Any, rank: Rank) -> None:
    hosted.reply = lambda n, body: (302, {"Location": hosted.url + "/elsewhere"}, b"")
    with pytest.raises(ModelError, match="HTTP 302"):
        rank(api(hosted, protocol=protocol), Corpus.of([("a", "", "x")]), Queries(["q"], ["x"]), 1)
    assert len(hosted.bodies) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_without_a_key_or_a_server_the_row_is_unavailable(
    protocol: Any, rank: Rank, monkeypatch: pytest.MonkeyPatch, hosted: Any
) -> None:
    one = Corpus.of([("a", "", "x")]), Queries(["q"], ["x"]), 1
    for name in ("OPENAI_API_KEY", "CO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    hosts = {
        "openai": ("https://api.openai.com/v1", "OPENAI_API_KEY"),
        "cohere": ("https://api.cohere.com", "CO_API_KEY"),
    }
    url, variable = hosts[protocol]
    with pytest.raises(Unavailable, match=f"{variable} is not set"):
        rank(API(url=url), *one)
    with pytest.raises(Unavailable, match="there is no server"):
        rank(API(url="http://127.0.0.1:9/v1", protocol=protocol), *one)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_missing_client_is_unavailable(
    protocol: str, hosted: Any, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Corpus.of([("a", "", "x")]), Queries(["q"], ["x"]), 1
    method = api(hosted, protocol=protocol)
    with monkeypatch.context() as inside:
        inside.setitem(sys.modules, protocol, None)
        with pytest.raises(Unavailable, match=rf"library {protocol} is not installed.*retrieval-harness\[{protocol}\]"):
            rank(method, *one)


# Money


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_requests_that_bring_no_answer_do_not_pass_the_cap_either(protocol: str, hosted: Any, rank: Rank) -> None:
    """Each may be on the bill: a body that breaks off was written, and what timed out was worked on."""
    usual = hosted.reply
    hosted.reply = lambda n, body: (lambda status, headers, raw: (status, headers, raw[:-9]))(*usual(n, body))
    most = len("x" * 20) + 8
    with pytest.raises(
        SettingError, match=r"3 requests without an answer counted at .*, and the next request could exceed .* 90"
    ):
        rank(
            api(hosted, protocol=protocol, cap_tokens=90, retries=9),
            Corpus.of([("a", "", "x" * 20)]),
            Queries([], []),
            1,
        )
    assert len(hosted.bodies) == 90 // most


def test_an_estimate_over_the_cap_asks_nothing(
    hosted: Any, corpus: Corpus, queries: Queries, rank: Rank, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SettingError, match=r"exceeds the cap of 50 tokens\. Nothing was sent\. Raise cap_tokens"):
        rank(api(hosted, cap_tokens=50), corpus, queries, 5)
    with pytest.raises(
        SettingError,
        match=r"texts in \d+ requests, about .* at most .* cap of \$0\.00001\. Nothing was sent\. Raise cap,",
    ):
        rank(api(hosted, price=1.0, cap=1e-5), corpus, queries, 5)
    assert hosted.bodies == []
    assert "price unknown (cap it with cap_tokens)" in caplog.text
    assert "price: settings" in caplog.text


def test_the_cap_is_never_passed_by_the_servers_count(hosted: Any, rank: Rank) -> None:
    """A server that counts three times what was estimated, which is still less than a token for each byte."""
    usual, counted = hosted.reply, [0]

    def dearer(n: int, body: dict[str, Any]) -> Any:
        code, headers, raw = usual(n, body)
        told = json.loads(raw)
        used = 3 * sum(-(-len(text) // 4) for text in body["input"])
        told["usage"] = {"prompt_tokens": used, "total_tokens": used}
        counted[0] += used
        return code, headers, json.dumps(told).encode()

    hosted.reply = dearer
    corpus = Corpus.of([(str(i), "", f"text number {i} of this") for i in range(40)])
    with pytest.raises(SettingError, match="tokens by the server's count, and the next request could exceed the cap"):
        rank(api(hosted, cap_tokens=400), corpus, Queries(["q"], ["x"]), 1)
    assert 400 - 3 * 8 - 30 <= counted[0] <= 400  # no more is left than one text could take
    before = len(asked(hosted))
    rank(api(hosted), corpus, Queries(["q"], ["x"]), 1)
    assert len(asked(hosted)) == len(set(asked(hosted))) == 41 > before


def test_one_cap_holds_for_all_that_a_run_asks(hosted: Any, rank: Rank, context: Context) -> None:
    corpus = Corpus.of([(str(i), "", f"text number {i}") for i in range(10)])
    method = api(hosted, cap_tokens=160)
    rank(method, corpus, Queries(["q"], ["x"]), 1)
    spent = len(hosted.bodies)
    other = Corpus.of([(str(i), "", f"another text number {i} and some more words about it") for i in range(12)])
    with pytest.raises(SettingError, match="tokens used before, which exceeds the cap of 160 tokens"):
        rank(method, other, Queries(["q"], ["x"]), 1)
    assert len(hosted.bodies) == spent


def test_a_cap_in_dollars_needs_a_price() -> None:
    with pytest.raises(SettingError, match=r"api: cap is in dollars, but the price is unknown.*cap_tokens"):
        API(model="of-nobody", cap=1.0)
    assert API(model="text-embedding-3-small", cap=1.0).cap == 1.0


def test_requests_wait_for_their_turn(hosted: Any, rank: Rank) -> None:
    corpus = Corpus.of([(str(i), "", f"text {i}") for i in range(16)])
    rank(api(hosted, requests_per_minute=60, concurrency=1), corpus, Queries(["q"], ["x"]), 1)
    assert len(hosted.waits) == 2  # the first has its turn at once, each other one a second later than the one before
    assert 0.5 < hosted.waits[0] <= 1 < hosted.waits[1] <= 2


# What is kept


def test_a_second_run_replays_offline_byte_for_byte(
    hosted: Any, small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.bench.runner import Bench
    from harness.bench.store import Store

    monkeypatch.setenv("ENDPOINT_API_KEY", KEY)
    method = parse_method(
        f'hybrid(methods=(bm25, api(model="tiny", url="{hosted.url}", key_variable="ENDPOINT_API_KEY")))'
    )

    def once(name: str) -> tuple[Any, dict[str, bytes]]:
        context = Context(cache=Cache(tmp_path / "cache"))
        store = Store(tmp_path / name)
        record = Bench([method], [str(small_folder)], context, store, ["nDCG@10"]).run(str(small_folder), method).record
        made = [p for p in sorted(store.root.rglob("*")) if p.is_file() and p.suffix not in (".json", ".lock")]
        return record, {p.relative_to(store.root).as_posix(): p.read_bytes() for p in made}

    first, files = once("one")
    assert first.status == "ok", first.problem
    assert first.latency is None
    sent = len(hosted.bodies)
    hosted.close()
    monkeypatch.delenv("ENDPOINT_API_KEY")
    again, same = once("two")
    assert again.status == "ok", again.problem
    assert again.run_sha256 == first.run_sha256
    assert again.measures == first.measures
    assert same.keys() == files.keys()
    assert files, "the run and the values of each query"
    assert same == files
    assert len(hosted.bodies) == sent


def test_no_output_holds_the_key(
    hosted: Any, small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from harness.bench.runner import Bench
    from harness.bench.store import Store

    monkeypatch.setenv("ENDPOINT_API_KEY", KEY)
    usual = hosted.reply
    rows = [
        parse_method(f'api(model="tiny", url="{hosted.url}")'),
        parse_method(f'api(model="refused", url="{hosted.url}")'),
    ]
    told = json.dumps({"error": {"message": f"you sent {KEY}"}}).encode()
    hosted.reply = lambda n, body: (
        (400, {"Content-Type": "application/json"}, told) if body["model"] == "refused" else usual(n, body)
    )
    context = Context(cache=Cache(tmp_path / "cache"))
    store = Store(tmp_path / "results")
    with caplog.at_level(logging.DEBUG):
        records = [
            Bench(rows, [str(small_folder)], context, store, ["nDCG@10"]).run(str(small_folder), row).record
            for row in rows
        ]
    assert [r.status for r in records] == ["ok", "error"]
    assert "***" in records[1].problem["reason"]  # type: ignore[index]
    kept = b"".join(
        p.read_bytes() for folder in ("cache", "results") for p in (tmp_path / folder).rglob("*") if p.is_file()
    )
    fitted = fit(rows[0], TrainView(Corpus.of([("a", "", "x")])), context)
    shown = caplog.text + repr(rows) + repr(vars(fitted.encoder)) + repr(context.ledger.steps) + rows[0].full()  # type: ignore[attr-defined]
    assert len(kept) > 1000
    assert KEY.encode() not in kept
    assert KEY not in shown
    assert KEY not in str(records)
    for entry in entries(context.cache):
        assert faults(entry) == []


def test_what_was_paid_for_outlives_a_kill(
    hosted: Any, corpus: Corpus, queries: Queries, rank: Rank, tmp_path: Path, context: Context
) -> None:
    usual = hosted.reply

    def endless(n: int, body: dict[str, Any]) -> Any:
        if n >= 2:
            time.sleep(60)
        return usual(n, body)

    hosted.reply = endless
    documents = [tuple(corpus[i]) for i in range(len(corpus))]
    code = textwrap.dedent("""
        import json, sys
        from pathlib import Path
        from harness.cache.folders import Cache
        from harness.runtime.context import Context
        from harness.data.corpus import Corpus
        from harness.data.dataset import TrainView
        from harness.methods import fit, index
        from harness.rows import parse_method
        corpus = Corpus.of([tuple(d) for d in json.loads(sys.argv[1])])
        context = Context(cache=Cache(Path(sys.argv[2])))
        method = parse_method(sys.argv[3])
        index(method, fit(method, TrainView(corpus), context), corpus, context)
    """)
    method = api(hosted, concurrency=1)
    command = [sys.executable, "-c", code, json.dumps(documents), str(context.cache.root), str(method)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while len(hosted.bodies) < 3 and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(hosted.bodies) == 3
    paid = [text for body in hosted.bodies[:2] for text in body["input"]]
    hosted.reply = usual
    rank(method, corpus, queries, 5)
    later = [text for body in hosted.bodies[3:] for text in body["input"]]
    assert not set(paid) & set(later)
    assert len(paid) == 16


def test_an_interrupt_keeps_what_is_under_way(
    hosted: Any, corpus: Corpus, queries: Queries, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as inside:
        inside.setattr("harness.endpoints.pool.wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            rank(api(hosted), corpus, queries, 5)
    assert len(hosted.bodies) == 2
    rank(api(hosted), corpus, queries, 5)
    assert len(asked(hosted)) == len(set(asked(hosted)))


def test_prices_limits_and_patience_move_no_vector_and_no_key(
    hosted: Any, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    first = rank(api(hosted), corpus, queries, 5)
    sent = len(hosted.bodies)
    other = api(hosted, price=2.0, cap=0.0, batch_items=3, concurrency=1, timeout=5.0, retries=0, similarity="cosine")
    again = rank(other, corpus, queries, 5)
    rank(api(hosted, similarity="dot"), corpus, queries, 5)  # kept as answered, so that it serves both
    assert np.array_equal(first.scores, again.scores)
    assert len(hosted.bodies) == sent
    for setting in ({"query_prompt": "q: "}, {"query_type": "query"}):
        before = len(hosted.bodies)
        rank(api(hosted, **setting), corpus, queries, 5)
        assert len(hosted.bodies) == before + 1


def test_cosine_normalises_and_dot_does_not(hosted: Any, rank: Rank, tiny_vectors: Any) -> None:
    usual = hosted.reply

    def longer(n: int, body: dict[str, Any]) -> Any:
        code, headers, raw = usual(n, {**body, "encoding_format": "float"})
        told = json.loads(raw)
        for item in told["data"]:
            item["embedding"] = [3 * x for x in item["embedding"]]
        return code, headers, json.dumps(told).encode()

    hosted.reply = longer
    corpus, query = Corpus.of([("a", "", "shock wave")]), Queries(["q"], ["wave"])
    due = float(np.dot(*np.asarray(tiny_vectors(["shock wave", "wave"]))))
    assert rank(api(hosted), corpus, query, 1).scores[0, 0] == pytest.approx(due, abs=1e-6)
    assert rank(api(hosted, similarity="dot"), corpus, query, 1).scores[0, 0] == pytest.approx(9 * due, abs=1e-5)


def test_fitting_asks_nothing_and_says_what_decides(hosted: Any) -> None:
    fitted = fit(api(hosted), TrainView(Corpus.of([("a", "", "x")])), Context())
    assert hosted.bodies == []
    assert fitted.resolved["price_per_million_tokens"] is None
    listed = fit(API(), TrainView(Corpus.of([("a", "", "x")])), Context())
    assert listed.resolved["price_per_million_tokens"] == 0.02
    assert "2026" in listed.resolved["price_source"]


@pytest.mark.parametrize(
    "settings",
    [
        {"model": " "},
        {"url": "api.openai.com/v1"},
        {"url": "https://user:key@host/v1"},
        {"url": "https://host/v1?key=abc"},
        {"protocol": "other"},
        {"dimensions": 0},
        {"max_characters": 0},
        {"similarity": "euclid"},
        {"batch_items": 0},
        {"batch_tokens": 0},
        {"concurrency": 0},
        {"requests_per_minute": 0},
        {"tokens_per_minute": 0},
        {"cap_tokens": -1},
        {"cap": float("nan")},
        {"timeout": 0.0},
        {"retries": -1},
        {"key_variable": "sk-a-key-by-mistake"},
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=rf"api: .*{next(iter(settings))}") as told:
        API(**{"model": "m", **settings})
    assert "mistake" not in str(told.value)


def test_every_fault_is_one_a_user_can_read(hosted: Any, rank: Rank) -> None:
    hosted.reply = lambda n, body: status(418)
    with pytest.raises(HarnessError, match=r"^api: .*\.$"):
        rank(api(hosted), Corpus.of([("a", "", "x")]), Queries(["q"], ["x"]), 1)


def test_it_is_not_asked_afresh_for_its_latency(
    hosted: Any, corpus: Corpus, queries: Queries, context: Context
) -> None:
    for text in (f'api(model="tiny", url="{hosted.url}")', f'bm25>>api(model="tiny", url="{hosted.url}")'):
        method = parse_method(text)
        searcher = index(method, fit(method, TrainView(corpus), context), corpus, context)
        assert not searcher.live
    mixed = parse_method(f'hybrid(methods=(bm25, api(model="tiny", url="{hosted.url}")))')
    assert not index(mixed, fit(mixed, TrainView(corpus), context), corpus, context).live
