"""Which files of a model folder decide what the model computes: all but those that no loader reads.

A file that is left out wrongly lets a changed model use the vectors of the old one; a file that is hashed without need
only costs one more encoding. So the list names what is left out, not what counts.
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
"""Endings of model cards, pictures, tables of evaluations and logs."""
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
"""Licences, what git and desktops leave, lists of training data, the state of a trainer, our list of what training has
seen.
"""
PREFIXES_LEFT_OUT = ("rng_state", "events.out.tfevents")
FOLDERS_LEFT_OUT = {".git", ".cache", "__pycache__", "runs", "onnx", "openvino", "coreml"}
"""Version control, the marks of a download, logs, and the forms of other run times, which nothing here loads."""
OTHER_FORMS = (".h5", ".msgpack", ".ot", ".onnx", ".gguf", ".mlmodel", ".tflite")
"""Weights of other frameworks."""
SAME_WEIGHTS = (
    ("model.safetensors", "pytorch_model", ".bin"),
    ("model.safetensors.index.json", "pytorch_model", ".bin"),
    ("model.safetensors.index.json", "pytorch_model", ".index.json"),
    ("adapter_model.safetensors", "adapter_model", ".bin"),
)
"""(file, prefix, ending): where the file is, its neighbours that start and end so hold the same weights and are not
loaded.
"""

LOADING = ("model_args", "model_kwargs", "tokenizer_args", "processor_kwargs", "config_args", "config_kwargs")
"""What a module's configuration hands on to the loaders of transformers, by its older and newer names."""
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
"""Settings handed on by which the same files are read. Others, as `use_safetensors` and `variant`, may choose other
files.
"""


def deciding(folder: Path) -> list[Path]:
    """The files of a model folder that decide what it computes, sorted by their names in it; links are followed.

    Of a folder that names code of its own, or tells the loaders which files to take, every file counts, model cards and
    the
    like left out: any may be read.
    """
    any_file, modules = has_own_code(folder) or _chooses_files(folder), module_folders(folder)
    found = []
    for file in _walked(folder):
        inside = PurePosixPath(file.relative_to(folder).as_posix())
        if _for_people(inside) or (not any_file and _left_out(inside, file, modules)):
            continue
        found.append(file)
    return sorted(found, key=lambda file: file.relative_to(folder).as_posix())


def weight_files(folder: Path) -> list[Path]:
    """Those of them that hold weights."""
    return [file for file in deciding(folder) if file.suffix in WEIGHTS]


def read_json(path: Path) -> Any:
    """What a JSON file holds; an empty mapping where there is no file, or none that can be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def modules_of(folder: Path) -> list[dict[str, Any]]:
    """The entries of a folder's `modules.json` that are well formed; empty where there is none."""
    listed = read_json(folder / "modules.json")
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def routes_of(folder: Path, inside: str) -> dict[str, str]:
    """Of a router in a module folder: sub-folder, as named in the model folder → class; empty where it is no router."""
    found: dict[str, str] = {}
    for name in ("router_config.json", "config.json"):  # the older name is the second
        told = read_json(folder / inside / name)
        types = told.get("types") if isinstance(told, dict) else None
        if isinstance(types, dict):
            found |= {str(PurePosixPath(inside) / str(sub)): str(kind) for sub, kind in types.items()}
            break
    return found


def module_folders(folder: Path) -> dict[str, str]:
    """Every module's folder, relative to the model's (`.` for its root) → its class, those behind routers included."""
    found: dict[str, str] = {}
    waiting = {str(entry.get("path") or ""): str(entry.get("type") or "") for entry in modules_of(folder)}
    while waiting:
        inside, kind = waiting.popitem()
        name = str(PurePosixPath(inside or "."))
        if name not in found:
            found[name] = kind
            waiting |= routes_of(folder, inside)
    return found or {".": ""}


def has_own_code(folder: Path) -> bool:
    """Whether the folder names classes outside sentence-transformers and transformers, which its own code has to
    define.
    """
    modules = module_folders(folder)
    if any(kind and not kind.startswith("sentence_transformers.") for kind in modules.values()):
        return True
    configs = (
        read_json(folder / inside / name) for inside in modules for name in ("config.json", "tokenizer_config.json")
    )
    return any(isinstance(told, Mapping) and bool(told.get("auto_map")) for told in configs)


def module_settings(folder: Path) -> list[Mapping[str, Any]]:
    """What is set of the transformers among a folder's modules: their `sentence_bert_config.json`, or older names of
    it.
    """
    files = [
        file
        for inside in sorted(module_folders(folder))
        for file in sorted((folder / inside).glob("sentence_*_config.json"))
    ]
    return [told for told in map(read_json, files) if isinstance(told, Mapping)]


def handed_on(told: Mapping[str, Any]) -> dict[str, Any]:
    """Of a module's settings, those for the loaders of transformers: name → value."""
    return {
        str(name): value
        for part in LOADING
        if isinstance(told.get(part), Mapping)
        for name, value in told[part].items()
    }


def _chooses_files(folder: Path) -> bool:
    """Whether a module tells its loaders anything that may have them read other files than they would."""
    return any(name not in CHOOSE_NO_FILE for told in module_settings(folder) for name in handed_on(told))


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
    """Whether a file that is no document is one that no loader reads."""
    for above in inside.parents:
        if above.name in FOLDERS_LEFT_OUT and not any(
            PurePosixPath(module).is_relative_to(above) for module in modules
        ):
            return True
    if file.suffix in OTHER_FORMS or file.name.startswith("openvino_"):
        return True
    same = [used for used, start, end in SAME_WEIGHTS if file.name.startswith(start) and file.name.endswith(end)]
    return bool(same) and any(_is_loaded(file.parent, used) for used in same)


def _is_loaded(folder: Path, weights: str) -> bool:
    """Whether a file of weights is there and loaded before those of another form next to it."""
    if not (folder / weights).is_file():
        return False
    told = read_json(folder / "config.json")
    config = told if isinstance(told, Mapping) else {}
    if config.get("transformers_weights"):  # a configuration that names another file itself
        return False
    return not weights.endswith(".index.json") or "model_type" in config  # transformers alone reads an index
