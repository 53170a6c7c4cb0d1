"""Rows measured on real queries and on queries made of the same documents, for `benchmarks/testset_validity.py`.

The values of each query are kept in a file, so that tables are made again without another search.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.collection.files import CORPUS
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.measures import parse_measures, per_query
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Run
from harness.datasets import SOURCES, load_dataset, split_name
from harness.judges import NO_GRADE, Grades, Pairs
from harness.judges.row import Row, models_of
from harness.judging.machine import KNOWN, known_pairs
from harness.methods import Method, Searcher, fit, index
from harness.rows import parse_judge, parse_method
from harness.runtime.context import Context, open_context
from harness.statistics.paired import Values
from harness.testset.documents import Source
from harness.testset.make import TestSet, make, rows_asked
from harness.testset.request import Request

MEASURES = ("nDCG@10", "RR@10", "R@100")
LSA = 'python(file="benchmarks/lsa.py:Lsa")'
ROWS = (
    "bm25",
    "bm25(k1=2.0, b=0.9)",
    "bm25(k1=0.4, b=0.2)",
    "bm25(k1=0.0, b=0.0)",
    "bm25(analyzer=standard)",
    "bm25(feedback=rm3)",
    "bm25(feedback=rocchio)",
    LSA,
    f"hybrid(methods=(bm25, {LSA}), fusion=rrf)",
    "dense",
    "dense(dimensions=128)",
    "dense(dimensions=32)",
    "hybrid(fusion=rrf)",
    "hybrid(methods=(bm25, dense(dimensions=32)), fusion=rrf)",
    "bm25>>dense",
    "bm25>>dense(dimensions=32)",
)
"""None needs labels; half of them share the model of the judges."""
WORDS = {"bm25"}
DEPTH = 100
MOST_REAL = 500
"""Of a larger collection so many real queries are drawn at random."""
JUDGES = ("panel", "dense")
"""The first is the default, by which the set is made: it decides which queries are kept."""
SOURCE = "source only"
LABELS = (*JUDGES, SOURCE)
"""The labels of a made set: a judge's, or the document that a query was made of, and no judge."""


@dataclass(frozen=True)
class Measured:
    """One made set and the real queries of its collection.

    Args:
        dataset: its name.
        seed: of the made set.
        relations: of each row to the judges, from `relation`.
        kinds: (made,) of the made queries.
        real: measure → (real, rows) values by the collection's judgements.
        made: labels → measure → (made, rows) values.
    """

    dataset: str
    seed: int
    relations: tuple[str, ...]
    kinds: tuple[str, ...]
    real: Mapping[str, Values]
    made: Mapping[str, Mapping[str, Values]]

    def write(self, path: Path) -> None:
        """As one compressed file."""
        tables: dict[str, Any] = {f"real/{measure}": values for measure, values in self.real.items()}
        for labels, by_measure in self.made.items():
            tables |= {f"made/{labels}/{measure}": values for measure, values in by_measure.items()}
        np.savez_compressed(
            path, dataset=self.dataset, seed=self.seed, relations=self.relations, kinds=self.kinds, **tables
        )

    @classmethod
    def read(cls, path: Path) -> Measured:
        """What `write` wrote."""
        with np.load(path) as file:
            real = {measure: file[f"real/{measure}"] for measure in MEASURES}
            made = {labels: {m: file[f"made/{labels}/{m}"] for m in MEASURES} for labels in LABELS}
            relations, kinds = (tuple(file[name].tolist()) for name in ("relations", "kinds"))
            return cls(str(file["dataset"]), int(file["seed"]), relations, kinds, real, made)


def measured(name: str, queries: int, seeds: Sequence[int], work: Path) -> list[Measured]:
    """Each made set of a collection; those that are in the folder are read.

    Args:
        name: of the collection.
        queries: of a made set.
        seeds: of the made sets.
        work: folder of the files.
    """
    files = {seed: work / f"{name.replace('/', '-')}-{seed}.npz" for seed in seeds}
    due = [seed for seed, file in files.items() if not file.exists()]
    if due:
        context = open_context()
        dataset = load_dataset(name, context)
        methods = [parse_method(row) for row in ROWS]
        view = TrainView(dataset.corpus)
        searchers = [index(row, fit(row, view, context), dataset.corpus, context) for row in methods]
        real = _values(searchers, dataset.corpus, _some(dataset, context))
        for seed in due:
            start = time.process_time()
            _one(name, seed, queries, methods, searchers, dataset, real).write(files[seed])
            print(f"{name}, seed {seed}: {time.process_time() - start:.0f} CPU seconds", flush=True)
    return [Measured.read(file) for file in files.values()]


def relation(method: Method) -> str:
    """Of a row to the judges: `judge's model` if a part of it computes with their encoder, `words` if it matches words
    only, else `other`.
    """
    models = models_of(method)
    if models & Row().models():
        return "judge's model"
    return "words" if models <= WORDS else "other"


def _some(dataset: Dataset, context: Context) -> Labelled:
    ids = list(dataset.test.queries.ids)
    order = context.rng("validity: real queries").permutation(len(ids))[:MOST_REAL]
    return dataset.test.only([ids[place] for place in sorted(order.tolist())])


def _one(
    name: str,
    seed: int,
    queries: int,
    methods: Sequence[Method],
    searchers: Sequence[Searcher],
    dataset: Dataset,
    real: Mapping[str, Values],
) -> Measured:
    """A set made of the documents alone: neither queries nor judgements of the collection are read."""
    context = open_context(seed=seed)
    source, rest = split_name(name, context)
    folder = SOURCES.get(source)().folder(rest, context)
    assert folder is not None
    request = Request(Source(folder / CORPUS), Path("nowhere"), queries)
    corpus = dataset.corpus
    rows = rows_asked(request, corpus, context)
    made = make(request, corpus, rows, context, lambda line: None)
    known = known_pairs(corpus, rows[:KNOWN], context)
    grades = {judge: _graded(made, corpus, judge, known, context) for judge in JUDGES[1:]}
    by_labels = {judge: _judged(made, corpus, own) for judge, own in {JUDGES[0]: made.grades, **grades}.items()}
    by_labels[SOURCE] = _source_only(made, corpus)
    values = {labels: _values(searchers, corpus, split) for labels, split in by_labels.items()}
    relations = tuple(map(relation, methods))
    return Measured(name, seed, relations, tuple(query.kind for query in made.queries), real, values)


def _graded(made: TestSet, corpus: Corpus, judge: str, known: Pairs, context: Context) -> Grades:
    """The queries and pools of a set by another judge than the one that it was made with."""
    texts, sources = [query.text for query in made.queries], [query.row for query in made.queries]
    return parse_judge(judge).grade(corpus, Pairs(texts, made.pairs, sources), known, context)


def _judged(made: TestSet, corpus: Corpus, grades: Grades) -> Labelled:
    """By a judge's grades; the queries that are parts of documents are left out of their rankings, as in a made
    folder.
    """
    texts = [query.text for query in made.queries]
    ids = [query.id(corpus) for query in made.queries]
    qrels = {
        query: {d: g for d, g in zip(corpus.ids(rows), values.tolist(), strict=True) if g != NO_GRADE}
        for query, rows, values in zip(ids, made.pairs, grades.values, strict=True)
    }
    own = frozenset(query.id(corpus) for query in made.queries if query.is_part)
    return Labelled(Queries(ids, texts), qrels, own)


def _source_only(made: TestSet, corpus: Corpus) -> Labelled:
    ids = [str(place) for place in range(len(made.queries))]
    qrels = {name: {corpus[query.row].id: 1} for name, query in zip(ids, made.queries, strict=True)}
    return Labelled(Queries(ids, [query.text for query in made.queries]), qrels)


def _values(searchers: Sequence[Searcher], corpus: Corpus, split: Labelled) -> dict[str, Values]:
    """Measure → (queries, rows)."""
    columns: dict[str, list[list[float]]] = {measure: [] for measure in MEASURES}
    for searcher in searchers:
        run = Run.of_split(split, searcher.search(split.queries, split.search_depth(DEPTH)), corpus, DEPTH)
        found = per_query(parse_measures(MEASURES), split.qrels, run)
        for measure, by_query in found.items():
            columns[measure].append([by_query[query] for query in split.queries.ids])
    return {measure: np.array(rows, np.float32).astype(np.float64).T for measure, rows in columns.items()}
