"""The process that holds the JVM: Anserini's Lucene, asked and answering in JSON lines on stdin and stdout.

It is run as a script by `process.py`, with JAVA_HOME set and the jar as its argument, and imports nothing of the
harness. Its first line is `{"id": 0, "answer": {"java": …, "lucene": …}}`; to each question `{"id": n, "do": name, …}`
it says `{"id": n, "answer": …}` or `{"id": n, "fault": why}`, and it ends when stdin or the process that started it
does. What Java prints goes to stderr.

Documents go in under their place in the harness's order of ids, zero-padded: Anserini breaks ties by that name,
ascending, so its order and its cut at k are the harness's.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TextIO

FIELD = "contents"
JAVAS_BLANKS = "".join(map(chr, range(33)))
"""What `String.trim` takes off: Anserini indexes no document of which nothing is left."""


class Lucene:
    """What can be asked; each public method is a question of that name.

    Args:
        jar: Anserini with all it needs.
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
        self._searchers.setMaxClauseCount(2**31 - 1)  # a long query is no fault
        self._indexer: Any = None
        self._opened: tuple[str, Any] | None = None

    def versions(self) -> dict[str, str]:
        """Of Java and Lucene."""
        version = self._java("org.apache.lucene.util.Version").LATEST.toString()
        return {"java": self._java("java.lang.System").getProperty("java.version"), "lucene": version}

    def create(self, folder: str) -> int:
        """Begins an index in an empty folder, with term vectors, which feedback needs."""
        arguments = [
            "-input",
            "",
            "-collection",
            "JsonCollection",
            "-index",
            folder,
            "-threads",
            "1",
            "-storeDocvectors",
        ]
        self._indexer = self._java("io.anserini.index.SimpleIndexer")(arguments)
        return 0

    def add(self, documents: list[tuple[str, str]]) -> int:
        """Adds documents, each a name and a text; returns how many were indexed, which leaves empty ones out."""
        held = [json.dumps({"id": name, FIELD: text}) for name, text in documents if text.strip(JAVAS_BLANKS)]
        return int(self._indexer.addRawDocuments(held)) if held else 0

    def commit(self) -> int:
        """Ends the index that was begun."""
        self._indexer.close()
        self._indexer = None
        return 0

    def documents(self, folder: str) -> int:
        """How many documents an index holds."""
        return int(self._open(folder).numDocs())

    def search(
        self, folder: str, k1: float, b: float, k: int, queries: list[str], feedback: dict[str, Any] | None = None
    ) -> list[tuple[list[str], list[float]]]:
        """Per query, the names of the k best documents and their scores, best first."""
        searcher = self._searcher(folder, k1, b)
        found = []
        for text in queries:
            weights = self._weights(searcher, text, feedback) if feedback else None
            best = self._best(searcher, self._query(text) if weights is None else self._weighted(weights), k)
            found.append((list(best.docids), list(best.scores)))
        return found

    def weights(
        self, folder: str, k1: float, b: float, queries: list[str], feedback: dict[str, Any]
    ) -> list[dict[str, float]]:
        """Per query, the terms that feedback makes of it and their weights."""
        searcher = self._searcher(folder, k1, b)
        return [self._weights(searcher, text, feedback) for text in queries]

    def terms(self, texts: list[str], analyzer: str = "english") -> list[list[str]]:
        """The terms that an analyser of Lucene's makes of texts: `english`, Anserini's default, or `standard`."""
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
        """What Anserini builds of the weights, without those of 0, which would find documents that score nothing."""
        term, one, boost, occur = (
            self._java(f"org.apache.lucene.{name}")
            for name in ("index.Term", "search.TermQuery", "search.BoostQuery", "search.BooleanClause$Occur")
        )
        builder = self._java("org.apache.lucene.search.BooleanQuery$Builder")()
        for word, weight in weights.items():
            if weight > 0:
                builder.add(boost(one(term(FIELD, word)), weight), occur.SHOULD)
        return builder.build()

    def _best(self, searcher: Any, query: Any, k: int) -> Any:
        top = searcher.search(query, k, self._order, True)
        return self._java("io.anserini.search.ScoredDocs").fromTopDocs(top, searcher)

    def _weights(self, searcher: Any, text: str, feedback: dict[str, Any]) -> dict[str, float]:
        """What Anserini's own re-ranker of that name makes of the query and its best documents."""
        query = self._query(text)
        best = self._best(searcher, query, feedback["fb_docs"])
        arguments = self._java("io.anserini.search.SearchCollection$Args")()
        arguments.hits = 1  # it searches again with what it made, which is thrown away here
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
            made = self._java("io.anserini.rerank.lib.Rm3Reranker")
            return made(self._analyzer, None, FIELD, terms, documents, weight, False, filtered)
        if feedback["name"] == "rocchio":
            weights = feedback["alpha"], feedback["beta"], 0.0
            made = self._java("io.anserini.rerank.lib.RocchioReranker")
            return made(self._analyzer, None, FIELD, terms, documents, terms, documents, *weights, False, False)
        raise ValueError(f"Anserini has no feedback {feedback['name']!r}")


def answer(lucene: Lucene, questions: TextIO, answers: TextIO) -> None:
    """Answers one question after the other until there are no more."""
    for line in questions:
        question = json.loads(line)
        number, name = question.pop("id"), question.pop("do")
        try:
            said: dict[str, Any] = {"answer": getattr(lucene, name)(**question)}
        except Exception as error:  # noqa: BLE001 - whoever asked tells of it, with what Java said
            said = {"fault": f"{type(error).__name__}: {error}"}
        _say(answers, number, said)


def _say(answers: TextIO, number: int, said: dict[str, Any]) -> None:
    answers.write(json.dumps({"id": number, **said}) + "\n")
    answers.flush()


def _end_with(parent: int) -> None:
    """Ends this process when the one who started it is no more, also in the middle of an answer that nobody will
    read.
    """
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main(arguments: Sequence[str]) -> None:
    """Keeps stdout for the answers, starts the JVM and answers."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # Anserini logs to stdout
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    lucene = Lucene(arguments[0])
    _say(answers, 0, {"answer": lucene.versions()})
    answer(lucene, questions, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
