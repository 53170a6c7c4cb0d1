"""Files that others may have written: whatever is there, an error and no hang."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.json_files import checked, decode_json, parse_json, read_json, read_regular

BROKEN = {
    "cut short": '{"a": [1, 2',
    "nothing": "",
    "deep lists": "[" * 100_000,
    "deep objects": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "deeper than is read": "[" * 100 + "]" * 100,
    "not a number": '{"a": NaN}',
    "infinity": '{"a": -Infinity}',
    "beyond a float": '{"a": 1e999}',
    "400 digits": '{"a": ' + "9" * 400 + "}",
    "5,000 digits": '{"a": ' + "9" * 5_000 + "}",
    "lone surrogate": '{"a": "\\ud800"}',
    "lone surrogate in a key": '{"\\udc00": 1}',
}


@pytest.mark.parametrize("kind", BROKEN)
def test_json_that_cannot_be_used_is_a_value_error(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(BROKEN[kind])
    with pytest.raises(ValueError, match=r"\w"):
        read_json(file)
    with pytest.raises(ValueError, match=r"\w"):
        parse_json(BROKEN[kind])
    with pytest.raises(ValueError, match=r"\w"):
        decode_json(BROKEN[kind].encode(), dict[str, dict[str, float]])


@pytest.mark.parametrize("data", [b"{\x00}\x00", b'"\xed\xa0\x80"', b"\x00"], ids=["UTF-16", "surrogate", "null"])
def test_bytes_that_are_not_utf_8_are_a_value_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ValueError, match=r"\w"):
        read_json(tmp_path / "x")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_marked_encodings_are_read(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text('{"ä": 1}', encoding=encoding)
    assert read_json(tmp_path / "x") == {"ä": 1}


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b'\xef\xbb\xbf{"a": {"b": 1}}')
    assert read_json(tmp_path / "x") == {"a": {"b": 1}}
    assert decode_json((tmp_path / "x").read_bytes(), dict[str, dict[str, float]]) == {"a": {"b": 1.0}}
    assert parse_json("\ufeff[]") == []


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _nowhere(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


KINDS: dict[str, Callable[[Path], None]] = {
    "pipe": _pipe,
    "folder": Path.mkdir,
    "socket": _socket,
    "loop": _loop,
    "broken link": _nowhere,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_an_os_error_at_once(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    KINDS[kind](Path("x"))
    with pytest.raises(OSError, match=r"\w"):
        read_regular(Path("x"))


def test_a_device_is_no_file() -> None:
    with pytest.raises(OSError, match="not a file"):
        read_regular(Path("/dev/zero"))


def test_a_file_beyond_the_bound_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.base.json_files.LARGEST_FILE", 3)
    (tmp_path / "x").write_bytes(b"[1]")
    assert read_json(tmp_path / "x") == [1]
    (tmp_path / "x").write_bytes(b"[11]")
    with pytest.raises(OSError, match="larger"):
        read_json(tmp_path / "x")


def test_a_value_of_another_form_says_where() -> None:
    with pytest.raises(ValueError, match=r"Expected `float`, got `str` - at `\$\[...\]\[...\]`"):
        checked({"a": {"b": "1"}}, dict[str, dict[str, float]])
    assert checked({"a": {"b": 1}}, dict[str, dict[str, float]]) == {"a": {"b": 1}}
