"""The worker's side: the protocol with anything that answers, and, where the extra is installed, Lucene itself."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from harness.analyzers.english import English
from harness.analyzers.standard import Standard
from harness.base.errors import EngineError, Unavailable
from harness.data.corpus import Corpus
from harness.feedback import Feedback
from harness.feedback.rm3 import RM3
from harness.feedback.rocchio import Rocchio
from harness.lexical.bm25 import InvertedIndex
from harness.lexical.postings import Postings
from harness.lucene import worker
from harness.lucene.java import installed
from harness.lucene.process import Process


class Parrot:
    """Stands for Lucene."""

    def search(self, queries: list[str], k: int) -> list[str]:
        return queries[:k]

    def fail(self) -> None:
        raise OSError("disk full")


def said(*questions: dict[str, Any]) -> list[dict[str, Any]]:
    answers = io.StringIO()
    lines = io.StringIO("".join(json.dumps(question) + "\n" for question in questions))
    worker.answer(Parrot(), lines, answers)  # type: ignore[arg-type]
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_a_question_is_a_call_by_name() -> None:
    assert said({"id": 3, "do": "search", "queries": ["a", "b"], "k": 1}) == [{"id": 3, "answer": ["a"]}]


def test_what_fails_is_told_and_the_next_question_answered() -> None:
    found = said({"id": 1, "do": "fail"}, {"id": 2, "do": "nothing"}, {"id": 3, "do": "search", "queries": [], "k": 1})
    assert found[0] == {"id": 1, "fault": "OSError: disk full"}
    assert found[1]["id"] == 2
    assert "nothing" in found[1]["fault"]
    assert found[2] == {"id": 3, "answer": []}


def test_the_script_runs_without_the_harness_and_tells_why_it_cannot_start(tmp_path: Path) -> None:
    bridge = tmp_path / "jnius_config.py"
    bridge.write_text("def set_classpath(jar): raise RuntimeError(f'no such jar {jar}')\n", encoding="utf-8")
    command = [sys.executable, "-P", worker.__file__, "the.jar"]
    with pytest.raises(EngineError, match=r"ended at 'start'(?s:.*)no such jar the\.jar"):
        Process(command, {"PYTHONPATH": str(tmp_path)}, patience=60).start()


# With Lucene itself

TEXTS = [
    "The wings of a swept-wing airplane at supersonic speeds, wing 1999",
    "drag drag on wings and flat plates; boundary layers' growth",
    "heat transfer in the boundary layer of a blunt body",
    "shock waves, shock-wave interaction with the layer and café culture",
    "jets mixing turbulent jet noise measured near jets",
    "the of and",
    "  ",
    "wing flutter flutter flutter at high mach numbers",
    "plates plates plates buckling under heat",
    "noise noise of aircraft engines; naïve estimates 漢字 😀",
    *(f"filler document number {i} about bridges and towers" for i in range(60)),
]
QUERIES = [
    "wing drag",
    "boundary layer heat transfer heat",
    "jet noise",
    "shock",
    "nowhere else wing",
    "the of",
    "café 漢字",
]
FEEDBACKS = [
    RM3(),
    RM3(fb_docs=2, fb_terms=4, original_query_weight=0.8),
    RM3(filter_terms=False, original_query_weight=0.0),
    RM3(original_query_weight=1.0),
    Rocchio(),
    Rocchio(fb_docs=3, fb_terms=2, alpha=0.5, beta=2.0),
    Rocchio(alpha=0.0),
]


@pytest.fixture(scope="module")
def lucene() -> Iterator[Process]:
    try:
        java = installed()
    except Unavailable as error:
        pytest.skip(str(error))
    process = Process(java.command(), java.environment(), patience=300)
    yield process
    process.close()


@pytest.fixture(scope="module")
def folder(lucene: Process, tmp_path_factory: pytest.TempPathFactory) -> str:
    place = str(tmp_path_factory.mktemp("index"))
    lucene.ask("create", folder=place)
    assert lucene.ask("add", documents=[(f"{i:010}", text) for i, text in enumerate(TEXTS[:5])]) == 5
    assert (
        lucene.ask("add", documents=[(f"{i:010}", text) for i, text in enumerate(TEXTS[5:], start=5)]) == len(TEXTS) - 6
    )
    lucene.ask("commit")
    return place


@pytest.fixture(scope="module")
def ours() -> InvertedIndex:
    terms = Postings(English())
    terms.add(TEXTS)
    return InvertedIndex.build(terms, k1=0.9, b=0.4)


ORDER = np.arange(len(TEXTS), dtype=np.int32)


def test_it_says_what_it_is(lucene: Process) -> None:
    assert set(lucene.start()) == {"java", "lucene"}


def test_all_documents_with_text_are_indexed(lucene: Process, folder: str) -> None:
    assert lucene.ask("documents", folder=folder) == len(TEXTS) - 1


@pytest.mark.parametrize(("name", "analyzer"), [("english", English()), ("standard", Standard())])
def test_terms_are_those_of_our_analysers(lucene: Process, name: str, analyzer: Any) -> None:
    texts = [*TEXTS, "e\u0301 \U0001f469\u200d\U0001f680 a\x00b İstanbul ΣΑΣ 's don't"]
    assert lucene.ask("terms", texts=texts, analyzer=name) == [analyzer(text) for text in texts]


@pytest.mark.parametrize(("k1", "b"), [(0.9, 0.4), (1.2, 0.75), (0.0, 0.0)])
def test_a_search_finds_what_the_embedded_bm25_finds_in_the_same_order(
    lucene: Process, folder: str, k1: float, b: float
) -> None:
    terms = Postings(English())
    terms.add(TEXTS)
    embedded = InvertedIndex.build(terms, k1=k1, b=b)
    found = lucene.ask("search", folder=folder, k1=k1, b=b, k=1000, queries=QUERIES)
    for text, (names, scores) in zip(QUERIES, found, strict=True):
        rows, expected = embedded.search(English()(text), ORDER, 1000)
        assert [int(name) for name in names] == rows.tolist()
        assert scores == pytest.approx(expected.tolist(), rel=1e-6)


def test_ties_are_ranked_and_cut_by_name_ascending(lucene: Process, folder: str) -> None:
    deep, cut = (lucene.ask("search", folder=folder, k1=0.9, b=0.4, k=k, queries=["bridges"])[0] for k in (1000, 7))
    assert [int(name) for name in deep[0]] == list(range(10, 70))
    assert cut[0] == deep[0][:7]


@pytest.mark.parametrize("feedback", FEEDBACKS, ids=str)
def test_feedback_gives_lucenes_terms_and_weights(
    lucene: Process, folder: str, ours: InvertedIndex, feedback: Feedback
) -> None:
    given = {"name": feedback.name(), **feedback.settings()}
    weights = lucene.ask("weights", folder=folder, k1=0.9, b=0.4, queries=QUERIES, feedback=given)
    for text, expected in zip(QUERIES, weights, strict=True):
        query = English()(text)
        rows, scores = ours.search(query, ORDER, feedback.fb_docs)
        vectors = [Counter(English()(TEXTS[row])) for row in rows.tolist()]
        # Lucene counts the document of stop words alone, which no term is in, and we do not.
        found = feedback.weights(
            query, vectors, scores, lambda term: ours.share(term) * (len(TEXTS) - 2) / (len(TEXTS) - 1)
        )
        assert found == pytest.approx({term: weight for term, weight in expected.items() if weight > 0}, rel=1e-5), text


@pytest.mark.parametrize("feedback", FEEDBACKS, ids=str)
def test_a_search_with_feedback_finds_what_the_embedded_one_finds(
    lucene: Process, folder: str, ours: InvertedIndex, feedback: Feedback
) -> None:
    given = {"name": feedback.name(), **feedback.settings()}
    asked = {"folder": folder, "k1": 0.9, "b": 0.4, "queries": QUERIES, "feedback": given}
    for weights, (names, scores) in zip(
        lucene.ask("weights", **asked), lucene.ask("search", k=1000, **asked), strict=True
    ):
        rows, expected = ours.search_weighted(
            {term: weight for term, weight in weights.items() if weight > 0}, ORDER, 1000
        )
        assert dict(zip(map(int, names), scores, strict=True)) == pytest.approx(
            dict(zip(rows.tolist(), expected.tolist(), strict=True)), rel=1e-5
        )


def test_a_query_of_thousands_of_terms_is_no_fault(lucene: Process, folder: str) -> None:
    text = " ".join(f"word{i}" for i in range(5000)) + " flutter"
    names, _ = lucene.ask("search", folder=folder, k1=0.9, b=0.4, k=5, queries=[text])[0]
    assert [int(name) for name in names] == [7]


def test_an_index_that_is_not_there_is_a_fault_and_not_an_empty_ranking(lucene: Process, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="failed at 'search'"):
        lucene.ask("search", folder=str(tmp_path), k1=0.9, b=0.4, k=5, queries=["wing"])


def test_feedback_that_anserini_has_not_is_a_fault(lucene: Process, folder: str) -> None:
    given = {"name": "bo1", "fb_docs": 3, "fb_terms": 3}
    with pytest.raises(EngineError, match="Anserini has no feedback 'bo1'"):
        lucene.ask("weights", folder=folder, k1=0.9, b=0.4, queries=["wing"], feedback=given)


def test_corpus_order_is_that_of_the_names(lucene: Process, tmp_path: Path) -> None:
    """Ids that sort otherwise than numbers: indexed under their places, tied documents come in the documented order."""
    corpus = Corpus.of([(name, "", "same words here") for name in ["a", "é", "Z", "10", "9", "漢", "😀"]])
    lucene.ask("create", folder=str(tmp_path))
    lucene.ask(
        "add", documents=[(f"{p:010}", text) for p, text in zip(corpus.id_order.tolist(), corpus.texts[:], strict=True)]
    )
    lucene.ask("commit")
    names, _ = lucene.ask("search", folder=str(tmp_path), k1=0.9, b=0.4, k=9, queries=["words"])[0]
    rows = np.argsort(corpus.id_order)[[int(name) for name in names]]
    assert corpus.ids(rows) == sorted(["a", "é", "Z", "10", "9", "漢", "😀"], key=str.encode, reverse=True)


BUSY = """
import os, sys, time
from harness.lucene import worker

class Busy:
    def __init__(self, jar): pass
    def versions(self): return {"pid": os.getpid()}
    def wait(self): time.sleep(300)

worker.Lucene = Busy
worker.main(["jar"])
"""
KILLED = """
import sys
from harness.lucene.process import Process

process = Process([sys.executable, "-c", sys.argv[1]])
print(process.start()["pid"], flush=True)
process.ask("wait")
"""


def test_a_worker_that_is_busy_ends_with_a_harness_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, BUSY], stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        pid = int(harness.stdout.readline())
        time.sleep(0.2)
        assert psutil.pid_exists(pid)
        harness.kill()
    until = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
