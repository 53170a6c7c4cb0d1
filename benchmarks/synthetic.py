"""Synthetic collections: documents of words whose ranks follow a Zipf-Mandelbrot law, of any number, the same every
time.

    python benchmarks/synthetic.py 100000 folder     # writes corpus.jsonl, queries.jsonl and qrels/test.tsv

Source: Mandelbrot (1953): the frequency of the word of rank r falls as 1/(r + 2.7); lengths are log-normal, 60
words at the median. A query is four different words of a document, which is relevant.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

WORDS = 200_000
AT_ONCE = 10_000
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprtvz" for vowel in ("a", "e", "i", "o", "u")]


def syllables() -> list[str]:
    """What words are made of."""
    return list(_SYLLABLES)


@cache
def words() -> npt.NDArray[np.object_]:
    """(WORDS,) distinct words, the most frequent first."""
    base = len(_SYLLABLES)
    found = []
    for number in range(base, base + WORDS):
        word, rest = "", number
        while rest:
            rest, place = divmod(rest, base)
            word += _SYLLABLES[place]
        found.append(word)
    return np.array(found, dtype=object)


@cache
def _upto() -> npt.NDArray[np.float64]:
    shares = 1.0 / (np.arange(WORDS) + 2.7)
    return np.cumsum(shares / shares.sum())


@lru_cache(maxsize=1)
def _block(block: int, n: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The ranks of the words of some documents end to end, and how many each has."""
    rng = np.random.default_rng([20, block])
    lengths = np.maximum(1, rng.lognormal(np.log(60), 0.5, AT_ONCE)).astype(np.int64)[:n]
    return np.minimum(np.searchsorted(_upto(), rng.random(int(lengths.sum()))), WORDS - 1), lengths


def documents(n: int) -> Iterator[tuple[str, str]]:
    """Ids and texts; the first documents of a larger collection are those of a smaller one."""
    for block in range(-(-n // AT_ONCE)):
        ranks, lengths = _block(block, min(AT_ONCE, n - block * AT_ONCE))
        chosen, start = words()[ranks].tolist(), 0
        for row, length in enumerate(lengths.tolist()):
            yield f"d{block * AT_ONCE + row:09d}", " ".join(chosen[start : start + length])
            start += length


def queries(n: int, count: int) -> list[tuple[str, str, str]]:
    """Id, text and relevant document of some queries of the first n documents."""
    rng = np.random.default_rng([21, n])
    found = []
    for number, row in enumerate(np.sort(rng.integers(0, n, count)).tolist()):
        block, place = divmod(row, AT_ONCE)
        ranks, lengths = _block(block, min(AT_ONCE, n - block * AT_ONCE))
        start = int(lengths[:place].sum())
        own = np.unique(ranks[start : start + int(lengths[place])])
        chosen = rng.choice(own, min(4, len(own)), replace=False)
        found.append((f"q{number}", " ".join(words()[chosen]), f"d{row:09d}"))
    return found


def write(folder: Path, n: int, count: int) -> None:
    """A BEIR folder of n documents and so many queries."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    with open(folder / "corpus.jsonl", "w", encoding="utf-8") as file:
        for name, text in documents(n):
            file.write(f'{{"_id": "{name}", "title": "", "text": "{text}"}}\n')
    asked = queries(n, count)
    rows = [json.dumps({"_id": name, "text": text}) for name, text, _ in asked]
    (folder / "queries.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    lines = ["query-id\tcorpus-id\tscore", *(f"{name}\t{document}\t1" for name, _, document in asked)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--queries", type=int, default=1000)
    arguments = parser.parse_args()
    write(arguments.folder, arguments.documents, arguments.queries)
