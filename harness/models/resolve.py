"""From a model's name to a folder on disk and a hash of what is in it."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.errors import ModelError, Unavailable
from harness.models.files import (
    deciding_files,
    loader_settings,
    module_folders,
    module_settings,
    modules_of,
    read_json,
    weight_files,
)
from harness.models.packaged import packaged
from harness.runtime.context import Context

UNLIMITED = 10**7
"""A tokenizer without a limit states a number of tokens beyond this."""

SKIPPED_ON_THE_HUB = ["onnx/*", "openvino/*", "coreml/*", "*.h5", "*.msgpack", "*.ot", "*.onnx", "*.pt", "*.gguf"]


@dataclass(frozen=True)
class ModelFolder:
    """A model on disk.

    Args:
        name: as requested; short names are completed by `sentence-transformers/`.
        path: its folder.
        source: where it was found: `folder`, `package <name> <version>` or `hub`.
        revision: the hub's commit; None if it did not come from the hub.
        sha: hash over every file that decides what the model computes, by names and contents (`harness.models.files`),
            and over what it uses from elsewhere: the base model of an adapter, a tokenizer in another folder, code of
            another repository.
    """

    name: str
    path: Path
    source: str
    revision: str | None
    sha: str

    @functools.cached_property
    def weights(self) -> list[Path]:
        """The files with the weights; if a module has them in two formats, those that are loaded."""
        return weight_files(self.path)

    @property
    def model_bytes(self) -> int:
        """Bytes of the weight files."""
        return sum(f.stat().st_size for f in self.weights)

    @functools.cached_property
    def parameters(self) -> int:
        """Number of floating-point weights, by the headers of the safetensors files; 0 if a file has another format."""
        if any(f.suffix != ".safetensors" for f in self.weights):
            return 0
        return sum(_parameters(f) for f in self.weights)

    def has_module(self, kind: str) -> bool:
        """Whether a sentence-transformers folder names a module of this kind, as `Pooling`."""
        return any(str(module.get("type", "")).rpartition(".")[2] == kind for module in modules_of(self.path))

    def config(self, name: str) -> dict[str, Any]:
        """A JSON file of the folder; empty if there is none.

        Raises:
            ModelError: it cannot be read.
        """
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, RecursionError) as error:
            raise ModelError(
                f"{self.path / name} cannot be read ({error}). Repair it, or download the model again."
            ) from error
        return content if isinstance(content, dict) else {"modules": content}


def resolve(name: str, context: Context, revision: str | None = None) -> ModelFolder:
    """Finds a model: a folder, else a package that contains it (if no revision is requested), else the hub's local copy
    or the hub.

    Raises:
        ModelError: the path is not a model folder, or the name is not valid on the hub.
        Unavailable: the model is not on this machine, and the hub cannot be reached or does not have it.
    """
    if not name.strip():
        raise ModelError("the model's name is empty. Name a hub model, as owner/model, or a folder.")
    path = Path(name).expanduser()
    if name.startswith((".", "/", "~")) or path.is_dir():
        if not (path / "config.json").exists() and not (path / "modules.json").exists():
            state = "has neither modules.json nor config.json" if path.is_dir() else "does not exist"
            raise ModelError(f"{name} is not a model folder: it {state}. Name the folder of a model, or a hub model.")
        return _folder(name, path.resolve(), "folder", None, context)
    full = name if "/" in name else f"sentence-transformers/{name}"
    if revision is None and (package := packaged(full, context.cache.hashes)) is not None:
        return _folder(full, package.path, package.source, None, context)
    path = _from_hub(full, revision)
    commit = path.name if path.parent.name == "snapshots" else None
    return _folder(full, path, "hub", commit, context)


def tokenizer_length(folder: ModelFolder) -> int | None:
    """The tokenizer's own limit; None if it has none."""
    length = folder.config("tokenizer_config.json").get("model_max_length")
    return int(length) if isinstance(length, int | float) and length < UNLIMITED else None


def _folder(name: str, path: Path, source: str, revision: str | None, context: Context) -> ModelFolder:
    digest = hashlib.sha256()
    for line in (*_contents(path, context), *_outside(name, path, context)):
        digest.update(f"{line}\n".encode())
    return ModelFolder(name, path, source, revision, digest.hexdigest()[:32])


def _contents(path: Path, context: Context) -> Iterator[str]:
    """The files of a folder that decide what is computed, or one file, as lines with their hashes."""
    for file in [path] if path.is_file() else deciding_files(path):
        yield f"{file.relative_to(path).as_posix()} {context.cache.hashes.sha256(file)}"


def _outside(name: str, path: Path, context: Context) -> Iterator[str]:
    """What a folder uses from outside, as lines with hashes: an adapter's base model, a tokenizer, code."""
    for settings in module_settings(path):
        for setting in ("tokenizer_name_or_path", "processor_name"):
            if named := settings.get(setting):
                yield from (f"{setting} {line}" for line in _contents(_named(name, setting, str(named)), context))
        for setting, value in sorted(loader_settings(settings).items()):
            if isinstance(value, str) and "/" in value and Path(value).exists():
                yield from (f"{setting} {line}" for line in _contents(Path(value), context))
    for inside in sorted(module_folders(path)):
        adapter = _mapping(path / inside / "adapter_config.json")
        if base := adapter.get("base_model_name_or_path"):
            yield f"base {_base(name, str(base), adapter.get('revision'), path, context)}"
        for config in ("config.json", "tokenizer_config.json"):
            content = _mapping(path / inside / config)
            auto_map = json.dumps(content.get("auto_map") or {})
            for repository in sorted(set(re.findall(r'"([^"]+)--[\w.]+"', auto_map))):
                yield f"code {repository} {_code(repository, content.get('code_revision'), context)}"


def _named(name: str, setting: str, value: str) -> Path:
    """The folder that a module's setting names, as transformers finds it: a path, or a name on the hub."""
    if Path(value).is_dir():
        return Path(value)
    if value.startswith((".", "/", "~")):
        raise ModelError(
            f"{name} uses {value} as its {setting}, but there is no such folder. Create it, or set the right path in "
            "the model's sentence_bert_config.json."
        )
    return _from_hub(value, None)


def _base(name: str, base: str, revision: str | None, path: Path, context: Context) -> str:
    """The hash of an adapter's base model."""
    place = Path(base)
    if place.is_dir():
        if path.resolve().is_relative_to(place.resolve()):
            raise ModelError(f"{name} is an adapter for {base}, and lies inside that folder: move it elsewhere.")
        return _folder(base, place.resolve(), "folder", None, context).sha
    return _folder(base, _from_hub(base, revision), "hub", None, context).sha


def _code(repository: str, revision: str | None, context: Context) -> str:
    """The hash of the Python files of another repository, if they are on this machine."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        place = Path(snapshot_download(repository, revision=revision, local_files_only=True, allow_patterns="*.py"))
    except (LocalEntryNotFoundError, HFValidationError):
        return "absent"
    files = sorted(file for file in place.rglob("*.py") if file.is_file())
    lines = "".join(f"{file.relative_to(place).as_posix()} {context.cache.hashes.sha256(file)}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _mapping(path: Path) -> dict[str, Any]:
    content = read_json(path)
    return content if isinstance(content, dict) else {}


def _parameters(path: Path) -> int:
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(
        math.prod(t["shape"]) for k, t in header.items() if k != "__metadata__" and t["dtype"].startswith(("F", "BF"))
    )


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
            f"{name!r} is neither a folder nor a valid name on the hub. Name a hub model, as owner/model, or a folder."
        ) from error
    try:
        return Path(snapshot_download(name, etag_timeout=5, **options))
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        at = f" at revision {revision}" if revision else ""
        reason = f"the hub has no model {name}{at}, or you have no access to it."
        raise Unavailable(reason, "Check the name; for a private or gated model, log in: hf auth login.") from error
    except (HfHubHTTPError, IncompleteSnapshotError, OSError, ValueError) as error:
        reason = f"the model {name} is not on this machine and the hub cannot be reached."
        remedy = f"With network access, run: hf download {name}; or set model to a folder that contains it."
        raise Unavailable(reason, remedy) from error
