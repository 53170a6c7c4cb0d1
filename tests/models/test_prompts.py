import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ModelError
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.late import Late
from harness.methods.sparse import Sparse
from harness.models.cross_encoder import PairScorer
from harness.models.encoder import Encoder
from harness.models.late import LateEncoder
from harness.models.prompts import FAMILIES, WEB_SEARCH, family, model_prompts, needs_prompts
from harness.models.ragged import open_ragged
from harness.models.sides import Side
from harness.models.sparse import SparseEncoder
from harness.runtime.context import Context
from harness.training.base import PairBase

UNSET: dict[Side, str | None] = {"query": None, "document": None}


def configure(folder: Path, **values: object) -> None:
    path = folder / "config_sentence_transformers.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def opened(kind: str, folder: Path, context: Context, **changed: Any) -> Any:
    """An encoder of a kind."""
    if kind == "dense":
        return Encoder(Dense(model=str(folder), **changed)._encoder_settings(), context)
    if kind == "sparse":
        return open_ragged(SparseEncoder, Sparse(model=str(folder), **changed)._settings(), context)
    return open_ragged(LateEncoder, Late(model=str(folder), **changed)._settings(), context)


def as_array(found: Any) -> Any:
    """What a model of the library answers to one text."""
    if isinstance(found, list):
        return found[0]
    return found.to_dense() if hasattr(found, "to_dense") else found


@pytest.mark.parametrize(
    ("name", "query", "document"),
    [
        ("intfloat/e5-small-v2", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large", "query: ", "passage: "),
        ("/models/e5-base", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large-instruct", WEB_SEARCH, ""),
        ("intfloat/e5-mistral-7b-instruct", WEB_SEARCH, ""),
        ("Qwen/Qwen3-Embedding-0.6B", WEB_SEARCH, ""),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("Snowflake/snowflake-arctic-embed-m", "Represent this sentence for searching relevant passages: ", ""),
        ("Snowflake/snowflake-arctic-embed-m-v2.0", "query: ", ""),
        ("nomic-ai/nomic-embed-text-v1.5", "search_query: ", "search_document: "),
        ("google/embeddinggemma-300m", "task: search result | query: ", "title: none | text: "),
    ],
)
def test_a_model_that_needs_prompts_is_known_by_its_name(name: str, query: str, document: str) -> None:
    found = family(name)
    assert found is not None
    assert (found.query, found.document) == (query, document)


@pytest.mark.parametrize(
    "name",
    [
        "sentence-transformers/all-MiniLM-L6-v2",
        "sentence-transformers/all-mpnet-base-v2",
        "sentence-transformers/msmarco-bert-base-dot-v5",
        "BAAI/bge-m3",
        "thenlper/gte-base",
        "somebody/made5-small",
    ],
)
def test_a_model_without_prompts_is_of_no_family(name: str) -> None:
    assert family(name) is None


def test_every_family_has_a_pattern_that_compiles_and_a_query_prompt() -> None:
    for known in FAMILIES:
        re.compile(known.pattern)
        assert known.query


QUERY_ONLY = {"query": "ask: ", "document": ""}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, {"query": "", "document": ""}),
        ({"query": "", "document": ""}, {"query": "", "document": ""}),
        ({"query": "ask: "}, QUERY_ONLY),
        ({"query": "ask: ", "document": "say: "}, {"query": "ask: ", "document": "say: "}),
        ({"query": "ask: ", "passage": "say: "}, {"query": "ask: ", "document": "say: "}),
        ({"query": "ask: ", "document": "", "passage": "say: "}, {"query": "ask: ", "document": "say: "}),
        ({"search_query": "ask: ", "search_document": "say: "}, {"query": "ask: ", "document": "say: "}),
        ({"query": "ask: ", "STS": "task: ", "classification": "task: "}, QUERY_ONLY),
        ({"query": "ask: ", "web_search_query": "web: "}, QUERY_ONLY),
        ({"query": "ask: ", "document": None, "nothing": None}, QUERY_ONLY),
    ],
)
def test_prompts_named_after_a_side_are_taken(own: dict[str, Any], expected: dict[str, str]) -> None:
    assert model_prompts("a name", UNSET, {"prompts": own}) == expected


UNCLEAR = [
    ({"s2p_query": "ask: ", "s2s_query": "same: "}, "query_prompt and document_prompt"),
    ({"retrieval.query": "ask: ", "retrieval.passage": "say: "}, "query_prompt and document_prompt"),
    ({"query": "", "document": "", "s2p_query": "ask: "}, "query_prompt and document_prompt"),
    ({"classification": "task: "}, "query_prompt and document_prompt"),
    ({"query": "ask: ", "retrieval.passage": "say: "}, "document_prompt"),
    ({"passage": "say: ", "s2p_query": "ask: "}, "query_prompt"),
    ({"Retrieval-document": "say: ", "query": "ask: "}, "document_prompt"),
]


@pytest.mark.parametrize(("own", "wanted"), UNCLEAR)
def test_prompts_of_which_none_is_clearly_a_sides_are_listed_with_the_settings_that_choose(
    own: dict[str, str], wanted: str
) -> None:
    with pytest.raises(ModelError, match=f"Set {wanted} to the prompt to use") as caught:
        model_prompts("a name", UNSET, {"prompts": own})
    for name, text in own.items():
        assert not text or f'{name!r}: "{text}"' in str(caught.value)
    chosen = {"query": "mine: ", "document": ""}
    assert model_prompts("a name", chosen, {"prompts": own}) == chosen  # type: ignore[arg-type]
    model_prompts("a name", UNSET, {"prompts": own}, trained=True)  # of our own training it is known
    assert needs_prompts("a name", {"prompts": own})


def test_one_side_that_is_set_leaves_the_other_to_the_configuration() -> None:
    own = {"prompts": {"query": "ask: ", "passage": "say: "}}
    assert model_prompts("a name", {"query": "mine: ", "document": None}, own) == {
        "query": "mine: ",
        "document": "say: ",
    }
    assert model_prompts("a name", {"query": "", "document": None}, own) == {"query": "", "document": "say: "}
    only = {"prompts": {"s2p_query": "ask: "}}
    assert model_prompts("a name", {"query": "mine: ", "document": None}, only) == {"query": "mine: ", "document": ""}


def test_a_default_prompt_is_named_where_it_is_not_taken() -> None:
    config = {"prompts": {"s2p_query": "ask: "}, "default_prompt_name": "s2p_query"}
    with pytest.raises(ModelError, match="its default prompt, 's2p_query', is not used"):
        model_prompts("a name", UNSET, config)


@pytest.mark.parametrize("kind", ["dense", "sparse", "late"])
@pytest.mark.parametrize(
    "config",
    [
        {"prompts": {"query": "ask: ", "document": "say: "}, "default_prompt_name": "query"},
        {"prompts": {"query": "ask: "}, "default_prompt_name": "query"},
        {"prompts": {"query": "ask: ", "STS": "task: "}, "default_prompt_name": "STS"},
        {"prompts": {"query": "", "document": "say: "}},
    ],
)
def test_what_is_taken_is_what_encode_query_and_encode_document_take(
    kind: str,
    config: dict[str, Any],
    tiny_encoder: Path,
    tiny_sparse: Path,
    tiny_late: Path,
    tmp_path: Path,
    context: Context,
) -> None:
    import sentence_transformers as library

    source = {"dense": tiny_encoder, "sparse": tiny_sparse, "late": tiny_late}[kind]
    folder = Path(shutil.copytree(source, tmp_path / "model"))
    configure(folder, **config)
    model_class = {"dense": "SentenceTransformer", "sparse": "SparseEncoder", "late": "MultiVectorEncoder"}[kind]
    model: Any = getattr(library, model_class)(str(folder), device="cpu")
    prompts = opened(kind, folder, context).prompts
    assert prompts == {"query": config["prompts"]["query"], "document": config["prompts"].get("document", "")}
    for side, encode in (("query", model.encode_query), ("document", model.encode_document)):
        usual, ours = (np.asarray(as_array(encode(["kala bero"], **more))) for more in ({}, {"prompt": prompts[side]}))
        assert np.abs(usual - ours).max() < 1e-6


@pytest.mark.parametrize("kind", ["dense", "sparse", "late"])
def test_every_kind_of_encoder_refuses_prompts_that_it_cannot_choose_from(
    kind: str, tiny_encoder: Path, tiny_sparse: Path, tiny_late: Path, tmp_path: Path, context: Context
) -> None:
    source = {"dense": tiny_encoder, "sparse": tiny_sparse, "late": tiny_late}[kind]
    folder = Path(shutil.copytree(source, tmp_path / "model"))
    configure(folder, prompts={"s2p_query": "ask: "})
    with pytest.raises(ModelError, match=r"'s2p_query': \"ask: \"") as caught:
        opened(kind, folder, context)
    assert str(folder) in str(caught.value)
    assert opened(kind, folder, context, query_prompt="ask: ").prompts["query"] == "ask: "


def pairs_of(folder: Path, context: Context, **changed: Any) -> PairScorer:
    return PairScorer(CrossEncoder(model=str(folder), **changed)._pair_settings(), context)


@pytest.fixture
def cross_encoder(tiny_cross_encoder: Path, tmp_path: Path) -> Path:
    """A cross-encoder with prompts and a default among them."""
    from sentence_transformers import CrossEncoder as Model

    prompts = {"web": "ask: ", "code": "find: "}
    Model(str(tiny_cross_encoder), device="cpu", prompts=prompts, default_prompt_name="web").save(
        str(tmp_path / "pairs")
    )
    return tmp_path / "pairs"


def test_a_cross_encoder_reads_its_default_prompt_as_its_library_does(
    cross_encoder: Path, tiny_cross_encoder: Path, context: Context
) -> None:
    import torch
    from sentence_transformers import CrossEncoder as Model

    model, pairs = Model(str(cross_encoder), device="cpu"), [("kala", "bero"), ("tofu", "a longer text")]
    scorer = pairs_of(cross_encoder, context)
    assert scorer.prompt == "ask: "
    assert np.abs(scorer.scores(pairs) - model.predict(pairs, activation_fn=torch.nn.Identity())).max() < 1e-5
    other = pairs_of(cross_encoder, context, prompt="find: ")
    expected = model.predict(pairs, prompt_name="code", activation_fn=torch.nn.Identity())
    assert np.abs(other.scores(pairs) - expected).max() < 1e-5
    none = pairs_of(cross_encoder, context, prompt="")
    assert np.abs(none.scores(pairs) - pairs_of(tiny_cross_encoder, context).scores(pairs)).max() < 1e-5
    assert len({each.key for each in (scorer, other, none)}) == 3
    assert "prompt" not in none.resolved


def test_a_cross_encoder_with_prompts_and_no_default_is_refused_until_one_is_set(
    cross_encoder: Path, context: Context
) -> None:
    configure(cross_encoder, default_prompt_name=None)
    with pytest.raises(ModelError, match=r"'code': .find: .; 'web': .ask: .\. Set prompt to"):
        pairs_of(cross_encoder, context)
    assert pairs_of(cross_encoder, context, prompt="").prompt == ""


def test_an_encoder_that_gets_a_scoring_head_needs_no_prompt(
    tiny_encoder: Path, tmp_path: Path, context: Context
) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "model"))
    configure(folder, prompts={"s2p_query": "ask: "})
    scorer = pairs_of(folder, context)
    assert scorer.prompt == ""
    base = PairBase.of(scorer, CrossEncoder(model=str(folder)))
    assert base.untrained.query_prompt == ""  # type: ignore[attr-defined]
