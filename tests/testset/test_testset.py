"""A set is a folder like any other; the same command gives the same bytes, after a kill too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import RecordError, SettingError
from harness.cache.folders import Cache
from harness.collection.labels import labels_file, read_labels
from harness.datasets import load_dataset
from harness.judges.chat import Chat as ChatJudge
from harness.judges.row import Row
from harness.rows import parse_generator, parse_method
from harness.runtime.context import Context
from harness.testset.request import Request
from harness.testset.testset import made_by, make_testset
from harness.testset.write import FILES
from tests.conftest import completion


def quiet(line: str) -> None:
    """Says nothing."""


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def test_the_folder_is_a_collection_whose_manifest_says_what_made_it(
    request_of: Callable[..., Request], context: Context
) -> None:
    request = request_of()
    made = made_by(request, context, quiet)
    assert made.made is not None
    dataset = load_dataset(str(request.out), Context(cache=context.cache))
    assert len(dataset.corpus) == 60
    labels = read_labels(labels_file(request.out))
    assert labels is not None
    assert labels.qrels() == dataset.test.qrels
    assert {label.kind for label in labels.every} == {"machine"}
    manifest = json.loads((request.out / "manifest.json").read_text())
    assert manifest["queries"]["number"] == len(dataset.test.queries) == len(made.made.queries)
    assert manifest["queries"]["real"] is False
    parts = {query.id(dataset.corpus) for query in made.made.queries if query.is_part}
    assert dataset.drop_self == parts  # each is left out of its own ranking
    assert parts
    assert all(label.query != label.document for label in labels.every)
    assert manifest["corpus"]["files"] == 60
    assert sum(manifest["judge"]["grades"].values()) == manifest["pool"]["pairs"] == len(labels.every)
    assert manifest["cost"] is None
    assert str(request.out.parent) not in json.dumps({k: v for k, v in manifest.items() if k != "judge"})
    first = json.loads((request.out / "queries.jsonl").read_text().split("\n")[0])
    assert first["metadata"]["document"] in set(dataset.corpus.ids(range(60)))
    trust = " ".join(made.trust)
    assert "uncalibrated" in trust
    assert "harness judge" in trust


def test_the_same_command_gives_the_same_bytes_and_replaces_only_its_own_files(
    request_of: Callable[..., Request], context: Context, tmp_path: Path
) -> None:
    request = request_of()
    made_by(request, context, quiet)
    first = bytes_of(request.out)
    made_by(request, Context(cache=Cache(tmp_path / "another")), quiet)
    assert bytes_of(request.out) == first
    (request.out / "qrels" / "test.tsv").write_text("changed")
    with pytest.raises(RecordError, match="was changed since"):
        made_by(request, context, quiet)


def hosted(server: Any) -> dict[str, Any]:
    """A chat model that asks and judges, on the server of a test."""

    def reply(n: int, body: dict[str, Any]) -> Any:
        content = body["messages"][0]["content"]
        if "Answer with one digit" in content:
            query = content.partition("Query: ")[2].partition("\n")[0]
            document = content.partition("Document:\n")[2].partition("\n\nAnswer")[0]
            return completion("3" if query.split()[-1] in document.split() else "0")
        passage = content.partition("Passage:\n")[2].split()
        return completion(f"what happened in the {passage[2]} of town {passage[5]}")

    server.reply = reply
    settings = f'model="m", url="{server.url}", price_in=1.0, price_out=1.0'
    return {
        "generators": (parse_generator(f"chat({settings})"),),
        "judge": ChatJudge("m", server.url, again=3, price_in=1.0, price_out=1.0),
        "queries": 6,
        "copied": 1.0,
    }


def test_a_killed_run_continues_and_no_model_is_asked_twice(
    server: Any, request_of: Callable[..., Request], context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_of(**hosted(server))
    told: list[str] = []

    def interrupted(*given: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("harness.judges.chat.Chat._answers", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made_by(request, context, told.append)
    assert not request.out.exists()
    assert any("hosted models, if no answer is cached" in line and "at most $" in line for line in told)
    before = len(server.bodies)
    assert before == 9
    made_by(request, Context(cache=context.cache), quiet)
    first, sent = bytes_of(request.out), len(server.bodies)
    assert sent > before
    assert len({json.dumps(body, sort_keys=True) for body in server.bodies}) == sent
    server.reply = lambda n, body: (500, {}, b"offline")
    made_by(request, Context(cache=context.cache), quiet)
    assert bytes_of(request.out) == first
    assert len(server.bodies) == sent
    cost = json.loads(first["manifest.json"])["cost"]
    assert cost["dollars_at_most"] > 0


def test_a_plan_sends_and_writes_nothing(server: Any, request_of: Callable[..., Request], context: Context) -> None:
    request = request_of(**hosted(server))
    planned = made_by(request, context, quiet, plan=True)
    assert planned.price is not None
    assert planned.price.requests == 9 + 36 + 3
    assert planned.made is None
    assert server.bodies == []
    assert not request.out.exists()
    assert not list(request.out.parent.glob(".mine*"))


def test_what_is_no_judge_is_refused_before_queries_are_made(
    server: Any, request_of: Callable[..., Request], context: Context
) -> None:
    request = request_of(**{**hosted(server), "judge": Row(parse_method("bm25"))})
    with pytest.raises(SettingError, match="bm25 scores no pairs"):
        made_by(request, context, quiet)
    assert server.bodies == []
    assert not request.out.exists()


def test_the_arguments_of_the_command(
    corpus_folder: Path, tmp_path: Path, tiny_encoder: Path, context: Context
) -> None:
    judge = f'row(dense(model="{tiny_encoder}", precision="fp32"), third=0.9, second=0.6, first=0.3)'
    made = make_testset(
        corpus_folder, tmp_path / "set", queries=5, judge=judge, pool=["bm25"], depth=3, words=30, context=context
    )
    assert made.made is not None
    assert len(made.made.queries) <= 5
    assert max(map(len, made.made.pairs)) <= 4
    assert made.documents > 60
