"""What the end of a dataset's name says."""

from __future__ import annotations

import pytest

from harness.base.errors import SettingError
from harness.collection.dev import DOCUMENTS, QUERIES
from harness.collection.variant import Variant, named, reported_split, split_variant


@pytest.mark.parametrize(
    ("name", "base", "variant"),
    [
        ("beir/scifact", "beir/scifact", Variant()),
        ("beir/scifact/test", "beir/scifact/test", Variant()),
        ("beir/scifact-dev-queries", "beir/scifact", Variant(dev=QUERIES)),
        ("beir/scifact/test-dev-queries", "beir/scifact/test", Variant(dev=QUERIES)),
        ("./mine-dev-documents", "./mine", Variant(dev=DOCUMENTS)),
        ("-dev-queries", "-dev-queries", Variant()),
        ("beir/scifact/folds-5", "beir/scifact", Variant(5)),
        ("beir/scifact/folds-10-queries", "beir/scifact", Variant(10, QUERIES)),
        ("./mine/folds-5-dev-queries", "./mine", Variant(5, dev=QUERIES)),
        ("./mine/folds-5-queries-dev-documents", "./mine", Variant(5, QUERIES, DOCUMENTS)),
        ("beir/scifact/folds-few", "beir/scifact/folds-few", Variant()),
    ],
)
def test_the_end_of_a_name(name: str, base: str, variant: Variant) -> None:
    assert split_variant(name) == (base, variant)
    assert split_variant(f"{base}{variant}")[0] == base
    assert split_variant(f"{base}{variant}")[1].dev_rule == variant.dev_rule


def test_a_setting_is_written_into_the_name_once() -> None:
    assert named("beir/scifact") == "beir/scifact"
    assert named("beir/scifact", dev_cut="queries") == "beir/scifact-dev-queries"
    assert named("beir/scifact-dev-queries", dev_cut="queries") == "beir/scifact-dev-queries"
    assert named("beir/scifact-dev-queries", dev_cut="documents") == "beir/scifact"
    with pytest.raises(SettingError, match="dev is cut by documents or by queries; got 'words'"):
        named("beir/scifact", dev_cut="words")


def test_folds_are_written_into_the_name() -> None:
    assert named("beir/scifact", 5) == named("beir/scifact/folds-3", "5") == "beir/scifact/folds-5"
    assert named("beir/scifact", "5-queries") == "beir/scifact/folds-5-queries"
    assert named("beir/scifact", "5-documents", "queries") == "beir/scifact/folds-5-dev-queries"
    assert named("beir/scifact/folds-5-queries", dev_cut="queries") == "beir/scifact/folds-5-queries"
    for folds in ("1", "x", "0", "²"):
        with pytest.raises(SettingError, match="name 2 folds or more, as folds-5"):
            named("beir/scifact", folds)
    with pytest.raises(SettingError, match="as 5 or 5-queries; got '5-words'"):
        named("beir/scifact", "5-words")
    with pytest.raises(SettingError, match="name 2 folds or more"):
        split_variant("beir/scifact/folds-1")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("folder/mine/test", "test"),
        ("folder/a/b/dev-dev-queries", "dev"),
        ("beir/scifact/folds-5", None),
        ("beir/scifact/folds-5-queries-dev-documents", None),
    ],
)
def test_the_split_of_a_name(name: str, split: str | None) -> None:
    assert reported_split(name) == split
