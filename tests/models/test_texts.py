import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import Unavailable
from harness.engines.openvino import Openvino
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.late import Late
from harness.methods.sparse import Sparse
from harness.models.cross_encoder import PairScorer
from harness.models.encoder import Encoder
from harness.models.late import LateEncoder
from harness.models.library import vectors_by_library
from harness.models.probe import token_counts
from harness.models.ragged import open_ragged
from harness.models.sparse import SparseEncoder
from harness.models.texts import readable, without_tokens
from harness.models.tokens import InputFormat
from harness.runtime.context import Context

EMPTY = ["", "   ", "日本語", "\ud800"]
"""Of these the silent tokenizer makes nothing."""
ODD = ["", " \t\n ", "日本語のテキスト", "\ud800", "a\udfff b", "\x00", "\u200b", "x" * 20_000, "😀" * 100]


def encoder_of(folder: Path, context: Context, **changed: Any) -> Encoder:
    return Encoder(dataclasses.replace(Dense(model=str(folder))._encoder_settings(), **changed), context)


def held(encoder: Encoder, texts: list[str]) -> Any:
    found = encoder.vectors(texts, "document")
    return found.block(0, len(found))


def openvino() -> Openvino:
    try:
        Openvino().versions("fp32")
    except Unavailable:
        pytest.skip("openvino is not installed")
    return Openvino()


@pytest.fixture(params=["torch", "openvino"])
def engine(request: pytest.FixtureRequest) -> Any:
    return None if request.param == "torch" else openvino()


@pytest.fixture(scope="module")
def silent(silent_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Encoders with the silent tokenizer: one for each pooling, one behind a router's document route."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    root = tmp_path_factory.mktemp("silent-encoders")
    for pooling in ("mean", "cls", "lasttoken"):
        modules = [Transformer(str(silent_bert)), Pooling(32, pooling)]
        SentenceTransformer(modules=modules, device="cpu").save(str(root / pooling))
    return {pooling: root / pooling for pooling in ("mean", "cls", "lasttoken")}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("😀é", "😀é"),
    ],
)
def test_lone_surrogates_are_read_as_replacement_characters_and_pairs_of_them_as_what_they_make(
    text: str, read: str
) -> None:
    assert readable(text) == read
    assert readable((text, "b")) == (read, "b")


def test_a_text_without_tokens_is_one_of_which_the_tokenizer_makes_nothing(
    silent: dict[str, Path], tiny_encoder: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(silent["mean"]), device="cpu")
    texts = ["kala", *map(readable, EMPTY)]
    assert without_tokens(model, texts, "", "document") == [False, True, True, True, True]
    assert without_tokens(model, texts, "ask", "document") == [False] * 5
    assert without_tokens(model, [], "", "document") == []
    usual = SentenceTransformer(str(tiny_encoder), device="cpu")
    assert without_tokens(usual, texts, "", "document") == [False] * 5  # it marks the start and the end


@pytest.mark.parametrize("pooling", ["mean", "cls", "lasttoken"])
def test_a_text_without_tokens_has_the_zero_vector_alone_and_among_others(
    pooling: str, engine: Any, silent: dict[str, Path], context: Context
) -> None:
    encoder = encoder_of(silent[pooling], context, engine=engine)
    alone = held(encoder, EMPTY)
    assert alone.shape == (4, 32)
    assert not alone.any()
    among = held(encoder, ["kala", "\ud801", "bero", "  "])
    assert (np.linalg.norm(among, axis=1) > 0.9).tolist() == [True, False, True, False]
    assert np.abs(among[[0, 2]] - encoder.encode(["kala", "bero"], "document")).max() < 1e-5


def test_with_mean_pooling_that_is_what_the_library_gives_among_others(
    silent: dict[str, Path], context: Context
) -> None:
    from sentence_transformers import SentenceTransformer

    expected = SentenceTransformer(str(silent["mean"]), device="cpu").encode(["kala", ""], normalize_embeddings=True)
    assert np.abs(held(encoder_of(silent["mean"], context), ["kala", ""]) - expected).max() < 1e-5


def test_the_way_through_the_library_gives_the_same(silent: dict[str, Path], context: Context) -> None:
    encoder = encoder_of(silent["mean"], context)
    reading = InputFormat("", "document")
    found = vectors_by_library(encoder.model, ["kala", "", "\ud800"], reading, normalise=True, batch=8)
    assert np.abs(found - held(encoder, ["kala", "", "\ud800"])).max() < 1e-5
    none = vectors_by_library(encoder.model, EMPTY, reading, normalise=True, batch=8)
    assert none.shape == (4, 32)
    assert not none.any()


def test_no_odd_text_stops_an_encoder(
    engine: Any, tiny_encoder: Path, silent: dict[str, Path], context: Context
) -> None:
    for folder in (tiny_encoder, silent["mean"]):
        encoder = encoder_of(folder, context, engine=engine)
        assert np.isfinite(held(encoder, ODD)).all()
        for text in ODD:
            assert encoder.encode([text], "query").shape == (1, 32)
        assert len(token_counts(encoder, ODD, "query")) == len(ODD)


def test_no_odd_pair_stops_a_cross_encoder(
    engine: Any, tiny_cross_encoder: Path, silent_bert: Path, context: Context
) -> None:
    for folder in (tiny_cross_encoder, silent_bert.parent / "pairs"):
        settings = dataclasses.replace(CrossEncoder(model=str(folder))._pair_settings(), engine=engine)
        scorer = PairScorer(settings, context)
        pairs = [(query, document) for query in ("", "kala", "\ud800") for document in ODD]
        found = scorer.scores(pairs)
        assert np.isfinite(found).all()
        assert abs(float(scorer.compute([("", "")])[0, 0]) - float(found[0])) < 1e-4  # alone as among others


def test_no_odd_text_stops_a_sparse_encoder(
    tiny_sparse: Path, silent_bert: Path, tmp_path: Path, context: Context
) -> None:
    from sentence_transformers import SparseEncoder as Model
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sparse_encoder.modules import SpladePooling

    masked = Transformer(str(silent_bert.parent / "masked"), transformer_task="fill-mask")
    Model(modules=[masked, SpladePooling("max")], device="cpu").save_pretrained(str(tmp_path / "sparse"))
    for folder in (tiny_sparse, tmp_path / "sparse"):
        encoder = open_ragged(SparseEncoder, Sparse(model=str(folder))._settings(), context)
        found = encoder.matrices(ODD, "document")
        assert len(found) == len(ODD)
        assert np.isfinite(found.block(0, len(ODD)).values).all()
    none, some = encoder.encode(EMPTY, "query"), encoder.encode(["kala", "", "bero"], "query")
    assert (none.lengths.tolist(), none.values.shape) == ([0] * 4, (0, 2))
    assert [length > 0 for length in some.lengths.tolist()] == [True, False, True]


def test_no_odd_text_stops_a_late_encoder(tiny_late: Path, silent_bert: Path, tmp_path: Path, context: Context) -> None:
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    modules = [Transformer(str(silent_bert)), MultiVectorMask(), Normalize(module_input_name="token_embeddings")]
    MultiVectorEncoder(modules=modules, device="cpu").save_pretrained(str(tmp_path / "late"))
    for folder in (tiny_late, tmp_path / "late"):
        encoder = open_ragged(LateEncoder, Late(model=str(folder))._settings(), context)
        for side in ("query", "document"):
            found = encoder.matrices(ODD, side)  # type: ignore[arg-type]
            assert len(found) == len(ODD)
            assert np.isfinite(found.block(0, len(ODD)).values).all()
    assert encoder.encode(EMPTY, "document").lengths.tolist() == [0] * 4
    some = encoder.encode(["kala", "", "bero"], "document")
    assert [length > 0 for length in some.lengths.tolist()] == [True, False, True]


def test_one_word_of_megabytes_is_encoded_next_to_others(tiny_encoder: Path, context: Context) -> None:
    found = held(encoder_of(tiny_encoder, context), ["x" * 3_000_000, "kala"])
    assert np.isfinite(found).all()
