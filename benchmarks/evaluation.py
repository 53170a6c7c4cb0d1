"""Measures per query: ours (over ir-measures), pytrec_eval, ranx, and the evaluators of MTEB and BEIR.

    python benchmarks/evaluation.py beir/scifact [--rounds 5]
    python benchmarks/evaluation.py --synthetic 10000

All get one run, 1,000 deep: BM25's on the dataset, or a synthetic one with so many queries. It is in memory in the form
that each takes (query → document → score; ours: query, documents best first, their scores); `convert` is what a tool
needs on top to read it (ranx), `measure` gives nDCG@10, R@100 and RR@10 of every query, `both` their sum. MTEB and BEIR
compute more at the same time (P, AP and success at the cut-offs; MTEB its abstention figures too), since they cannot be
asked for less. trec_eval has no RR@10: its reciprocal rank counts where it is 1/10 or more. `differs` is the greatest
difference of a mean from pytrec_eval's; the run's scores are distinct, so that no tie is broken two ways. Ends with
status 1 if it exceeds 0.0001.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import logging
import sys
import time
from collections.abc import Callable

import numpy as np
import pytrec_eval

from _table import Parts, interleaved, parser, show
from harness.api import open_context
from harness.data.measures import Ranking, means, parse_measures, per_query
from harness.data.ranking import Run
from harness.datasets import load_dataset
from harness.methods import fit, index, search
from harness.rows import parse_method

DEPTH = 1000
LIMIT = 1e-4
NAMES = ("nDCG@10", "R@100", "RR@10")
Qrels = dict[str, dict[str, int]]
Figures = tuple[float, float, float]
"""Means of NAMES."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A run and its judgements in all forms."""

    title: str
    rankings: list[Ranking]
    qrels: Qrels

    @functools.cached_property
    def scores(self) -> dict[str, dict[str, float]]:
        """Query → document → score."""
        return {query: dict(zip(documents, scores, strict=True)) for query, documents, scores in self.rankings}


def searched(name: str) -> Case:
    """BM25's run; documents of equal score are set apart in its order."""
    context = open_context()
    dataset, method = load_dataset(name, context), parse_method("bm25")
    searcher = index(method, fit(method, dataset.train, context), dataset.corpus, context)
    found = search(method, searcher, dataset.test.queries, dataset.test.search_depth(DEPTH), context)
    run = Run.of_split(dataset.test, found, dataset.corpus, DEPTH)
    rankings = [(query, documents, apart(len(documents))) for query, documents, _ in run]
    title = f"BM25 on {dataset.name}: {len(rankings)} queries, {DEPTH} deep"
    return Case(title, rankings, {query: dict(grades) for query, grades in dataset.test.qrels.items()})


def made(queries: int) -> Case:
    """Random rankings of a million documents, 5 of each query judged relevant, in two grades, and 5 not."""
    rng = np.random.default_rng(0)
    names = np.array([f"d{i}" for i in range(1_000_000)])
    rankings, qrels = [], {}
    for query in range(queries):
        documents = names[np.unique(rng.integers(0, len(names), 2 * DEPTH))]
        documents = rng.permutation(documents)[:DEPTH].tolist()
        # Near the top more often, as a search would have it.
        places = np.unique(np.minimum(rng.exponential(60, 5).astype(int), DEPTH - 1)).tolist()
        grades = {documents[place]: int(rng.integers(1, 3)) for place in places}
        qrels[f"q{query}"] = {**dict.fromkeys(documents[500:505], 0), **grades}
        rankings.append((f"q{query}", documents, apart(DEPTH)))
    return Case(f"made: {queries:,} queries, {DEPTH} deep", rankings, qrels)


def apart(count: int) -> list[float]:
    """Falling scores without a tie."""
    return list(map(float, range(count, 0, -1)))


def by_harness(case: Case) -> tuple[Parts, Figures]:
    """`harness.data.measures`."""
    started = time.perf_counter()
    found = means(per_query(parse_measures(NAMES), case.qrels, case.rankings))
    return whole(time.perf_counter() - started), (found["nDCG@10"], found["R@100"], found["RR@10"])


def by_pytrec_eval(case: Case) -> tuple[Parts, Figures]:
    """trec_eval itself, through its binding."""
    started = time.perf_counter()
    evaluator = pytrec_eval.RelevanceEvaluator(case.qrels, {"ndcg_cut.10", "recall.100", "recip_rank"})
    found = list(evaluator.evaluate(case.scores).values())
    first = [each["recip_rank"] if each["recip_rank"] >= 0.1 else 0.0 for each in found]
    ndcg, recall = ([each[name] for each in found] for name in ("ndcg_cut_10", "recall_100"))
    figures = (sum(ndcg) / len(ndcg), sum(recall) / len(recall), sum(first) / len(first))
    return whole(time.perf_counter() - started), figures


def by_ranx(case: Case) -> tuple[Parts, Figures]:
    """Ranx, which reads into its own form first; it compiles in the first round, which does not count."""
    import ranx

    relevant = {query: {d: g for d, g in grades.items() if g > 0} for query, grades in case.qrels.items()}
    started = time.perf_counter()
    qrels, run = ranx.Qrels(relevant), ranx.Run(case.scores)
    read = time.perf_counter()
    found = ranx.evaluate(qrels, run, ["ndcg@10", "recall@100", "mrr@10"], make_comparable=True)
    figures = (float(found["ndcg@10"]), float(found["recall@100"]), float(found["mrr@10"]))
    return whole(time.perf_counter() - read, read - started), figures


def by_mteb(case: Case) -> tuple[Parts, Figures]:
    """What `mteb.evaluate` calls."""
    from mteb._evaluators.retrieval_metrics import calculate_retrieval_scores

    started = time.perf_counter()
    found = calculate_retrieval_scores(case.scores, case.qrels, [10, 100])
    figures = (found.ndcg["NDCG@10"], found.recall["Recall@100"], found.mrr["MRR@10"])
    return whole(time.perf_counter() - started), figures


def by_beir(case: Case) -> tuple[Parts, Figures]:
    """BEIR's evaluator, and its own reciprocal rank."""
    from beir.retrieval.evaluation import EvaluateRetrieval

    started = time.perf_counter()
    ndcg, _, recall, _ = EvaluateRetrieval.evaluate(case.qrels, case.scores, [10, 100], ignore_identical_ids=False)
    first = EvaluateRetrieval.evaluate_custom(case.qrels, case.scores, [10], "mrr")
    return whole(time.perf_counter() - started), (ndcg["NDCG@10"], recall["Recall@100"], first["MRR@10"])


WAYS: dict[str, tuple[str, Callable[[Case], tuple[Parts, Figures]]]] = {
    "pytrec_eval": ("pytrec_eval", by_pytrec_eval),
    "harness": ("harness", by_harness),
    "ranx": ("ranx", by_ranx),
    "MTEB": ("mteb", by_mteb),
    "BEIR": ("beir", by_beir),
}
"""Name → the package it needs, and what it does."""


def main() -> None:
    """Times, compares and prints."""
    options = parser(__doc__, rounds=5)
    options.add_argument("dataset", nargs="?", default="stdlib/code")
    options.add_argument("--synthetic", type=int, metavar="QUERIES")
    arguments = options.parse_args()
    logging.disable(logging.INFO)
    case = made(arguments.synthetic) if arguments.synthetic else searched(arguments.dataset)
    assert case.scores  # made here, so that no way pays for it
    figures: dict[str, Figures] = {}

    def way_of(name: str, work: Callable[[Case], tuple[Parts, Figures]]) -> Callable[[], Parts]:
        def way() -> Parts:
            parts, figures[name] = work(case)
            return parts

        return way

    ways = {name: way_of(name, work) for name, (package, work) in WAYS.items() if importlib.util.find_spec(package)}
    for name in WAYS.keys() - ways.keys():
        print(f"without {name}: it is not installed")
    table = interleaved(case.title, ways, arguments.rounds, against="pytrec_eval")
    expected = figures["pytrec_eval"]
    off = {way: max(abs(a - b) for a, b in zip(found, expected, strict=True)) for way, found in figures.items()}
    extra = {
        way: {**{name: f"{value:.5f}" for name, value in zip(NAMES, found, strict=True)}, "differs": f"{off[way]:.6f}"}
        for way, found in figures.items()
    }
    show(dataclasses.replace(table, extra=extra), arguments)
    sys.exit(max(off.values()) > LIMIT)


def whole(measure: float, convert: float = 0.0) -> Parts:
    """The parts of a way."""
    return {**({"convert": convert} if convert else {}), "measure": measure, "both": convert + measure}


if __name__ == "__main__":
    main()
