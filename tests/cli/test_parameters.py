"""Parameters agree with the functions of `harness.api` that they are passed to."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from harness import api
from harness.base import defaults
from harness.cli import board, exchange, sweep, verdicts
from harness.cli.dataset_parameters import DefaultDataset
from harness.cli.declaration import Parameters, declared
from harness.cli.parameters import Datasets, OneMeasure, Resources

COMMANDS: list[tuple[type[Parameters], Callable[..., object]]] = [
    (board.Run, api.run),
    (verdicts.Validate, api.validate),
    (verdicts.Decide, api.decide),
    (verdicts.Compare, api.compare),
    (verdicts.Audit, api.audit),
    (verdicts.Accept, api.accept),
    (sweep.Sweep, api.sweep),
    (exchange.ExportTrec, api.export_trec),
]


@pytest.mark.parametrize(("parameters", "function"), COMMANDS, ids=lambda each: each.__name__)
def test_a_command_and_its_function_have_the_same_defaults(
    parameters: type[Parameters], function: Callable[..., object]
) -> None:
    signature = inspect.signature(function).parameters
    own = {each.name: each.default for each in declared(parameters)}
    shared = {name for name in own if name in signature and name not in ("dataset", "measure")}
    assert shared >= {"results"}
    for name in shared:
        given = signature[name].default
        assert given is inspect.Parameter.empty or own[name] == given, name


def test_every_parameter_has_help() -> None:
    for parameters, _ in COMMANDS:
        for each in declared(parameters):
            assert each.info.help, each.name


def test_the_context_has_the_defaults_of_the_command_line() -> None:
    signature = inspect.signature(api.open_context).parameters
    for name in ("seed", "device", "batch_tokens", "memory", "cache_dir"):
        assert getattr(Resources(), name) == signature[name].default


def test_a_default_dataset_and_measure_are_those_of_the_functions() -> None:
    assert DefaultDataset().one_dataset == Datasets().datasets[0] == defaults.DATASET
    assert OneMeasure().one_measure == inspect.signature(api.validate).parameters["measure"].default
    assert OneMeasure(measure=["P@5"]).one_measure == "P@5"
