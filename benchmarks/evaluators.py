"""One row on one collection by three evaluators: ours, MTEB's with the row as its model, and BEIR's on the run of the
row.

    python benchmarks/evaluators.py beir/scifact [--row dense] [--row bm25]

The collection is handed to MTEB as a task made of it, and written in BEIR's form for BEIR's own loader. Prints the
figures, the greatest difference of each row, and the seconds each evaluator took; ends with status 1 where a difference
exceeds 0.0001. BEIR
takes its means over the queries that a run answers: one that nothing answers is given to it with a document that does
not exist.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import mteb
from beir.datasets.data_loader import GenericDataLoader
from beir.retrieval.evaluation import EvaluateRetrieval
from datasets import Dataset as Rows
from mteb.abstasks import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata

from harness import MTEBModel, api, open_context
from harness.data.dataset import Dataset
from harness.data.trec import read_run
from harness.datasets import load_dataset
from harness.exchange.beir import write_collection
from harness.exchange.mteb_model import NOTHING

SAME = {
    "nDCG@10": ("ndcg_at_10", "NDCG@10"),
    "R@100": ("recall_at_100", "Recall@100"),
    "AP@100": ("map_at_100", "MAP@100"),
    "P@10": ("precision_at_10", "P@10"),
}
LIMIT = 1e-4


def task_of(dataset: Dataset) -> AbsTaskRetrieval:
    """A task of MTEB with the dataset's documents, reported queries and judgements."""

    class Local(AbsTaskRetrieval):  # type: ignore[misc, unused-ignore]
        ignore_identical_ids = bool(dataset.drop_self)
        metadata = TaskMetadata(
            name="Local",
            description=dataset.name,
            dataset={"path": "local", "revision": dataset.revision},
            type="Retrieval",
            category="t2t",
            modalities=["text"],
            eval_splits=["test"],
            eval_langs=["eng-Latn"],
            main_score="ndcg_at_10",
        )

        def load_data(self, num_proc: int | None = None, **kwargs: Any) -> None:
            documents = (d for batch in dataset.corpus.batches() for d in batch)
            asked = zip(dataset.test.queries.ids, dataset.test.queries.texts, strict=True)
            self.dataset = {}
            self.dataset["default"] = {
                "test": {
                    "corpus": Rows.from_list([{"id": d.id, "title": d.title, "text": d.text} for d in documents]),
                    "queries": Rows.from_list([{"id": query, "text": text} for query, text in asked]),
                    "relevant_docs": {query: dict(grades) for query, grades in dataset.test.qrels.items()},
                    "top_ranked": None,
                }
            }
            self.data_loaded = True

    return Local()


def main() -> None:
    """Evaluates and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", nargs="?", default="stdlib/code")
    parser.add_argument("--row", action="append")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    context = open_context()
    dataset = load_dataset(arguments.dataset, context)
    worst = 0.0
    for row in arguments.row or ["dense", "bm25"]:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            board = api.run(
                row, dataset=arguments.dataset, measures=list(SAME), results=f"{folder}/results", context=context
            )
            record = board.results[0].record
            if record.status != "ok":
                sys.exit(f"{row}: {record.problem}")
            by_us = time.perf_counter() - started

            started = time.perf_counter()
            model = MTEBModel(row, context, learn_from=arguments.dataset)
            found = mteb.evaluate(model, task_of(dataset), cache=None, co2_tracker=False, show_progress_bar=False)
            (scores,) = found.task_results[0].scores["test"]
            by_mteb = time.perf_counter() - started

            started = time.perf_counter()
            write_collection(dataset, Path(folder) / "beir")
            _, _, qrels = GenericDataLoader(f"{folder}/beir").load(dataset.name.rpartition("/")[2])
            (run,) = Path(folder).rglob("seed0.run.gz")
            rankings = read_run(run)
            given = {query: rankings.get(query, {NOTHING: 0.0}) for query in qrels}
            judged = EvaluateRetrieval.evaluate(qrels, given, [10, 100], ignore_identical_ids=bool(dataset.drop_self))
            theirs = {name: value for part in judged for name, value in part.items()}
            by_beir = time.perf_counter() - started
        print(f"{record.row} on {dataset.name}, mteb {mteb.__version__}")
        print(f"  {'measure':8} {'ours':>9} {'MTEB':>9} {'BEIR':>9}")
        for measure, (in_mteb, in_beir) in SAME.items():
            figures = (record.measures[measure], scores[in_mteb], theirs[in_beir])
            worst = max(worst, max(figures) - min(figures))
            print(f"  {measure:8} " + " ".join(f"{figure:9.5f}" for figure in figures))
        print(f"  {'seconds':8} {by_us:9.1f} {by_mteb:9.1f} {by_beir:9.1f}")
    print(f"greatest difference: {worst:.6f}")
    sys.exit(worst > LIMIT)


if __name__ == "__main__":
    main()
