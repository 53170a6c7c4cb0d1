"""Which prompt is put before a text: the one that is set, else the model's own; and families that were trained with
prompts.

A missing prompt is the most common cause of scores that cannot be reproduced (E5 on TREC-COVID: 0.51 instead of 0.80
nDCG@10). So a model is refused if its configuration has prompts and none of them clearly belongs to a side, or if its
family needs prompts and neither its configuration nor the settings contain one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.base.errors import ModelError
from harness.models.sides import SIDE_NAMES, Side

SIDE_PROMPTS: dict[Side, tuple[str, ...]] = {
    "query": ("query", "search_query"),
    "document": ("document", "passage", "corpus", "search_document"),
}
"""Names of a model's prompts that are used for a side: the first one with a text."""
SIDE_WORDS: dict[Side, tuple[str, ...]] = {
    "query": ("query", "queries", "question"),
    "document": ("document", "passage", "corpus", "doc"),
}
"""Words in other names by which a prompt seems to be meant for a side."""
PAIR = "pair"
"""Name of the prompt of a cross-encoder that is trained here."""
SHOWN = 60
"""Characters of a prompt that a message shows."""

WEB_SEARCH = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "


@dataclass(frozen=True)
class Family:
    """Models whose names match a pattern, and the prompts of their model cards for retrieval.

    Args:
        pattern: regular expression, searched in the lower-cased name.
        query: prompt of a query.
        document: prompt of a document.
    """

    pattern: str
    query: str
    document: str


FAMILIES = (
    Family(r"e5-mistral|e5-.*-instruct|gte-qwen|qwen3-embedding|linq-embed|sfr-embedding", WEB_SEARCH, ""),
    Family(r"(^|[/-])e5-(small|base|large)", "query: ", "passage: "),
    Family(
        r"bge-(small|base|large)-en|mxbai-embed|arctic-embed-(xs|s|m|l)(-long)?$",
        "Represent this sentence for searching relevant passages: ",
        "",
    ),
    Family(r"bge-(small|base|large)-zh", "为这个句子生成表示以用于检索相关文章：", ""),
    Family(r"arctic-embed-.*-v2", "query: ", ""),
    Family(r"nomic-embed-text|modernbert-embed", "search_query: ", "search_document: "),
    Family(
        r"instructor-(base|large|xl)",
        "Represent the question for retrieving supporting documents: ",
        "Represent the document for retrieval: ",
    ),
    Family(r"embeddinggemma", "task: search result | query: ", "title: none | text: "),
)


def family(name: str) -> Family | None:
    """The family of a model by its name; None if it is not known to need prompts."""
    return next((f for f in FAMILIES if re.search(f.pattern, name.lower())), None)


def model_prompts(
    name: str, requested: Mapping[Side, str | None], config: Mapping[str, Any], *, trained: bool = False
) -> dict[Side, str]:
    """Side → the prompt that is put before its texts, for an encoder of one vector per text.

    Args:
        name: the model's.
        requested: side → prompt that is set; None if none is.
        config: its `config_sentence_transformers.json`.
        trained: whether it was trained here, so that its configuration contains exactly the prompts of training.

    Raises:
        ModelError: its configuration has prompts and it is not clear which to use, or its family needs prompts and
            none is set.
    """
    own = own_prompts(config)
    prompts: dict[Side, str] = {side: side_prompt(side, requested[side], own) for side in SIDE_PROMPTS}
    if trained:
        return prompts
    check_own_prompts(name, requested, config, own)
    unset = all(prompt is None for prompt in requested.values())
    if unset and not any(prompts.values()) and (known := family(name)):
        raise ModelError(
            f"{name} was trained with prompts, but neither its configuration nor the settings contain any, which would "
            f"lower its scores. Set those of its model card: query_prompt={json.dumps(known.query)}, "
            f'document_prompt={json.dumps(known.document)}; to run it without prompts, set query_prompt="".'
        )
    return prompts


def needs_prompts(name: str, config: Mapping[str, Any]) -> bool:
    """Whether `model_prompts` refuses the model unless prompts are set."""
    try:
        model_prompts(name, {"query": None, "document": None}, config)
    except ModelError:
        return True
    return False


def own_prompts(config: Mapping[str, Any]) -> dict[str, str]:
    """The prompts in a folder's `config_sentence_transformers.json`, by their names."""
    prompts = config.get("prompts")
    return {str(k): str(v) for k, v in prompts.items() if v is not None} if isinstance(prompts, Mapping) else {}


def side_prompt(side: Side, requested: str | None, own: Mapping[str, str]) -> str:
    """The prompt of a side: as requested, else the first of the model's own prompts that is named after the side.

    As sentence-transformers' `encode_query` and `encode_document`, except that an empty prompt does not hide the next
    name: the library fills in an empty `document` when it loads a model whose prompt is called `passage`. As in the
    library, the default prompt of a configuration is no prompt of a side.
    """
    if requested is not None:
        return requested
    return next((own[name] for name in SIDE_PROMPTS[side] if own.get(name)), "")


def check_own_prompts(
    name: str, requested: Mapping[Side, str | None], config: Mapping[str, Any], own: Mapping[str, str]
) -> None:
    """Refuses a model if one of its prompts seems to be meant for a side but is not used for it.

    Args:
        name: the model's.
        requested: side → prompt that is set; None if none is.
        config: its `config_sentence_transformers.json`.
        own: its prompts by name.

    Raises:
        ModelError: lists the prompts and names the settings that choose.
    """
    filled = {key: text for key, text in own.items() if text}
    unset = [side for side in SIDE_PROMPTS if requested[side] is None]
    bare = [side for side in unset if not side_prompt(side, None, own)]
    none_used = bool(filled) and len(bare) == len(SIDE_PROMPTS)
    unused = [key for side in bare for key in filled if _names_side(key, side)]
    if not none_used and not unused:
        return
    default = config.get("default_prompt_name")
    note = f" (its default prompt, {default!r}, is not used by encode_query and encode_document)" if default else ""
    sides = " and ".join(SIDE_NAMES[side] for side in bare)
    settings = " and ".join(f"{side}_prompt" for side in bare)
    raise ModelError(
        f"{name} has prompts of its own, but it is not clear which to put before {sides}{note}: {_listed(filled)}. "
        f'Set {settings} to the prompt to use; "" means none.'
    )


def pair_prompt(name: str, requested: str | None, config: Mapping[str, Any]) -> str:
    """The prompt of a cross-encoder: as requested, else the default prompt of its configuration, as in its library.

    Args:
        name: the model's.
        requested: the prompt that is set; None if none is.
        config: its `config_sentence_transformers.json`; ignored for an encoder, which only gets a scoring head.

    Raises:
        ModelError: the configuration has prompts and no default; lists them and names the setting that chooses.
    """
    if requested is not None:
        return requested
    own = own_prompts(config) if config.get("model_type") == "CrossEncoder" else {}
    filled = {key: text for key, text in own.items() if text}
    default = config.get("default_prompt_name")
    if default in own or not filled:
        return own.get(str(default), "")
    raise ModelError(
        f"{name} has prompts of its own, but none is its default: {_listed(filled)}. Set prompt to the one to use; "
        '"" means none.'
    )


def _listed(prompts: Mapping[str, str]) -> str:
    return "; ".join(f"{key!r}: {json.dumps(text[:SHOWN], ensure_ascii=False)}" for key, text in prompts.items())


def _names_side(key: str, side: Side) -> bool:
    """Whether a prompt that is not used has a word of a side in its name."""
    words = re.split(r"[^a-z]+", key.lower())
    return key not in SIDE_PROMPTS["query"] + SIDE_PROMPTS["document"] and any(
        word in SIDE_WORDS[side] for word in words
    )
