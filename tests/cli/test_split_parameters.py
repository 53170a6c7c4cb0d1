"""Folds and the dev cut become a part of the dataset's name, wherever one is named."""

import pytest

from harness.base.errors import SettingError
from harness.cli.board import Run
from harness.cli.dataset_parameters import DefaultDataset, SplitDataset
from harness.cli.parameters import Datasets


def test_settings_are_written_into_the_names() -> None:
    assert Datasets(dataset=["a/b", "c/d", "a/b"], folds="5").datasets == ["a/b/folds-5", "c/d/folds-5"]
    assert Datasets(dataset=["a/b"], dev_cut="queries").datasets == ["a/b-dev-queries"]
    assert SplitDataset(dataset="a/b", folds="3-queries").one_dataset == "a/b/folds-3-queries"
    assert DefaultDataset(dataset_option=["a/b/test"], dev_cut="queries").one_dataset == "a/b/test-dev-queries"
    assert DefaultDataset(folds="5").one_dataset == f"{DefaultDataset().one_dataset}/folds-5"
    assert Datasets(folds="5").datasets == [DefaultDataset(folds="5").one_dataset]
    assert Run(named=["a/b"], dataset=["c/d"], folds="5").datasets == ["a/b/folds-5", "c/d/folds-5"]
    assert Run(folds="5").datasets == [DefaultDataset(folds="5").one_dataset]


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingError, match="documents or by queries"):
        _ = Datasets(dataset=["a/b"], dev_cut="words").datasets
    with pytest.raises(SettingError, match="name 2 folds or more"):
        _ = SplitDataset(dataset="a/b", folds="one").one_dataset
