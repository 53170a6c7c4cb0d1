"""The engines and precisions that encoding and re-ranking are timed with, and what they reach of the machine's peak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.base.errors import Unavailable
from harness.engines import PRECISIONS
from harness.engines._limit import peak
from harness.models.engine_settings import EngineConfig

WAYS = ("torch fp32", "torch bf16", "openvino fp32", "openvino bf16", "openvino int8")


def ways_of(names: Sequence[str]) -> dict[str, EngineConfig]:
    """The ways that are installed, by name."""
    found = {}
    for name in names:
        way = EngineConfig.parse(name)
        try:
            way.engine.versions(way.precision)
        except Unavailable as error:
            print(f"without {name}: {error}")
            continue
        found[name] = way
    return found


def config_of(model: Any) -> Any:
    """The configuration of a model's transformer."""
    return model[0].model.config


class Peaks:
    """The best product of two square matrices that torch makes, in GFLOP/s, measured when made and when `again` is
    called.
    """

    def __init__(self) -> None:
        self._best = {precision: peak(precision) for precision in ("fp32", "bf16")}

    def again(self) -> None:
        """Measures once more; the better counts."""
        self._best = {precision: max(best, peak(precision)) for precision, best in self._best.items()}

    def reached(self, way: str, work: float, seconds: float) -> str:
        """What a way's products reach: of bf16's peak where its name ends with a lower precision, else of fp32's."""
        precision = way.rpartition(" ")[2]
        lower = precision in PRECISIONS and precision != "fp32"
        return f"{work / seconds / self._best['bf16' if lower else 'fp32']:.0%}"

    def __str__(self) -> str:
        return f"peak {self._best['fp32']:.0f} GFLOP/s fp32, {self._best['bf16']:.0f} bf16"
