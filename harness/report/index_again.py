"""Whether a trained row needs every document encoded again: what switching to it costs beyond the training."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from harness.base.errors import HarnessError
from harness.choices.value import Value
from harness.rows import parse_method
from harness.training.trained import Trained

PAIRS = "cross_encoder"
"""The kind of model that reads a query with a document: nothing of it is in an index."""


@functools.cache
def index_again(method: str) -> bool | None:
    """Whether a model of the row was trained that encodes documents.

    Not so if only the side of the queries was trained (`sides="query"`), and not for cross-encoders.

    Args:
        method: the expression of a record.

    Returns:
        None if nothing was trained, or the expression cannot be read.
    """
    try:
        trained = list(_trained(parse_method(method)))
    except HarnessError:  # of an earlier version, or of a package that is not installed
        return None
    return any(map(_encodes_documents, trained)) if trained else None


def _encodes_documents(row: Trained) -> bool:
    queries_only = all(getattr(recipe, "sides", None) == "query" for recipe in row.recipes)
    return row.method.kind != PAIRS and not queries_only


def _trained(value: Value) -> Iterator[Trained]:
    if isinstance(value, Trained):
        yield value
    for part in value.parts() if not isinstance(value, Trained) else value.nested():
        yield from _trained(part)
