"""Text from data steers no output: terminal, Markdown, HTML, LaTeX, CSV; through every command that shows some."""

from __future__ import annotations

import csv as reader
import io
import json
import re
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from harness import api
from harness.bench.published import Published, write
from harness.bench.record import Record
from harness.bench.store import Place, Store
from harness.report import csv, latex, markdown
from harness.report.board import tables
from harness.report.csv import FORMULA
from harness.runtime.context import Context

HOSTILE = {
    "colour": "\x1b[31mred\x1b[0m",
    "title of the terminal": "\x1b]0;owned\x07",
    "hyperlink": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "one-byte control": "\x9b31mred",
    "rich's markup": "[bold red]x[/] [link=https://evil.example]y[/link]",
    "rich's emoji": "a :fire: b",
    "right to left": "a\u202egnp.exe",
    "tag and link": "<img src=x onerror=alert(1)> [x](javascript:alert(1)) ![y](https://evil.example/y.png) <https://evil.example>",
    "code that ends": "a` <b>x</b> ``c",
    "code that ends in a cell": "a\\|<b>x</b>`|`<i>y</i>",
    "formula": "=HYPERLINK(1)|' /C calc'!A0",
    "macro": '\\input{/etc/passwd} 100% #1 $x$ {y}_~^"`&',
    "lines": "one\r\nharness: forged\n## forged\n| a | b |",
    "null": "a\x00b",
}


def steering(text: str) -> list[str]:
    """Characters that a terminal or a reader acts on."""
    return [
        c
        for c in text
        if c not in "\n\t" and (unicodedata.category(c) in ("Cc", "Cs") or c in "\u202a\u202b\u202c\u202d\u202e")
    ]


class Page(HTMLParser):
    """Elements and where links go."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attributes if name in ("href", "src")]
        self.handlers += [name for name, _ in attributes if name.startswith("on")]


@pytest.fixture
def board(made: Callable[..., Record], results: Store) -> Callable[[str], None]:
    """Stores a row with that text in every field that is shown, one without figures, and published figures; on two
    datasets.
    """

    def one(text: str) -> None:
        for place, dataset in enumerate((f"folder/{text}/test", "other")):
            provenance = {
                "machine": {"cores": text, "processor": text},
                "device": text,
                "commit": text,
                "packages": {text: text},
                "dirty": True,
            }
            shown = {"supervision": text, "notes": [text], "provenance": provenance, "started": text, "identity": text}
            problem = {"status": "error", "problem": {"reason": text, "remedy": text}}
            rows = [
                (made("plain", 0.35, dataset), {"q1": 0.5, "q2": 0.2}),
                (made(text, 0.35, dataset, facts={"notes": [text], "licence": text}, **shown), {"q1": 0.4, "q2": 0.3}),
                (made(f"{text} failed", None, dataset, **problem), None),
            ]
            for i, (record, values) in enumerate(rows):
                held = Place(results.root / f"d{place}" / f"r{i}" / "seed0.json")
                results.save(held, record, {"nDCG@10": values} if values else None)
            write(results.root, Published(f"{place} {text}", text, {dataset: {"nDCG@10": 0.5}}, text))
        assert len(results.stored()[0]) == 6

    return one


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_file_of_the_board_is_steered(
    kind: str, board: Callable[[str], None], results: Store, context: Context
) -> None:
    board(HOSTILE[kind])
    api.write_leaderboard(results.root, context)
    for name in ("leaderboard.md", "leaderboard.csv", "leaderboard.tex", "leaderboard.html"):
        text = (results.root / name).read_text(encoding="utf-8")
        own = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
        assert steering(own) == [], name
    tokens = (
        MarkdownIt("commonmark").enable("table").parse((results.root / "leaderboard.md").read_text(encoding="utf-8"))
    )
    inside = [child for token in tokens for child in token.children or ()]
    html = [token.content for token in (*tokens, *inside) if token.type in ("html_block", "html_inline")]
    assert set(html) <= {"<code>", "</code>"}
    assert not [token for token in inside if token.type in ("link_open", "image")]
    heads = [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"]
    assert len(heads) == 4
    page = Page((results.root / "leaderboard.html").read_text(encoding="utf-8"))
    assert not page.tags & {"img", "b", "i", "iframe", "object"}
    assert not page.handlers
    assert all(link.startswith(("#", "d0/", "d1/")) for link in page.links)
    cells = [
        cell
        for line in reader.reader(io.StringIO((results.root / "leaderboard.csv").read_text(encoding="utf-8")))
        for cell in line
    ]
    assert not [cell for cell in cells if cell.startswith(FORMULA)]


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_command_lets_records_steer_the_terminal(
    kind: str, board: Callable[[str], None], results: Store, harness_command
) -> None:
    board(HOSTILE[kind])
    said = harness_command("leaderboard", "--results", results.root)
    assert said.status == 0
    assert steering(said.out + said.err) == []
    assert not re.search(r"^(harness: |## )forged", said.out, re.MULTILINE)
    if "rich" in kind:
        assert HOSTILE[kind] in said.out


def test_a_table_row_stays_one_row_with_the_cells_it_has(made: Callable[..., Record]) -> None:
    row = HOSTILE["code that ends in a cell"]
    (table,) = tables([made(row, 0.4)])
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown.leaderboard([table]))
    assert sum(token.type == "td_open" for token in tokens) == sum(token.type == "th_open" for token in tokens)
    first = next(tokens[i + 1] for i, token in enumerate(tokens) if token.type == "td_open")
    assert "".join(child.content for child in first.children if child.type != "html_inline") == row


def test_names_without_special_characters_are_written_as_they_are() -> None:
    assert markdown.escaped("`a_b` and c_d, 5 % of `x<y`") == "`a_b` and c_d, 5 % of `x<y`"
    assert markdown.escaped("_a_ *b* [c](d) &lt; &") == "\\_a\\_ \\*b\\* [c\\](d) &amp;lt; &"


def test_latex_sets_what_a_name_holds() -> None:
    assert latex.escaped('a|b"c`\x1b') == r"a\textbar{}b\char34{}c\`{}\textbackslash{}x1b"
    assert latex.escaped("\\input{x}%") == r"\textbackslash{}input\{x\}\%"


@pytest.mark.parametrize("value", ["=1", " =1", "+1", "-1", "@a", "＝1"])
def test_a_cell_that_a_spreadsheet_would_compute_begins_with_an_apostrophe(value: str) -> None:
    assert csv.cell(value) == f"'{value}"
    assert csv.cell(-1.5) == -1.5
    assert csv.cell("a=1") == "a=1"


@pytest.fixture
def hostile_folder(small_folder: Path) -> Path:
    """The made-up collection with steering characters in ids, titles and texts."""
    steer = "\x1b]0;owned\x07\u202e\x9b31m"
    for name in ("corpus.jsonl", "queries.jsonl"):
        rows = [json.loads(line) for line in (small_folder / name).read_text().splitlines()]
        lines = [
            json.dumps({**row, "title": f"{steer}[red]{row.get('title', '')}", "text": f"{row['text']} {steer}[/red]"})
            for row in rows
        ]
        (small_folder / name).write_text("\n".join(lines) + "\n")
    return small_folder


COMMANDS = {
    "run": ["run", "-d", "./small", "-m", "bm25"],
    "plan": ["run", "-d", "./small", "-m", "bm25", "--plan"],
    "compare": ["compare", "bm25", "bm25(b=0)", "-d", "./small"],
    "validate": ["validate", "bm25", "-b", "bm25(b=0)", "-d", "./small"],
    "audit": ["audit", "bm25", "-d", "./small"],
    "data check": ["data", "check", "./small"],
    "export beir": ["export", "beir", "./small", "--to", "there"],
    "an unknown row": ["run", "-d", "./small", "-m", "bm25\x1b[31m"],
    "a run file of that name": ["run", "-d", "./small", "-m", "run/\x1b[31m.trec"],
    "a folder of that name": ["leaderboard", "--results", "\x1b[31m"],
}


@pytest.mark.parametrize("case", COMMANDS)
def test_no_command_lets_a_collection_or_a_name_steer_the_terminal(
    case: str, hostile_folder: Path, harness_command
) -> None:
    said = harness_command(*COMMANDS[case])
    assert said.out + said.err
    assert steering(said.out + said.err) == []
    if case == "compare":
        assert "\\x1b]0;owned\\x07\\u202e\\x9b31m[/red]" in "".join(said.out.split())


def test_a_warning_that_carries_data_is_shown_without_steering(
    harness_command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import harness.cli.listing

    monkeypatch.setattr(harness.cli.listing, "listed", lambda *_: _warned())
    said = harness_command("list")
    assert steering(said.out + said.err) == []


def _warned() -> list[object]:
    from harness.report.screen import Screen, show_warnings

    show_warnings()
    Screen(stderr=True).say("\x1b[31m[red]")
    return []


def test_a_note_on_a_board_in_python_makes_no_link(made: Callable[..., Record]) -> None:
    assert "[x\\](javascript:1)" in markdown.leaderboard(tables([made("a", 0.4, notes=["[x](javascript:1)"])]))
