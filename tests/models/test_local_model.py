from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.engines.openvino import Openvino
from harness.engines.torch import Torch
from harness.methods.dense import Dense
from harness.models.encoder import Encoder, open_encoder
from harness.models.engine_settings import EngineConfig
from harness.models.local_model import hash_of, open_model
from harness.runtime.context import Context


def test_a_hash_depends_on_every_value_and_not_on_their_order() -> None:
    assert hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1}) != hash_of({"a": 1, "b": 3})


def test_equal_settings_open_one_model_and_a_trained_folder_keeps_the_name_of_its_origin(
    tiny_encoder: Path, context: Context
) -> None:
    settings = Dense(model=str(tiny_encoder))._encoder_settings()
    encoder = open_model(Encoder, settings, context)
    assert open_encoder(replace(settings), context) is encoder
    trained = open_encoder(settings, context, "a/name")
    assert (trained.folder.name, trained.folder.source) == ("a/name", "trained")
    assert trained.source == (str(tiny_encoder), None)


def test_an_engine_is_a_setting_and_torch_is_none(tiny_encoder: Path, context: Context) -> None:
    encoder = open_encoder(Dense(model=str(tiny_encoder))._encoder_settings(), context)
    assert encoder.with_engine(EngineConfig(Torch(), "fp32")) is encoder
    other = encoder.with_engine(EngineConfig(Openvino(), "fp32"))
    assert other.settings.engine == Openvino()
    assert other.with_precision("fp32") is encoder
