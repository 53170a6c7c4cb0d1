"""What a person with a folder of Markdown files and no judgements goes through, step by step, and what it costs.

    python benchmarks/own_folder.py --files 500 --queries 100 --pairs 50 --people 50 --work own

The files are made of the docstrings of Python's standard library, so that they are real text. Then, each a process of
its own and with an empty cache: `harness testset`, `harness decide`, people's grades through the page of `harness judge
--serve` in headless Chromium (first pairs, then whole queries), and `harness decide` after each.
Printed are what each step says, and its CPU and wall seconds. The person of the script reads what the page shows, and
grades by how many words of the query the document has: an opinion of its own, which is not the judge's.

Needs playwright and Debian's chromium.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import sysconfig
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

WORDS = 40
"""Of a docstring, at least."""
NAME = "ann"
PATIENCE = 300_000
"""Milliseconds that the page may take, on a busy machine."""


@dataclass(frozen=True)
class Step:
    """A command that ran.

    Args:
        name: for the table.
        wall: seconds.
        cpu: seconds of all its processes.
        out: its standard output.
    """

    name: str
    wall: float
    cpu: float
    out: str


def pages(folder: Path, files: int) -> int:
    """Writes Markdown files, each of a module, class or function of the standard library; returns how many."""
    folder.mkdir(parents=True)
    count = 0
    for count, (name, text) in enumerate(_documented(), start=1):
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
        if count == files:
            break
    return count


def _documented() -> Iterator[tuple[str, str]]:
    """(name, Markdown) of what has a long docstring, in a fixed order."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if {"test", "tests", "idle_test", "site-packages", "dist-packages", "lib2to3"} & {*parts}:
            continue
        try:
            module = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in (module, *module.body):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                name = ".".join((*parts, *([] if node is module else [node.name])))  # type: ignore[union-attr]
                if markdown := _markdown(name, node):
                    yield name, markdown


def _markdown(name: str, node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    text = ast.get_docstring(node) or ""
    if len(text.split()) < WORDS:
        return ""
    methods = [
        f"## {inner.name}\n\n{own}\n"
        for inner in (node.body if isinstance(node, ast.ClassDef) else ())
        if isinstance(inner, ast.FunctionDef) and (own := ast.get_docstring(inner))
    ]
    return "\n".join([f"# {name}\n\n{text}\n", *methods])


def command(name: str, arguments: Sequence[str], work: Path) -> Step:
    """Runs `harness <arguments>` in the folder.

    Raises:
        SystemExit: it failed; with what it said.
    """
    before, start = _children(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "harness", *arguments], cwd=work, env=_settings(work), capture_output=True, text=True
    )
    wall = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"harness {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return Step(name, wall, _children() - before, done.stdout)


def sitting(name: str, enough: Callable[[str], bool], work: Path) -> Step:
    """A person grades on the page until the state that it shows is enough, or nothing is left.

    Args:
        name: of the step.
        enough: of what the page says after a grade, as "50 of 1,710 pairs judged; 2 queries complete".
        work: the folder.
    """
    before, start = _children(), time.perf_counter()
    # What a shell starts in the background ignores Ctrl-C, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    served = subprocess.Popen(
        [sys.executable, "-m", "harness", "judge", "./mine", "--serve"],
        cwd=work,
        env=_settings(work),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert served.stdout is not None
    try:
        first = served.stdout.readline()
        found = re.search(r"http://\S+", first)
        if found is None:
            raise SystemExit(f"harness judge --serve said no address: {first}{served.stdout.read()}")
        _judge(found.group(), enough)
    finally:
        served.send_signal(signal.SIGINT)
        rest = served.communicate(timeout=PATIENCE // 1000)[0]
    return Step(name, time.perf_counter() - start, _children() - before, first + rest)


def _judge(url: str, enough: Callable[[str], bool]) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        page.fill("#name", NAME)
        page.press("#name", "Enter")
        page.wait_for_selector("#pair:not([hidden])")
        while not page.is_hidden("#pair"):
            state = page.text_content("#state") or ""
            if enough(state):
                break
            query, *document = (page.text_content(part) or "" for part in ("#query", "#title", "#text"))
            page.keyboard.press(str(opinion(query, " ".join(document))))
            page.wait_for_function("was => document.getElementById('state').textContent !== was", arg=state)
        browser.close()


def opinion(query: str, document: str) -> int:
    """The grade of a person who looks for the words of the query in the document."""
    words, text = (set(re.findall(r"\w+", part.casefold())) for part in (query, document))
    return int(3 * len(words & text) / max(1, len(words)))


def complete(state: str) -> int:
    """Queries that people judged completely, as the page says."""
    found = re.search(r"([\d,]+) queries complete", state)
    return int(found.group(1).replace(",", "")) if found else 0


def judged(state: str) -> int:
    """Pairs that the person judged, as the page says."""
    found = re.match(r"([\d,]+) of", state)
    return int(found.group(1).replace(",", "")) if found else 0


def chromium() -> str | None:
    """The path of a browser; None if there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def steps(work: Path, files: int, queries: int, pairs: int, people: int, rows: Sequence[str]) -> Iterator[Step]:
    """All steps, each as it is done.

    Args:
        work: a folder that does not exist or is empty.
        files: Markdown files to make.
        queries: wanted of the test set.
        pairs: that the person judges in a first sitting; 0 for none.
        people: queries that the person judges in all.
        rows: to decide between; empty for the default ones.
    """
    pages(work / "pages", files)
    chosen = [part for row in rows for part in ("-m", row)]
    yield command("testset", ["testset", "./pages", "--out", "./mine", "-n", str(queries)], work)
    yield command("decide, machine only", ["decide", "./mine", *chosen], work)
    if pairs:
        yield sitting(f"{pairs} pairs on the page", lambda state: judged(state) >= pairs, work)
        yield command(f"decide, {pairs} pairs", ["decide", "./mine", *chosen], work)
    yield sitting(f"{people} queries on the page", lambda state: complete(state) >= people, work)
    yield command(f"decide, {people} queries", ["decide", "./mine", *chosen], work)


def _settings(work: Path) -> dict[str, str]:
    return {**os.environ, "HARNESS_CACHE": str(work.absolute() / "cache"), "COLUMNS": "10000"}


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("files", 500), ("queries", 100), ("pairs", 50), ("people", 50)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--rows", nargs="*", default=[], help="rows to decide between; the default ones if none")
    parser.add_argument("--work", type=Path, default=Path("own"))
    asked = parser.parse_args()
    if asked.work.exists() and any(asked.work.iterdir()):
        raise SystemExit(f"{asked.work} is not empty; name another folder with --work.")
    done = []
    for step in steps(asked.work, asked.files, asked.queries, asked.pairs, asked.people, asked.rows):
        done.append(step)
        print(f"\n--- {step.name}\n{textwrap.indent(step.out.rstrip(), '    ')}", flush=True)
    print("\n| step | CPU seconds | wall seconds |\n|---|--:|--:|")
    for step in done:
        print(f"| {step.name} | {step.cpu:.0f} | {step.wall:.0f} |")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\n{os.cpu_count()} cores; load of 1, 5 and 15 minutes at the end: {load}")


if __name__ == "__main__":
    main()
