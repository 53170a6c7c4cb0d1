"""retrieval-harness: methods of retrieval, trained where needed, measured end to end over BEIR-style collections.

The rooms, from the ground up. A file imports only from its own room and from rooms above it in this list, or before it
in its line (`tests/test_layers.py` reads this map):

    base/                       errors, files, memory, threads, text that is safe to show
    choices/                    how a choice is written, checked, looked up and read back
    statistics/                 numbers in, numbers out
    measures/                   plural: the judgements and the ranking of a query → its score
    data/                       documents, queries, judgements, the one order, measures, TREC files
    cache/                      built things, stored by content
    runtime/                    settings of a run; what was done once and timed
    analyzers/ fusions/ indexes/    plural: text → terms; rankings → one; vectors → the nearest
    engines/                    plural: a model and token numbers → vectors or scores
    feedback/                   plural: a query and its results → a weighted query
    leaks/                      which texts are alike; what a model was trained on
    collection/                 a judged collection: its files, splits, dev cut and folds
    datasets/                   plural: where judged collections come from
    datacheck/                  what is wrong with a collection
    lexical/ lucene/ models/    BM25; Lucene in its own process; encoders and cross-encoders
    endpoints/                  hosted models: keys, prices, caps, stored answers
    losses/ generators/         plural: losses that sentence-transformers lacks; passages → questions
    methods/                    plural: the rows of the leaderboard
    training/                   gold pairs, negatives, teachers, dev, the one loop; the trained row
    recipes/                    plural: ways of fine-tuning
    judges/                     plural: a query and a document → a grade
    rows                        the default rows, and the text of any row
    executors/ searches/        plural: where jobs run; which points of a space are tried
    bench/                      rows × datasets → records
    compare/                    records → verdicts, ties, decisions
    audit/                      what a score depends on
    sweep/                      many settings, one chosen on dev, that one reported on test
    report/                     tables, page, plots, terminal
    claims/                     what papers claim, tested on records
    exchange/                   formats of other tools: BEIR, TREC, MTEB
    judging/ testset/           missing judgements filled in; test sets made from a corpus
    api                         one function for each use
    cli/                        arguments → one call of the API → output
    suites/                     the benchmark as items of pytest; fixtures for tests of one's own rows
    __main__                    `python -m harness`

A plural room is an extension point: drop one file in, and it exists under the file's name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import Board, open_context, run
    from harness.base.errors import HarnessError
    from harness.bench.runner import Bench
    from harness.compare.validate import validate
    from harness.data.corpus import Corpus
    from harness.data.dataset import Dataset, TrainView
    from harness.data.queries import Queries
    from harness.datasets import load_dataset
    from harness.exchange.beir_search import BEIRSearch
    from harness.exchange.mteb_model import MTEBModel
    from harness.methods import Method
    from harness.rows import parse_method
    from harness.suites.gate import assert_not_worse

__version__ = "0.1.0"

_PUBLIC = {
    "BEIRSearch": "harness.exchange.beir_search",
    "Bench": "harness.bench.runner",
    "Board": "harness.api",
    "Corpus": "harness.data.corpus",
    "Dataset": "harness.data.dataset",
    "HarnessError": "harness.base.errors",
    "MTEBModel": "harness.exchange.mteb_model",
    "Method": "harness.methods",
    "Queries": "harness.data.queries",
    "TrainView": "harness.data.dataset",
    "assert_not_worse": "harness.suites.gate",
    "load_dataset": "harness.datasets",
    "open_context": "harness.api",
    "parse_method": "harness.rows",
    "run": "harness.api",
    "validate": "harness.compare.validate",
}

__all__ = [
    "BEIRSearch",
    "Bench",
    "Board",
    "Corpus",
    "Dataset",
    "HarnessError",
    "MTEBModel",
    "Method",
    "Queries",
    "TrainView",
    "assert_not_worse",
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
