"""The board as one HTML file that makes no requests.

Everything is inline: the tables as HTML, what scripts draw from as JSON, per-query values packed and unpacked on
demand. A content security policy allows the page's own scripts by their hashes and no others, whatever a corpus
contains.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, Template, select_autoescape
from markupsafe import Markup, escape

import harness
from harness.base.plain import plain
from harness.bench.store import Store, StoredRecord, by_key
from harness.report import across_columns, beyond_columns, columns
from harness.report.across import Across
from harness.report.board import Table
from harness.report.comparisons import by_each_measure
from harness.report.page_data import charts, page_data
from harness.report.page_preview import preview_image
from harness.report.per_query import file_names
from harness.report.query_blocks import QueryBlocks, most_rows
from harness.runtime.context import Context

LIBRARIES = ("vendor/d3.min.js", "vendor/plot.umd.min.js")
OWN = (
    "page",
    "columns",
    "table",
    "records",
    "marks",
    "labels",
    "scatter",
    "charts",
    "matrix",
    "slices",
    "rankings",
    "queries",
    "share",
)
SCRIPTS = (*LIBRARIES, *(f"{name}.js" for name in OWN))
"""In their order: the first of our own has the state that the others listen to."""


def leaderboard_page(
    found: Sequence[Table],
    store: Store,
    stored: Sequence[StoredRecord],
    context: Context,
    over: Across | None = None,
    left_out: Sequence[str] = (),
    advance: Callable[[], object] = lambda: None,
    blocks: QueryBlocks | None = None,
) -> str:
    """The page of a results folder; the same bytes for the same records, runs and collections.

    Args:
        found: its tables, with comparisons.
        store: the folder.
        stored: its records with their places.
        context: data folders and cache; nothing is downloaded.
        over: the table across them with its comparison; None makes it from the tables alone.
        left_out: sentences on records that could not be read.
        advance: called after each dataset.
        blocks: makes the per-query blocks; None makes all of them.
    """
    made, places = blocks or QueryBlocks(), by_key(stored)
    for table in found:
        context.ledger.turn_to(table.dataset)
        made.add(table, store, places, context, most_rows(found, table))
        advance()
    files_of = [[file_names(line, places, store) for line in table.lines] for table in found]
    return page(page_data(by_each_measure(found, store, stored), files_of, over), made.finished(), left_out)


def page(data: Mapping[str, Any], queries: Sequence[str], left_out: Sequence[str] = ()) -> str:
    """The whole page; the same bytes for the same data.

    Args:
        data: see `harness.report.page_data.page_data`.
        queries: for each dataset what the query browser shows of it, packed; empty where there is nothing.
        left_out: sentences on records that could not be read.
    """
    scripts = [asset(name) for name in SCRIPTS]
    return _template().render(
        data=data,
        charts=script_json(charts(data)),
        queries=queries,
        left_out=left_out,
        preview=preview_image(data),
        scripts=scripts,
        hashes=[_hash(script) for script in scripts],
        style=asset("page.css"),
        explained=columns.explanation(),
        explained_across=f"{across_columns.EXPLAINED} {beyond_columns.EXPLAINED}",
        version=harness.__version__,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=BaseLoader(),
        autoescape=select_autoescape(default_for_string=True),
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["ticked"] = ticked
    environment.filters["parted"] = parted
    return environment.from_string(asset("page.html.jinja"))


def _shown(value: object) -> object:
    """What the template writes: text without control characters; markup is the template's own or made by a filter
    here.
    """
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def ticked(text: str) -> Markup:
    """Text whose parts between backticks are code; everything in it is escaped."""
    parts = re.split("`([^`]*)`", plain(text))
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def parted(name: str) -> Markup:
    """A name that may be broken after each `/`; everything in it is escaped."""
    return Markup("/<wbr>").join(plain(name).split("/"))


def script_json(value: object) -> str:
    """JSON for a script element: no `<` opens a tag or a comment in it."""
    text = json.dumps(cleaned(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def cleaned(value: Any) -> Any:
    """JSON whose texts, keys too, have no control characters."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {plain(key): cleaned(each) for key, each in value.items()}
    return [cleaned(each) for each in value] if isinstance(value, (list, tuple)) else value


@cache
def asset(name: str) -> str:
    """A file of the page's own."""
    return (files("harness.report") / "assets" / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
