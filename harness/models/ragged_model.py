"""Models that give a matrix per text: which folder is one, and how it is loaded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from harness.base.errors import ModelError, SettingError
from harness.choices.bounds import Count
from harness.choices.value import LATER
from harness.engines import Engine
from harness.engines.torch import Torch
from harness.models.limits import limit_length
from harness.models.loading import loader_options, opening
from harness.models.local_model import EngineModel
from harness.models.prompts import check_own_prompts, own_prompts, side_prompt
from harness.models.settings import Precision, PromptedModel
from harness.models.sides import Side
from harness.runtime.context import Context


@dataclass(frozen=True)
class RaggedSettings(PromptedModel):
    """Everything that decides the matrix of a text, as requested; None takes the model's own.

    Args: those of `PromptedModel` and
        query_length: tokens to which queries are cut, or expanded by masks.
        document_length: tokens at which documents are cut.
        precision: of the weights and products. Matrices are cached as float32.
        trust_remote_code: run the code that comes with the model's folder.
        engine: what computes the model; None is `torch`.
    """

    query_length: Count | None = None
    document_length: Count | None = None
    precision: Precision = "fp32"
    trust_remote_code: bool = False
    engine: Engine | None = field(default=None, metadata=LATER)

    def check(self, method: str) -> None:
        """Raises SettingError if a setting is out of range; `method` is named in the message."""
        known = (self.engine or Torch()).precisions
        if self.precision not in known:
            raise SettingError(f"{method}: precision must be one of {', '.join(known)}, not {self.precision!r}")
        for length in (self.query_length, self.document_length):
            if length is not None and length < 1:
                raise SettingError(f"{method}: a length must be 1 or more, not {length}")


class RaggedModel(EngineModel[RaggedSettings], ABC):
    """A model that gives a matrix per text; see `LocalModel` for the arguments.

    Raises:
        ModelError: the model has prompts and it is not clear which to use.
        SettingError: a setting is out of range.
    """

    method: ClassVar[str]
    """The method whose encoder it is, for messages."""
    kind: ClassVar[str]
    """The cache kind of its matrices."""
    trainer: ClassVar[str]
    """The recipe that trains an encoder of this kind."""

    def __init__(self, settings: RaggedSettings, context: Context, trained_from: str | None = None) -> None:
        settings.check(self.method)
        super().__init__(settings, context, trained_from)
        own = self._own_prompts()
        requested: dict[Side, str | None] = {"query": settings.query_prompt, "document": settings.document_prompt}
        self.prompts: dict[Side, str] = {side: side_prompt(side, prompt, own) for side, prompt in requested.items()}
        if trained_from is None:
            check_own_prompts(self.folder.name, requested, self._config, own)

    @property
    @abstractmethod
    def is_trained(self) -> bool:
        """Whether the folder contains a model of this kind; if not, it has to be trained first."""

    @property
    @abstractmethod
    def similarity(self) -> str:
        """How its matrices are compared."""

    @abstractmethod
    def _build(self, options: Mapping[str, Any]) -> Any:
        """The model, from its folder."""

    @abstractmethod
    def _set_lengths(self, model: Any) -> None:
        """Sets the lengths of the settings in a loaded model."""

    @abstractmethod
    def _loaded(self) -> Any:
        """The model, loaded once in a run."""

    def _own_prompts(self) -> dict[str, str]:
        return own_prompts(self._config)

    @cached_property
    def _config(self) -> dict[str, Any]:
        return self.folder.config("config_sentence_transformers.json")

    @property
    def model(self) -> Any:
        """The loaded model in `torch`; another engine makes its own from it.

        Raises:
            ModelError: the folder contains no model of this kind.
        """
        self.check()
        return self._loaded() if self.settings.engine is None else self.with_precision("fp32").model

    def check(self) -> None:
        """Raises ModelError if the folder contains no model of this kind."""
        if not self.is_trained:
            raise ModelError(
                f"{self.folder.name} is not a model for {self.method}: train it first with "
                f'{self.method}(model="{self.settings.model}")+{self.trainer}, or name a model that is one.'
            )

    def fresh(self) -> Any:
        """The model in fp32, loaded again for training: it is shared with no other row. What it lacks is random."""
        return self._load("fp32")

    def _load(self, precision: str | None = None) -> Any:
        # Imported here: torch takes seconds to import, and a run whose texts are all cached does not need it.
        import torch

        settings, trusted = self.settings, self.trusted
        options = loader_options(self._context.device, precision or settings.precision, trusted=trusted)
        dtype = options["model_kwargs"]["dtype"]
        # Some modules of the library draw random weights before they read their own: other draws must not change.
        with opening(self.folder, trusted=trusted), torch.random.fork_rng(devices=[]):
            model = self._build(options)
        model.to(dtype)  # modules that are new, or not a transformer's, are created in fp32
        model.eval()
        self._set_lengths(model)
        longest = max(settings.query_length or 0, settings.document_length or 0) or None
        limit_length(model, self.folder.name, self._own_length(longest))
        return model
