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


def test_texts_are_computed_in_the_same_way_while_any_row_of_a_model_is_trained() -> None:
    assert EngineSettings("bf16").for_training() == EngineSettings("bf16")
    assert EngineSettings("fp16", Torch()).for_training() == EngineSettings("fp16")
    others = (EngineSettings("int8"), EngineSettings("bf16", Openvino()), EngineSettings("fp32", Torch(), 0.1))
    for settings in (EngineSettings(), EngineSettings("auto", tolerance=0.1), *others):
        assert settings.for_training() == EngineSettings("auto")
    assert EngineSettings(pair_scores=True).for_training() == EngineSettings("auto", pair_scores=True)


def test_a_model_is_opened_in_fp32_unless_torch_computes_it_in_another_precision() -> None:
    for settings in (EngineSettings("auto"), EngineSettings("int8"), EngineSettings("bf16", Openvino())):
        assert settings.opened == "fp32"
    assert EngineSettings("bf16").opened == "bf16"


def test_auto_considers_no_eight_bits() -> None:
    assert {c.precision for c in EngineSettings("auto", Openvino()).candidates(lambda: "cpu")[0]} <= {"fp32", "bf16"}


def test_the_identity_of_a_row_has_the_engines_that_this_machine_would_try(monkeypatch: pytest.MonkeyPatch) -> None:
    def inputs() -> dict[str, str]:
        return EngineSettings("auto").inputs(lambda: "cpu")

    for module in ("torch", "openvino"):
        monkeypatch.setattr(f"harness.engines.{module}.multiplies_bf16", lambda: True)
    here = inputs()
    assert here["engines"].endswith("torch bf16") or "torch bf16, " in here["engines"]
    for module in ("torch", "openvino"):
        monkeypatch.setattr(f"harness.engines.{module}.multiplies_bf16", lambda: False)
    assert inputs() != here
    assert EngineSettings().inputs(lambda: pytest.fail("there is nothing to choose")) == {}
