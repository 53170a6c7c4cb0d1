from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.datasets import _download
from harness.datasets._download import download, verify_md5
from harness.datasets._offline import offline
from harness.errors import DatasetError, HarnessError, SettingError, Unavailable

DATA = bytes(range(256)) * 4000


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_download, "WAIT", 0.001)
    monkeypatch.setattr(_download, "TIMEOUT", 2.0)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "a.zip.part"


def fetched(server: Any, part: Path, path: str = "/a.zip") -> list[int]:
    told: list[int] = []
    download(server.url + path, part, told.append)  # type: ignore[arg-type]
    return told


def test_in_one_go(server: Any, part: Path) -> None:
    server.files["/a.zip"] = DATA
    assert sum(fetched(server, part)) == len(DATA)
    assert part.read_bytes() == DATA
    assert server.asked == [("/a.zip", "")]


def test_goes_on_where_it_broke(server: Any, part: Path) -> None:
    server.files["/a.zip"] = DATA
    server.break_after = [300_000, 400_000]
    assert sum(fetched(server, part)) == len(DATA)
    assert part.read_bytes() == DATA
    assert server.asked == [("/a.zip", ""), ("/a.zip", "bytes=300000-"), ("/a.zip", "bytes=700000-")]


def test_goes_on_with_what_an_earlier_run_left(server: Any, part: Path) -> None:
    server.files["/a.zip"] = DATA
    part.parent.mkdir()
    part.write_bytes(DATA[:123_456])
    assert sum(fetched(server, part)) == len(DATA)
    assert part.read_bytes() == DATA
    assert server.asked == [("/a.zip", "bytes=123456-")]


def test_a_server_without_ranges_starts_over(server: Any, part: Path) -> None:
    server.files["/a.zip"] = DATA
    server.ranges = False
    server.break_after = [300_000]
    assert sum(fetched(server, part)) == len(DATA)
    assert part.read_bytes() == DATA
    assert len(server.asked) == 2


def test_what_is_already_whole_is_not_fetched_again(server: Any, part: Path) -> None:
    server.files["/a.zip"] = DATA
    part.parent.mkdir()
    part.write_bytes(DATA)
    fetched(server, part)
    assert part.read_bytes() == DATA
    assert server.asked == [("/a.zip", f"bytes={len(DATA)}-")]


def test_a_part_longer_than_the_file_starts_over(server: Any, part: Path) -> None:
    server.files["/a.zip"] = DATA
    part.parent.mkdir()
    part.write_bytes(DATA + b"more")
    assert sum(fetched(server, part)) == len(DATA)
    assert part.read_bytes() == DATA


def test_a_busy_server_is_asked_again(server: Any, part: Path) -> None:
    server.files["/a.zip"] = DATA
    server.statuses = [503, 429]
    fetched(server, part)
    assert part.read_bytes() == DATA


def test_gives_up_where_nothing_comes(server: Any, part: Path) -> None:
    server.statuses = [500] * 20
    with pytest.raises(Unavailable, match=r"cannot be fetched .*500"):
        fetched(server, part)
    assert len(server.asked) == _download.TRIES


def test_goes_on_as_long_as_something_comes(server: Any, part: Path) -> None:
    server.files["/a.zip"] = DATA
    server.break_after = [50_000] * 15
    fetched(server, part)
    assert part.read_bytes() == DATA


def test_no_such_file_is_not_asked_twice(server: Any, part: Path) -> None:
    with pytest.raises(Unavailable, match="answers 404"):
        fetched(server, part)
    assert len(server.asked) == 1


def test_nobody_there_fails_at_once(part: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    started = time.perf_counter()
    with pytest.raises(Unavailable, match="cannot be fetched"):
        download(f"http://127.0.0.1:{port}/a.zip", part, lambda n=1: None)
    assert time.perf_counter() - started < 2


def test_a_silent_server_fails_in_time(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_download, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as held, pytest.raises(Unavailable, match="timed out"):
        download(f"http://127.0.0.1:{held.getsockname()[1]}/a.zip", part, lambda n=1: None)


@contextlib.contextmanager
def trickling(head: bytes, each: bytes, wait: float) -> Iterator[str]:
    """The address of a server that gives a beginning, then some bytes again and again."""

    def give() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = held.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(head)
                    while True:
                        connection.sendall(each)
                        time.sleep(wait)

    with socket.create_server(("127.0.0.1", 0)) as held:
        threading.Thread(target=give, daemon=True).start()
        yield f"http://127.0.0.1:{held.getsockname()[1]}/a.zip"
        held.shutdown(socket.SHUT_RDWR)


def test_a_server_that_trickles_is_given_up_and_what_came_stays(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_download, "SLOW_FOR", 0.3)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    with trickling(head, b"x", 0.02) as url, pytest.raises(Unavailable, match="less than 1,024 bytes a second"):
        download(url, part, lambda n=1: None)
    assert 0 < part.stat().st_size < 300


def test_a_file_without_end_is_left(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_download, "MOST", 1 << 20)
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    with trickling(head, b"x" * 65536, 0) as url, pytest.raises(Unavailable, match="more than 1,048,576 bytes"):
        download(url, part, lambda n=1: None)
    assert part.stat().st_size <= 1 << 20


def test_the_body_of_a_redirection_is_not_read(server: Any, part: Path) -> None:
    server.files["/b.zip"] = DATA
    head = f"HTTP/1.1 302 Found\r\nLocation: {server.url}/b.zip\r\n\r\n"
    with trickling(head.encode(), b"x" * 65536, 0) as url:
        download(url, part, lambda n=1: None)
    assert part.read_bytes() == DATA


@pytest.mark.parametrize(
    "url", ["http://example.org/a.zip", "file:///etc/hosts", "ftp://localhost/a", "http://localhost.example.org/a"]
)
def test_unsafe_addresses(part: Path, url: str) -> None:
    with pytest.raises(SettingError, match="must begin with https://"):
        download(url, part, lambda n=1: None)


@pytest.mark.parametrize("target", ["http://example.org/a.zip", "ftp://localhost/a.zip", "file:///etc/hosts"])
def test_a_redirection_to_an_unsafe_address(server: Any, part: Path, target: str) -> None:
    server.redirect["/a.zip"] = target
    with pytest.raises(HarnessError, match=r"must begin with https://|is not allowed"):
        fetched(server, part)
    assert not part.exists()


def test_a_redirection_on_this_machine(server: Any, part: Path) -> None:
    server.files["/b.zip"] = DATA
    server.redirect["/a.zip"] = "/b.zip"
    fetched(server, part)
    assert part.read_bytes() == DATA


def test_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(DATA)
    verify_md5(path, hashlib.md5(DATA).hexdigest(), "here")
    with pytest.raises(DatasetError, match=r"what here gave has MD5 .*published is 00: .*deleted"):
        verify_md5(path, "00", "here")
    assert not path.exists()


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_offline(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("HARNESS_OFFLINE", value)
    assert offline() is expected
