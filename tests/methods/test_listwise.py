"""Sliding windows as in RankGPT; answers in another form are repaired and counted; nothing is paid for twice."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import HarnessError, ModelError, SettingError, Unavailable
from harness.bench.runner import Bench
from harness.bench.store import Store
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import CandidateScorer, Reranks, fit
from harness.methods._permutation import permutation, windows
from harness.methods.listwise import Listwise
from harness.rows import parse_method
from harness.runtime.context import Context

Rank = Callable[..., TopK]
KEY = "sk-secret-1234567890"


def chat(text: str | None, tokens: tuple[int, int] = (10, 5)) -> tuple[int, dict[str, str], bytes]:
    import json

    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return 200, {}, json.dumps({"choices": [{"message": {"content": text}}], "usage": usage}).encode()


def shown(body: dict[str, Any]) -> list[str]:
    return [m["content"].partition("] ")[2] for m in body["messages"][3:-1] if m["role"] == "user"]


def numbered(n: int) -> Corpus:
    """Documents whose text is their worth, in an order that tells nothing of it."""
    worth = random.Random(3).sample(range(n), n)
    return Corpus.of([(f"d{i:03}", "", f"worth {w}") for i, w in enumerate(worth)])


def by_worth(n: int, body: dict[str, Any]) -> Any:
    """A judge that is always right: the highest number first."""
    worth = [int(text.split()[1]) for text in shown(body)]
    order = sorted(range(len(worth)), key=lambda i: -worth[i])
    return chat(" > ".join(f"[{i + 1}]" for i in order))


def scorer(method: Listwise, corpus: Corpus, context: Context) -> CandidateScorer:
    fitted = fit(method, TrainView(corpus), context)
    assert isinstance(fitted, Reranks)
    return fitted.candidate_scorer(corpus, context)


def order(scores: np.ndarray) -> list[int]:
    return np.argsort(-scores).tolist()


# The window


def test_windows_are_those_of_the_paper() -> None:
    assert list(windows(100, 20, 10)) == [(s, s + 20) for s in range(80, -1, -10)]
    assert list(windows(20, 20, 10)) == [(0, 20)]
    assert list(windows(15, 20, 10)) == [(0, 15)]
    assert list(windows(2, 20, 10)) == [(0, 2)]
    assert list(windows(1, 20, 10)) == list(windows(0, 20, 10)) == []


@given(st.integers(2, 300), st.integers(2, 40), st.data())
def test_windows_reach_from_the_end_to_the_top_and_overlap(n: int, window: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(1, window - 1))
    found = list(windows(n, window, step))
    assert found[0][1] == n
    assert found[-1][0] == 0
    for (start, end), (above, below) in itertools.pairwise(found):
        assert above < start < below == end - step
        assert end - start == window
    assert all(end - start <= window for start, end in found)


@pytest.mark.parametrize(("n", "window", "step"), [(100, 20, 10), (37, 20, 10), (25, 8, 3), (5, 20, 10)])
def test_the_order_is_that_of_a_slow_loop(n: int, window: int, step: int, judge: Any, context: Context) -> None:
    corpus = numbered(n)
    judge.reply = by_worth
    [found] = scorer(Listwise("m", judge.url, window=window, step=step), corpus, context).scores(["q"], [np.arange(n)])
    worth = [int(text.split()[1]) for text in corpus.texts[:]]
    due, end = list(range(n)), n
    while True:
        start = max(0, end - window)
        due[start:end] = sorted(due[start:end], key=lambda i: -worth[i])
        if start == 0:
            break
        end -= step
    assert order(found) == due
    # The best of all rise to the top: as many as two windows have in common.
    assert [worth[i] for i in order(found)[: min(n, window - step)]] == sorted(worth, reverse=True)[: window - step]
    assert sorted(found.tolist()) == list(range(1, n + 1))


def test_what_is_sent_is_rankgpts_prompt_with_passages_cut(judge: Any, context: Context) -> None:
    corpus = Corpus.of([("a", "Title", "one  two\nthree four"), ("b", "", "short")])
    scorer(Listwise("m", judge.url, max_words=3), corpus, context).scores(["what {is} it"], [np.array([1, 0])])
    [body] = judge.bodies
    assert [m["role"] for m in body["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert body["messages"][1]["content"] == (
        "I will provide you with 2 passages, each indicated by number identifier []. \n"
        "Rank the passages based on their relevance to query: what {is} it."
    )
    assert [m["content"] for m in body["messages"][3:7]] == [
        "[1] short", "Received passage [1].", "[2] Title one two", "Received passage [2]."
    ]  # fmt: skip
    assert body["messages"][7]["content"].startswith("Search Query: what {is} it. \nRank the 2 passages above")
    assert (body["temperature"], body["max_tokens"], body["seed"]) == (0.0, 300, 0)


# Answers


@pytest.mark.parametrize(
    ("answer", "due", "failures"),
    [
        ("[2] > [1] > [3]", [1, 0, 2], {}),
        (" [3]>[2]>[1]\n", [2, 1, 0], {}),
        ("[3]", [2, 0, 1], {"missing": 2}),
        ("[3] > [3] > [1] > [2]", [2, 0, 1], {"repeated": 1}),
        ("[4] > [2] > [0] > [1] > [3]", [1, 0, 2], {"out of range": 2}),
        ("Sure: [2] > [1] > [3].", [1, 0, 2], {"malformed": 1}),
        ("[2], [1], [3]", [1, 0, 2], {"malformed": 1}),
        ("[2] > [1] >", [1, 0, 2], {"malformed": 1, "missing": 1}),
        ("2 > 1 > 3", [0, 1, 2], {"malformed": 1, "unreadable": 1, "missing": 3}),
        ("I cannot.", [0, 1, 2], {"malformed": 1, "unreadable": 1, "missing": 3}),
        ("", [0, 1, 2], {"malformed": 1, "unreadable": 1, "missing": 3}),
        ("[99999999999999999999]", [0, 1, 2], {"malformed": 0, "unreadable": 1, "missing": 3}),
    ],
)
def test_answers_are_read_strictly_and_repaired_as_documented(
    answer: str, due: list[int], failures: dict[str, int]
) -> None:
    assert permutation(answer, 3) == (due, Counter({k: v for k, v in failures.items() if v}))


@given(st.text(alphabet="[]> 0123456789x", max_size=60), st.integers(0, 12))
def test_any_answer_gives_an_order_of_all(answer: str, n: int) -> None:
    found, failures = permutation(answer, n)
    assert sorted(found) == list(range(n))
    assert all(count > 0 for count in failures.values())


@given(st.permutations(range(9)))
def test_a_whole_answer_is_taken_as_it_is(due: list[int]) -> None:
    assert permutation(" > ".join(f"[{i + 1}]" for i in due), 9) == (due, Counter())


def test_failures_go_into_the_record(judge: Any, small_folder: Path, tmp_path: Path) -> None:
    usual = judge.reply
    answers = iter(["[2] > [2] > [1]", "no", "[1] > [77]"])
    judge.reply = lambda n, body: chat(text) if (text := next(answers, None)) else usual(n, body)
    method = parse_method(f'bm25 >> listwise(model="m", url="{judge.url}", window=6, step=3, concurrency=1)')
    context = Context(cache=Cache(tmp_path / "cache"))
    record = Bench([method], [str(small_folder)], context, Store(tmp_path / "results"), ["nDCG@10"]).run(
        str(small_folder), method
    )
    assert record.record.status == "ok", record.record.problem
    counts = next(p["counts"] for p in record.record.phases if p["kind"] == "search" and "listwise" in p["label"])
    assert counts["windows"] == len(judge.bodies)
    assert (counts["windows malformed"], counts["windows unreadable"]) == (1, 1)
    assert (counts["windows repeated"], counts["windows out of range"]) == (1, 1)
    first, second, third = (len(shown(body)) for body in judge.bodies[:3])
    assert counts["windows missing"] == (first - 2) + second + (third - 1)
    [note] = [note for note in record.record.notes if "repaired" in note]
    assert note.startswith(
        f"3 of {len(judge.bodies)} windows were not in the requested form and were repaired (1 malformed"
    )
    assert record.record.latency is None
    assert record.record.resolved["scorer"]["window"] == 6


def test_without_a_failure_there_is_no_note(
    judge: Any, corpus: Corpus, queries: Queries, rank: Rank, context: Context
) -> None:
    with context.ledger.tracked("row") as row:
        rank(parse_method(f'bm25 >> listwise(model="m", url="{judge.url}")'), corpus, queries, 5)
    assert [note for step in row.all() for note in step.notes] == []
    assert row.counts["windows"] == len(judge.bodies)


# As a scorer


def test_it_re_ranks_what_the_first_stage_found(judge: Any, corpus: Corpus, queries: Queries, rank: Rank) -> None:
    first = rank(parse_method("bm25"), corpus, queries, 100)
    again = rank(parse_method(f'bm25 >> listwise(model="m", url="{judge.url}")'), corpus, queries, 100)
    for before, after in zip(first.indices, again.indices, strict=True):
        assert set(before.tolist()) == set(after.tolist())
    asked = [re.search(r"Search Query: (.*?)\. \n", b["messages"][-1]["content"]).group(1) for b in judge.bodies]  # type: ignore[union-attr]
    assert "qqq xxyyzz" not in asked  # nothing was found for it, so nothing is asked


def test_a_list_of_one_is_not_asked_about(judge: Any, context: Context) -> None:
    corpus = numbered(3)
    found = scorer(Listwise("m", judge.url), corpus, context).scores(["a", "b"], [np.array([2]), np.zeros(0, np.int64)])
    assert [s.tolist() for s in found] == [[1.0], []]
    assert judge.bodies == []


def test_alone_it_reads_a_tiny_corpus_and_refuses_a_larger_one(judge: Any, rank: Rank) -> None:
    many = Queries([str(i) for i in range(60)], [f"q {i}" for i in range(60)])
    with pytest.raises(HarnessError, match=r"listwise as a row of its own would score 2,400 pairs.*bm25>>listwise"):
        rank(Listwise("m", judge.url), numbered(40), many, 5)
    assert judge.bodies == []


# What is kept, and money


def test_a_second_run_replays_offline(
    judge: Any, corpus: Corpus, queries: Queries, rank: Rank, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = parse_method(f'bm25 >> listwise(model="m", url="{judge.url}", window=4, step=2)')
    first = rank(method, corpus, queries, 100)
    sent = len(judge.bodies)
    judge.close()
    again = rank(method, corpus, queries, 100, within=Context(cache=context.cache))
    assert np.array_equal(first.indices, again.indices)
    assert np.array_equal(first.scores, again.scores)
    assert len(judge.bodies) == sent
    with pytest.raises(Unavailable, match="no server"):
        rank(method, corpus, Queries(["new"], ["wing shock"]), 5, within=Context(cache=context.cache))


def test_a_stopped_run_pays_nothing_twice(judge: Any, rank: Rank, context: Context) -> None:
    corpus, queries = numbered(30), Queries(["1", "2"], ["worth", "worth of it"])
    method = parse_method(f'bm25 >> listwise(model="m", url="{judge.url}", window=10, step=5, concurrency=1)')
    judge.reply = lambda n, body: by_worth(n, body) if n < 4 else (400, {}, b'{"error": {"message": "no"}}')
    with pytest.raises(ModelError, match=r"^listwise: .*HTTP 400"):
        rank(method, corpus, queries, 10)
    assert len(judge.bodies) == 5
    judge.reply = by_worth
    rank(method, corpus, queries, 10, within=Context(cache=context.cache))
    asked = [str(body) for n, body in enumerate(judge.bodies) if n != 4]
    assert len(asked) == len(set(asked)) == 2 * 5


def test_the_estimate_counts_every_window_and_the_cap_refuses(judge: Any, context: Context, caplog: Any) -> None:
    corpus = numbered(30)
    method = Listwise("m", judge.url, window=10, step=5, cap_tokens=1000)
    with pytest.raises(
        SettingError, match=r"listwise m: 5 requests, about [\d,]+ tokens in, at most 1,500 out.*cap of 1,000"
    ):
        scorer(method, corpus, context).scores(["q"], [np.arange(30)])
    assert judge.bodies == []
    with pytest.raises(SettingError, match=r"exceeds the cap of \$0\.0001"):
        scorer(Listwise("m", judge.url, price_in=1.0, price_out=1.0, cap=0.0001), corpus, context).scores(
            ["q"], [np.arange(30)]
        )
    assert judge.bodies == []


def test_a_half_kept_run_is_estimated_by_what_is_left(
    judge: Any, context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    corpus = numbered(30)
    judge.reply = lambda n, body: by_worth(n, body) if n < 2 else (400, {}, b"{}")
    method = Listwise("m", judge.url, window=10, step=5, concurrency=1)
    with pytest.raises(ModelError):
        scorer(method, corpus, context).scores(["q"], [np.arange(30)])
    judge.reply = by_worth
    caplog.clear()
    scorer(method, corpus, Context(cache=context.cache)).scores(["q"], [np.arange(30)])
    assert "listwise m: 3 requests" in caplog.text


def test_the_key_is_shown_nowhere(
    judge: Any, context: Context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ENDPOINT_API_KEY", KEY)
    method = Listwise("m", judge.url)
    scorer(method, numbered(5), context).scores(["q"], [np.arange(5)])
    assert judge.headers[0]["Authorization"] == f"Bearer {KEY}"
    judge.reply = lambda n, body: (400, {}, f"you sent {KEY}".encode())
    with pytest.raises(ModelError, match=r"you sent \*\*\*") as told:
        scorer(method, numbered(6), context).scores(["q"], [np.arange(6)])
    kept = b"".join(p.read_bytes() for p in context.cache.root.rglob("*") if p.is_file())
    assert KEY not in str(told.value) + caplog.text + method.full() + repr(context.ledger.steps)
    assert KEY.encode() not in kept


@pytest.mark.parametrize(
    "settings",
    [
        {"model": ""},
        {"url": "x"},
        {"window": 1},
        {"step": 0},
        {"step": 20},
        {"max_words": 0},
        {"max_tokens": 0},
        {"temperature": -1.0},
        {"cap": -1.0},
        {"key_variable": "sk-oops"},
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=rf"listwise: .*{next(iter(settings))}"):
        Listwise(**settings)
