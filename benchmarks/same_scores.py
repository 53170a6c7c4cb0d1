"""Two results folders compared: which records have the same ranking (`run_sha256`) and the same measures.

    python benchmarks/same_scores.py results other-results

Prints one line for each record of the second folder that differs from the first or is new, and a count. Status 1 if a
record differs, or if no record was compared. A row that names fp32 is compared with the row that names no precision:
fp32 was the default. Scores of one model on two processors may differ in their last digits, and so may its rankings;
the processors are printed then.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.bench.record import Record
from harness.bench.store import Store

Key = tuple[str, str, int]


def records(folder: Path) -> dict[Key, Record]:
    """(dataset, row, seed) → record, of those with scores."""
    stored, _ = Store(folder).all()
    return {(one.dataset["name"], without_fp32(one.row), one.seed): one for one in stored if one.status == "ok"}


def without_fp32(row: str) -> str:
    """A row's expression without `precision="fp32"`."""
    alone = row.replace('(precision="fp32")', "")
    return alone.replace('precision="fp32", ', "").replace(', precision="fp32"', "")


def difference(before: Record, after: Record) -> str:
    """What differs between two records of a row; empty if ranking and measures are equal."""
    parts = []
    if before.run_sha256 != after.run_sha256:
        machines = [one.provenance["machine"]["processor"] for one in (before, after)]
        parts.append("the ranking" if machines[0] == machines[1] else f"the ranking ({' → '.join(machines)})")
    for measure in sorted(before.measures.keys() & after.measures.keys()):
        old, new = before.measures[measure], after.measures[measure]
        if old != new:
            parts.append(f"{measure} {old} → {new}")
    return ", ".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """Compares the folders and prints what differs; returns the exit status."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("before", type=Path)
    options.add_argument("after", type=Path)
    folders = options.parse_args(arguments)
    before, after = records(folders.before), records(folders.after)
    equal = different = 0
    for key, record in sorted(after.items()):
        name = f"{key[1]} on {key[0]}, seed {key[2]}"
        if key not in before:
            print(f"new: {name}")
            continue
        change = difference(before[key], record)
        if change:
            different += 1
            print(f"differs: {name}: {change}")
        else:
            equal += 1
    print(
        f"{equal} records with the same ranking and measures, {different} that differ, {len(after)} in {folders.after}"
    )
    return 1 if different or not equal + different else 0


if __name__ == "__main__":
    sys.exit(main())
