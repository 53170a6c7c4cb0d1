"""The golden probe: before a fast engine is trusted with a collection, it is held against fp32 `torch` on some of its
texts.

A sample of documents, spread over their lengths, and of queries goes through both. What is compared is the largest
change of a vector's direction (and, where dot products rank, of its length), or of a pair's score, and how many of each
sample query's ten best sample documents stay. A way that changes more than is allowed is refused and the next one
tried; the last is fp32 `torch` itself. What was found is kept, told in the record, and part of nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from harness.base.errors import ModelError, SettingError, Unavailable
from harness.cache.code import MODELS, code_of
from harness.data.dataset import TrainView
from harness.data.ranking import Floats
from harness.engines import ENGINES, PRECISIONS, Engine, Unfit
from harness.engines._processor import processor
from harness.engines.torch import Torch
from harness.models.sample import Sample, sample
from harness.runtime.context import Context

EXACT, NEAR = 1e-5, 1e-2
"""The largest change of a vector allowed by default: in fp32, where only the order of sums differs, and below."""
WIDE = 10
"""Scores of pairs may move so many times as far: they are differences of large sums, and vary less than they are large.
"""
OVERLAP = 0.9
"""The least share of the sample queries' best documents that has to stay."""
TOP = 10


@dataclass(frozen=True)
class Way:
    """An engine and a precision of it."""

    engine: Engine
    precision: str

    def __str__(self) -> str:
        return f"{self.engine} {self.precision}"

    @classmethod
    def of(cls, text: str) -> Way:
        """`openvino bf16` → the way that prints so, its engine with its defaults.

        Raises:
            UnknownName: there is no such engine; carries the closest names.
            SettingError: the engine does not know the precision.
        """
        name, _, precision = text.partition(" ")
        engine = ENGINES.get(name)()
        Asked(precision, engine).check(text)
        return cls(engine, precision)


REFERENCE = Way(Torch(), "fp32")


@dataclass(frozen=True)
class Asked:
    """How answers are to be computed, as settings say it.

    Args:
        precision: one of `PRECISIONS`, or `auto`: the fastest way that the probe lets pass.
        engine: the only one that is tried besides `torch`; None takes `torch` where it has the precision.
        tolerance: the largest change that is allowed; None takes `EXACT` in fp32 and `NEAR` below.
        wide: whether these bounds are `WIDE` times as large.
    """

    precision: str = "fp32"
    engine: Engine | None = None
    tolerance: float | None = None
    wide: bool = False

    def check(self, method: str) -> None:
        """Raises SettingError where a setting is out of range; `method` is named in the message."""
        if self.precision not in (*PRECISIONS, "auto"):
            raise SettingError(
                f"{method}: precision must be one of {', '.join(PRECISIONS)} or auto, not {self.precision!r}"
            )
        if self.engine is not None and self.precision not in (*self.engine.precisions, "auto"):
            known = ", ".join(self.engine.precisions)
            raise SettingError(
                f"{method}: the engine {self.engine} knows the precisions {known}, not {self.precision!r}"
            )
        if self.tolerance is not None and not 0 < self.tolerance <= 1:
            raise SettingError(f"{method}: tolerance must be above 0 and at most 1, not {self.tolerance}")
        if self.tolerance is not None and self.sure and self.precision != "fp32":
            raise SettingError(
                f"{method}: PyTorch computes {self.precision} as asked, without a probe, so there is nothing to hold "
                f"against a "
                'tolerance. Leave it out, name another engine, or set precision="auto".'
            )

    @property
    def sure(self) -> bool:
        """Whether `torch` computes it as asked, with nothing to choose and nothing to probe."""
        return self.precision in Torch.precisions and (self.engine is None or isinstance(self.engine, Torch))

    def bound(self, precision: str) -> float:
        """The largest change allowed at a precision."""
        return self.tolerance or (EXACT if precision == "fp32" else NEAR) * (WIDE if self.wide else 1)

    def settings(self) -> dict[str, Any]:
        """As a method's settings."""
        return {"precision": self.precision, "engine": self.engine, "tolerance": self.tolerance}

    def versions(self) -> dict[str, str]:
        """Libraries of the engines that it may come to, those that are there.

        Raises:
            Unavailable: that of the engine that is asked for by name is not.
        """
        found: dict[str, str] = {}
        for engine in () if self.sure else _engines(self):
            try:
                found |= engine.versions()
            except Unavailable:
                if self.engine is not None:
                    raise
        return found


@dataclass(frozen=True)
class Trial:
    """What was found of one way.

    Args:
        way: as `openvino bf16`.
        verdict: `taken`, `refused` (too far from fp32 torch), `unfit` (cannot take the model) or `absent` (not
            installed).
        change: the largest; None where it was not run.
        overlap: share of the best documents that stayed.
        bound: what change was allowed.
        why: of what was not run.
    """

    way: str
    verdict: str
    change: float | None = None
    overlap: float | None = None
    bound: float | None = None
    why: str = ""

    def told(self) -> dict[str, Any]:
        """JSON-safe, without what is not known."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}


@dataclass(frozen=True)
class Choice:
    """The way that is taken, and what was found of those that were tried before it.

    Args:
        way: the one.
        trials: in the order tried.
        sample: documents and queries that they were tried on.
    """

    way: Way
    trials: tuple[Trial, ...] = ()
    sample: tuple[int, int] = (0, 0)

    def told(self) -> dict[str, Any]:
        """For a record; empty where nothing was chosen."""
        if not self.trials:
            return {}
        documents, queries = self.sample
        told = {
            "documents": documents,
            "queries": queries,
            "least_overlap": OVERLAP,
            "tried": [t.told() for t in self.trials],
        }
        return {"engine": str(self.way.engine), "versions": self.way.engine.versions(), "golden_probe": told}

    def notes(self, asked: Asked) -> tuple[str, ...]:
        """What a reader of the figures must know: that another way was taken than the one that was asked for."""
        passed = [t for t in self.trials if t.verdict in ("refused", "unfit")]
        if asked.precision == "auto" or not passed:
            return ()
        return (f"{self.way} was taken in place of {passed[0].way}: {'; '.join(map(_words, passed))}",)


@dataclass(frozen=True)
class Answers:
    """What one way answers to a sample.

    Args:
        scores: (Q, D) of every sample query and document.
        vectors: (Q + D, dimension); None of pairs.
        lengths: whether the lengths of vectors count.
    """

    scores: Floats
    vectors: Floats | None = None
    lengths: bool = False


def choose(
    asked: Asked, key: str, view: TrainView, answer: Callable[[Way, Sample], Answers], context: Context
) -> Choice:
    """The fastest of the ways asked for that stays near fp32 `torch`; kept by model, collection, engines' versions,
    processor.

    Args:
        asked: how.
        key: hash of the model and of all else that decides an answer in fp32.
        view: where the sample's texts come from: documents, and training queries, or the beginnings of documents.
        answer: what a way answers to the sample.
        context: device, cache.

    Raises:
        Unavailable: the library of an engine that is asked for by name is absent.
    """
    if asked.sure:
        return Choice(Way(asked.engine or Torch(), asked.precision))
    ways, absent = _ways(asked, context)
    deciding = {
        "code": code_of("harness.models.engine_check", *(way.engine for way in ways), libraries=MODELS),
        "model": key,
        "view": view.revision,
        "ways": [[str(way), way.engine.versions(), asked.bound(way.precision)] for way in ways],
        "device": [context.device, os.environ.get("CUDA_VISIBLE_DEVICES"), processor()[0]],
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }
    name = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:32]

    built = []

    def build(folder: Any) -> None:
        built.append(folder)
        some = sample(view)
        found = _tried(ways, asked, some, answer)
        told = {"trials": [asdict(t) for t in found], "sample": [len(some.documents), len(some.queries)]}
        (folder / "choice.json").write_text(json.dumps(told, indent=1), encoding="utf-8")

    describe = {"model": key, "ways": [str(way) for way in ways], "corpus": view.corpus.revision}
    place = context.cache.folder("golden", name, describe, build)
    if not built:
        context.ledger.saved(context.cache.meta(place)["seconds"])
    held = json.loads((place / "choice.json").read_text(encoding="utf-8"))
    trials = [Trial(**told) for told in held["trials"]]
    taken = next((t.way for t in trials if t.verdict == "taken"), str(REFERENCE))
    way = next(way for way in [*ways, REFERENCE] if str(way) == taken)
    return Choice(way, (*absent, *trials), (held["sample"][0], held["sample"][1]))


def _engines(asked: Asked) -> list[Engine]:
    if asked.engine is not None:
        return [asked.engine]
    return [engine() for _, engine in ENGINES.usable()]


def _ways(asked: Asked, context: Context) -> tuple[list[Way], list[Trial]]:
    """The ways to try, the fastest first, without fp32 `torch`, and the engines that are not installed."""
    device = _device(context)
    found: list[tuple[float, Way]] = []
    absent: list[Trial] = []
    for engine in _engines(asked):
        try:
            engine.versions()
        except Unavailable as error:
            if asked.engine is not None:
                raise
            absent.append(Trial(str(engine), "absent", why=str(error)))
            continue
        speeds = engine.speeds(device)
        if asked.precision == "auto":
            found += [(speed, Way(engine, precision)) for precision, speed in speeds.items() if speed > 1]
        elif asked.precision in engine.precisions:
            found.append((speeds.get(asked.precision, 0.0), Way(engine, asked.precision)))
    if asked.precision not in ("auto", *Torch.precisions) and not found:
        raise Unavailable(
            f"no engine that is installed computes in {asked.precision}.", " ".join(t.why for t in absent)
        )
    ways = [way for _, way in sorted(found, key=lambda each: -each[0])]
    if asked.precision in Torch.precisions and asked.precision != "fp32":
        ways.append(Way(Torch(), asked.precision))
    return [way for way in ways if way != REFERENCE], absent


def _device(context: Context) -> str:
    """The kind of device that models run on."""
    if context.device is not None:
        return context.device
    from sentence_transformers.util import get_device_name

    return str(get_device_name())


def _tried(ways: Sequence[Way], asked: Asked, some: Sample, answer: Callable[[Way, Sample], Answers]) -> list[Trial]:
    """Tries the ways in their order up to the first that passes."""
    found: list[Trial] = []
    reference: Answers | None = None
    for way in ways:
        try:
            answers = answer(way, some)
        except ModelError as error:
            found.append(Trial(str(way), "unfit" if isinstance(error, Unfit) else "refused", why=str(error)))
            continue
        reference = reference or answer(REFERENCE, some)
        trial = compared(way, answers, reference, asked.bound(way.precision))
        found.append(trial)
        if trial.verdict == "taken":
            break
    return found


def compared(way: Way, answers: Answers, reference: Answers, bound: float) -> Trial:
    """Holds the answers of a way against those of fp32 `torch`.

    Args:
        way: which.
        answers: its own.
        reference: the other's.
        bound: the change that is allowed: of the cosine between a text's two vectors from 1, of the ratio of their
            lengths from 1 where these count; of a pair's score in standard deviations of the reference's scores.
    """
    if answers.scores.shape != reference.scores.shape or not np.isfinite(answers.scores).all():
        return Trial(
            str(way), "refused", bound=bound, why="it answers values that are not numbers, or too few or too many"
        )
    change, overlap = _change(answers, reference), _overlap(answers.scores, reference.scores)
    good = change <= bound and overlap >= OVERLAP
    return Trial(str(way), "taken" if good else "refused", float(f"{change:.3g}"), round(overlap, 4), bound)


def _change(answers: Answers, reference: Answers) -> float:
    if answers.vectors is None or reference.vectors is None:
        spread = float(reference.scores.std()) or 1.0
        return float(np.abs(answers.scores.astype(np.float64) - reference.scores).max(initial=0.0)) / spread
    one, other = answers.vectors.astype(np.float64), reference.vectors.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1)
    both = lengths[0] * lengths[1]
    cosines = np.einsum("nd,nd->n", one, other) / np.where(both > 0, both, 1)
    change = float(np.max(1 - cosines[both > 0], initial=0.0))
    if not answers.lengths:
        return max(change, 0.0)
    ratios = lengths[0] / np.where(lengths[1] > 0, lengths[1], 1)
    return max(change, float(np.abs(ratios - 1)[lengths[1] > 0].max(initial=0.0)))


def _overlap(scores: Floats, reference: Floats) -> float:
    """The share of the reference's best documents that are among the best; one that ties with the last of them counts.

    By score, so that equal texts, and scores that differ by less than fp32 tells apart, do not count as lost.
    """
    top = min(TOP, max(1, scores.shape[1] // 2))
    if not scores.size:
        return 1.0
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    last = -np.sort(-reference, axis=1)[:, top - 1 : top]
    slack = 1e-6 * np.maximum(1.0, np.abs(last))
    return float((np.take_along_axis(reference, best, axis=1) >= last - slack).mean())


def _words(trial: Trial) -> str:
    if trial.change is None:
        return trial.why
    beyond = f"changes answers by {trial.change:g} (allowed {trial.bound:g}) and keeps {trial.overlap:.0%} of the best documents"
    return f"{trial.way} {beyond} (least {OVERLAP:.0%})"


def plain(asked: Asked) -> Asked:
    """What training starts from: as asked where `torch` computes it, else fp32, so that no model is trained anew for
    it.
    """
    return (
        asked if asked.sure and asked.engine is None else replace(asked, precision="fp32", engine=None, tolerance=None)
    )
