from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import ModelError, SettingError
from harness.methods.late import Late
from harness.methods.sparse import Sparse
from harness.models.late import LateEncoder
from harness.models.sparse import SparseEncoder
from harness.runtime.context import Context


def test_a_folder_of_another_kind_has_to_be_trained_first(tiny_encoder: Path, context: Context) -> None:
    encoder = SparseEncoder(Sparse(model=str(tiny_encoder))._settings(), context)
    assert not encoder.is_trained
    with pytest.raises(ModelError, match=r"is not a model for sparse: train it first with sparse\(.*\)\+splade"):
        _ = encoder.model


def test_a_folder_of_this_kind_needs_no_training(tiny_ragged: tuple[Path, Path], context: Context) -> None:
    encoder = LateEncoder(Late(model=str(tiny_ragged[1]))._settings(), context)
    assert encoder.is_trained
    encoder.check()


def test_a_length_out_of_range_is_refused(tiny_ragged: tuple[Path, Path], context: Context) -> None:
    settings = Late(model=str(tiny_ragged[1]))._settings()
    with pytest.raises(SettingError, match="late: a length must be 1 or more, not 0"):
        type(settings)(**{**vars(settings), "query_length": 0}).check("late")
