from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.base.toml_files import File, read

TEXT = '''# about
dataset = "x"   # here
text = """
grid = "not this"
"""
baseline = [
  "bm25",
  "dense",
]

[inner]
a.b = 1

[[grid]]
row = "one"

[[grid]]
# a comment
"row" = "two"
learning_rate = { low = 1, hgih = 2 }
'''


@pytest.fixture
def file(tmp_path: Path) -> File:
    path = tmp_path / "s.toml"
    path.write_text(TEXT, encoding="utf-8")
    return read(path)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("dataset",), 2),
        (("text",), 3),
        (("baseline",), 6),
        (("inner",), 11),
        (("inner", "a", "b"), 12),
        (("grid", 0), 14),
        (("grid", 0, "row"), 15),
        (("grid", 1), 17),
        (("grid", 1, "row"), 19),
        (("grid", 1, "learning_rate", "hgih"), 20),
    ],
)
def test_the_line_of_a_key(file: File, keys: tuple[str | int, ...], line: int) -> None:
    assert file.where(*keys) == f"s.toml, line {line}"


def test_of_what_is_not_there_the_place_that_should_hold_it(file: File) -> None:
    assert file.where("grid", 1, "nothing") == "s.toml, line 17"
    assert file.where("nothing") == "s.toml"


def test_unknown_keys_name_the_line_and_the_closest_known(file: File) -> None:
    with pytest.raises(
        SettingError, match=r"s.toml, line 20: unknown key 'hgih'; did you mean 'high'\? Known here: low, high"
    ):
        file.only(("low", "high"), "grid", 1, "learning_rate")
    with pytest.raises(
        SettingError,
        match=r"s.toml, line 6: unknown key 'baseline'; did you mean 'dataset'\? Known here: dataset, text\.",
    ):
        file.only(("dataset", "text"))


@pytest.mark.parametrize("text", ["a = [1,", "a = 1\na = 2\nb = 3", "\udcff"])
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingError, match=r"s.toml is not valid TOML: .*(line \d|end of document|decode)"):
        read(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"none.toml cannot be read \(No such file"):
        read(tmp_path / "none.toml")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_that_an_editor_has_marked_is_read_and_its_lines_are_those_of_the_file(
    encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "sweep.toml"
    path.write_bytes('a = "one\u2028line"\r\n\r\nb = 2\r\n'.encode(encoding))
    file = read(path)
    assert file.data == {"a": "one\u2028line", "b": 2}
    assert file.where("b") == "sweep.toml, line 3"
