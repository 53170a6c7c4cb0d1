"""The row `lucene` with an engine that stands for Java: what it is asked, what is kept, and that no fault becomes a
figure.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.analyzers.english import English
from harness.base.errors import EngineError, SettingError, Unavailable
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.feedback.rm3 import RM3
from harness.feedback.rocchio import Rocchio
from harness.lexical.bm25 import InvertedIndex
from harness.lexical.postings import Postings
from harness.lucene.java import Java
from harness.methods import Searcher, fit
from harness.methods import lucene as row
from harness.methods.bm25 import BM25
from harness.methods.lucene import Lucene
from harness.rows import parse_method
from harness.runtime.context import Context

Rank = Callable[..., TopK]
Search = Callable[..., Searcher]


class Engine:
    """Stands for the worker: keeps what it is given in a file, and ranks it as Lucene does."""

    asked: list[tuple[str, dict[str, Any]]]
    started: int
    answers: dict[str, Any]

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        assert environment["JAVA_HOME"]
        self._documents: dict[str, str] = {}

    def start(self) -> None:
        type(self).started += 1

    def ask(self, do: str, **given: Any) -> Any:
        self.asked.append((do, given))
        return self.answers[do] if do in self.answers else getattr(self, do)(**given)

    def create(self, folder: str) -> None:
        self._folder, self._documents = Path(folder), {}

    def add(self, documents: list[tuple[str, str]]) -> int:
        held = {name: text for name, text in documents if text}
        self._documents.update(held)
        return len(held)

    def commit(self) -> None:
        (self._folder / "index.json").write_text(json.dumps(self._documents), encoding="utf-8")

    def documents(self, folder: str) -> int:
        return len(json.loads((Path(folder) / "index.json").read_text(encoding="utf-8")))

    def search(self, folder: str, k1: float, b: float, k: int, queries: list[str], feedback: object) -> list[Any]:
        held = json.loads((Path(folder) / "index.json").read_text(encoding="utf-8"))
        names = sorted(held)
        terms = Postings(English())
        terms.add([held[name] for name in names])
        index = InvertedIndex.build(terms, k1=k1, b=b)
        found = (index.search(English()(text), np.arange(len(names), dtype=np.int32), k) for text in queries)
        return [([names[i] for i in rows.tolist()], scores.tolist()) for rows, scores in found]


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Engine]:
    """Installed as the worker, beside a jar of two letters."""
    jar = tmp_path / "anserini-1-fatjar.jar"
    jar.write_bytes(b"PK")
    fresh = type("Engine", (Engine,), {"asked": [], "started": 0, "answers": {}})
    monkeypatch.setattr(row, "installed", lambda: Java(tmp_path, jar))
    monkeypatch.setattr(row, "Process", fresh)
    return fresh


def questions(engine: type[Engine], do: str) -> list[dict[str, Any]]:
    return [given for name, given in engine.asked if name == do]


@pytest.mark.parametrize("k", [1, 5, 100])
def test_rankings_are_the_engines_with_the_corpus_rows(corpus: Corpus, queries: Queries, rank: Rank, k: int) -> None:
    found, expected = rank(Lucene(), corpus, queries, k), rank(BM25(), corpus, queries, k)
    assert found.indices.tolist() == expected.indices.tolist()
    assert found.scores.tolist() == expected.scores.tolist()


def test_documents_go_in_as_title_and_text_under_their_place_in_the_documented_order(
    corpus: Corpus, searcher_of: Search, engine: type[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row, "DOCUMENTS", 7)
    searcher_of(Lucene(), corpus)
    batches = [given["documents"] for given in questions(engine, "add")]
    assert [len(batch) for batch in batches] == [7, 7, 7, 7, 7, 5]
    given = [document for batch in batches for document in batch]
    assert [text for _, text in given] == corpus.texts[:]
    by_name = [corpus[row].id for row in np.argsort([name for name, _ in given])]
    assert by_name == sorted((corpus[i].id for i in range(len(corpus))), key=str.encode, reverse=True)
    assert {len(name) for name, _ in given} == {row.DIGITS}


def test_queries_are_asked_some_at_a_time_with_the_settings(
    corpus: Corpus, queries: Queries, rank: Rank, engine: type[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row, "QUERIES", 4)
    rank(Lucene(k1=1.2, b=0.75), corpus, queries, 9)
    asked = questions(engine, "search")
    assert [len(given["queries"]) for given in asked] == [4, 2]
    assert {(given["k1"], given["b"], given["k"], given["feedback"]) for given in asked} == {(1.2, 0.75, 9, None)}


def test_feedback_is_asked_for_by_name_and_settings(
    corpus: Corpus, queries: Queries, rank: Rank, engine: type[Engine]
) -> None:
    rank(Lucene(feedback=RM3(fb_docs=3)), corpus, queries, 9)
    rank(Lucene(feedback=Rocchio()), corpus, queries, 9)
    first, second = (given["feedback"] for given in questions(engine, "search"))
    assert first == {"name": "rm3", "fb_docs": 3, "fb_terms": 10, "original_query_weight": 0.5, "filter_terms": True}
    assert second == {"name": "rocchio", "fb_docs": 10, "fb_terms": 10, "alpha": 1.0, "beta": 0.75}


def test_one_index_and_one_java_serve_every_setting(corpus: Corpus, searcher_of: Search, engine: type[Engine]) -> None:
    for method in (Lucene(), Lucene(k1=1.2), Lucene(b=0.1), Lucene(feedback=RM3())):
        searcher_of(method, corpus)
    assert len(questions(engine, "create")) == 1
    assert engine.started == 1


def test_a_kept_index_is_opened_and_what_it_took_is_told(
    corpus: Corpus, queries: Queries, rank: Rank, context: Context, engine: type[Engine]
) -> None:
    before = rank(Lucene(), corpus, queries, 9)
    later = Context(cache=context.cache)
    after = rank(Lucene(), corpus, queries, 9, within=later)
    assert len(questions(engine, "create")) == 1
    assert after.indices.tolist() == before.indices.tolist()
    step = next(s for s in later.ledger.steps.values() if s.kind == "index")
    assert step.cached_seconds == context.cache.meta(next((context.cache.root / "lucene").glob("*")))["seconds"]
    assert [s.label for s in later.ledger.steps.values() if s.kind == "model"] == ["start Lucene"]


def test_another_corpus_another_jar_and_a_damaged_index_are_indexed_again(
    corpus: Corpus, searcher_of: Search, context: Context, engine: type[Engine], tmp_path: Path
) -> None:
    searcher_of(Lucene(), corpus)
    searcher_of(Lucene(), Corpus.of([("a", "", "wing")]))
    assert len(questions(engine, "create")) == 2
    kept = max((context.cache.root / "lucene").glob("*/index.json"), key=lambda path: path.stat().st_size)
    kept.write_text("{", encoding="utf-8")
    searcher_of(Lucene(), corpus, within=Context(cache=Cache(context.cache.root)))
    assert len(questions(engine, "create")) == 3
    (tmp_path / "anserini-1-fatjar.jar").write_bytes(b"another Anserini")
    searcher_of(Lucene(), corpus, within=Context(cache=Cache(context.cache.root)))
    assert len(questions(engine, "create")) == 4


def test_an_index_that_lost_documents_is_refused_and_not_kept(
    corpus: Corpus, searcher_of: Search, context: Context, engine: type[Engine]
) -> None:
    engine.answers["documents"] = 3
    with pytest.raises(EngineError, match="contains 3 of 39 documents"):
        searcher_of(Lucene(), corpus)
    assert not list((context.cache.root / "lucene").glob("*"))


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "nothing",
        [None],
        [[]],
        [[[], [], []]],
        [[["0000000000"], []]],
        [[["0000000040"], [1.0]]],
        [[["-1"], [1.0]]],
        [[["wing"], [1.0]]],
        [[[None], [1.0]]],
        [[["0000000001", "0000000001"], [2.0, 1.0]]],
        [[["0000000001"], [float("nan")]]],
        [[["0000000001"], ["high"]]],
        [[["0000000001", "0000000002", "0000000003"], [3.0, 2.0, 1.0]]],
        [[["0000000001"], [1.0]], [["0000000001"], [1.0]]],
    ],
    ids=repr,
)
def test_what_is_no_ranking_is_an_error_and_no_figure(
    corpus: Corpus, rank: Rank, engine: type[Engine], answer: object
) -> None:
    engine.answers["search"] = answer
    with pytest.raises(EngineError, match=r"not a ranking of 40 documents|not have one ranking for each"):
        rank(Lucene(), corpus, Queries(["q"], ["wing"]), 2)


def test_where_lucene_fails_the_index_and_how_to_look_at_it_are_named(
    corpus: Corpus, rank: Rank, engine: type[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(self: Engine, **given: Any) -> list[Any]:
        raise EngineError("lucene: CorruptIndexException.")

    monkeypatch.setattr(engine, "search", damaged)
    with pytest.raises(EngineError, match=r"CorruptIndexException\. `harness cache verify` checks the index .*lucene"):
        rank(Lucene(), corpus, Queries(["q"], ["wing"]), 2)


def test_scores_that_differ_in_the_last_bit_from_the_order_are_put_in_order(
    corpus: Corpus, rank: Rank, engine: type[Engine]
) -> None:
    low, high = float(np.float32(1)), float(np.nextafter(np.float32(1), np.float32(2)))
    engine.answers["search"] = [[["0000000007", "0000000003"], [low, high]]]
    top = rank(Lucene(), corpus, Queries(["q"], ["wing"]), 2)
    assert top.scores[0].tolist() == [high, low]


def test_without_the_extra_it_is_unavailable_by_name(
    corpus: Corpus, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> Java:
        raise Unavailable("lucene needs pyserini.", "Install it.")

    monkeypatch.setattr(row, "installed", absent)
    with pytest.raises(Unavailable, match="lucene needs pyserini"):
        fit(Lucene(), TrainView(corpus), context)
    with pytest.raises(Unavailable, match="lucene needs pyserini"):
        Lucene().inputs(context)


def test_nothing_is_learnt_and_the_jar_is_part_of_the_identity(
    corpus: Corpus, context: Context, tmp_path: Path
) -> None:
    fitted = fit(Lucene(feedback=RM3()), TrainView(corpus), context)
    assert fitted.supervision == "none"
    assert fitted.notes == ("memory is that of the harness only: Lucene runs in a process of its own",)
    assert fitted.resolved["anserini"] == "anserini-1-fatjar.jar"
    assert fitted.resolved["feedback"]["name"] == "rm3"
    assert Lucene().inputs(context) == {
        "anserini-1-fatjar.jar": context.cache.hashes.sha256(tmp_path / "anserini-1-fatjar.jar")
    }


def test_its_size_is_that_of_the_index(corpus: Corpus, searcher_of: Search, context: Context) -> None:
    size = searcher_of(Lucene(), corpus).size
    assert size.index_bytes == next((context.cache.root / "lucene").glob("*/index.json")).stat().st_size


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"k1": -0.1}, "k1 must be 0 or more"),
        ({"k1": float("inf")}, "k1 must be 0 or more"),
        ({"b": 1.1}, "b must be between 0 and 1"),
        ({"b": float("nan")}, "b must be between 0 and 1"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings: dict[str, float], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Lucene(**settings)  # type: ignore[arg-type]


def test_feedback_that_lucene_has_not_is_refused() -> None:
    class Bo1(RM3):
        @classmethod
        def name(cls) -> str:
            return "bo1"

    with pytest.raises(SettingError, match="feedback must be rm3 or rocchio, not bo1"):
        Lucene(feedback=Bo1())


@pytest.mark.parametrize("text", ["lucene", "lucene(k1=1.2, b=0.75)", "lucene(feedback=rocchio(beta=0.5))"])
def test_a_row_is_written_as_it_prints(text: str) -> None:
    assert str(parse_method(text)) == text
    assert parse_method(parse_method(text).full()) == parse_method(text)
