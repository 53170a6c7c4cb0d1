import dataclasses

import pytest

from harness.base.errors import SettingError
from harness.engines.openvino import Openvino
from harness.methods.dense import Dense
from harness.models.settings import POOLINGS, PRECISIONS, EncoderSettings


def settings(**changed: object) -> EncoderSettings:
    return dataclasses.replace(Dense()._encoder_settings(), **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("pooling", [None, *POOLINGS])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_known_passes(pooling: str | None, precision: str) -> None:
    settings(pooling=pooling, precision=precision, max_length=1, dimensions=1, similarity="dot").check()


@pytest.mark.parametrize(
    "changed",
    [
        {"pooling": "median"},
        {"precision": "int8"},
        {"precision": "fp16", "engine": Openvino()},
        {"similarity": "euclidean"},
        {"max_length": 0},
        {"dimensions": 0},
    ],
)
def test_what_is_out_of_range_is_refused_by_its_name(changed: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(changed))):
        settings(**changed).check()


def test_precisions_are_those_of_the_engine() -> None:
    settings(precision="int8", engine=Openvino()).check()
