"""Engine and precision of a model, as requested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from harness.base.errors import SettingError, Unavailable
from harness.engines import ENGINES, PRECISIONS, Engine
from harness.engines.torch import Torch

EXACT, NEAR = 1e-5, 1e-2
"""The largest change of a vector allowed by default: in fp32, where only the order of sums differs, and below."""
AUTO = ("fp32", "bf16", "fp16")
"""Precisions that `auto` may take. int8 is not among them: with it nDCG@10 moved by 0.009 on a part of SciFact whose
cosines changed by less than 1e-3, so the engine check cannot tell what it does to a ranking.
"""
PAIR_FACTOR = 10
"""Pair scores get a tolerance so many times as large: logits are differences of large sums."""


@dataclass(frozen=True)
class EngineConfig:
    """An engine at one precision."""

    engine: Engine
    precision: str

    def __str__(self) -> str:
        return f"{self.engine} {self.precision}"

    @classmethod
    def parse(cls, text: str) -> EngineConfig:
        """`openvino bf16` → the engine of this name with its defaults, at this precision.

        Raises:
            UnknownName: there is no such engine; carries the closest names.
            SettingError: the engine does not support the precision.
        """
        name, _, precision = text.partition(" ")
        engine = ENGINES.get(name)()
        EngineSettings(precision, engine).check(text)
        return cls(engine, precision)


REFERENCE = EngineConfig(Torch(), "fp32")


@dataclass(frozen=True)
class EngineSettings:
    """How a model is to be computed.

    Args:
        precision: one of `PRECISIONS`, or `auto`: the fastest configuration that passes the engine check.
        engine: the only engine that is tried besides `torch`; None takes `torch` if it supports the precision.
        tolerance: the largest change that is allowed; None takes `EXACT` in fp32 and `NEAR` below.
        pair_scores: whether the outputs are scores of pairs, whose default tolerance is `PAIR_FACTOR` times as large.
    """

    precision: str = "fp32"
    engine: Engine | None = None
    tolerance: float | None = None
    pair_scores: bool = False

    def check(self, method: str) -> None:
        """Raises SettingError if a setting is out of range; `method` is named in the message."""
        if self.precision not in (*PRECISIONS, "auto"):
            raise SettingError(
                f"{method}: precision must be one of {', '.join(PRECISIONS)} or auto, not {self.precision!r}"
            )
        if self.engine is not None and self.precision not in (*self.engine.precisions, "auto"):
            known = ", ".join(self.engine.precisions)
            raise SettingError(
                f"{method}: the engine {self.engine} supports the precisions {known}, not {self.precision!r}"
            )
        if self.tolerance is not None and not 0 < self.tolerance <= 1:
            raise SettingError(f"{method}: tolerance must be above 0 and at most 1, not {self.tolerance}")
        if self.tolerance is not None and self.is_plain_torch and self.precision != "fp32":
            raise SettingError(
                f"{method}: tolerance has no effect here: PyTorch computes {self.precision} directly, without an "
                'engine check. Remove tolerance, name another engine, or set precision="auto".'
            )

    @property
    def opened(self) -> str:
        """Precision at which `torch` opens the model, before another engine is chosen."""
        return self.precision if self.is_plain_torch else "fp32"

    @property
    def is_plain_torch(self) -> bool:
        """Whether `torch` computes it as requested, so that there is nothing to choose and nothing to check."""
        return self.precision in Torch.precisions and (self.engine is None or isinstance(self.engine, Torch))

    def bound(self, precision: str) -> float:
        """The largest change allowed at a precision."""
        if self.tolerance:
            return self.tolerance
        usual = EXACT if precision == "fp32" else NEAR
        return usual * PAIR_FACTOR if self.pair_scores else usual

    def settings(self) -> dict[str, Any]:
        """As a method's settings."""
        return {"precision": self.precision, "engine": self.engine, "tolerance": self.tolerance}

    def engines(self) -> list[Engine]:
        """The engines that may be tried: the one that is named, else all that are installed."""
        if self.engine is not None:
            return [self.engine]
        return [engine() for _, engine in ENGINES.usable()]

    def candidates(self, device: Callable[[], str]) -> tuple[list[EngineConfig], dict[str, Unavailable]]:
        """The configurations to try, fastest first, without fp32 `torch`; and the engines that are not installed.

        Args:
            device: gives the kind of device that models run on; called if there is something to choose.

        Raises:
            Unavailable: the library of the engine that is named, or of every engine that has the precision, is not
                installed.
        """
        if self.is_plain_torch:
            return [], {}
        timed: list[tuple[float, EngineConfig]] = []
        absent: dict[str, Unavailable] = {}
        kind = device()
        for engine in self.engines():
            speeds = engine.speeds(kind)
            if self.precision == "auto":
                wanted = [each for each, speed in speeds.items() if speed > 1 and each in AUTO]
            else:
                wanted = [self.precision] if self.precision in engine.precisions else []
            try:
                for precision in wanted:
                    engine.versions(precision)
            except Unavailable as error:
                if self.engine is not None:
                    raise
                absent[str(engine)] = error
                continue
            timed += [(speeds.get(precision, 0.0), EngineConfig(engine, precision)) for precision in wanted]
        if self.precision not in ("auto", *Torch.precisions) and not timed:
            raise Unavailable(
                f"no installed engine supports precision {self.precision}.", " ".join(map(str, absent.values()))
            )
        configs = [config for _, config in sorted(timed, key=lambda each: -each[0])]
        if self.precision in Torch.precisions and self.precision != "fp32":
            configs.append(EngineConfig(Torch(), self.precision))
        return [config for config in configs if config != REFERENCE], absent

    def inputs(self, device: Callable[[], str]) -> dict[str, str]:
        """What a row's identity needs of the engines: those that this machine would try, with their versions.

        Args:
            device: as for `candidates`.

        Raises:
            Unavailable: as `candidates`.
        """
        configs, _ = self.candidates(device)
        versions = {name: version for c in configs for name, version in c.engine.versions(c.precision).items()}
        return {"engines": ", ".join(map(str, configs)), **versions} if configs else {}

    def for_training(self) -> EngineSettings:
        """How texts are computed while a model is trained (mined, judged, guided): the same if `torch` computes it in
        half precision, else `auto`, so that one trained model serves all precisions of a row.
        """
        if self.is_plain_torch and self.precision != "fp32":
            return replace(self, engine=None)
        return EngineSettings("auto", pair_scores=self.pair_scores)
