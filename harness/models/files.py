"""Which files of a model folder decide what the model computes: all but those that no loader reads.

If a deciding file is left out, a changed model would reuse the vectors of the old one; if another file is included, the
only cost is one more encoding. So the list names the files to leave out.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from harness.leaks.history import INSIDE

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")
READ_BY_PEOPLE = (
    ".md",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".svg",
    ".webp",
    ".pdf",
    ".html",
    ".ipynb",
    ".csv",
    ".log",
    ".lock",
)
"""Suffixes of model cards, pictures, tables of evaluations and logs."""
NAMES_LEFT_OUT = {
    *(
        "LICENSE",
        "LICENSE.txt",
        "NOTICE",
        "NOTICE.txt",
        ".gitattributes",
        ".gitignore",
        ".DS_Store",
        "data_config.json",
    ),
    *("training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt", "trainer_state.json", INSIDE),
}
"""Licences, files of git and desktops, lists of training data, the state of a trainer, our list of training data."""
PREFIXES_LEFT_OUT = ("rng_state", "events.out.tfevents")
FOLDERS_LEFT_OUT = {".git", ".cache", "__pycache__", "runs", "onnx", "openvino", "coreml"}
"""Version control, marks of downloads, logs, and the formats of other runtimes, which nothing here loads."""
OTHER_FORMS = (".h5", ".msgpack", ".ot", ".onnx", ".gguf", ".mlmodel", ".tflite")
"""Weights of other frameworks."""
SAME_WEIGHTS = (
    ("model.safetensors", "pytorch_model", ".bin"),
    ("model.safetensors.index.json", "pytorch_model", ".bin"),
    ("model.safetensors.index.json", "pytorch_model", ".index.json"),
    ("adapter_model.safetensors", "adapter_model", ".bin"),
)
"""(file, prefix, suffix): next to the file, those with prefix and suffix have the same weights and are not loaded."""

LOADING = ("model_args", "model_kwargs", "tokenizer_args", "processor_kwargs", "config_args", "config_kwargs")
"""What a module's configuration passes to the loaders of transformers, by older and newer names."""
CHOOSE_NO_FILE = {
    *(
        "dtype",
        "torch_dtype",
        "attn_implementation",
        "add_pooling_layer",
        "low_cpu_mem_usage",
        "trust_remote_code",
        "num_labels",
    ),
    *(
        "model_max_length",
        "max_length",
        "padding_side",
        "truncation_side",
        "use_fast",
        "do_lower_case",
        "add_eos_token",
    ),
    *("is_causal", "use_cache", "max_position_embeddings", "default_task", "min_pixels", "max_pixels"),
}
"""Loader settings that do not change which files are read; others, as `use_safetensors` and `variant`, may."""


def deciding_files(folder: Path) -> list[Path]:
    """The files of a model folder that decide what it computes, sorted by their names in it; links are followed.

    In a folder that names code of its own, or tells the loaders which files to read, every file counts except model
    cards and the like: any may be read.
    """
    any_file, modules = has_own_code(folder) or _chooses_files(folder), module_folders(folder)
    deciding = []
    for file in _walked(folder):
        inside = PurePosixPath(file.relative_to(folder).as_posix())
        if _for_people(inside) or (not any_file and _left_out(inside, file, modules)):
            continue
        deciding.append(file)
    return sorted(deciding, key=lambda file: file.relative_to(folder).as_posix())


def weight_files(folder: Path) -> list[Path]:
    """Those of them that contain weights."""
    return [file for file in deciding_files(folder) if file.suffix in WEIGHTS]


def read_json(path: Path) -> Any:
    """The content of a JSON file; an empty mapping if it is missing or cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def modules_of(folder: Path) -> list[dict[str, Any]]:
    """The well-formed entries of a folder's `modules.json`; empty if there is none."""
    listed = read_json(folder / "modules.json")
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def routes_of(folder: Path, inside: str) -> dict[str, str]:
    """Routes of a router in a module folder: sub-folder of the model folder → class; empty if it is no router."""
    routes: dict[str, str] = {}
    for name in ("router_config.json", "config.json"):  # the older name is the second
        config = read_json(folder / inside / name)
        types = config.get("types") if isinstance(config, dict) else None
        if isinstance(types, dict):
            routes |= {str(PurePosixPath(inside) / str(sub)): str(kind) for sub, kind in types.items()}
            break
    return routes


def module_folders(folder: Path) -> dict[str, str]:
    """Every module's folder, relative to the model's (`.` for its root) → its class, those behind routers included."""
    folders: dict[str, str] = {}
    waiting = {str(entry.get("path") or ""): str(entry.get("type") or "") for entry in modules_of(folder)}
    while waiting:
        inside, kind = waiting.popitem()
        name = str(PurePosixPath(inside or "."))
        if name not in folders:
            folders[name] = kind
            waiting |= routes_of(folder, inside)
    return folders or {".": ""}


def has_own_code(folder: Path) -> bool:
    """Whether the folder names classes that neither sentence-transformers nor transformers defines."""
    modules = module_folders(folder)
    if any(kind and not kind.startswith("sentence_transformers.") for kind in modules.values()):
        return True
    configs = (
        read_json(folder / inside / name) for inside in modules for name in ("config.json", "tokenizer_config.json")
    )
    return any(isinstance(config, Mapping) and bool(config.get("auto_map")) for config in configs)


def module_settings(folder: Path) -> list[Mapping[str, Any]]:
    """Settings of the transformers among a folder's modules: their `sentence_bert_config.json`, or its older names."""
    settings = []
    for inside in sorted(module_folders(folder)):
        for file in sorted((folder / inside).glob("sentence_*_config.json")):
            content = read_json(file)
            if isinstance(content, Mapping):
                settings.append(content)
    return settings


def loader_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a module's settings that are passed to the loaders of transformers: name → value."""
    passed: dict[str, Any] = {}
    for name in LOADING:
        if isinstance(settings.get(name), Mapping):
            passed |= {str(key): value for key, value in settings[name].items()}
    return passed


def _chooses_files(folder: Path) -> bool:
    """Whether a module passes settings to its loaders that may change which files they read."""
    return any(set(loader_settings(settings)) - CHOOSE_NO_FILE for settings in module_settings(folder))


def _walked(folder: Path) -> Iterator[Path]:
    """All files below a folder, through links too, each folder once."""
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()  # a link to a folder above
            continue
        seen.add(real)
        yield from (Path(place) / name for name in files if (Path(place) / name).is_file())


def _for_people(inside: PurePosixPath) -> bool:
    return (
        inside.suffix.lower() in READ_BY_PEOPLE
        or inside.name in NAMES_LEFT_OUT
        or inside.name.startswith(PREFIXES_LEFT_OUT)
    )


def _left_out(inside: PurePosixPath, file: Path, modules: Mapping[str, str]) -> bool:
    """Whether a file is one that no loader reads."""
    for above in inside.parents:
        has_module = any(PurePosixPath(module).is_relative_to(above) for module in modules)
        if above.name in FOLDERS_LEFT_OUT and not has_module:
            return True
    if file.suffix in OTHER_FORMS or file.name.startswith("openvino_"):
        return True
    same = [used for used, start, end in SAME_WEIGHTS if file.name.startswith(start) and file.name.endswith(end)]
    return bool(same) and any(_is_loaded(file.parent, used) for used in same)


def _is_loaded(folder: Path, weights: str) -> bool:
    """Whether a file of weights is present and loaded rather than those of another format next to it."""
    if not (folder / weights).is_file():
        return False
    content = read_json(folder / "config.json")
    config = content if isinstance(content, Mapping) else {}
    if config.get("transformers_weights"):  # a configuration that names another file itself
        return False
    return not weights.endswith(".index.json") or "model_type" in config  # only transformers reads an index
