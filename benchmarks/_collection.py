"""Writing a collection that a script has made, and what it is like."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, median

from harness import Dataset
from harness.exchange.beir import write_collection
from harness.report.screen import Screen


def sampled(names: Sequence[str], most: int) -> list[str]:
    """A sample of names, at most `most`, the same in every run, in their order."""
    drawn = set(sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:most])
    return [name for name in names if name in drawn]


def write(
    out: Path,
    corpus: Mapping[str, tuple[str, str]],
    queries: Mapping[str, str],
    relevant: Mapping[str, Mapping[str, str]],
) -> None:
    """Writes a collection in BEIR's format, and says what it is like.

    Args:
        out: the folder.
        corpus: id → title and text.
        queries: id → text.
        relevant: split (`test`, and `dev` and `train` if there are any) → query id → the document that answers it.
    """
    judged = {split: {query: [document] for query, document in pairs.items()} for split, pairs in relevant.items()}
    test = judged.pop("test")
    made = Dataset.of(corpus, queries, test, **judged, name=out.resolve().name)
    counts = write_collection(made, out)
    words = [len(text.split()) for _, text in corpus.values()]
    asked = ", ".join(f"{count:,} {split}" for split, count in counts.items())
    text = (
        f"{out}: {len(corpus):,} documents, {mean(words):,.0f} words on average, {median(words):,.0f} in the middle, "
        f"{max(words):,} at most; queries: {asked}"
    )
    Screen().print(text, soft_wrap=True)
