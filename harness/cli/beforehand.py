"""What a command starts before its work."""

from __future__ import annotations

from collections.abc import Iterable

from harness.base.first_import import compile_in_background
from harness.choices.value import Value
from harness.methods import Method, TrainableMethod


def compile_for(methods: Iterable[Method]) -> None:
    """Lets another process compile the libraries that compute models, if a row has one: see
    `harness.base.first_import`.
    """
    if any(_has_model(method) for method in methods):
        compile_in_background()


def _has_model(value: Value) -> bool:
    return isinstance(value, TrainableMethod) or any(map(_has_model, value.parts()))
