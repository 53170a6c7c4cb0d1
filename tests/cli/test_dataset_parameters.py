import pytest

from harness.base.errors import SettingError
from harness.cli.dataset_parameters import DefaultDataset, OneDataset
from harness.cli.parameters import Datasets


def test_a_dataset_is_named_once() -> None:
    assert OneDataset(dataset="a/b", dataset_option=["a/b"]).one_dataset == "a/b"
    assert Datasets(dataset=["a/b", "c/d", "a/b"]).datasets == ["a/b", "c/d"]
    with pytest.raises(SettingError, match="3 datasets are named, a/b and --dataset c/d and --dataset e/f; this"):
        _ = DefaultDataset(dataset="a/b", dataset_option=["c/d", "e/f"]).one_dataset
    with pytest.raises(SettingError, match="no dataset is named"):
        _ = OneDataset().one_dataset
