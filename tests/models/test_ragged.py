"""What sparse and late-interaction encoders share: keys, prompts, precision, errors."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ModelError, SettingError
from harness.cache.ragged import Ragged
from harness.engines import Unfit
from harness.engines.openvino import Openvino
from harness.models.engine_compare import compare
from harness.models.engine_settings import REFERENCE, EngineConfig
from harness.models.late import LateEncoder
from harness.models.ragged import RaggedEncoder, RaggedSettings, open_ragged
from harness.models.sample import Sample
from harness.models.sparse import SparseEncoder
from harness.runtime.context import Context

Kind = tuple[type[RaggedEncoder], Path]


@pytest.fixture(params=["sparse", "late"])
def kind(request: pytest.FixtureRequest, tiny_sparse: Path, tiny_late: Path) -> Kind:
    return {"sparse": (SparseEncoder, tiny_sparse), "late": (LateEncoder, tiny_late)}[request.param]


def settings_of(model: Path, **changed: Any) -> RaggedSettings:
    usual = dict.fromkeys(("revision", "query_prompt", "document_prompt", "query_length", "document_length"))
    return RaggedSettings(**{"model": str(model), **usual, "precision": "fp32", "trust_remote_code": False, **changed})


def opened(kind: Kind, context: Context, **changed: Any) -> RaggedEncoder:
    return open_ragged(kind[0], settings_of(kind[1], **changed), context)


@pytest.mark.parametrize(
    "changed",
    [
        {"document_prompt": "find "},
        {"document_length": 6},
        {"precision": "bf16"},
    ],
)
def test_whatever_changes_a_documents_matrix_changes_its_key(
    kind: Kind, changed: dict[str, Any], context: Context
) -> None:
    usual, other = opened(kind, context), opened(kind, context, **changed)
    texts = ["bibi dodo fafa gaga kiki lolo momo"]
    assert usual.key("document") != other.key("document")
    assert usual.fingerprint != other.fingerprint
    mine, theirs = usual.encode(texts, "document"), other.encode(texts, "document")
    assert mine.values.shape != theirs.values.shape or not np.array_equal(mine.values, theirs.values)
    assert (usual.key("query") == other.key("query")) == ("precision" not in changed)


def test_the_sides_and_the_kinds_have_keys_of_their_own(tiny_sparse: Path, context: Context) -> None:
    sparse, late = (open_ragged(k, settings_of(tiny_sparse), context) for k in (SparseEncoder, LateEncoder))
    assert len({e.key(side) for e in (sparse, late) for side in ("query", "document")}) == 4


def test_another_models_weights_are_another_key(kind: Kind, tmp_path: Path, context: Context) -> None:
    import torch

    before = opened(kind, context)
    model = before.fresh()
    with torch.no_grad():
        next(model.parameters()).add_(0.01)
    model.save_pretrained(str(tmp_path / "other"))
    assert opened((kind[0], tmp_path / "other"), context).key("query") != before.key("query")


def test_one_encoder_per_run_and_settings_which_loads_once(
    kind: Kind, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = opened(kind, context)
    assert opened(kind, context) is encoder
    assert encoder.model is encoder.model
    monkeypatch.setattr(kind[0], "_build", lambda *_: pytest.fail("loaded though all is kept"))
    encoder.matrices(["a", "b"], "query")
    assert len(opened(kind, Context(cache=context.cache)).matrices(["b", "a"], "query")) == 2


def test_a_fresh_model_is_nobody_elses_and_moves_no_random_stream(kind: Kind, context: Context) -> None:
    import torch

    encoder = opened(kind, context, precision="bf16")
    state = torch.get_rng_state()
    one, other = encoder.fresh(), encoder.fresh()
    assert torch.equal(torch.get_rng_state(), state)
    assert one is not other
    assert {p.dtype for p in one.parameters()} == {torch.float32}
    assert {p.dtype for p in encoder.model.parameters()} == {torch.bfloat16}


def test_a_prompt_stands_before_the_text(kind: Kind, context: Context) -> None:
    prompted, plain = opened(kind, context, query_prompt="bibi "), opened(kind, context, query_prompt="")
    assert prompted.encode(["dodo"], "query").values == pytest.approx(
        plain.encode(["bibi dodo"], "query").values, abs=1e-6
    )


def test_what_is_not_a_number_is_an_error_that_names_the_text(
    kind: Kind, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = opened(kind, context)
    bad = Ragged.of([np.ones((1, 2), np.float32), np.full((1, 2), np.nan, np.float32)], 2)
    monkeypatch.setattr(kind[0], "_compute", lambda *_: bad)
    with pytest.raises(ModelError, match=r"values that are not numbers .*, first for 'two'\. Try precision=\"fp32\""):
        encoder.matrices(["one", "two"], "document")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"precision": "fp8"}, "precision must be one of fp32, bf16, fp16"),
        ({"query_length": 0}, "a length must be 1 or more"),
    ],
)
def test_a_setting_out_of_range_is_refused(kind: Kind, changed: dict[str, Any], message: str, context: Context) -> None:
    with pytest.raises(SettingError, match=message):
        opened(kind, context, **changed)


def test_a_trained_folder_is_called_by_the_models_name(kind: Kind, tmp_path: Path, context: Context) -> None:
    encoder = opened(kind, context, query_prompt="bibi ")
    model = encoder.fresh()
    model.prompts = {"query": "kept ", "document": ""}
    model.save_pretrained(str(tmp_path / "trained"))
    after = encoder.retrained(tmp_path / "trained")
    assert (after.folder.name, after.folder.source) == (encoder.folder.name, "trained")
    assert after.prompts == {"query": "kept ", "document": ""}
    assert type(after) is type(encoder)


def test_a_sparse_encoder_is_computed_by_another_engine_and_kept_apart(tiny_sparse: Path, context: Context) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed")
    usual = open_ragged(SparseEncoder, settings_of(tiny_sparse), context)
    fast = usual.with_engine(EngineConfig(Openvino(), "fp32"))
    texts = ["bibi dodo fafa", "", "gaga kiki lolo momo bibi bibi"]
    one, other = usual.encode_in_batches(texts, "document"), fast.encode_in_batches(texts, "document")
    assert np.array_equal(one.values[:, 0], other.values[:, 0]), "the same terms"
    assert other.values[:, 1] == pytest.approx(one.values[:, 1], abs=1e-5)
    assert fast.key("document") != usual.key("document")
    assert fast.resolved["engine"] == "openvino"
    assert fast.model is usual.model


def test_another_engine_that_cannot_give_token_vectors_says_so(tiny_late: Path, context: Context) -> None:
    encoder = open_ragged(LateEncoder, settings_of(tiny_late, engine=Openvino()), context)
    with pytest.raises(Unfit, match="a vector for each token"):
        encoder.encode(["bibi"], "document")


@pytest.mark.parametrize("change", [0.0, 0.5])
def test_the_engine_check_compares_matrices(kind: Kind, change: float, context: Context) -> None:
    encoder = opened(kind, context)
    some = Sample(("bibi", "dodo fafa"), ("bibi dodo", "gaga", "kiki lolo", "fafa bibi"))
    outputs = encoder.sample_outputs(REFERENCE, some)
    assert outputs.scores.shape == (2, 4)
    assert outputs.vectors is not None
    noise = np.random.default_rng(0).standard_normal(outputs.vectors.shape).astype(np.float32)
    other = dataclasses.replace(outputs, vectors=outputs.vectors + change * np.abs(outputs.vectors).max() * noise)
    trial = compare(REFERENCE, other, outputs, bound=1e-2)
    assert trial.verdict == ("refused" if change else "taken")
