"""The identity of a row: a hash of everything that can change its scores. A record with the same identity is up to
date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

from harness.bench.provenance import packages
from harness.cache.code import modules_of
from harness.choices.value import Value
from harness.data.measures import parse_measures
from harness.measures import items_in
from harness.methods import Method
from harness.runtime.context import Context

ROOMS: Final = (
    # Texts, queries, judgements, the order of documents, measures.
    *("data", "measures"),
    # Text and vectors → documents.
    *("analyzers", "lexical", "lucene", "indexes", "fusions", "feedback"),
    # Models: how they are loaded, computed, called over HTTP and trained.
    *("models", "engines", "endpoints", "generators", "losses", "training"),
    # What is a row.
    *("methods", "recipes"),
    # The numbers that come back from disk, and the seed.
    *("cache.vectors", "cache.ragged", "cache.shards", "cache.shard_store", "runtime.context"),
)
"""The rooms (and single modules) whose code can change a score. Of these, the modules that a row uses are in its
identity; all other code of the package (reports, statistics, command line, executors, …) is in no row's identity.
How this list differs from the one for keys of the cache is said in `harness.cache.code`.
"""
EVERY_ROW: Final = ("harness.data.queries", "harness.data.ranking", "harness.data.measures")
"""Modules that every row goes through."""


def identity(method: Method, context: Context, measures: Iterable[str] = (), **more: Any) -> str:
    """Hash of all that decides a row's scores: settings, models, seed, code, package versions, and what the caller
    adds.

    Args:
        method: the row.
        context: its seed counts.
        measures: in ir-measures' notation, in any order; the code of those from the room `measures` counts.
        more: JSON-safe.

    Raises:
        SettingError: a measure that cannot be parsed.
        Unavailable: a model or file that the settings name does not exist.
    """
    names = sorted(measures)
    deciding: dict[str, Any] = {
        "method": method.full(),
        "inputs": method.inputs(context),
        "seed": context.seed,
        "measures": names,
        "code": modules_of_row(method, names),
        "packages": packages(),
        **more,
    }
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:32]


def modules_of_row(method: Value, measures: Iterable[str] = ()) -> dict[str, str]:
    """Module → hash of its code, for every module that can change the scores of a row.

    These are the modules of the method, of the values inside it and of measures of the room `measures`, with what they
    import: from this package only those in `ROOMS`, from other packages (plug-ins) whatever belongs to the plug-in.
    """
    names = list(measures)
    items = items_in(parse_measures(names)) if names else []
    return modules_of(*EVERY_ROW, method, *items, rooms=ROOMS)


def code_of_row(method: Value, measures: Iterable[str] = ()) -> str:
    """16 hexadecimal digits over `modules_of_row`."""
    return hashlib.sha256(json.dumps(modules_of_row(method, measures)).encode()).hexdigest()[:16]
