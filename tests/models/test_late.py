"""Late-interaction encoders against the library, its own folders and older ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ModelError
from harness.models.late import LateEncoder
from harness.models.ragged import RaggedSettings, open_ragged
from harness.runtime.context import Context

TEXTS = ["bibi dodo, fafa.", "x", "", "bibi bibi gaga 12", "a much longer text than the others of this list"]


def encoder_of(model: Path, context: Context, **changed: object) -> LateEncoder:
    usual = dict.fromkeys(("revision", "query_prompt", "document_prompt", "query_length", "document_length"))
    settings = {"model": str(model), **usual, "precision": "fp32", "trust_remote_code": False, **changed}
    return open_ragged(LateEncoder, RaggedSettings(**settings), context)  # type: ignore[arg-type]


def same(encoder: LateEncoder, model: Any) -> None:
    """That the encoder answers what the library does by itself, text by text."""
    for side, encode in (("query", model.encode_query), ("document", model.encode_document)):
        found = encoder.encode(TEXTS, side)  # type: ignore[arg-type]
        for number, text in enumerate(TEXTS):
            assert found[number] == pytest.approx(encode(text, convert_to_numpy=True), abs=1e-5), (side, text)


def test_token_vectors_are_the_librarys_with_its_masks_and_skipped_tokens(tiny_late: Path, context: Context) -> None:
    from sentence_transformers import MultiVectorEncoder

    encoder = encoder_of(tiny_late, context)
    assert encoder.prompts == {"query": "?", "document": "!"}
    same(encoder, MultiVectorEncoder(str(tiny_late), device="cpu"))
    assert encoder.encode(TEXTS, "query").lengths.tolist() == [12] * len(TEXTS), "queries are filled up with masks"
    plain, marked = (int(encoder.encode([text], "document").lengths[0]) for text in ("bibi dodo", "bibi, dodo.,"))
    assert plain == marked, "commas and stops are left out"
    assert np.linalg.norm(encoder.encode(TEXTS, "document").values, axis=1) == pytest.approx(1, abs=1e-5)


def test_vectors_are_kept_once_and_read_back(
    tiny_late: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = encoder_of(tiny_late, context)
    first = encoder.matrices(TEXTS, "document").block(0, len(TEXTS))
    monkeypatch.setattr(LateEncoder, "encode", lambda *_: pytest.fail("encoded again"))
    again = encoder_of(tiny_late, Context(cache=context.cache)).matrices(TEXTS[::-1], "document")
    for i in range(len(TEXTS)):
        assert again.block(i, i + 1)[0].tolist() == first[len(TEXTS) - 1 - i].tolist()


def test_lengths_are_as_asked(tiny_late: Path, context: Context) -> None:
    encoder = encoder_of(tiny_late, context, query_length=7, document_length=5)
    assert encoder.encode(TEXTS, "query").lengths.tolist() == [7] * len(TEXTS)
    assert encoder.encode(TEXTS, "document").lengths.max() <= 5
    assert (encoder.resolved["query_length"], encoder.resolved["document_length"]) == (7, 5)


def test_a_query_that_is_filled_up_but_not_cut_is_cut_where_it_is_asked_for(
    tiny_late: Path, tmp_path: Path, context: Context
) -> None:
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(str(tiny_late), device="cpu")
    model[0].query_expansion = {"strategy": "min", "attend": False, "length": 9}
    model.save_pretrained(str(tmp_path / "min"))
    whole = encoder_of(tmp_path / "min", context)
    same(whole, MultiVectorEncoder(str(tmp_path / "min"), device="cpu"))
    assert whole.encode(TEXTS, "query").lengths.min() == 9 < whole.encode(TEXTS, "query").lengths.max()
    for length in (5, 14):
        cut = encoder_of(tmp_path / "min", context, query_length=length)
        assert cut.encode(TEXTS, "query").lengths.tolist() == [length] * len(TEXTS)


def test_an_encoder_of_another_kind_gets_a_projection_when_it_is_trained(tiny_encoder: Path, context: Context) -> None:
    encoder = encoder_of(tiny_encoder, context, query_length=9)
    assert not encoder.is_trained
    with pytest.raises(ModelError, match=r"is not a model for late: train it first with late\(model=.*\)\+colbert"):
        encoder.matrices(["a"], "query")
    model = encoder.fresh()
    assert [type(m).__name__ for m in model] == ["Transformer", "Dense", "MultiVectorMask", "Normalize"]
    assert model.get_embedding_dimension() == 128
    assert model[0].query_length == 9


def test_a_folder_of_pylate_has_its_markers(tiny_late: Path, tmp_path: Path, context: Context) -> None:
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(str(tiny_late), device="cpu")
    model.save_pretrained(str(tmp_path / "pylate"))
    config = tmp_path / "pylate" / "config_sentence_transformers.json"
    held = json.loads(config.read_text())
    held |= {"model_type": "ColBERT", "query_prefix": "q ", "document_prefix": "d ", "query_length": 11, "prompts": {}}
    held |= {"skiplist_words": ["!"], "do_query_expansion": True}
    config.write_text(json.dumps(held))
    modules = json.loads((tmp_path / "pylate" / "modules.json").read_text())
    (tmp_path / "pylate" / "modules.json").write_text(json.dumps(modules[:2]))
    bert = tmp_path / "pylate" / "sentence_bert_config.json"
    kept = {k: v for k, v in json.loads(bert.read_text()).items() if k != "query_expansion"}
    bert.write_text(json.dumps(kept))
    encoder = encoder_of(tmp_path / "pylate", context)
    assert encoder.is_trained
    assert encoder.prompts == {"query": "q ", "document": "d "}
    same(encoder, MultiVectorEncoder(str(tmp_path / "pylate"), device="cpu"))
    assert encoder.encode(TEXTS, "query").lengths.tolist() == [11] * len(TEXTS)


def test_a_folder_of_stanfords_colbert_has_its_markers_and_its_settings_are_part_of_the_key(
    tiny_late: Path, tmp_path: Path, context: Context
) -> None:
    from safetensors.torch import load_file, save_file
    from sentence_transformers import MultiVectorEncoder

    source, folder = tiny_late.parent / "bert", tmp_path / "stanford"
    folder.mkdir()
    for file in source.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["HF_ColBERT"]}))
    weights = {f"bert.{name}": value for name, value in load_file(folder / "model.safetensors").items()}
    linear = load_file(tiny_late / "1_Dense" / "model.safetensors")["linear.weight"]
    save_file({**weights, "linear.weight": linear}, folder / "model.safetensors", metadata={"format": "pt"})
    metadata = {"query_token_id": "a", "doc_token_id": "b", "query_maxlen": 10, "doc_maxlen": 20}
    shas = set()
    for length in (10, 13):
        (folder / "artifact.metadata").write_text(json.dumps({**metadata, "query_maxlen": length}))
        encoder = encoder_of(folder, Context(cache=context.cache))
        shas.add(encoder.folder.sha)
        assert encoder.is_trained
        assert encoder.prompts == {"query": "a ", "document": "b "}
        same(encoder, MultiVectorEncoder(str(folder), device="cpu"))
        assert encoder.encode(TEXTS, "query").lengths.tolist() == [length] * len(TEXTS)
    assert len(shas) == 2
    (folder / "artifact.metadata").unlink()
    assert encoder_of(folder, Context(cache=context.cache)).prompts == {"query": "[unused0] ", "document": "[unused1] "}


def test_the_mean_of_maxsim_is_noticed(tiny_late: Path, tmp_path: Path, context: Context) -> None:
    from sentence_transformers import MultiVectorEncoder

    assert encoder_of(tiny_late, context).similarity == "maxsim"
    model = MultiVectorEncoder(str(tiny_late), device="cpu", similarity_fn_name="meanmaxsim")
    model.save_pretrained(str(tmp_path / "mean"))
    mean = encoder_of(tmp_path / "mean", context)
    assert mean.similarity == "meanmaxsim"
    assert mean.fingerprint != encoder_of(tiny_late, context).fingerprint
