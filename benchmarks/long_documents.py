"""Collections of long documents, for rows that cut them into passages.

    python benchmarks/long_documents.py --out ./modules                    # Python's library, no download
    python benchmarks/long_documents.py --pages django/docs --out ./pages  # pages of documentation

Of Python's library a document is a whole module, its functions without their docstrings, and the queries are those of
`stdlib/code` (the first sentences of docstrings), with the module of the function as the answer. Of a folder of pages
(`.txt` or `.rst`, in reStructuredText) a document is a page with its title and without its other headings, and each of
these, if it has three words or more and is of one page only, is a query with its page as the answer: half of them dev,
half of them test, at most 500 each.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Final

from _collection import sampled, write
from harness.datasets._code_search import write_collection
from harness.datasets._functions import Library

MOST_QUERIES: Final = 500
FEWEST_WORDS: Final = 100
_HEADING: Final = re.compile(
    r"^(?:(?P<over>([=\-~^\"'`#*+.])\2{2,})\n)?(?P<text>\S.*)\n(?P<under>([=\-~^\"'`#*+.])\5{2,})[ \t]*$", re.MULTILINE
)
_MARKUP: Final = re.compile(r":[\w:-]+:`~?\.?([^`<]*?)(?:\s*<[^`]*>)?`|``([^`]*)``|`([^`<]*?)(?:\s*<[^`]*>)?`_*")


def headings(source: str) -> tuple[str, list[str], str]:
    """The title of a page, its other headings, and its text without any of them."""
    found = [(match.span(), plain(match["text"])) for match in _HEADING.finditer(source)]
    if not found:
        return "", [], source
    kept, last = [], 0
    for (start, end), _ in found:
        kept.append(source[last:start])
        last = end
    return found[0][1], [text for _, text in found[1:]], "".join([*kept, source[last:]])


def plain(heading: str) -> str:
    """A heading without its markup."""
    return " ".join(_MARKUP.sub(lambda match: next(filter(None, match.groups()), ""), heading).split())


def of_pages(folder: Path) -> dict[str, Any]:
    """The arguments of `write` for a folder of pages."""
    corpus: dict[str, tuple[str, str]] = {}
    asked: dict[str, tuple[str, str]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".txt", ".rst")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        title, others, text = headings(path.read_text(encoding="utf-8"))
        if len(text.split()) >= FEWEST_WORDS:
            corpus[name] = (title, text.strip())
            asked |= {f"{name}#{number}": (name, text) for number, text in enumerate(others, 1)}
    counts = Counter(text.casefold() for _, text in asked.values())
    fair = [query for query, (_, text) in asked.items() if counts[text.casefold()] == 1 and len(text.split()) >= 3]
    chosen = sampled(fair, 2 * MOST_QUERIES)
    test = set(sampled(chosen, len(chosen) // 2))
    relevant: dict[str, dict[str, str]] = {"test": {}, "dev": {}}
    for query in chosen:
        relevant["test" if query in test else "dev"][query] = asked[query][0]
    return {"corpus": corpus, "queries": {query: asked[query][1] for query in chosen}, "relevant": relevant}


def of_modules() -> dict[str, Any]:
    """The arguments of `write` for the library of the Python that runs."""
    library = Library.running()
    modules: dict[str, list[str]] = defaultdict(list)
    module_of: dict[str, str] = {}
    for path, source in library.sources.items():
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for function in Library({path: source}, "").functions():
            modules[name].append(function.source)
            module_of[function.id] = name
    relevant: dict[str, dict[str, str]] = defaultdict(dict)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_collection(library.functions(), folder)
        lines = map(json.loads, (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines())
        queries = {line["_id"]: line["text"] for line in lines}
        for split in ("test", "dev", "train"):
            for line in (folder / "qrels" / f"{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]:
                query, document, _ = line.split("\t")
                relevant[split][query] = module_of[document]
    corpus = {name: (name, "\n\n".join(sources)) for name, sources in modules.items()}
    return {"corpus": corpus, "queries": queries, "relevant": dict(relevant)}


def main() -> None:
    """Writes the collection."""
    parser = argparse.ArgumentParser(description="A collection of long documents.")
    parser.add_argument("--pages", type=Path, help="a folder of pages in reStructuredText; Python's library without it")
    parser.add_argument("--no-titles", action="store_true", help="documents have no titles")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    made = of_pages(given.pages) if given.pages else of_modules()
    if not made["relevant"]["test"]:
        parser.error(f"{given.pages} has no pages .txt or .rst with headings of three words or more")
    if given.no_titles:
        made["corpus"] = {name: ("", text) for name, (_, text) in made["corpus"].items()}
    write(given.out, **made)


if __name__ == "__main__":
    main()
