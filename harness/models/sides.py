"""The two sides of a search, query and document, and how a model is told which one it reads.

A sentence-transformers model may treat them differently: a `Router` sends them through different modules, a transformer
may cut them at different lengths or expand queries, a chat template or code of the model's own may ask for the task. So
a side is told to the model as its library's `encode_query` and `encode_document` tell it, as `task`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from harness.models.files import has_own_code, module_folders, modules_of, read_json

Side = Literal["query", "document"]
SIDE_NAMES: dict[Side, str] = {"query": "queries", "document": "documents"}
ROUTERS = ("Router", "Asym")
BY_SIDE = ("query_length", "document_length", "query_expansion")
"""Settings of a transformer that hold for one side."""


def reads_sides(folder: Path) -> bool:
    """Whether the model of a folder may encode the same text differently as a query and as a document, prompts left
    out.
    """
    modules = module_folders(folder)
    if has_own_code(folder) or any(kind.rpartition(".")[2] in ROUTERS for kind in modules.values()):
        return True
    if any("task" in str(entry.get("kwargs")) for entry in modules_of(folder)):
        return True
    for inside in modules:
        config = read_json(folder / inside / "sentence_bert_config.json")
        if isinstance(config, Mapping) and any(config.get(name) is not None for name in BY_SIDE):
            return True
        if _template_asks(folder / inside):
            return True
    return False


def _template_asks(folder: Path) -> bool:
    """Whether a chat template of a folder uses a variable `task`."""
    told = read_json(folder / "tokenizer_config.json")
    templates = [str(told.get("chat_template") or "")] if isinstance(told, Mapping) else []
    files = [*folder.glob("chat_template*"), *folder.glob("additional_chat_templates/*")]
    templates += [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
    return any("task" in template for template in templates)


def input_module(model: Any, side: Side | None) -> Any:
    """The module of a loaded model that reads the texts of a side: its first one, or behind a router the first of the
    route.
    """
    from sentence_transformers.base.modules import Router

    first = model[0]
    if not isinstance(first, Router):
        return first
    routes: Any = first.sub_modules
    return routes[first._resolve_route(task=side, modality="text")][0]


def input_modules(model: Any) -> list[Any]:
    """All modules of a loaded model that read texts, one for each route of a router."""
    from sentence_transformers.base.modules import Router

    first = model[0]
    routes: Any = first.sub_modules if isinstance(first, Router) else {"": [first]}
    found = [route[0] for route in routes.values()]
    return list({id(module): module for module in found}.values())


def is_told(model: Any) -> bool:
    """Whether a loaded model encodes a text differently by `task`, so that training has to say it too."""
    from sentence_transformers.base.modules import Router

    if any(isinstance(module, Router) for module in model.children()):
        return True
    first = input_module(model, None)
    by_side = any(getattr(first, name, None) is not None for name in BY_SIDE)
    template = getattr(first, "_chat_template_declares_task", None)
    return by_side or "task" in model.get_model_kwargs() or bool(template is not None and template())


def encode(model: Any, side: Side) -> Any:
    """The method of a loaded model that encodes texts of a side."""
    return model.encode_query if side == "query" else model.encode_document
