from __future__ import annotations

import pytest

from harness.base.errors import SettingError
from harness.engines.openvino import Openvino
from harness.engines.torch import Torch
from harness.models.engine_settings import EXACT, NEAR, PAIR_FACTOR, EngineConfig, EngineSettings


def test_a_configuration_reads_back_what_it_prints() -> None:
    assert EngineConfig.parse("torch bf16") == EngineConfig(Torch(), "bf16")
    assert str(EngineConfig(Torch(), "bf16")) == "torch bf16"
    with pytest.raises(SettingError, match="the engine torch supports"):
        EngineConfig.parse("torch int8")


def test_the_allowed_change_is_larger_below_fp32_and_for_pair_scores() -> None:
    assert EngineSettings().bound("fp32") == EXACT
    assert EngineSettings().bound("bf16") == NEAR
    assert EngineSettings(pair_scores=True).bound("bf16") == NEAR * PAIR_FACTOR
    assert EngineSettings("auto", tolerance=0.5, pair_scores=True).bound("bf16") == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (EngineSettings("int4"), "precision must be one of fp32, bf16, fp16, int8 or auto"),
        (EngineSettings("int8", Torch()), "the engine torch supports the precisions fp32, bf16, fp16"),
        (EngineSettings("fp16", Openvino()), "the engine openvino supports"),
        (EngineSettings("auto", tolerance=0.0), "tolerance must be above 0"),
        (EngineSettings("bf16", tolerance=0.1), "tolerance has no effect here"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings: EngineSettings, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        settings.check("dense")


def test_training_starts_from_what_torch_computes() -> None:
    assert EngineSettings("bf16").for_training() == EngineSettings("bf16")
    others = (EngineSettings("int8"), EngineSettings("bf16", Openvino()), EngineSettings("fp32", Torch(), 0.1))
    for settings in (EngineSettings("auto"), *others):
        assert settings.for_training() == EngineSettings()
