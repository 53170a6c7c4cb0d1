"""OpenVINO: the transformer, its pooling and its normalisation as one compiled graph; on the CPU."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import importlib.util
import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.base.optional import library
from harness.data.ranking import Floats
from harness.engines import Batch, Engine, Network, Running, Unfit
from harness.engines._processor import multiplies_bf16, processor

MODULES = frozenset({"Transformer", "Pooling", "Dense", "Normalize", "LayerNorm", "Dropout", "SpladePooling"})
"""Modules of sentence-transformers that are only arithmetic on token vectors."""
HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "bf16"}
TOKENS = 1024
"""Of a batch for each thread; batches of four times as many were a tenth slower."""
MULTIPLE = 16
"""Tokens that a text is padded to a multiple of; other lengths were up to 14 % slower in bf16."""
ALONE = 32
"""Tokens up to which one thread computes a text that is alone in its batch, as a query is while latency is measured."""
LIGHT = 128 * 2**20
"""Bytes of a graph up to which that is done: a larger one has work for several threads, and is not held twice."""
ONE_THREAD = {"INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
"""Settings of the copy for a text alone. A pinned thread would stay on a core that another process uses."""
GRAPH = "graph.blob"


@dataclass(frozen=True)
class Openvino(Engine):
    """`openvino.convert_model` on the loaded model; the graph is traced once and takes batches of any shape.

    fp32 computes what `torch` computes, with sums in another order. bf16 rounds the factors of each product; sums stay
    in fp32. int8 has a scale and an offset for each row of a weight matrix (`nncf.compress_weights`), and computes in
    bf16 if the processor has it, else in fp32.
    """

    precisions = ("fp32", "bf16", "int8")

    def speeds(self, device: str) -> Mapping[str, float]:
        """See `Engine.speeds`."""
        if device != "cpu":
            return {}
        if multiplies_bf16():
            return {"fp32": 1.4, "int8": 2.4, "bf16": 2.5}
        return {"fp32": 1.3, "int8": 1.2}

    def versions(self, precision: str) -> dict[str, str]:
        """See `Engine.versions`; only int8 needs nncf."""
        needed = ("openvino", "nncf") if precision == "int8" else ("openvino",)
        for name in needed:
            if importlib.util.find_spec(name) is None:  # not imported, since that takes long and a key needs it often
                library(name, "openvino")
        return {name: importlib.metadata.version(name) for name in needed}

    def start(self, network: Network, precision: str) -> Running:
        """See `Engine.start`. The compiled graph is kept, since tracing a model takes seconds."""
        openvino = library("openvino", "openvino")
        model = network.load("fp32")
        if reason := _reason(model, network):
            raise Unfit(f"OpenVINO cannot run {network.name}: {reason}.")
        assert network.example is not None
        names = tuple(network.example.arrays)
        try:
            return _Running(*_kept(openvino, model, network, names, precision), names)
        except (RuntimeError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
            message = str(error).strip().partition("\n")[0]
            raise Unfit(f"OpenVINO cannot run {network.name}: {type(error).__name__}: {message}") from error


_Copy = Callable[[], Any]
"""→ the graph on one thread; None if it is too large, or not kept in the cache."""


class _Running:
    multiple = MULTIPLE

    def __init__(self, compiled: Any, copy: _Copy, names: tuple[str, ...]) -> None:
        self._threads = int(compiled.get_property("INFERENCE_NUM_THREADS"))
        self.tokens = TOKENS * self._threads
        self._request, self._copy, self._names = compiled.create_infer_request(), copy, names

    def __call__(self, batch: Batch) -> Floats:
        arrays = [np.ascontiguousarray(batch.arrays[name]) for name in self._names]
        is_alone = len(arrays[0]) == 1 and arrays[0].size <= ALONE
        output = (self._request_alone if is_alone else self._request).infer(arrays, share_inputs=True)
        return np.array(output[0], dtype=np.float32)  # a copy, since the next batch overwrites the output

    @functools.cached_property
    def _request_alone(self) -> Any:
        """Of a copy of the graph on one thread, made for the first text alone; the usual one if there is no copy."""
        copied = self._copy() if self._threads > 1 else None
        return copied.create_infer_request() if copied else self._request


def _kept(openvino: Any, model: Any, network: Network, names: tuple[str, ...], precision: str) -> tuple[Any, _Copy]:
    """The compiled graph, from the cache or compiled now, and how to make its copy on one thread."""
    core, settings = openvino.Core(), _settings(precision)
    compiled: Any = None

    def compiled_now() -> Any:
        graph = _traced(openvino, model, network, names)
        return core.compile_model(_compressed(graph) if precision == "int8" else graph, "CPU", settings)

    def compile_into(folder: Path) -> None:
        nonlocal compiled
        compiled = compiled_now()
        (folder / GRAPH).write_bytes(compiled.export_model().getbuffer())

    if network.keep is None:
        return compiled_now(), lambda: None
    name, flags = processor()
    masked = os.environ.get("ONEDNN_MAX_CPU_ISA")
    deciding = {"processor": [name, masked, *sorted(flags)], "settings": settings, "inputs": names}
    file = network.keep(deciding, compile_into) / GRAPH

    def copy() -> Any:
        # Read from the file: OpenVINO cannot read what a graph exports that was itself read from a file.
        with contextlib.suppress(FileNotFoundError):  # the cache was emptied since
            if file.stat().st_size <= LIGHT:
                return core.import_model(file.read_bytes(), "CPU", settings | ONE_THREAD)
        return None

    return compiled or core.import_model(file.read_bytes(), "CPU", settings), copy


def _reason(model: Any, network: Network) -> str:
    """Why a model cannot be traced; empty if it can."""
    if model.device.type != "cpu":
        return f"it runs on the CPU, the model is on {model.device}"
    if network.example is None:
        return "it does not read plain token numbers"
    for module in model.children():
        kind = type(module)
        if not kind.__module__.startswith("sentence_transformers.") or kind.__name__ not in MODULES:
            return f"its module {kind.__module__}.{kind.__name__} is not known to be plain arithmetic"
        inner = type(getattr(module, "model", module))
        if kind.__name__ == "Transformer" and not inner.__module__.startswith("transformers."):
            return f"{inner.__module__}.{inner.__name__} is not code of transformers"
        # A graph is traced once, and the prompts of queries and documents differ in length.
        if getattr(module, "include_prompt", True) is False:
            return "its pooling leaves the prompt out (include_prompt is false)"
    return ""


def _traced(openvino: Any, model: Any, network: Network, names: tuple[str, ...]) -> Any:
    import torch

    example = network.example
    assert example is not None
    extras = example.extras

    class Output(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, *arrays: torch.Tensor) -> torch.Tensor:
            features = dict(zip(names, arrays, strict=True))
            output: torch.Tensor = self.inner({**features, **extras})[network.output]
            if network.normalise:
                return torch.nn.functional.normalize(output, p=2, dim=1)
            return output if output.ndim == 2 else output.unsqueeze(1)

    inputs = tuple(torch.from_numpy(np.asarray(example.arrays[name])) for name in names)
    with torch.no_grad(), _quietly():
        return openvino.convert_model(Output().eval(), example_input=inputs)


def _compressed(graph: Any) -> Any:
    with _quietly():
        nncf = library("nncf", "openvino")
        return nncf.compress_weights(graph, mode=nncf.CompressWeightsMode.INT8_ASYM)


def _settings(precision: str) -> dict[str, Any]:
    """Of the compiled graph."""
    import torch

    return {
        "INFERENCE_PRECISION_HINT": HINTS[precision] if multiplies_bf16() else "f32",
        "PERFORMANCE_HINT": "LATENCY",  # one batch at a time, on all threads
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),  # set by OMP_NUM_THREADS
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,  # otherwise activations would be rounded to eight bits too
    }


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Inside, the libraries send no telemetry, show no progress and do not warn of values that tracing makes constant.

    Whether those values matter is shown by the engine check. Both libraries send no telemetry if the environment says
    that this is continuous integration.
    """
    settings = {"CI": "true", "NNCF_CI": "1"}
    before = {name: os.environ.get(name) for name in settings}
    loggers = [logging.getLogger(name) for name in ("nncf", "transformers")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        os.environ.update(settings)
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
