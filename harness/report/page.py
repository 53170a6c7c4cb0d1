"""The board as one HTML file that asks nothing of the network.

Everything is inline: the tables as HTML, what scripts draw from as JSON, per-query values packed and unpacked when asked for. A
content security policy names the page's own scripts by their hashes, so that nothing else runs, whatever a corpus holds.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

import harness
from harness.bench.store import Store, Stored
from harness.context import Context
from harness.report.board import Across, Table
from harness.report.collection import words
from harness.report.page_data import charts, page_data
from harness.report.per_query import file_names, packed, per_query
from harness.report.placed import AGAINST, EXPLAINED, EXPLAINED_ACROSS
from harness.report.standings import by_each_measure

SCRIPTS = ("vendor/d3.min.js", "vendor/plot.umd.min.js", "page.js", "charts.js", "queries.js")


def leaderboard_page(
    found: Sequence[Table], store: Store, held: Sequence[Stored], context: Context, over: Across | None = None
) -> str:
    """The page of a results folder; the same bytes for the same records, runs and collections.

    Args:
        found: its tables, with standings.
        store: the folder.
        held: its records with their places.
        context: data folders and cache; nothing is downloaded.
        over: the table across them with its standing; None takes it from the tables alone.
    """
    blocks = []
    for table in found:
        context.turn_to(table.dataset)
        said, why = words(table.dataset, table.first.dataset["revision"], context)
        blocks.append(packed(per_query(table, store, held, said, why, context.cache)))
    files_of = [[file_names(line, held, store) for line in table.lines] for table in found]
    return page(page_data(by_each_measure(found, store, held), files_of, over), blocks)


def page(data: Mapping[str, Any], queries: Sequence[str]) -> str:
    """The whole page; the same bytes for the same data.

    Args:
        data: see `harness.report.page_data.page_data`.
        queries: for each dataset what the query browser shows of it, packed; empty where there is nothing.
    """
    scripts = [asset(name) for name in SCRIPTS]
    environment = Environment(
        loader=BaseLoader(),
        autoescape=select_autoescape(default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["ticked"] = ticked
    environment.filters["parted"] = parted
    template = environment.from_string(asset("page.html.jinja"))
    return template.render(
        data=data,
        charts=script_json(charts(data)),
        queries=queries,
        scripts=scripts,
        hashes=[_hash(script) for script in scripts],
        style=asset("page.css"),
        explained=EXPLAINED,
        explained_across=EXPLAINED_ACROSS,
        against=AGAINST,
        version=harness.__version__,
    )


def ticked(text: str) -> Markup:
    """Text whose parts between backticks are code; everything in it is escaped."""
    parts = re.split("`([^`]*)`", text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def parted(name: str) -> Markup:
    """A name that may be broken after each `/`; everything in it is escaped."""
    return Markup("/<wbr>").join(name.split("/"))


def script_json(value: object) -> str:
    """JSON that may stand in a script element: no `<` opens a tag or a comment in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def asset(name: str) -> str:
    """A file of the page's own."""
    return (files("harness.report") / "assets" / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
