"""PyTorch: the model as sentence-transformers runs it, with scaled-dot-product attention; on any device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.data.ranking import Floats
from harness.engines import Batch, Engine, Network, Running
from harness.engines._processor import multiplies_bf16

CPU_TOKENS = 1024
ACCELERATOR_TOKENS = 65536


@dataclass(frozen=True)
class Torch(Engine):
    """The modules of the model in their order, under PyTorch's inference mode.

    Published scores were computed in fp32. bf16 and fp16 are the precision of the weights and of every product; the
    output is converted to float32.
    """

    precisions = ("fp32", "bf16", "fp16")

    def speeds(self, device: str) -> Mapping[str, float]:
        """See `Engine.speeds`."""
        if device == "cpu":
            return {"fp32": 1.0, "bf16": 1.8} if multiplies_bf16() else {"fp32": 1.0}
        import torch

        is_cuda = device.startswith("cuda") and torch.cuda.is_available()
        if is_cuda and torch.cuda.is_bf16_supported(including_emulation=False):
            return {"fp32": 1.0, "fp16": 3.0, "bf16": 3.1}
        return {"fp32": 1.0, "fp16": 3.0}

    def start(self, network: Network, precision: str) -> Running:
        """See `Engine.start`."""
        return _Running(network.load(precision), network.output, network.normalise)


class _Running:
    multiple = 1

    def __init__(self, model: Any, output: str, normalise: bool) -> None:
        self._model, self._output, self._normalise = model, output, normalise

    @property
    def tokens(self) -> int:
        """Small batches suit the caches of a CPU, large ones an accelerator."""
        return CPU_TOKENS if self._model.device.type == "cpu" else ACCELERATOR_TOKENS

    def __call__(self, batch: Batch) -> Floats:
        import torch

        device = self._model.device
        with torch.inference_mode():
            features = {name: torch.from_numpy(np.asarray(values)).to(device) for name, values in batch.arrays.items()}
            output = self._model({**features, **batch.extras})[self._output]
            if self._normalise:
                output = torch.nn.functional.normalize(output, p=2, dim=1)
            if output.ndim == 1:
                output = output.unsqueeze(1)
            return output.float().cpu().numpy()  # type: ignore[no-any-return]
