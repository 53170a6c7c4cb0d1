"""Compare the terms of our analysers with those of Lucene itself, as the extra `lucene` brings it.

    python benchmarks/lucene_terms.py FOLDER ...      over the documents and queries of BEIR-style folders
    python benchmarks/lucene_terms.py --code-points   over every code point of Unicode
    python benchmarks/lucene_terms.py --golden FILE   over the texts of a golden file, writing the terms into it

It exits with status 1 where anything differs. A document is its title and its text joined by a space, as Anserini
indexes it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.analyzers.cjk import Cjk
from harness.analyzers.english import English
from harness.analyzers.standard import Standard
from harness.lucene.java import Java, installed
from harness.lucene.process import Process

Analyze = Callable[[str], list[str]]

OURS: dict[str, Analyze] = {"english": English(), "standard": Standard(), "cjk": Cjk()}

# What the rules do with a character shows in how it stands by characters of the classes that have rules of their own.
PROBES = (
    "{}",
    "a{}",
    "{}a",
    "a{}b",
    "1{}2",
    "_{}_",
    "א{}א",
    "カ{}カ",
    "ก{}ก",
    "{}\u0301",
    "👩\u200d{}x",
    "{}\ufe0f\u200d👩",
)


def lucene() -> dict[str, Analyze]:
    """Lucene's analysers, by the names of ours. English is the one that Anserini indexes and searches with."""
    java = installed()
    process = Process(java.command(), java.environment())

    def analyze_with(analyzer: str) -> Analyze:
        return lambda text: list(process.ask("terms", texts=[text], analyzer=analyzer)[0])

    return {"english": analyze_with("english"), "standard": analyze_with("standard"), "cjk": _cjk(java)}


def _cjk(java: Java) -> Analyze:
    """Lucene's CJKAnalyzer, in a Java machine of this process: no row uses it, so that the worker does not have it."""
    os.environ.update(java.environment())
    import jnius_config

    jnius_config.set_classpath(str(java.jar))
    from jnius import autoclass

    analyzer = autoclass("org.apache.lucene.analysis.cjk.CJKAnalyzer")()
    utils = autoclass("io.anserini.analysis.AnalyzerUtils")
    return lambda text: list(utils.analyze(analyzer, text).toArray())


def compare_folder(folder: Path, theirs: dict[str, Analyze]) -> bool:
    """Print how many terms each side finds in a folder's documents and queries, and which differ."""
    same = True
    for name in ("corpus.jsonl", "queries.jsonl"):
        texts = list(_texts(folder / name))
        for analyzer, analyze in OURS.items():
            start = time.perf_counter()
            ours = [analyze(text) for text in texts]
            rate = len(texts) / (time.perf_counter() - start)
            lucenes = [theirs[analyzer](text) for text in texts]
            differing = [(a, b) for a, b in zip(ours, lucenes, strict=True) if a != b]
            print(
                f"{folder.name}/{name} {analyzer}: {len(texts):,} texts; terms: ours {sum(map(len, ours)):,}, "
                f"Lucene's {sum(map(len, lucenes)):,}; texts that differ: {len(differing):,}; ours: {rate:,.0f} texts/s"
            )
            _print_terms("only ours", sum((Counter(a) - Counter(b) for a, b in differing), Counter()))
            _print_terms("only Lucene's", sum((Counter(b) - Counter(a) for a, b in differing), Counter()))
            same &= not differing
    return same


def compare_code_points(theirs: dict[str, Analyze]) -> bool:
    """Print the code points, if any, that one side treats otherwise than the other in any of the probes."""
    differing: list[str] = []
    total = 0
    for start in range(0, sys.maxunicode + 1, 1024):
        # Java would make one character of two surrogates, and no text that was read as UTF-8 has any.
        chars = [chr(i) for i in range(start, start + 1024) if not 0xD800 <= i <= 0xDFFF]
        total += len(chars)
        if not _agree(chars, theirs):
            differing += [char for char in chars if not _agree([char], theirs)]
    print(f"{total:,} code points in {len(PROBES)} probes each; differing: {len(differing):,}")
    print(" ".join(f"U+{ord(char):04X}" for char in differing[:200]))
    return not differing


def _agree(chars: list[str], theirs: dict[str, Analyze]) -> bool:
    # No rule reaches over a line feed, so the probes may share a text, which saves calls to Java.
    text = "\n".join(probe.format(char) for char in chars for probe in PROBES)
    return all(analyze(text) == theirs[name](text) for name, analyze in OURS.items())


def write_golden(path: Path, theirs: dict[str, Analyze]) -> bool:
    """Write Lucene's terms into a golden file, whose lines are of two kinds.

    One has a text, and beside it the terms joined by spaces, which no term contains. The other has a probe and a range
    of code points, for a text with the probe of each of them in a line, and beside it a digest of the terms so joined.
    """
    same = True
    lines = []
    for line in filter(None, path.read_text("utf-8").split("\n")):
        record = json.loads(line)
        if "probe" in record:
            first, last = (int(limit, 16) for limit in record["code_points"].split("-"))
            text = "\n".join(record["probe"].replace("{}", chr(i)) for i in range(first, last + 1))
        else:
            text = record["text"]
        for name, analyze in OURS.items():
            terms = theirs[name](text)
            same &= analyze(text) == terms
            joined = " ".join(terms)
            record[name] = hashlib.sha256(joined.encode()).hexdigest()[:16] if "probe" in record else joined
        lines.append(json.dumps(record) + "\n")
    path.write_text("".join(lines), "utf-8", newline="\n")
    print(f"{path}: {len(lines):,} texts; {'ours are equal' if same else 'ours differ'}")
    return same


def _texts(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield f"{record['title']} {record['text']}" if "title" in record else record["text"]


def _print_terms(label: str, terms: Counter[str]) -> None:
    if terms:
        print(f"  {label}:", ", ".join(f"{term} ({count:,})" for term, count in terms.most_common(50)))


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="has corpus.jsonl and queries.jsonl")
    parser.add_argument("--code-points", action="store_true", help="compare every code point of Unicode")
    parser.add_argument(
        "--golden", type=Path, metavar="FILE", help="compare its texts and write Lucene's terms into it"
    )
    options = parser.parse_args()
    if not (options.folders or options.code_points or options.golden):
        parser.error("nothing to compare: name a folder, --code-points or --golden")
    theirs = lucene()
    same = [compare_folder(folder, theirs) for folder in options.folders]
    if options.code_points:
        same.append(compare_code_points(theirs))
    if options.golden:
        same.append(write_golden(options.golden, theirs))
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
