"""The identity of a row: a hash of everything that can change its scores. A record with the same identity is up to
date.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from harness.bench.provenance import packages
from harness.cache.code import modules_of
from harness.choices.value import Value
from harness.methods import Method
from harness.runtime.context import Context

ROOMS: Final = (
    # Texts, queries, judgements, the order of documents, measures.
    "data",
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


def identity(method: Method, context: Context, **more: Any) -> str:
    """Hash of all that decides a row's scores: settings, models, seed, code, package versions, and what the caller
    adds.

    Raises:
        Unavailable: a model or file that the settings name does not exist.
    """
    deciding: dict[str, Any] = {
        "method": method.full(),
        "inputs": method.inputs(context),
        "seed": context.seed,
        "code": modules_of_row(method),
        "packages": packages(),
        **more,
    }
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:32]


def modules_of_row(method: Value) -> dict[str, str]:
    """Module → hash of its code, for every module that can change the scores of a row.

    These are the modules of the method and of the values inside it with what they import: from this package only those
    in `ROOMS`, from other packages (plug-ins) whatever belongs to the plug-in.
    """
    return modules_of(*EVERY_ROW, method, rooms=ROOMS)


def code_of_row(method: Value) -> str:
    """16 hexadecimal digits over `modules_of_row`."""
    return hashlib.sha256(json.dumps(modules_of_row(method)).encode()).hexdigest()[:16]
