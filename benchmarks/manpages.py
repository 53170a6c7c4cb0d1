"""A collection of manual pages, in any language: for analysers, and of long documents.

The query is what a page says of itself in its first section ("list directory contents"), the answer is the page without
that section. On Debian the pages of a language are a package, which need not be installed:

    apt-get download manpages-de && dpkg -x manpages-de_*.deb pages
    python benchmarks/manpages.py pages/usr/share/man/de --out ./man-de

Left out are pages of fewer than 30 words, and queries of fewer than three words, with the name of their page in them,
and those that several pages have. Needs groff.
"""

from __future__ import annotations

import argparse
import gzip
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from _collection import sampled, write

GROFF: Final = ("groff", "-K", "utf8", "-mandoc", "-Tutf8", "-P-cbou", "-rLL=9000n", "-rHY=0")
"""Plain text, each paragraph in one line, no word divided."""
FEWEST_WORDS: Final = 30
MOST_QUERIES: Final = 500
_HEADING: Final = re.compile(r"^\S.*$", re.MULTILINE)
_DASH: Final = re.compile(r"\s[-\u2010-\u2015\u2212]+\s")


@dataclass(frozen=True)
class Page:
    """One page: its name with its section, as `ls.1`; the names that it describes; what it says of itself; the rest."""

    id: str
    names: tuple[str, ...]
    summary: str
    text: str


def pages(folder: Path) -> Iterator[Page]:
    """The pages below a folder, in the order of their names; those without a summary are left out."""
    for path in sorted(folder.glob("man*/*.gz"), key=lambda path: path.name):
        source = gzip.decompress(path.read_bytes())
        if path.is_symlink() or source.startswith(b".so "):
            continue
        done = subprocess.run(GROFF, input=source, capture_output=True, check=True)
        if page := page_of(path.name.removesuffix(".gz"), done.stdout.decode("utf-8", "replace")):
            yield page


def page_of(name: str, rendered: str) -> Page | None:
    """A page as groff prints it; None if its first section is not names, a dash and a summary.

    Lines that begin at the margin are the page's head, the headings of sections, and its foot.
    """
    found = list(_HEADING.finditer(rendered))[1:-1]
    if len(found) < 2:
        return None
    first = " ".join(rendered[found[0].end() : found[1].start()].split())
    parts = _DASH.split(first, maxsplit=1)
    if len(parts) != 2:
        return None
    rest = rendered[found[1].start() :].rstrip()
    text = "\n".join(" ".join(line.split()) for line in rest.splitlines()[:-1] if line.strip())
    return Page(name, tuple(parts[0].replace(",", " ").split()), parts[1], text)


def is_query(page: Page) -> bool:
    """Whether a summary is a fair query: three words or more, and no name of the page."""
    words = re.findall(r"\w+", page.summary.casefold())
    names = {part for name in (*page.names, page.id.partition(".")[0]) for part in re.findall(r"\w+", name.casefold())}
    return len(words) >= 3 and not names.intersection(words)


def main() -> None:
    """Writes the collection."""
    parser = argparse.ArgumentParser(description="A collection of manual pages.")
    parser.add_argument("folder", type=Path, help="with man1, man2, …")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if shutil.which("groff") is None:
        parser.error("groff is not installed; on Debian, `apt-get install groff`")
    found = {page.id: page for page in pages(given.folder) if len(page.text.split()) >= FEWEST_WORDS}
    if not found:
        parser.error(f"{given.folder} has no pages man*/*.gz with a summary")
    counts = Counter(page.summary.casefold() for page in found.values())
    asked = [page.id for page in found.values() if counts[page.summary.casefold()] == 1 and is_query(page)]
    chosen = sampled(asked, MOST_QUERIES)
    corpus = {page.id: ("", page.text) for page in found.values()}
    asks = {f"what is {name}": name for name in chosen}
    write(given.out, corpus, {query: found[name].summary for query, name in asks.items()}, {"test": asks})


if __name__ == "__main__":
    main()
