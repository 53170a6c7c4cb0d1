import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.engines import Unfit
from harness.engines.openvino import Openvino
from harness.engines.torch import Torch
from harness.methods.dense import Dense
from harness.models.encoder import Encoder
from harness.models.engine_settings import EngineConfig
from harness.models.probe import token_counts
from harness.models.sample import Sample
from harness.models.sides import depends_on_side, input_module, input_modules, model_depends_on_side
from harness.runtime.context import Context

TEXTS = ["kala bero", "a longer text of several words, which is cut where the model says so", "", "日本語"]
SIDED = ["both", "static", "cut"]


def encoder_of(folder: Path, context: Context, **changed: Any) -> Encoder:
    return Encoder(dataclasses.replace(Dense(model=str(folder))._encoder_settings(), **changed), context)


def held(encoder: Encoder, side: str) -> Any:
    found = encoder.vectors(TEXTS, side)  # type: ignore[arg-type]
    return found.block(0, len(found))


@pytest.fixture
def library() -> Callable[[Path], Any]:
    def opened(folder: Path) -> Any:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(str(folder), device="cpu")

    return opened


@pytest.mark.parametrize("name", SIDED)
def test_vectors_of_a_side_are_those_of_encode_query_and_encode_document(
    name: str, routed: dict[str, Path], library: Callable[[Path], Any], context: Context
) -> None:
    encoder, model = encoder_of(routed[name], context), library(routed[name])
    query = model.encode_query(TEXTS, normalize_embeddings=True)
    document = model.encode_document(TEXTS, normalize_embeddings=True)
    assert np.abs(query - document).max() > 1e-2  # or the test would say nothing
    assert np.abs(held(encoder, "query") - query).max() < 1e-6
    assert np.abs(held(encoder, "document") - document).max() < 1e-6
    assert np.abs(encoder.encode_uncached(TEXTS, "query") - query).max() < 1e-6
    assert np.abs(encoder.encode_in_batches(TEXTS, "document") - document).max() < 1e-6


@pytest.mark.parametrize("name", SIDED)
def test_with_prompts_too(name: str, routed: dict[str, Path], library: Callable[[Path], Any], context: Context) -> None:
    encoder, model = (
        encoder_of(routed[name], context, query_prompt="ask: ", document_prompt="say: "),
        library(routed[name]),
    )
    expected = model.encode_query(TEXTS, prompt="ask: ", normalize_embeddings=True)
    assert np.abs(held(encoder, "query") - expected).max() < 1e-6
    expected = model.encode_document(TEXTS, prompt="say: ", normalize_embeddings=True)
    assert np.abs(held(encoder, "document") - expected).max() < 1e-6


@pytest.mark.parametrize("name", SIDED)
def test_the_key_says_that_the_side_decides_and_is_the_old_one_where_it_does_not(
    name: str, routed: dict[str, Path], tiny_encoder: Path, context: Context
) -> None:
    assert encoder_of(routed[name], context)._deciding("query")["depends_on_side"]
    assert "depends_on_side" not in encoder_of(tiny_encoder, context)._deciding("query")


def test_the_first_dimensions_and_other_ways_know_the_side(
    routed: dict[str, Path], library: Callable[[Path], Any], context: Context
) -> None:
    encoder, model = encoder_of(routed["both"], context), library(routed["both"])
    first = model.encode_document(TEXTS, normalize_embeddings=True, truncate_dim=8)
    assert np.abs(encoder.with_dimensions(8).encode_uncached(TEXTS, "document") - first).max() < 1e-6
    half = encoder.with_precision("fp16").encode_uncached(TEXTS, "query")
    assert np.abs(half - model.encode_query(TEXTS, normalize_embeddings=True)).max() < 1e-2


def test_the_golden_probe_compares_queries_and_documents_as_such(
    routed: dict[str, Path], library: Callable[[Path], Any], context: Context
) -> None:
    encoder, model = encoder_of(routed["both"], context), library(routed["both"])
    answers = encoder.sample_outputs(EngineConfig(Torch(), "fp32"), Sample(("kala",), tuple(TEXTS)))
    expected = (
        model.encode_query(["kala"], normalize_embeddings=True)
        @ model.encode_document(TEXTS, normalize_embeddings=True).T
    )
    assert np.abs(answers.scores - expected).max() < 1e-6


def test_openvino_says_that_it_cannot_take_a_router_and_cuts_by_side_otherwise(
    routed: dict[str, Path], library: Callable[[Path], Any], context: Context
) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed")
    with pytest.raises(Unfit, match="Router"):
        encoder_of(routed["both"], context, engine=Openvino()).encode(TEXTS, "query")
    expected = library(routed["cut"]).encode_query(TEXTS, normalize_embeddings=True)
    assert np.abs(encoder_of(routed["cut"], context, engine=Openvino()).encode(TEXTS, "query") - expected).max() < 1e-5


def test_tokens_are_counted_by_the_route_of_the_side(routed: dict[str, Path], context: Context) -> None:
    encoder = encoder_of(routed["static"], context)
    assert token_counts(encoder, TEXTS, "query") == []  # a table of words has no fast tokenizer of transformers
    assert len(token_counts(encoder, TEXTS, "document")) == len(TEXTS)


def test_a_router_reads_by_the_module_of_its_route(routed: dict[str, Path], library: Callable[[Path], Any]) -> None:
    model = library(routed["both"])
    query, document = input_module(model, "query"), input_module(model, "document")
    assert query is not document
    assert input_modules(model) == [query, document]
    alone = library(routed["cut"])
    assert input_modules(alone) == [alone[0]]


@pytest.mark.parametrize("name", SIDED)
def test_folder_and_loaded_model_agree_on_whether_the_side_counts(
    name: str, routed: dict[str, Path], tiny_encoder: Path, library: Callable[[Path], Any]
) -> None:
    assert depends_on_side(routed[name])
    assert model_depends_on_side(library(routed[name]))
    assert not depends_on_side(tiny_encoder)
    assert not model_depends_on_side(library(tiny_encoder))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("chat_template.jinja", "{% if task == 'query' %}Q{% endif %}"),
        ("additional_chat_templates/one.jinja", "{{ task }}"),
        ("tokenizer_config.json", json.dumps({"chat_template": "{{ task }}"})),
        ("modules.json", json.dumps([{"path": "", "type": "own.Module", "kwargs": ["task"]}])),
        ("sentence_bert_config.json", json.dumps({"document_length": 3})),
    ],
)
def test_templates_code_and_lengths_that_ask_for_the_task_count(
    file: str, content: str, tiny_encoder: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(tiny_encoder, tmp_path / "copy"))
    (copy / file).parent.mkdir(exist_ok=True)
    (copy / file).write_text(content)
    assert depends_on_side(copy)
