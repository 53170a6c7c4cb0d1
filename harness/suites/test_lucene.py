"""The embedded BM25 compared with Lucene: same scores, same first ten documents, with feedback too; differences are
shown term by term.

Runs on SciFact and Cranfield if they are on disk (`--dataset` narrows that down), and is skipped without the extra
`lucene`. If a list differs other than in ties, the failure shows the terms of the query and of the documents on both
sides.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.analyzers.english import English
from harness.base.errors import Unavailable
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset
from harness.data.measures import DEFAULT, means, parse_measures, per_query
from harness.data.ranking import Floats, Ints, Run, TopK
from harness.datasets import load_dataset
from harness.lucene.java import Java, installed
from harness.lucene.process import Process
from harness.methods import fit, index, search
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.suites.summary import Reporter

TOLERANCE = 0.0005
"""Of a measure; published scores have four decimals."""
TIE = 1e-5
"""Scores that differ by less are tied: float32 adds up terms in another order."""
DEPTH, SHOWN = 1000, 10
SETTINGS = ("", "k1=1.2, b=0.75", "feedback=rm3", "feedback=rocchio")

Analyze = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def java() -> Java:
    """Java and Anserini of the extra `lucene`, or a skip that names it."""
    try:
        return installed()
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def lucene(java: Java) -> Iterator[Process]:
    """Lucene's process, for its terms."""
    process = Process(java.command(), java.environment())
    yield process
    process.close()


def test_lucene(lucene_dataset: str, settings: str, context: Context, lucene: Process, reporter: Reporter) -> None:
    """Measures within 0.0005, and the first ten documents of every query the same but for ties."""
    dataset = load_dataset(lucene_dataset, context)
    names = [f"{row}({settings})" if settings else row for row in ("bm25", "lucene")]
    tops = [ranked(name, dataset, context, dataset.test.search_depth(DEPTH)) for name in names]
    ours, theirs = (scores_of(top, dataset) for top in tops)
    same = int((tops[0].indices[:, :SHOWN] == tops[1].indices[:, :SHOWN]).all(axis=1).sum())
    reporter.lucene(
        f"{dataset.name} {names[0]}: first {SHOWN} the same for {same} of {len(dataset.test.queries)} queries; "
        + "; ".join(f"{measure} {value:.5f}, Lucene {theirs[measure]:.5f}" for measure, value in ours.items())
    )
    differing = differing_queries(*tops)
    details = [
        explained(dataset, query, tops, lambda text: list(lucene.ask("terms", texts=[text])[0]))
        for query in differing[:5]
    ]
    assert not differing, f"{len(differing)} queries differ other than in ties, for example:\n" + "\n".join(details)
    assert ours == pytest.approx(theirs, abs=TOLERANCE)


def test_pyserini(lucene_dataset: str, context: Context, java: Java, reporter: Reporter) -> None:
    """The row `lucene` ranks as Pyserini's own searcher does, over the same index; Pyserini rounds scores to four
    decimals.
    """
    dataset = load_dataset(lucene_dataset, context)
    tops = {
        settings: ranked(f"lucene({settings})" if settings else "lucene", dataset, context, 100)
        for settings in PYSERINI_SETTINGS
    }
    place = next(Path(place) for place in index_folders(context, dataset))
    found = pyserini(java, place, dataset.test.queries.texts)
    rows = np.argsort(dataset.corpus.id_order)
    for settings, answers in zip(PYSERINI_SETTINGS, found, strict=True):
        largest = 0.0
        for (expected, scores), (names, their_scores) in zip(tops[settings].rows(), answers, strict=True):
            assert rows[np.array(names, dtype=np.int64)].tolist() == expected.tolist()
            largest = max([largest, *np.abs(np.array(their_scores) - scores)])
        reporter.lucene(
            f"{dataset.name} lucene{f'({settings})' if settings else ''}: the first 100 of each query are Pyserini's, "
            f"scores within {largest:.1e}"
        )
        assert largest < 2e-4


PYSERINI_SETTINGS = {"": "", "feedback=rm3": "set_rm3", "feedback=rocchio": "set_rocchio"}
"""Settings of the row → what Pyserini's searcher calls them."""

_SEARCH = """
import json, sys
from pyserini.search.lucene import LuceneSearcher
given = json.load(open(sys.argv[1], encoding="utf-8"))
found = []
for feedback in given["feedback"]:
    searcher = LuceneSearcher(given["index"])
    searcher.set_bm25(0.9, 0.4)
    if feedback:
        getattr(searcher, feedback)()
    hits = [searcher.search(text, k=100) for text in given["queries"]]
    found.append([([hit.docid for hit in query], [hit.score for hit in query]) for query in hits])
json.dump(found, open(sys.argv[2], "w", encoding="utf-8"))
"""


def pyserini(java: Java, place: Path, queries: Sequence[str]) -> list[list[tuple[list[str], list[float]]]]:
    """The results of Pyserini's searcher, by its settings and query.

    Pyserini needs a module that the Java from pip lacks, unless it finds no jar of its own, and a key, which it does
    not use.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, answers = Path(folder) / "given.json", Path(folder) / "answers.json"
        request = {"index": str(place), "feedback": list(PYSERINI_SETTINGS.values()), "queries": list(queries)}
        given.write_text(json.dumps(request), encoding="utf-8")
        settings = {"CLASSPATH": str(java.jar), "ANSERINI_CLASSPATH": folder, "OPENAI_API_KEY": "none"}
        command = [sys.executable, "-c", _SEARCH, str(given), str(answers)]
        done = subprocess.run(
            command, env={**java.environment(), **settings}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(answers.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def index_folders(context: Context, dataset: Dataset) -> Iterator[Path]:
    """Folders of the cache with Lucene's index of the dataset."""
    for place in (context.cache.root / "lucene").glob("*"):
        if (place / "meta.json").is_file() and context.cache.meta(place)["describe"][
            "corpus"
        ] == dataset.corpus.revision:
            yield place


def ranked(row: str, dataset: Dataset, context: Context, depth: int) -> TopK:
    """The ranking of a row for the test queries."""
    method = parse_method(row)
    searcher = index(method, fit(method, dataset.train, context), dataset.corpus, context)
    return search(method, searcher, dataset.test.queries, depth, context)


def scores_of(top: TopK, dataset: Dataset) -> dict[str, float]:
    """The default measures, and R@1000."""
    measures = parse_measures([*DEFAULT, f"R@{DEPTH}"])
    run = Run.of_split(dataset.test, top, dataset.corpus, DEPTH)
    return means(per_query(measures, dataset.test.qrels, run))


def differing_queries(ours: TopK, theirs: TopK) -> list[int]:
    """The queries whose first documents differ otherwise than by the order of tied ones."""
    pairs = zip(ours.cut(SHOWN).rows(), theirs.cut(SHOWN).rows(), strict=True)
    return [query for query, (one, other) in enumerate(pairs) if not _same(*one, *other)]


def _same(rows: Ints, scores: Floats, others: Ints, their_scores: Floats) -> bool:
    """Whether the scores are equal at every rank, so that documents that differ at a rank are tied."""
    return len(rows) == len(others) and (
        np.array_equal(rows, others) or bool(np.allclose(scores, their_scores, rtol=0, atol=TIE))
    )


def explained(dataset: Dataset, query: int, tops: Sequence[TopK], lucenes: Analyze) -> str:
    """The terms of a query, and of the documents whose ranks differ, on both sides."""
    queries, corpus = dataset.test.queries, dataset.corpus
    places = [
        dict(zip(rows.tolist(), enumerate(scores.tolist(), start=1), strict=True)) for rows, scores in _one(tops, query)
    ]
    lines = [f"query {queries.ids[query]} {queries.texts[query]!r}", *_terms(queries.texts[query], lucenes, whole=True)]
    for row in dict.fromkeys([*places[0], *places[1]]):
        ours, theirs = places[0].get(row), places[1].get(row)
        if ours is None or theirs is None or ours[0] != theirs[0]:
            lines += [
                f"  document {corpus[row].id}: {_place('ours', ours)}, {_place('Lucene', theirs)}",
                *_of(corpus, row, lucenes),
            ]
    return "\n".join(lines)


def _one(tops: Sequence[TopK], query: int) -> list[tuple[Ints, Floats]]:
    return [list(top.cut(SHOWN).rows())[query] for top in tops]


def _place(side: str, place: tuple[int, float] | None) -> str:
    return f"{side} not among the first {SHOWN}" if place is None else f"{side} rank {place[0]}, {place[1]:.6f}"


def _of(corpus: Corpus, row: int, lucenes: Analyze) -> list[str]:
    return _terms(corpus.texts_of(np.array([row]))[0], lucenes, whole=False)


def _terms(text: str, lucenes: Analyze, *, whole: bool) -> list[str]:
    ours, theirs = English()(text), lucenes(text)
    if ours == theirs:
        return [f"    terms of both: {' '.join(ours)}"] if whole else [f"    the same {len(ours)} terms on both sides"]
    more, fewer = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
    if whole:
        return [f"    our terms:      {' '.join(ours)}", f"    Lucene's terms: {' '.join(theirs)}"]
    return [f"    only ours: {dict(more)}; only Lucene's: {dict(fewer)}"]
