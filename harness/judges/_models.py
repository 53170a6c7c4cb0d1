"""What judges that compute share: the names of their models, and a place on their scale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from annotated_types import Interval

from harness.choices.value import Value

Place = Annotated[float, Interval(ge=-1, le=2)]
"""0 is the score of a random document, 1 that of one that is known to answer."""


def models_of(value: Value) -> frozenset[str]:
    """Names of the models in a row and its parts; `bm25` and other rows without a model name themselves."""
    return frozenset(_models(value)) or frozenset({value.name()})


def _models(value: Value) -> Iterator[str]:
    if model := getattr(value, "model", None):
        yield str(model)
    for part in value.parts():
        yield from _models(part)
