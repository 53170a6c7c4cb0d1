"""Which names lead to a place inside a folder, on every system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cache.names import is_inside


@pytest.mark.parametrize("name", ["corpus.arrow", "model/1_Pooling/config.json", "_0.cfs", "a..b", "ä/ö", "a b"])
def test_names_of_files_in_a_folder(name: str) -> None:
    assert is_inside(name)


@pytest.mark.parametrize(
    "name",
    [
        *[
            "",
            ".",
            "..",
            "../x",
            "a/../../x",
            "a/..",
            "/etc/passwd",
            "//x",
            "a//b",
            "a/",
            "./a",
            "C:/x",
            "C:x",
            "a\\..\\x",
        ],
        *["\\\\host\\x", "a\0b", "a\nb", "x" * 256, "/".join(["x"] * 600), None, 3, ["a"], b"a"],
    ],
)
def test_names_that_lead_elsewhere(name: Any) -> None:
    assert not is_inside(name)


@given(st.text())
def test_what_passes_stays_inside_whatever_it_is(name: str) -> None:
    if is_inside(name):
        root = Path("/somewhere/inside")
        assert (root / name).is_relative_to(root)
        assert ".." not in (root / name).parts
