"""The two sides of a search, query and document, and how the side is passed to a model.

A sentence-transformers model may treat them differently: a `Router` sends them through different modules, a transformer
may cut them at different lengths or expand queries, a chat template or the model's own code may use the task. So the
side is passed to the model as its library's `encode_query` and `encode_document` do, as `task`.
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
"""Settings of a transformer that apply to one side."""


def depends_on_side(folder: Path) -> bool:
    """Whether the model of a folder may encode a text differently as a query and as a document, apart from prompts."""
    modules = module_folders(folder)
    if has_own_code(folder) or any(kind.rpartition(".")[2] in ROUTERS for kind in modules.values()):
        return True
    if any("task" in str(entry.get("kwargs")) for entry in modules_of(folder)):
        return True
    for inside in modules:
        config = read_json(folder / inside / "sentence_bert_config.json")
        if isinstance(config, Mapping) and any(config.get(name) is not None for name in BY_SIDE):
            return True
        if _template_uses_task(folder / inside):
            return True
    return False


def _template_uses_task(folder: Path) -> bool:
    """Whether a chat template of a folder uses a variable `task`."""
    config = read_json(folder / "tokenizer_config.json")
    templates = [str(config.get("chat_template") or "")] if isinstance(config, Mapping) else []
    files = [*folder.glob("chat_template*"), *folder.glob("additional_chat_templates/*")]
    templates += [file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()]
    return any("task" in template for template in templates)


def input_module(model: Any, side: Side | None) -> Any:
    """The module of a loaded model that reads the texts of a side: the first one, or the first of a router's route."""
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
    firsts = [route[0] for route in routes.values()]
    return list({id(module): module for module in firsts}.values())


def model_depends_on_side(model: Any) -> bool:
    """Whether a loaded model encodes a text differently by `task`, so that training has to pass it too."""
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
