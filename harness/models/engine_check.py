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

from harness.base.errors import ModelError
from harness.cache.code import MODELS, code_of
from harness.data.dataset import TrainView
from harness.engines import Unfit
from harness.engines._processor import may_have_accelerator, processor
from harness.engines.torch import Torch
from harness.models.engine_compare import OVERLAP, SampleOutputs, Trial, compare
from harness.models.engine_settings import REFERENCE, EngineConfig, EngineSettings
from harness.models.sample import Sample, sample
from harness.runtime.build_once import build_once
from harness.runtime.context import Context

FEW = 100
"""Of fewer documents `auto` takes fp32 `torch`: the check would take longer than it saves. A cross-encoder reads each
of them for many queries, and is always checked.
"""
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
        versions = engine.versions(self.config.precision)
        return {"engine": str(engine), "versions": versions, "golden_probe": probe}

    def notes(self, requested: EngineSettings) -> tuple[str, ...]:
        """What a reader of the scores must know: what `auto` took, or that the requested engine was not used."""
        failed = [trial for trial in self.trials if trial.verdict in ("refused", "unfit")]
        taken = [trial for trial in self.trials if trial.verdict == "taken"]
        if requested.precision == "auto":
            return tuple(f"computed by {trial.way} (precision auto), which passes the engine check" for trial in taken)
        if not failed:
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
        view: the sample's texts come from its documents, and from its training queries or the beginnings of documents;
            the same for all folds of a collection (`TrainView.shared`).
        compute: the outputs of an engine for the sample.
        context: device, cache.

    Raises:
        Unavailable: the library of the engine that is named is not installed.
    """
    view = view.shared
    configs, missing = requested.candidates(lambda: device_of(context))
    if not configs or (requested.precision == "auto" and len(view.corpus) < FEW and not requested.pair_scores):
        return EngineChoice(EngineConfig(requested.engine or Torch(), requested.opened))
    absent = [Trial(engine, "absent", why=str(error)) for engine, error in missing.items()]
    deciding = {
        "code": code_of(__name__, *(config.engine for config in configs), libraries=MODELS),
        "model": key,
        "view": view.revision,
        "ways": [[str(c), c.engine.versions(c.precision), requested.bound(c.precision)] for c in configs],
        "device": [device_of(context), os.environ.get("CUDA_VISIBLE_DEVICES"), processor()[0]],
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


def device_of(context: Context) -> str:
    """The kind of device that models run on."""
    if context.device is not None:
        return context.device
    if not may_have_accelerator():
        return "cpu"
    from sentence_transformers.util import get_device_name  # slow to import

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
