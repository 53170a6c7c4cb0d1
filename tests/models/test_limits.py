import dataclasses
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ModelError
from harness.engines.openvino import Openvino
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.late import Late
from harness.methods.sparse import Sparse
from harness.models.cross_encoder import PairScorer
from harness.models.encoder import Encoder, open_encoder
from harness.models.late import LateEncoder
from harness.models.limits import length_of, limit_length, positions
from harness.models.ragged import open_ragged
from harness.models.resolve import UNLIMITED
from harness.models.sparse import SparseEncoder
from harness.runtime.context import Context

LONG = "kala bero " * 200


def encoder_of(folder: Path, context: Context, **changed: Any) -> Encoder:
    return Encoder(dataclasses.replace(Dense(model=str(folder))._encoder_settings(), **changed), context)


@pytest.fixture
def copy(tiny_encoder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "copy"))


def limited(folder: Path, tokens: int) -> Path:
    """The folder, its own limit of tokens changed; the positions stay 64."""
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": tokens}))
    return folder


def engines(context: Context) -> list[Any]:
    try:
        Openvino().versions("fp32")
    except Exception:  # noqa: BLE001 - whatever is absent
        return [None]
    return [None, Openvino()]


def test_a_bert_has_the_positions_of_its_table_and_a_roberta_those_after_its_padding(
    tiny_encoder: Path, roberta: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    assert positions(SentenceTransformer(str(tiny_encoder), device="cpu")) == 64
    assert positions(SentenceTransformer(str(roberta), device="cpu")) == 18


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("GPT2", 30), ("OPT", 30), ("Bart", 30), ("T5", sys.maxsize), ("DistilBert", 30), ("MPNet", 28), ("CLIPText", 30)],
)
def test_positions_of_other_architectures(kind: str, expected: int) -> None:
    import torch
    import transformers

    sizes: dict[str, dict[str, Any]] = {
        "GPT2": {"n_positions": 30, "n_embd": 8, "n_layer": 1, "n_head": 1},
        "Bart": {
            "d_model": 8,
            "encoder_layers": 1,
            "decoder_layers": 1,
            "encoder_attention_heads": 1,
            "decoder_attention_heads": 1,
        },
        "OPT": {
            "hidden_size": 8,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "word_embed_proj_dim": 8,
            "ffn_dim": 8,
        },
        "T5": {"d_model": 8, "num_layers": 1, "num_heads": 1, "d_kv": 8, "d_ff": 8},
        "DistilBert": {"dim": 8, "n_layers": 1, "n_heads": 1, "hidden_dim": 8},
    }
    few = sizes.get(kind, {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8})
    limits = {} if kind in ("GPT2", "T5") else {"max_position_embeddings": 30}
    config = getattr(transformers, f"{kind}Config")(vocab_size=50, pad_token_id=1, **few, **limits)
    model = getattr(transformers, f"{kind}Model")(config).eval()
    most = positions(model)
    assert most == expected
    if most < sys.maxsize:  # and so many go through it, and no more
        given = {"input_ids": torch.full((1, most), 7)}
        with torch.no_grad():
            model(**given)
        with torch.no_grad(), pytest.raises((IndexError, RuntimeError, ValueError)):
            model(input_ids=torch.full((1, most + 1), 7))


@pytest.mark.parametrize("prompt", ["", "a prompt of some length: "])
def test_an_encoder_whose_configuration_says_more_than_it_has_positions_is_cut_at_these(
    prompt: str, copy: Path, roberta: Path, context: Context
) -> None:
    for folder, most in ((limited(copy, 512), 64), (roberta, 18)):
        for engine in engines(context):
            encoder = encoder_of(folder, context, engine=engine, document_prompt=prompt)
            found = encoder.vectors([LONG, "kala"], "document")
            assert len(encoder.items([LONG], "document")[0].arrays["input_ids"]) == most
            assert np.isfinite(found.block(0, 2)).all()


def test_a_length_that_is_set_beyond_the_positions_is_refused_with_the_number_that_fits(
    roberta: Path, context: Context
) -> None:
    with pytest.raises(ModelError, match="reads at most 18 tokens, so its length cannot be 19: set 18 or less"):
        encoder_of(roberta, context, max_length=19).encode(["kala"], "query")
    assert encoder_of(roberta, context, max_length=18).encode([LONG], "query").shape == (1, 32)
    # What training made of it has the length of its configuration as a setting.
    trained = open_encoder(
        dataclasses.replace(Dense(model=str(roberta))._encoder_settings(), max_length=20), context, "a name"
    )
    assert trained.encode([LONG], "query").shape == (1, 32)


def test_a_length_without_room_for_the_tokens_that_a_tokenizer_adds_is_refused(
    tiny_encoder: Path, tiny_cross_encoder: Path, tiny_ragged: tuple[Path, Path], copy: Path, context: Context
) -> None:
    with pytest.raises(
        ModelError, match=r"adds 2 special tokens to each text, so .* cannot be cut at 1 tokens: set a length of 3"
    ):
        encoder_of(tiny_encoder, context, max_length=1).encode([LONG], "query")
    assert encoder_of(tiny_encoder, context, max_length=3).items([LONG], "query")[0].length == 3
    with pytest.raises(ModelError, match="cannot be cut at 1"):
        encoder_of(limited(copy, 1), context).encode([LONG], "query")
    with pytest.raises(ModelError, match="a text cannot be cut at 1"):
        open_ragged(SparseEncoder, Sparse(model=str(tiny_ragged[0]), max_length=1)._settings(), context).encode(
            [LONG], "query"
        )
    settings = CrossEncoder(model=str(tiny_cross_encoder), max_length=2)._pair_settings()
    with pytest.raises(
        ModelError, match=r"adds 3 special tokens to each pair, so .* cannot be cut at 2 tokens: set a length of 4"
    ):
        PairScorer(settings, context).scores([("kala", LONG)])


def test_a_cross_encoder_is_cut_at_its_positions(roberta: Path, context: Context) -> None:
    pairs = roberta.parent / "pairs"
    for engine in engines(context):
        settings = dataclasses.replace(CrossEncoder(model=str(pairs))._pair_settings(), engine=engine)
        found = PairScorer(settings, context).scores([("kala " * 50, LONG), ("kala", "bero")])
        assert np.isfinite(found).all()
        assert found[0] != found[1]
    with pytest.raises(ModelError, match="set 18 or less"):
        PairScorer(dataclasses.replace(settings, max_length=300, engine=None), context).scores([("kala", "bero")])


def test_sparse_and_late_encoders_are_cut_at_their_positions(
    tiny_ragged: tuple[Path, Path], tmp_path: Path, context: Context
) -> None:
    sparse = Path(shutil.copytree(tiny_ragged[0], tmp_path / "sparse"))
    late = Path(shutil.copytree(tiny_ragged[1], tmp_path / "late"))
    for folder, lengths in ((sparse, {"max_seq_length": 512}), (late, {"max_seq_length": 512, "document_length": 300})):
        config = json.loads((folder / "sentence_bert_config.json").read_text())
        (folder / "sentence_bert_config.json").write_text(json.dumps({**config, **lengths}))
    found = open_ragged(SparseEncoder, Sparse(model=str(sparse))._settings(), context).matrices([LONG], "document")
    assert len(found.block(0, 1)[0])
    vectors = open_ragged(LateEncoder, Late(model=str(late))._settings(), context).matrices([LONG], "document")
    assert 0 < len(vectors.block(0, 1)[0]) <= 64
    with pytest.raises(ModelError, match="set 64 or less"):
        open_ragged(LateEncoder, Late(model=str(late), document_length=65)._settings(), context).encode(
            [LONG], "document"
        )
    with pytest.raises(ModelError, match=r"expands queries to 80 tokens .* set query_length=64|set 64 or less"):
        open_ragged(LateEncoder, Late(model=str(late), query_length=80)._settings(), context).encode(["kala"], "query")


def test_each_route_of_a_router_is_cut_at_its_own_positions(routed: dict[str, Path], context: Context) -> None:
    encoder = encoder_of(routed["both"], context)
    lengths = {side: encoder.items([LONG], side)[0].length for side in ("query", "document")}  # type: ignore[arg-type]
    assert lengths == {"query": 64, "document": 40}
    assert encoder.encode([LONG], "document").shape == (1, 32)


def test_a_model_without_a_limit_keeps_its_length(tiny_encoder: Path, routed: dict[str, Path]) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_encoder), device="cpu")
    model.max_seq_length = 10
    limit_length(model, "a name")
    assert (length_of(model), length_of(model, "query", UNLIMITED)) == (10, 10)
    static = SentenceTransformer(str(routed["static"]), device="cpu")
    assert (length_of(static, "query"), length_of(static, "query", UNLIMITED), length_of(static, "document")) == (
        512,
        UNLIMITED,
        40,
    )
