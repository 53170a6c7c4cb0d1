"""Which classes a model folder may name: without `trust_remote_code`, only known ones.

A folder's JSON names classes by dotted paths: modules, the tokenizers of word tables, activations.
sentence-transformers imports and calls them; as activations it takes anything below `torch.`. So each path is checked
first: modules must be torch modules that sentence-transformers defines, activations must be those of torch. With
`trust_remote_code` nothing is checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.base.errors import ModelError
from harness.models.files import module_folders, read_json

LIBRARY = "sentence_transformers."
ACTIVATIONS = re.compile(r"torch\.nn\.(modules\.activation\.|modules\.linear\.(?=Identity$))?[A-Z]\w*")
ACTIVATION_KEYS = ("activation_function", "activation_fn", "sbert_ce_default_activation_function")
READ_AS_OURS = ("pylate.models.Dense.Dense",)
"""Classes of other libraries that sentence-transformers replaces by its own."""


def check_classes(name: str, folder: Path, *, trusted: bool) -> None:
    """Checks every class that a folder names, before any is imported.

    Args:
        name: the model's, for messages.
        folder: its folder.
        trusted: whether the code that it contains or names may run.

    Raises:
        ModelError: a class is not allowed; says which, in which file, and what would allow it.
    """
    if trusted:
        return
    for inside, kind in module_folders(folder).items():
        if kind and kind not in READ_AS_OURS and not _is_module(kind):
            raise ModelError(_refusal(name, f"the module {kind} for {inside}", "modules of sentence-transformers"))
        for file, config in _configurations(folder / inside):
            for key, path in _activations(config):
                if not _is_activation(path):
                    what = f"{path!r} as {key} in {file.relative_to(folder).as_posix()}"
                    raise ModelError(
                        _refusal(name, what, "classes of torch.nn.modules.activation and torch.nn.Identity")
                    )
            tokens = config.get("tokenizer_class") if file.name == "wordembedding_config.json" else None
            if tokens is not None and not _is_defined(str(tokens)):
                raise ModelError(
                    _refusal(name, f"the tokenizer {tokens} for {inside}", "tokenizers of sentence-transformers")
                )


def _refusal(name: str, what: str, allowed: str) -> str:
    return (
        f"{name} names {what}. Opening a model runs the code that it names, so only {allowed} are allowed. If you "
        "trust the folder and that code, set trust_remote_code=True."
    )


def _configurations(folder: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for file in sorted(folder.glob("*config*.json")):
        config = read_json(file)
        if isinstance(config, Mapping):
            yield file, config


def _activations(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(setting, dotted path) of each activation in a configuration, in its part for sentence-transformers too."""
    own = config.get("sentence_transformers")
    for part in (config, own if isinstance(own, Mapping) else {}):
        for key in ACTIVATION_KEYS:
            value = part.get(key)
            if isinstance(value, str) and "." in value:  # transformers' own names have none, as `gelu`
                yield key, value


def _is_activation(path: str) -> bool:
    if not ACTIVATIONS.fullmatch(path):
        return False
    import torch

    named = getattr(torch.nn, path.rpartition(".")[2], None)
    defined = getattr(named, "__module__", "")
    return isinstance(named, type) and (defined == "torch.nn.modules.activation" or named is torch.nn.Identity)


def _is_module(path: str) -> bool:
    import torch

    named = _imported(path)
    return isinstance(named, type) and issubclass(named, torch.nn.Module) and named.__module__.startswith(LIBRARY)


def _is_defined(path: str) -> bool:
    """Whether sentence-transformers itself defines the class."""
    named = _imported(path)
    return isinstance(named, type) and named.__module__.startswith(LIBRARY)


def _imported(path: str) -> Any:
    """The object at a dotted path below sentence-transformers, as the library imports it; None if there is none."""
    from sentence_transformers.util import import_from_string

    if not path.startswith(LIBRARY) or not re.fullmatch(r"[\w.]+", path):
        return None
    try:
        return import_from_string(path)
    except (ImportError, AttributeError):
        return None
