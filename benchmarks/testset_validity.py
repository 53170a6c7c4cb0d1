"""How far a made test set can be trusted: the judgements of a collection are hidden, a set is made, rows are compared.

    python benchmarks/testset_validity.py --dataset beir/cranfield beir/scifact --queries 100 --seeds 1

Each row ranks the real queries and the made ones. Printed for each collection, generator and judge: Kendall's τ and
τ_AP (Yilmaz, Aslam and Robertson, SIGIR 2008) between both orders of the rows; of the differences that the made set
calls significant, the share whose sign is wrong; whether the truly best row is among those that the made set ties with
its best; and for each family of rows by how many places the made set ranks it too high, on average.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

from harness.bench.run_rows import run_rows
from harness.bench.store import Store
from harness.compare.comparison import Comparison, compare
from harness.compare.evidence import Scores, scores
from harness.datasets import SOURCES, load_dataset, split_name
from harness.runtime.context import Context, open_context
from harness.testset.testset import make_testset

MEASURE = "nDCG@10"
LEXICAL = (
    "bm25",
    "bm25(k1=2.0, b=0.9)",
    "bm25(k1=0.4, b=0.2)",
    "bm25(analyzer=standard)",
    "bm25(k1=0.0, b=0.0)",
    "bm25(feedback=rm3)",
)
DENSE = ("dense", "dense(dimensions=128)", "dense(dimensions=32)")
MIXED = ("hybrid(fusion=rrf)", "bm25>>dense", "hybrid(methods=(bm25, dense(dimensions=32)), fusion=rrf)")
FAMILIES = {"lexical": LEXICAL, "dense": DENSE, "mixed": MIXED}


@dataclass(frozen=True)
class Agreement:
    """A made set compared with real judgements.

    Args:
        tau: Kendall's, of the two orders.
        tau_ap: of the made order, with the real one as the truth.
        significant: pairs that the made set calls significantly different.
        wrong: of these, those whose real difference has the other sign.
        best_in_top: whether the truly best row is tied with the best, or the best, on the made set.
        shifts: family → mean number of places by which the made set ranks its rows too high.
    """

    tau: float
    tau_ap: float
    significant: int
    wrong: int
    best_in_top: bool
    shifts: dict[str, float]


def tau_ap(made: Sequence[float], real: Sequence[float]) -> float:
    """Yilmaz et al. 2008: 2/(n − 1) Σ C(i)/(i − 1) − 1 over the made order from the second place on, C(i) the number
    of rows above place i that are above it in truth too.
    """
    order = np.argsort(-np.asarray(made), kind="stable")
    truth = np.asarray(real)[order]
    shares = [float((truth[:place] > truth[place]).mean()) for place in range(1, len(truth))]
    return 2 * float(np.mean(shares)) - 1


def agreement(
    made: Sequence[float], real: Sequence[float], comparison: Comparison, families: Sequence[str]
) -> Agreement:
    """Of the rows' means on both sets.

    Args:
        made: means on the made set.
        real: on the real one, of the same rows in the same order.
        comparison: of all pairs on the made set, rows in that order.
        families: of each row.
    """
    better = comparison.better
    pairs = np.argwhere(better)
    wrong = sum(real[a] < real[b] for a, b in pairs.tolist())
    first = int(np.argmax(made))
    top = [row for row in range(len(made)) if not better[first, row]]
    places = [np.argsort(np.argsort(-np.asarray(values), kind="stable")) for values in (real, made)]
    gained = places[0] - places[1]
    of_family = {name: [f == name for f in families] for name in dict.fromkeys(families)}
    shifts = {name: float(gained[own].mean()) for name, own in of_family.items()}
    tau = float(kendalltau(made, real).statistic)
    return Agreement(tau, tau_ap(made, real), len(pairs), wrong, int(np.argmax(real)) in top, shifts)


def scored(rows: Sequence[str], dataset: str, results: Path, context: Context) -> list[Scores]:
    """The scores of rows on a dataset, in their order."""
    done = run_rows(*rows, dataset=dataset, measures=[MEASURE], depth=100, results=results, context=context)
    store = Store(results)
    stored, _ = store.stored()
    by_method = {(s.record.dataset["name"], s.record.method): s for s in stored}
    return [scores([by_method[d.record.dataset["name"], d.record.method]], store, MEASURE) for d in done]


def one(dataset: str, generator: str, judge: str, queries: int, seed: int, work: Path) -> Agreement:
    """A set made from the documents of a dataset alone, compared with the dataset's own judgements."""
    rows = [row for family in FAMILIES.values() for row in family]
    families = [name for name, family in FAMILIES.items() for _ in family]
    context = open_context(seed=seed)
    loaded = load_dataset(dataset, context)
    source, rest = split_name(dataset, context)
    folder = SOURCES.get(source)().folder(rest, context)
    assert folder is not None
    hidden = work / f"{dataset.replace('/', '-')}-corpus"
    hidden.mkdir(exist_ok=True)
    shutil.copy(folder / "corpus.jsonl", hidden)
    out = work / f"{loaded.name.replace('/', '-')}-{seed}"
    make_testset(hidden, out, queries=queries, generators=[generator], judge=judge, context=open_context(seed=seed))
    real = scored(rows, dataset, work / "results", open_context())
    made = scored(rows, str(out), work / "results", open_context())
    return agreement([row.mean for row in made], [row.mean for row in real], compare(made), families)


def main() -> None:
    """Prints a line for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", nargs="+", default=["beir/cranfield"])
    parser.add_argument("--generator", nargs="+", default=["extractive"])
    parser.add_argument("--judge", nargs="+", default=["dense"])
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=1)
    settings = parser.parse_args()
    head = ("collection", "generator", "judge", "seed", "τ", "τ_AP", "significant", "wrong sign", "best in top")
    print(f"| {' | '.join(head)} | ranked too high |\n|{'---|' * (len(head) + 1)}")
    with tempfile.TemporaryDirectory() as work:
        kinds = itertools.product(settings.dataset, settings.generator, settings.judge, range(settings.seeds))
        for number, (dataset, generator, judge, seed) in enumerate(kinds):
            place = Path(work) / str(number)
            place.mkdir()
            found = one(dataset, generator, judge, settings.queries, seed, place)
            shifts = ", ".join(f"{name} {shift:+.1f}" for name, shift in sorted(found.shifts.items()))
            print(
                f"| {dataset} | {generator} | {judge} | {seed} | {found.tau:.2f} | {found.tau_ap:.2f} | "
                f"{found.significant} | {found.wrong} | {'yes' if found.best_in_top else 'no'} | {shifts} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
