"""The tables of docs/testset.md on how far made sets can be trusted, from the figures that were measured.

    python benchmarks/validity_table.py --docs docs/testset.md

`testset_validity.py --write` stores the figures in `testset_validity.json`; here they become Markdown, and replace what
is between the marks of a page. Without `--docs` they are printed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

STORED = Path(__file__).with_name("testset_validity.json")
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEAD = (
    *("collection", "labels", "seed", "queries", "τ", "τ_AP"),
    *("significant by sampling alone", "of these wrong", "significant, widened", "of these wrong"),
    *("best in the top group", "ranked too high, places"),
)


def markdown(stored: Mapping[str, Any]) -> str:
    """Both tables.

    Args:
        stored: what `testset_validity.py` writes.
    """
    first = [each for each in stored["sets"] if each["measure"] == stored["measures"][0]]
    lines = _table(HEAD, [_line(each) for each in first], left=2)
    lines += ["", f"By {stored['measures'][0]}. The largest wrong differences, over {_listed(stored['measures'])}:", ""]
    head = ("collection", *(f"{judge}, {kind}" for judge in stored["judges"] for kind in ("shared", "apart")))
    lines += _table(head, _sizes(stored), left=1)
    return "\n".join(lines)


def put(text: str, page: str) -> str:
    """A page with the text between its marks.

    Raises:
        SystemExit: it has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"the page has no marks {BEGIN} and {END}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def _line(each: Mapping[str, Any]) -> Sequence[str]:
    shifts = ", ".join(f"{family} {places:+.1f}" for family, places in sorted(each["places"].items()))
    widened = ["–", "–", "–"]
    if each["widened"] is not None:
        own = each["widened"]
        widened = [str(own["significant"]), str(own["wrong"]), "yes" if own["best_in_top"] else "no"]
    plain = each["by_sampling"]
    return (
        *(each["collection"].rpartition("/")[2], each["labels"], str(each["seed"]), str(each["queries"])),
        *(f"{each['tau']:.2f}", f"{each['tau_ap']:.2f}", str(plain["significant"]), str(plain["wrong"])),
        *widened,
        shifts,
    )


def _sizes(stored: Mapping[str, Any]) -> list[Sequence[str]]:
    collections = list(dict.fromkeys(each["collection"] for each in stored["sets"]))
    lines: list[Sequence[str]] = []
    for name in collections:
        own = [stored["judges"][judge]["largest_wrong"][name] for judge in stored["judges"]]
        lines.append((name.rpartition("/")[2], *(f"{each[kind]:.2f}" for each in own for kind in ("shared", "apart"))))
    bounds = [stored["judges"][judge]["bounds"] for judge in stored["judges"]]
    lines.append(("**bound**", *(f"**{each[kind]:.2f}**" for each in bounds for kind in ("shared", "apart"))))
    return lines


def _table(head: Sequence[str], lines: Sequence[Sequence[str]], left: int) -> list[str]:
    rule = ["---" if place < left or place == len(HEAD) - 1 else "--:" for place in range(len(head))]
    return [f"| {' | '.join(line)} |" for line in (head, rule, *lines)]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def main() -> None:
    """Prints, or writes into a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, help="the page; without it the tables are printed")
    asked = parser.parse_args()
    text = markdown(json.loads(STORED.read_text(encoding="utf-8")))
    if asked.docs is None:
        print(text)
    else:
        asked.docs.write_text(put(text, asked.docs.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
