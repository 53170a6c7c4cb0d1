"""retrieval-harness: methods of retrieval, trained where needed, measured end to end over BEIR-style collections.

The rooms, from the ground up; a file imports only from those above it here, or before it in its line
(`tests/test_layers.py` reads this map):

    errors, plain, redaction, values, registry, files, json_files, optional, memory, threads   what everything stands on
    corpus, judged, ranking             documents; queries and judgements; the one order
    sentences                           text → sentences and chunks
    cache/                              kept things, by content
    context, streams, screen, progress, options   seed, cache and ledger of a run; the terminal; bars; shared options
    analyzers/ fusions/ indexes/        plural: text → terms; rankings → one; vectors → the nearest
    engines/                            plural: a model and token numbers → vectors or scores
    feedback/                           plural: a query and what it found → a weighted query
    datasets/                           plural: where judged collections come from
    leaks, taught                       what training has seen of the test split; what a model was taught
    findings, corpus_check, checks      what is wrong with a collection
    measures, trec                      ir-measures; run files
    lexical/ lucene/ modeling/          BM25; Lucene in a process of its own; encoders and cross-encoders
    endpoints/                          hosted models: keys, prices, caps, what was answered
    losses/ generators/                 plural: losses that sentence-transformers lacks; passages → questions
    methods                             the contract of the rows (the room's `__init__`)
    training/                           gold pairs, negatives, teacher, dev, the one loop
    recipes                             the contract of the recipes
    methods/                            plural: the rows of the leaderboard
    recipes/                            plural: ways of fine-tuning
    expressions, rows                   values as text; the default rows
    executors/ searches/                plural: where jobs run; which points of a space are tried
    statistics/                         is a difference real?
    bench/ sweep/ report/               plan, runner, records; many settings, one chosen on dev; tables, pages, plots
    exchange/                           other tools' forms: BEIR, TREC, MTEB; figures of others
    api, validation, auditing, deciding, sweeping, exporting, listing, caching, commands, cli, __main__   the ways in

A plural room is an extension point: drop one file in, and it exists under the file's name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import Board, open_context, run
    from harness.bench.runner import Bench
    from harness.corpus import Corpus
    from harness.datasets import load_dataset
    from harness.errors import HarnessError
    from harness.exchange.mteb_model import MTEBModel
    from harness.judged import Dataset, Queries, TrainView
    from harness.methods import Method
    from harness.rows import parse_method
    from harness.validation import validate

__version__ = "0.1.0"

_PUBLIC = {
    "Bench": "harness.bench.runner",
    "Board": "harness.api",
    "Corpus": "harness.corpus",
    "Dataset": "harness.judged",
    "HarnessError": "harness.errors",
    "MTEBModel": "harness.exchange.mteb_model",
    "Method": "harness.methods",
    "Queries": "harness.judged",
    "TrainView": "harness.judged",
    "load_dataset": "harness.datasets",
    "open_context": "harness.api",
    "parse_method": "harness.rows",
    "run": "harness.api",
    "validate": "harness.validation",
}

__all__ = [
    "Bench",
    "Board",
    "Corpus",
    "Dataset",
    "HarnessError",
    "MTEBModel",
    "Method",
    "Queries",
    "TrainView",
    "load_dataset",
    "open_context",
    "parse_method",
    "run",
    "validate",
]


def __getattr__(name: str) -> Any:
    """Public names are imported when first used, so that `harness --help` pays for none of them."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
