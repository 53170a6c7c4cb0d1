"""Which prompt is put before a text: the one that is set, else the model's own; and families that were trained with
prompts.

Leaving a prompt out is the first cause of scores that cannot be reproduced (E5 on TREC-COVID: 0.51 instead of 0.80
nDCG@10), so a model is refused when its configuration has prompts and none of them is clearly that of a side, or when
it is of a family with prompts and neither its configuration nor the settings name one.
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
"""Names of a model's prompts that are taken for a side, the first that has a text."""
SPEAKS_OF: dict[Side, tuple[str, ...]] = {
    "query": ("query", "queries", "question"),
    "document": ("document", "passage", "corpus", "doc"),
}
"""Words in other names by which a prompt seems to be meant for a side."""
PAIR = "pair"
"""What a cross-encoder that is trained here calls its prompt."""
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
    """The family of a model by its name; None where none is known to need prompts."""
    return next((f for f in FAMILIES if re.search(f.pattern, name.lower())), None)


def model_prompts(
    name: str, asked: Mapping[Side, str | None], config: Mapping[str, Any], *, trained: bool = False
) -> dict[Side, str]:
    """Side → what is put before its texts, of an encoder of one vector a text.

    Args:
        name: the model's.
        asked: side → prompt that is set; None where none is.
        config: its `config_sentence_transformers.json`.
        trained: whether it was trained here, so that its configuration holds exactly what it was trained with.

    Raises:
        ModelError: its configuration has prompts and it is not clear which to take, or its family needs prompts and
            none is set.
    """
    own = own_prompts(config)
    found: dict[Side, str] = {side: side_prompt(side, asked[side], own) for side in SIDE_PROMPTS}
    if trained:
        return found
    check_own_prompts(name, asked, config, own)
    unset = all(prompt is None for prompt in asked.values())
    if unset and not any(found.values()) and (known := family(name)):
        raise ModelError(
            f"{name} was trained with prompts, and neither its configuration nor the settings name any. Its "
            f"model card says query_prompt={json.dumps(known.query)}, document_prompt={json.dumps(known.document)}; to "
            f"run "
            'it with none, say query_prompt=""'
        )
    return found


def needs_prompts(name: str, config: Mapping[str, Any]) -> bool:
    """Whether `model_prompts` refuses the model until prompts are set."""
    try:
        model_prompts(name, {"query": None, "document": None}, config)
    except ModelError:
        return True
    return False


def own_prompts(config: Mapping[str, Any]) -> dict[str, str]:
    """The prompts in a folder's `config_sentence_transformers.json`, by their names."""
    prompts = config.get("prompts")
    return {str(k): str(v) for k, v in prompts.items() if v is not None} if isinstance(prompts, Mapping) else {}


def side_prompt(side: Side, asked: str | None, own: Mapping[str, str]) -> str:
    """What is put before a text of a side: as asked, else the first of the model's own prompts that is named after the
    side.

    As sentence-transformers' `encode_query` and `encode_document`, but that an empty prompt does not hide the next
    name: the library fills in an empty `document` when it loads a model whose prompt is called `passage`. As in the
    library, the default prompt of a configuration is no prompt of a side.
    """
    if asked is not None:
        return asked
    return next((own[name] for name in SIDE_PROMPTS[side] if own.get(name)), "")


def check_own_prompts(
    name: str, asked: Mapping[Side, str | None], config: Mapping[str, Any], own: Mapping[str, str]
) -> None:
    """Refuses a model that has prompts of which none is taken for a side that they seem to be meant for.

    Args:
        name: the model's.
        asked: side → prompt that is set; None where none is.
        config: its `config_sentence_transformers.json`.
        own: its prompts by name.

    Raises:
        ModelError: lists the prompts and names the settings that choose.
    """
    filled = {key: text for key, text in own.items() if text}
    unset = [side for side in SIDE_PROMPTS if asked[side] is None]
    bare = [side for side in unset if not side_prompt(side, None, own)]
    none_taken = bool(filled) and len(bare) == len(SIDE_PROMPTS)
    passed_over = [key for side in bare for key in filled if _speaks_of(key, side)]
    if not none_taken and not passed_over:
        return
    default = config.get("default_prompt_name")
    named = (
        f" (encode_query and encode_document of its library do not use the default one, {default!r})" if default else ""
    )
    wanted = " and ".join(f"{side}_prompt" for side in bare)
    raise ModelError(
        f"{name} has prompts of its own, and it is not clear which to put before "
        f"{' and '.join(SIDE_NAMES[s] for s in bare)}"
        f'{named}: {_listed(filled)}. Set {wanted} to the text that fits; "" says none.'
    )


def pair_prompt(name: str, asked: str | None, config: Mapping[str, Any]) -> str:
    """What a cross-encoder reads before each pair: as asked, else the default prompt of its configuration, as its
    library does.

    Args:
        name: the model's.
        asked: the prompt that is set; None where none is.
        config: its `config_sentence_transformers.json`; that of an encoder, which only gets a scoring head, says
            nothing.

    Raises:
        ModelError: the configuration has prompts and no default among them; lists them and names the setting that
            chooses.
    """
    if asked is not None:
        return asked
    own = own_prompts(config) if config.get("model_type") == "CrossEncoder" else {}
    filled = {key: text for key, text in own.items() if text}
    default = config.get("default_prompt_name")
    if default in own or not filled:
        return own.get(str(default), "")
    raise ModelError(
        f"{name} has prompts of its own and none of them is its default: {_listed(filled)}. Set prompt to the text "
        f"that fits; "
        '"" says none.'
    )


def _listed(prompts: Mapping[str, str]) -> str:
    return "; ".join(f"{key!r}: {json.dumps(text[:SHOWN], ensure_ascii=False)}" for key, text in prompts.items())


def _speaks_of(key: str, side: Side) -> bool:
    """Whether the name of a prompt, none of those that are taken, has a word of a side in it."""
    words = re.split(r"[^a-z]+", key.lower())
    return key not in SIDE_PROMPTS["query"] + SIDE_PROMPTS["document"] and any(
        word in SPEAKS_OF[side] for word in words
    )
