"""The engine check: a fast engine is compared with fp32 `torch` on some texts of the collection before it is used.

A sample of documents, spread over their lengths, and of queries goes through both. Measured are the largest change of a
vector's direction (and, if dot products rank, of its length) or of a pair's score, and how many of each sample query's
ten best sample documents stay. An engine that changes more than is allowed is refused and the next one is tried; the
last is fp32 `torch` itself. The result is cached and put into the record (as `golden_probe`); it is no part of a key.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.base.errors import ModelError, Unavailable
from harness.cache.code import MODELS, code_of
from harness.data.dataset import TrainView
from harness.engines import Unfit
from harness.engines._processor import processor
from harness.engines.torch import Torch
from harness.models.engine_compare import OVERLAP, SampleOutputs, Trial, compare
from harness.models.engine_settings import REFERENCE, EngineConfig, EngineSettings
from harness.models.sample import Sample, sample
from harness.runtime.build_once import build_once
from harness.runtime.context import Context

Compute = Callable[[EngineConfig, Sample], SampleOutputs]
"""Computes a sample with an engine at a precision."""


@dataclass(frozen=True)
class EngineChoice:
    """The engine and precision that a row uses, and the trials that led to them.

    Args:
        config: what is used.
        trials: in the order tried.
        sample: number of documents and of queries that they were tried on.
    """

    config: EngineConfig
    trials: tuple[Trial, ...] = ()
    sample: tuple[int, int] = (0, 0)

    def record(self) -> dict[str, Any]:
        """For the record of a run; empty if nothing had to be chosen."""
        if not self.trials:
            return {}
        documents, queries = self.sample
        probe = {
            "documents": documents,
            "queries": queries,
            "least_overlap": OVERLAP,
            "tried": [trial.record() for trial in self.trials],
        }
        engine = self.config.engine
        return {"engine": str(engine), "versions": engine.versions(), "golden_probe": probe}

    def notes(self, requested: EngineSettings) -> tuple[str, ...]:
        """What a reader of the scores must know: that another engine was used than the one that was requested."""
        failed = [trial for trial in self.trials if trial.verdict in ("refused", "unfit")]
        if requested.precision == "auto" or not failed:
            return ()
        return (f"{self.config} was used instead of {failed[0].way}: {'; '.join(map(str, failed))}",)


def choose_engine(
    requested: EngineSettings, key: str, view: TrainView, compute: Compute, context: Context
) -> EngineChoice:
    """The fastest of the requested engines that stays near fp32 `torch`.

    Trials are cached by model, collection, versions of the engines, processor and number of threads.

    Args:
        requested: engines, precision and tolerance.
        key: hash of the model and of all else that decides an output in fp32.
        view: the sample's texts come from its documents, and from its training queries or the beginnings of documents.
        compute: the outputs of an engine for the sample.
        context: device, cache.

    Raises:
        Unavailable: the library of the engine that is named is not installed.
    """
    if requested.is_plain_torch:
        return EngineChoice(EngineConfig(requested.engine or Torch(), requested.precision))
    configs, absent = _candidates(requested, context)
    deciding = {
        "code": code_of(__name__, *(config.engine for config in configs), libraries=MODELS),
        "model": key,
        "view": view.revision,
        "ways": [[str(c), c.engine.versions(), requested.bound(c.precision)] for c in configs],
        "device": [context.device, os.environ.get("CUDA_VISIBLE_DEVICES"), processor()[0]],
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }
    name = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:32]

    def measure(folder: Path) -> None:
        texts = sample(view)
        trials = _tried(configs, requested, texts, compute)
        result = {"trials": [asdict(t) for t in trials], "sample": [len(texts.documents), len(texts.queries)]}
        (folder / "choice.json").write_text(json.dumps(result, indent=1), encoding="utf-8")

    describe = {"model": key, "ways": [str(config) for config in configs], "corpus": view.corpus.revision}
    place = build_once(context, "golden", name, describe, measure)
    stored = json.loads((place / "choice.json").read_text(encoding="utf-8"))
    trials = [Trial(**trial) for trial in stored["trials"]]
    taken = next((trial.way for trial in trials if trial.verdict == "taken"), str(REFERENCE))
    config = next(config for config in [*configs, REFERENCE] if str(config) == taken)
    return EngineChoice(config, (*absent, *trials), (stored["sample"][0], stored["sample"][1]))


def _candidates(requested: EngineSettings, context: Context) -> tuple[list[EngineConfig], list[Trial]]:
    """The configurations to try, fastest first, without fp32 `torch`; and the engines that are not installed."""
    device = _device(context)
    timed: list[tuple[float, EngineConfig]] = []
    absent: list[Trial] = []
    for engine in requested.engines():
        try:
            engine.versions()
        except Unavailable as error:
            if requested.engine is not None:
                raise
            absent.append(Trial(str(engine), "absent", why=str(error)))
            continue
        speeds = engine.speeds(device)
        if requested.precision == "auto":
            timed += [(speed, EngineConfig(engine, precision)) for precision, speed in speeds.items() if speed > 1]
        elif requested.precision in engine.precisions:
            timed.append((speeds.get(requested.precision, 0.0), EngineConfig(engine, requested.precision)))
    if requested.precision not in ("auto", *Torch.precisions) and not timed:
        raise Unavailable(
            f"no installed engine supports precision {requested.precision}.", " ".join(t.why for t in absent)
        )
    configs = [config for _, config in sorted(timed, key=lambda each: -each[0])]
    if requested.precision in Torch.precisions and requested.precision != "fp32":
        configs.append(EngineConfig(Torch(), requested.precision))
    return [config for config in configs if config != REFERENCE], absent


def _device(context: Context) -> str:
    """The kind of device that models run on."""
    if context.device is not None:
        return context.device
    from sentence_transformers.util import get_device_name

    return str(get_device_name())


def _tried(configs: Sequence[EngineConfig], requested: EngineSettings, texts: Sample, compute: Compute) -> list[Trial]:
    """Tries the configurations in order until the first one passes."""
    trials: list[Trial] = []
    reference: SampleOutputs | None = None
    for config in configs:
        try:
            outputs = compute(config, texts)
        except ModelError as error:
            trials.append(Trial(str(config), "unfit" if isinstance(error, Unfit) else "refused", why=str(error)))
            continue
        reference = reference or compute(REFERENCE, texts)
        trial = compare(config, outputs, reference, requested.bound(config.precision))
        trials.append(trial)
        if trial.verdict == "taken":
            break
    return trials
