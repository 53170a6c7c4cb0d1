"""What the methods share whose model can run in several engines."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from annotated_types import Interval

from harness.engines import Engine
from harness.methods import Method, TrainableMethod
from harness.models.engine_check import device_of
from harness.models.engine_settings import EngineSettings
from harness.runtime.context import Context

Tolerance = Annotated[float, Interval(gt=0, le=1)]


class EngineMethod(TrainableMethod):
    """A method with these settings; each subclass declares them, in its own order.

    Args:
        precision: of the weights and products. `auto`, the default, takes the fastest configuration of this machine
            that passes the engine check (`harness.models.engine_check`), `int8` the fastest engine that supports it.
            fp32 in `torch` is the reference.
        engine: what computes the model; None takes `torch` if it supports the precision. Any other is checked first;
            if it fails, `torch` takes its place.
        tolerance: how far another engine may move an output.
    """

    pair_scores: ClassVar[bool] = False

    precision: str
    engine: Engine | None
    tolerance: Tolerance | None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.engine_settings().check(self.name())

    def engine_settings(self) -> EngineSettings:
        """How the model is to be computed."""
        return EngineSettings(self.precision, self.engine, self.tolerance, self.pair_scores)

    def engine_inputs(self, context: Context) -> dict[str, str]:
        """What of `Method.inputs` the engines decide."""
        return self.engine_settings().inputs(lambda: device_of(context))

    def while_training(self) -> Method:
        """See `TrainableMethod.while_training`."""
        return replace(self, **self.engine_settings().for_training().settings())  # type: ignore[type-var]
