"""The HTML page, without a browser: what is in it, that nothing in it is taken for a tag, that it is the same bytes."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness import api
from harness.bench.store import Store, StoredRecord
from harness.report.page import SCRIPTS, asset, parted, script_json, ticked
from harness.runtime.context import Context

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)><!--"


class Elements(HTMLParser):
    """Start tags with their attributes, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script":
            self.scripts[-1] += data


def page_of(store: Store, context: Context) -> str:
    api.write_leaderboard(store.root, context)
    return (store.root / "leaderboard.html").read_text(encoding="utf-8")


@pytest.fixture
def page(put: Callable[..., StoredRecord], results: Store, context: Context) -> str:
    values = {f"q{i}": i / 40 for i in range(40)}
    put("bm25", values)
    put("dense", {q: min(1.0, v + 0.1) for q, v in values.items()})
    put("bm25", values, dataset="beir/other/test")
    return page_of(results, context)


def test_rows_figures_intervals_differences_and_ranks_are_in_the_tables(page: str) -> None:
    assert "<h2>nDCG@10 across datasets</h2>" in page
    assert re.search(
        r'<a href="#record-1-0" tabindex="-1">0\.\d{4}</a>|<a href="#record-0-0" tabindex="-1">0\.\d{4}</a>', page
    )
    assert re.search(r'class="interval"><a [^>]*>0\.\d{3} – 0\.\d{3}</a></td>', page)
    assert re.search(r'class="rank">1</td>', page)


def test_every_link_within_the_page_has_its_target(page: str) -> None:
    tags = Elements(page).tags
    ids = {attributes["id"] for _, attributes in tags if "id" in attributes}
    wanted = {str(a["href"])[1:] for tag, a in tags if tag == "a" and str(a.get("href", "")).startswith("#")}
    assert wanted
    assert wanted <= ids
    assert all(str(a["href"]).startswith("#") for tag, a in tags if tag == "a")  # a page that is sent has no others


def test_every_number_across_datasets_leads_to_records(
    two_datasets: Callable[..., object], results: Store, context: Context
) -> None:
    text = page_of(results, context)
    section = text.partition('<section class="across"')[2].partition("</section>")[0]
    cells = re.findall(r'<td class="(?!rank)[^>]*>(.*?)</td>', section, re.DOTALL)
    numbers = [cell for cell in cells if re.search(r"\d", re.sub(r"<[^>]*>", "", cell))]
    # scores, means with their intervals, two rows against the first, in how many datasets that is significant
    assert len(numbers) == 2 * 3 + 1 + 2 * 3 + 4 * 2 + 2
    assert all(re.fullmatch(r'<a href="#record-(\d|across)-\d" tabindex="-1">[^<]+</a>', cell) for cell in numbers)
    article = text.partition('<article id="record-across-')[2].partition("</article>")[0]
    assert len(re.findall(r'<a href="#record-\d-\d">', article)) == 4


def test_records_name_their_files_and_their_command(page: str, results: Store) -> None:
    files = re.findall(r"<code>([^<]*\.json)</code>", page)
    assert files
    assert all((results.root / file).is_file() for file in files)
    assert "harness run --dataset beir/example/test --method bm25 --seed 0" in html.unescape(page)


def test_nothing_is_asked_of_the_network(page: str) -> None:
    parsed = Elements(page)
    for tag, attributes in parsed.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "img"}
        assert "src" not in attributes
        assert not re.match("https?:", str(attributes.get("content", "")))
        assert not any(name.startswith("on") for name in attributes)
    assert "default-src 'none'" in page
    assert "url(" not in asset("page.css")


def test_a_board_full_of_tags_adds_none(put: Callable[..., StoredRecord], results: Store, context: Context) -> None:
    values = {f"q{i}{EVIL.replace(' ', '')}": i / 10 for i in range(10)}
    put("bm25", values, notes=[EVIL, f"`{EVIL}`"], supervision=EVIL, provenance={"commit": EVIL})
    put("dense", values, dataset="beir/example/test", method=f'dense(model="{EVIL}")')
    found = Elements(page_of(results, context))
    assert len(found.scripts) == len(SCRIPTS) + 2
    assert not [tag for tag, _ in found.tags if tag == "img"]
    json.loads(found.scripts[0])


def test_the_page_is_the_same_bytes_again(page: str, results: Store, context: Context) -> None:
    assert page_of(results, context) == page


def test_it_is_the_same_for_a_reader_whose_cache_is_empty(page: str, results: Store, tmp_path: Path) -> None:
    assert page_of(results, api.open_context(cache_dir=tmp_path / "another")) == page


def test_scripts_and_style_leave_room_for_the_data(page: str) -> None:
    assert len(page.encode()) < 1_000_000


def test_a_page_without_records_says_how_to_make_some(results: Store, context: Context) -> None:
    text = page_of(results, context)
    assert "No records yet: <code>harness run</code> creates them." in text


def test_json_in_a_script_opens_no_tag_and_reads_back() -> None:
    value = {EVIL: ["é", 1.5, None], "a": "\u2028\u202e\x1b"}
    assert "<" not in script_json(value)
    assert json.loads(script_json(value)) == {**value, "a": "\\u2028\\u202e\\x1b"}


def test_backticks_are_code_and_nothing_else_is_a_tag() -> None:
    assert ticked("a <b> `x<y` `") == "a &lt;b&gt; <code>x&lt;y</code> `"


def test_a_name_may_be_broken_after_each_slash_and_nothing_else_in_it_is_a_tag() -> None:
    assert parted("a/<b>/c") == "a/<wbr>&lt;b&gt;/<wbr>c"


def test_own_scripts_set_text_and_never_markup() -> None:
    for name in SCRIPTS:
        if not name.startswith("vendor/"):
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", asset(name))
        assert "</script" not in asset(name).lower()


def test_a_page_of_too_many_values_has_those_of_the_best_rows_and_says_so(
    put: Callable[..., StoredRecord], results: Store, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.report.query_blocks.MOST_CELLS", 2 * 2)
    monkeypatch.setattr("harness.report.query_blocks.FEWEST_ROWS", 1)
    for i in range(4):
        put(f"row{i}", {"q1": i / 10, "q2": i / 20})
    api.write_leaderboard(results.root, context)
    text = (results.root / "leaderboard.html").read_text(encoding="utf-8")
    (block,) = re.findall(r'<script type="application/octet-stream" class="queries">(.*?)</script>', text)
    shown = json.loads(gzip.decompress(base64.b64decode(block)))
    assert [row["line"] for row in shown["rows"]] == [0, 1]
    assert "Only the 2 best of 4 rows by nDCG@10 are here" in shown["why"]
    assert all(f"row{i}" in text for i in range(4))  # the table has all
