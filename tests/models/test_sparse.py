"""Sparse encoders against SPLADE's formula written out, and against the library."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import ModelError
from harness.models.ragged import RaggedSettings, open_ragged
from harness.models.sparse import SparseEncoder, nonzero
from harness.runtime.context import Context

TEXTS = ["bibi dodo, fafa.", "x", "", "bibi bibi gaga 12", "a much longer text than the others of this list"]


def encoder_of(model: Path, context: Context, **changed: object) -> SparseEncoder:
    usual = dict.fromkeys(("revision", "query_prompt", "document_prompt", "query_length", "document_length"))
    settings = {"model": str(model), **usual, "precision": "fp32", "trust_remote_code": False, **changed}
    return open_ragged(SparseEncoder, RaggedSettings(**settings), context)  # type: ignore[arg-type]


def test_a_weight_is_the_greatest_log_of_one_plus_relu_of_a_tokens_logit(tiny_sparse: Path, context: Context) -> None:
    import torch
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    language, tokenizer = AutoModelForMaskedLM.from_pretrained(tiny_sparse), AutoTokenizer.from_pretrained(tiny_sparse)
    found = encoder_of(tiny_sparse, context).encode(TEXTS, "document")
    assert len(found) == len(TEXTS)
    for number, text in enumerate(TEXTS):
        with torch.no_grad():
            logits = language.eval()(**tokenizer(text, return_tensors="pt")).logits[0].tolist()
        slow: dict[int, float] = {}
        for token in logits:
            for term, logit in enumerate(token):
                weight = math.log(1 + max(0.0, logit))
                if weight > slow.get(term, 0.0):
                    slow[term] = weight
        assert found[number][:, 0].tolist() == sorted(slow)
        assert found[number][:, 1] == pytest.approx([slow[t] for t in sorted(slow)], abs=1e-5)
        assert 0 < len(slow) < len(logits[0])


def test_nonzero_keeps_what_is_not_zero_and_what_is_no_number() -> None:
    import torch

    found = nonzero(torch.tensor([[0, 2.0, 0], [0, 0, 0], [math.nan, 0, -1]]))
    assert [m.shape for m in found] == [(1, 2), (0, 2), (2, 2)]
    assert found[0].tolist() == [[1, 2]]
    assert np.isnan(found[2][0, 1])
    assert found[2][1].tolist() == [2, -1]


def routed(tiny_sparse: Path, folder: Path) -> Path:
    """An inference-free encoder: documents through SPLADE, queries through a table of weights."""
    import torch
    from sentence_transformers import SparseEncoder as Model
    from sentence_transformers.base.modules import Router
    from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding

    documents = Model(str(tiny_sparse), device="cpu")
    torch.manual_seed(1)
    weights = torch.rand(len(documents.tokenizer))
    queries = SparseStaticEmbedding(documents.tokenizer, weight=weights, frozen=True)
    router = Router.for_query_document(query_modules=[queries], document_modules=list(documents.children()))
    Model(modules=[router], device="cpu").save_pretrained(str(folder))
    return folder


def test_queries_that_need_no_inference_are_weights_of_their_tokens(
    tiny_sparse: Path, tmp_path: Path, context: Context
) -> None:
    from sentence_transformers import SparseEncoder as Model

    folder = routed(tiny_sparse, tmp_path / "routed")
    encoder = encoder_of(folder, context)
    assert encoder.is_trained
    model = Model(str(folder), device="cpu")
    table = model[0].sub_modules["query"][0].weight.tolist()
    stored = encoder.matrices(TEXTS, "query")
    for number, text in enumerate(TEXTS):
        ids = sorted(set(model.tokenizer(text, add_special_tokens=False)["input_ids"]))
        found = stored.block(number, number + 1)[0]
        assert found[:, 0].tolist() == ids
        assert found[:, 1] == pytest.approx([table[i] for i in ids], abs=1e-6)
    whole = encoder_of(tiny_sparse, context).encode(TEXTS, "document")
    documents = encoder.encode(TEXTS, "document")
    assert documents.values == pytest.approx(whole.values, abs=1e-6)


def test_an_encoder_is_not_ready_until_it_is_trained_and_knows_whether_it_has_a_head(
    tiny_sparse: Path, tiny_encoder: Path, context: Context
) -> None:
    masked = tiny_sparse.parent / "masked"
    known = {tiny_sparse: (True, False), tiny_encoder: (False, True), masked: (False, False)}
    for folder, (ready, headless) in known.items():
        encoder = encoder_of(folder, context)
        assert (encoder.is_trained, encoder.headless) == (ready, headless), folder
    with pytest.raises(ModelError, match=r"is not a model for sparse: train it first with sparse\(model=.*\)\+splade"):
        encoder_of(tiny_encoder, context).matrices(["a"], "query")


@pytest.mark.parametrize("which", ["encoder", "masked"])
def test_a_fresh_model_of_another_kind_has_splades_pooling_and_logits_tied_to_the_word_embeddings(
    which: str, tiny_sparse: Path, tiny_encoder: Path, context: Context
) -> None:
    folder = tiny_encoder if which == "encoder" else tiny_sparse.parent / "masked"
    model = encoder_of(folder, context, document_length=20).fresh()
    assert [type(m).__name__ for m in model] == ["Transformer", "SpladePooling"]
    language = model.transformers_model
    assert language.get_output_embeddings().weight is language.get_input_embeddings().weight
    assert model.max_seq_length == 20


def test_a_similarity_that_an_inverted_index_does_not_know_is_refused(
    tiny_sparse: Path, tmp_path: Path, context: Context
) -> None:
    from sentence_transformers import SparseEncoder as Model

    model = Model(str(tiny_sparse), device="cpu")
    for name, expected in (("cosine", "cosine"), ("dot", "dot"), ("manhattan", None)):
        model.similarity_fn_name = name
        model.save_pretrained(str(tmp_path / name))
        encoder = encoder_of(tmp_path / name, context)
        if expected is None:
            with pytest.raises(ModelError, match="compares by manhattan"):
                _ = encoder.similarity
        else:
            assert encoder.similarity == expected
