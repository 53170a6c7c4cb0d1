"""How a model folder pools its token vectors, and how to change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.base.errors import SettingError
from harness.models.files import modules_of
from harness.models.resolve import ModelFolder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def pooling_of(folder: ModelFolder) -> str | None:
    """The pooling that a folder names, as the setting `pooling` would; None if it has none."""
    for module in modules_of(folder.path):
        if str(module.get("type", "")).endswith("Pooling"):
            config = folder.config(f"{module.get('path', '')}/config.json")
            if config.get("pooling_mode"):
                return str(config["pooling_mode"])
            enabled = [name for name, on in config.items() if name.startswith("pooling_mode_") and on is True]
            names = "+".join(name.removeprefix("pooling_mode_") for name in enabled)
            return names.replace("mean_tokens", "mean").replace("cls_token", "cls")
    return "mean" if not (folder.path / "modules.json").exists() else None


def repool(model: SentenceTransformer, mode: str) -> None:
    """Changes a loaded model's pooling.

    Raises:
        SettingError: it has no pooling layer.
    """
    from sentence_transformers.sentence_transformer.modules import Pooling

    for name, module in model.named_children():
        if isinstance(module, Pooling):
            changed = Pooling(module.embedding_dimension, pooling_mode=mode, include_prompt=module.include_prompt)
            setattr(model, name, changed)
            return
    raise SettingError(f"pooling={mode!r}: the model has no pooling layer. Remove the setting, or use another model.")
