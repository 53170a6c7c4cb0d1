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

    fp32 is what published figures were made with. bf16 and fp16 are the precision of the weights and of every product;
    answers are float32 again.
    """

    precisions = ("fp32", "bf16", "fp16")

    def speeds(self, device: str) -> Mapping[str, float]:
        """See `Engine.speeds`."""
        if device == "cpu":
            return {"fp32": 1.0, **({"bf16": 1.8} if multiplies_bf16() else {})}
        import torch

        bf16 = (
            device.startswith("cuda")
            and torch.cuda.is_available()
            and torch.cuda.is_bf16_supported(including_emulation=False)
        )
        return {"fp32": 1.0, "fp16": 3.0, **({"bf16": 3.1} if bf16 else {})}

    def start(self, network: Network, precision: str) -> Running:
        """See `Engine.start`."""
        return _Running(network.load(precision), network.output, network.normalise)


class _Running:
    def __init__(self, model: Any, output: str, normalise: bool) -> None:
        self._model, self._output, self._normalise = model, output, normalise

    @property
    def tokens(self) -> int:
        """Small batches suit a CPU's caches, an accelerator wants large ones."""
        return CPU_TOKENS if self._model.device.type == "cpu" else ACCELERATOR_TOKENS

    def __call__(self, batch: Batch) -> Floats:
        import torch

        device = self._model.device
        with torch.inference_mode():
            features = {name: torch.from_numpy(np.asarray(values)).to(device) for name, values in batch.arrays.items()}
            answers = self._model({**features, **batch.extras})[self._output]
            if self._normalise:
                answers = torch.nn.functional.normalize(answers, p=2, dim=1)
            if answers.ndim == 1:
                answers = answers.unsqueeze(1)
            return answers.float().cpu().numpy()  # type: ignore[no-any-return]
