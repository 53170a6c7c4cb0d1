"""How much of a trained row's gain rests on documents that training queries and test queries share.

    python benchmarks/shared_documents.py beir/scifact/test [--results results] [--measure nDCG@10]

A collection may split by query: a document relevant to a training query can be relevant to a test query too, and a model that
learnt to bring it near its training query brings it nearer to others. Splits the test queries into those that have a relevant
document which some training or dev query has as well, and the others, and prints each row's mean over both, from the per-query
values in the results folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.api import open_context
from harness.bench.store import Place, Store
from harness.datasets import load_dataset


def main() -> None:
    """Prints one line per row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", nargs="?", default="beir/scifact/test")
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--measure", default="nDCG@10")
    arguments = parser.parse_args()
    dataset = load_dataset(arguments.dataset, open_context())
    seen = {
        document
        for split in (dataset.train.train, dataset.train.dev)
        if split is not None
        for grades in split.qrels.values()
        for document, grade in grades.items()
        if grade > 0
    }
    shared = {q for q, grades in dataset.test.qrels.items() if any(g > 0 and d in seen for d, g in grades.items())}
    others = set(dataset.test.qrels) - shared
    print(f"{len(shared)} test queries have a relevant document that a training or dev query has too, {len(others)} have none")
    store = Store(arguments.results)
    found: dict[str, list[tuple[float, float, float]]] = {}
    for path in sorted(arguments.results.glob("*/*/seed*.json")):
        place = Place(path)
        if path.name.endswith(".queries.json") or not place.queries.is_file():
            continue
        record = store.load(place)
        if record is not None and record.status == "ok" and record.dataset["name"] == dataset.name:
            values = store.values(place)[arguments.measure]
            means = [sum(values[q] for q in some) / max(1, len(some)) for some in (set(values), shared, others)]
            found.setdefault(record.row, []).append((means[0], means[1], means[2]))
    print(f"{'all':>7} {'shared':>7} {'others':>7}  row")
    for row, seeds in sorted(found.items(), key=lambda item: -sum(s[0] for s in item[1]) / len(item[1])):
        columns = [sum(s[i] for s in seeds) / len(seeds) for i in range(3)]
        print(" ".join(f"{value:7.4f}" for value in columns), f" {row}" + (f" ({len(seeds)} seeds)" if len(seeds) > 1 else ""))


if __name__ == "__main__":
    main()
