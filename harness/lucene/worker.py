"""The process with the JVM: Anserini's Lucene, which answers JSON lines on stdin and stdout.

It is run as a script by `process.py`, with JAVA_HOME set and the jar as its argument, and imports nothing of the
harness. Its first line is `{"id": 0, "answer": {"java": …, "lucene": …}}`; to each question `{"id": n, "do": name, …}`
it replies `{"id": n, "answer": …}` or `{"id": n, "fault": why}`, and it ends when stdin or the process that started it
does. What Java prints goes to stderr.

Documents are named by their place in the harness's order of ids, zero-padded: Anserini breaks ties by that name,
ascending, so its order and its cut at k are those of the harness.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TextIO

FIELD = "contents"
JAVAS_BLANKS = "".join(map(chr, range(33)))
"""What `String.trim` removes: Anserini indexes no document that is empty after it."""


class Lucene:
    """Answers the questions; each public method is a question of that name.

    Args:
        jar: Anserini with all its dependencies.
    """

    def __init__(self, jar: str) -> None:
        import jnius_config

        jnius_config.set_classpath(jar)
        from jnius import autoclass, cast  # starts the JVM

        self._java: Callable[[str], Any] = autoclass
        self._as: Callable[[str, Any], Any] = cast
        self._analyzer = self._java("io.anserini.analysis.DefaultEnglishAnalyzer").newDefaultInstance()
        self._standard = self._java("org.apache.lucene.analysis.standard.StandardAnalyzer")()
        self._order = self._java("io.anserini.search.SearchCollection").BREAK_SCORE_TIES_BY_DOCID
        self._searchers = self._java("org.apache.lucene.search.IndexSearcher")
        self._searchers.setMaxClauseCount(2**31 - 1)  # so that long queries are allowed
        self._indexer: Any = None
        self._opened: tuple[str, Any] | None = None

    def versions(self) -> dict[str, str]:
        """Of Java and Lucene."""
        version = self._java("org.apache.lucene.util.Version").LATEST.toString()
        return {"java": self._java("java.lang.System").getProperty("java.version"), "lucene": version}

    def create(self, folder: str) -> int:
        """Begins an index in an empty folder, with term vectors, which feedback needs."""
        settings = {"-input": "", "-collection": "JsonCollection", "-index": folder, "-threads": "1"}
        arguments = [*itertools.chain.from_iterable(settings.items()), "-storeDocvectors"]
        self._indexer = self._java("io.anserini.index.SimpleIndexer")(arguments)
        return 0

    def add(self, documents: list[tuple[str, str]]) -> int:
        """Adds documents, each a name and a text, except empty ones; returns how many were indexed."""
        records = [json.dumps({"id": name, FIELD: text}) for name, text in documents if text.strip(JAVAS_BLANKS)]
        return int(self._indexer.addRawDocuments(records)) if records else 0

    def commit(self) -> int:
        """Ends the index that was begun."""
        self._indexer.close()
        self._indexer = None
        return 0

    def documents(self, folder: str) -> int:
        """Number of documents in an index."""
        return int(self._open(folder).numDocs())

    def search(
        self, folder: str, k1: float, b: float, k: int, queries: list[str], feedback: dict[str, Any] | None = None
    ) -> list[tuple[list[str], list[float]]]:
        """Per query, the names of the k best documents and their scores, best first."""
        searcher = self._searcher(folder, k1, b)
        rankings = []
        for text in queries:
            query = self._weighted(self._weights(searcher, text, feedback)) if feedback else self._query(text)
            best = self._best(searcher, query, k)
            rankings.append((list(best.docids), list(best.scores)))
        return rankings

    def weights(
        self, folder: str, k1: float, b: float, queries: list[str], feedback: dict[str, Any]
    ) -> list[dict[str, float]]:
        """Per query, its terms after feedback and their weights."""
        searcher = self._searcher(folder, k1, b)
        return [self._weights(searcher, text, feedback) for text in queries]

    def terms(self, texts: list[str], analyzer: str = "english") -> list[list[str]]:
        """The terms of texts by an analyser of Lucene: `english`, Anserini's default, or `standard`."""
        chosen = {"english": self._analyzer, "standard": self._standard}[analyzer]
        return [self._terms(text, chosen) for text in texts]

    def _terms(self, text: str, analyzer: Any) -> list[str]:
        return list(self._java("io.anserini.analysis.AnalyzerUtils").analyze(analyzer, text).toArray())

    def _open(self, folder: str) -> Any:
        if self._opened is None or self._opened[0] != folder:
            place = self._java("java.nio.file.Paths").get(folder)
            directory = self._java("org.apache.lucene.store.FSDirectory").open(place)
            self._opened = folder, self._java("org.apache.lucene.index.DirectoryReader").open(directory)
        return self._opened[1]

    def _searcher(self, folder: str, k1: float, b: float) -> Any:
        searcher = self._searchers(self._as("org.apache.lucene.index.IndexReader", self._open(folder)))
        searcher.setSimilarity(self._java("org.apache.lucene.search.similarities.BM25Similarity")(k1, b))
        return searcher

    def _query(self, text: str) -> Any:
        return self._java("io.anserini.search.query.BagOfWordsQueryGenerator")().buildQuery(FIELD, self._analyzer, text)

    def _weighted(self, weights: dict[str, float]) -> Any:
        """Anserini's query of weighted terms, without weights of 0, which would match documents with a score of 0."""
        term, term_query, boost, occur = (
            self._java(f"org.apache.lucene.{name}")
            for name in ("index.Term", "search.TermQuery", "search.BoostQuery", "search.BooleanClause$Occur")
        )
        builder = self._java("org.apache.lucene.search.BooleanQuery$Builder")()
        for word, weight in weights.items():
            if weight > 0:
                builder.add(boost(term_query(term(FIELD, word)), weight), occur.SHOULD)
        return builder.build()

    def _best(self, searcher: Any, query: Any, k: int) -> Any:
        top = searcher.search(query, k, self._order, True)
        return self._java("io.anserini.search.ScoredDocs").fromTopDocs(top, searcher)

    def _weights(self, searcher: Any, text: str, feedback: dict[str, Any]) -> dict[str, float]:
        """The weighted terms that Anserini's re-ranker of that name computes from the query and its best documents."""
        query = self._query(text)
        best = self._best(searcher, query, feedback["fb_docs"])
        arguments = self._java("io.anserini.search.SearchCollection$Args")()
        arguments.hits = 1  # it also searches with the terms, and the result is not used
        tokens = self._java("io.anserini.analysis.AnalyzerUtils").analyze(self._analyzer, text)
        context = self._java("io.anserini.rerank.RerankerContext")(
            searcher, None, query, None, text, tokens, None, arguments
        )
        self._reranker(feedback).rerank(best, context)
        entries = context.feedbackTerms.entrySet().toArray()
        return {entry.getKey(): float(entry.getValue()) for entry in entries}

    def _reranker(self, feedback: dict[str, Any]) -> Any:
        documents, terms = feedback["fb_docs"], feedback["fb_terms"]
        if feedback["name"] == "rm3":
            weight, filtered = feedback["original_query_weight"], feedback["filter_terms"]
            rm3 = self._java("io.anserini.rerank.lib.Rm3Reranker")
            return rm3(self._analyzer, None, FIELD, terms, documents, weight, False, filtered)
        if feedback["name"] == "rocchio":
            weights = feedback["alpha"], feedback["beta"], 0.0
            rocchio = self._java("io.anserini.rerank.lib.RocchioReranker")
            return rocchio(self._analyzer, None, FIELD, terms, documents, terms, documents, *weights, False, False)
        raise ValueError(f"Anserini has no feedback {feedback['name']!r}")


def answer(lucene: Lucene, questions: TextIO, answers: TextIO) -> None:
    """Answers one question after the other until there are no more."""
    for line in questions:
        question = json.loads(line)
        number, name = question.pop("id"), question.pop("do")
        try:
            reply: dict[str, Any] = {"answer": getattr(lucene, name)(**question)}
        except Exception as error:  # noqa: BLE001 - the harness reports it, with Java's message
            reply = {"fault": f"{type(error).__name__}: {error}"}
        _write(answers, number, reply)


def _write(answers: TextIO, number: int, reply: dict[str, Any]) -> None:
    answers.write(json.dumps({"id": number, **reply}) + "\n")
    answers.flush()


def _end_with(parent: int) -> None:
    """Ends this process when its parent has ended, also in the middle of an answer, which no one would read."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main(arguments: Sequence[str]) -> None:
    """Reserves stdout for the answers, starts the JVM and answers questions."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # Anserini logs to stdout
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    lucene = Lucene(arguments[0])
    _write(answers, 0, {"answer": lucene.versions()})
    answer(lucene, questions, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
