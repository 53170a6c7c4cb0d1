"""What the end of a dataset's name says."""

from __future__ import annotations

import pytest

from harness.base.errors import SettingError
from harness.collection.dev import DOCUMENTS, QUERIES
from harness.collection.variant import Variant, named, split_variant


@pytest.mark.parametrize(
    ("name", "base", "variant"),
    [
        ("beir/scifact", "beir/scifact", Variant()),
        ("beir/scifact/test", "beir/scifact/test", Variant()),
        ("beir/scifact-dev-queries", "beir/scifact", Variant(dev=QUERIES)),
        ("beir/scifact/test-dev-queries", "beir/scifact/test", Variant(dev=QUERIES)),
        ("./mine-dev-documents", "./mine", Variant(dev=DOCUMENTS)),
        ("-dev-queries", "-dev-queries", Variant()),
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
