"""A model folder with the settings that it is used with: what encoders and cross-encoders have in common."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from harness.engines.torch import Torch
from harness.models.engine_settings import EngineConfig
from harness.models.resolve import ModelFolder, resolve
from harness.runtime.context import Context


class LocalSettings(Protocol):
    """Settings of any model that runs on this machine."""

    @property
    def model(self) -> str:
        """Hub name or folder."""

    @property
    def revision(self) -> str | None:
        """The hub's commit, tag or branch."""

    @property
    def trust_remote_code(self) -> bool:
        """Whether to run the code that comes with the model's folder."""


S = TypeVar("S", bound=LocalSettings)
M = TypeVar("M", bound="LocalModel[Any]")
E = TypeVar("E", bound="EngineModel[Any]")


class LocalModel(Generic[S]):
    """A resolved model folder. Its weights are loaded when the first text has to go through them.

    Args:
        settings: as requested.
        context: device, cache.
        trained_from: name of the model that the folder was trained from; None if it was not trained here.

    Raises:
        Unavailable: the model is not on this machine and cannot be downloaded.
    """

    def __init__(self, settings: S, context: Context, trained_from: str | None = None) -> None:
        self.settings = settings
        self._context = context
        self._trained_from = trained_from
        self.folder: ModelFolder = resolve(settings.model, context, settings.revision)
        if trained_from is not None:
            self.folder = replace(self.folder, name=trained_from, source="trained")

    @property
    def source(self) -> tuple[str, str | None]:
        """Name or folder, and revision, by which settings name the same weights."""
        return self.settings.model, self.settings.revision

    @property
    def trusted(self) -> bool:
        """Whether code that comes with the model's folder may run."""
        return self.settings.trust_remote_code

    def _own_length(self, length: int | None) -> int | None:
        """A length that the user set; None for a trained folder, whose length is that of the model it came from."""
        return length if self._trained_from is None else None


class EngineModel(LocalModel[S]):
    """A model that different engines can compute; its settings have `engine` (None: `torch`) and `precision`."""

    def with_engine(self: E, config: EngineConfig) -> E:
        """The same model in another engine."""
        settings: Any = self.settings
        engine = None if isinstance(config.engine, Torch) else config.engine
        changed = replace(settings, precision=config.precision, engine=engine)
        return self if changed == settings else self._reopened(changed)

    def _reopened(self, settings: Any) -> Any:
        return open_model(type(self), settings, self._context, self._trained_from)

    def with_precision(self: E, precision: str) -> E:
        """The same model in `torch`, its weights in memory at another precision."""
        return self.with_engine(EngineConfig(Torch(), precision))


def hash_of(deciding: Mapping[str, Any]) -> str:
    """32 hexadecimal digits over everything that decides an output, JSON-safe."""
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:32]


def open_model(kind: type[M], settings: Any, context: Context, trained_from: str | None = None) -> M:
    """The model of these settings; each is resolved once in a run."""
    key = hashlib.sha256(f"{kind.__name__} {settings!r} {trained_from}".encode()).hexdigest()
    label = f"resolve {trained_from or settings.model}"
    return context.ledger.once("model", label, key, lambda: kind(settings, context, trained_from))
