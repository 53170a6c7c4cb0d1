from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import DatasetError, HarnessError, SettingError, Unavailable
from harness.datasets import _download, _slow
from harness.datasets._download import download, verify_md5
from harness.datasets._offline import offline

DATA = bytes(range(256)) * 4000
MOST = 10 << 20


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_download, "WAIT", 0.001)
    monkeypatch.setattr(_download, "TIMEOUT", 2.0)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "a.zip.part"


def fetched(server: Any, part: Path, path: str = "/a.zip") -> list[int]:
    told: list[int] = []
    download(server.url + path, part, told.append, MOST)  # type: ignore[arg-type]
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
    with pytest.raises(Unavailable, match=r"cannot be downloaded .*500"):
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
    with pytest.raises(Unavailable, match="cannot be downloaded"):
        download(f"http://127.0.0.1:{port}/a.zip", part, lambda n=1: None, MOST)
    assert time.perf_counter() - started < 2


def test_a_silent_server_fails_in_time(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_download, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as held, pytest.raises(Unavailable, match="timed out"):
        download(f"http://127.0.0.1:{held.getsockname()[1]}/a.zip", part, lambda n=1: None, MOST)


@pytest.mark.parametrize(
    "url", ["http://example.org/a.zip", "file:///etc/hosts", "ftp://localhost/a", "http://localhost.example.org/a"]
)
def test_unsafe_addresses(part: Path, url: str) -> None:
    with pytest.raises(SettingError, match="must begin with https://"):
        download(url, part, lambda n=1: None, MOST)


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
    with pytest.raises(DatasetError, match=r"from here has the MD5 checksum .* instead of 00: .*deleted"):
        verify_md5(path, "00", "here")
    assert not path.exists()


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_offline(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("HARNESS_OFFLINE", value)
    assert offline() is expected


def answering(script: Callable[[socket.socket], None]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with contextlib.suppress(OSError), connection:
                        connection.recv(65536)
                        script(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/a.zip"


def trickle(first: bytes) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            time.sleep(0.02)
            connection.sendall(b"a")

    return script


@pytest.mark.parametrize(
    "first",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: "],
    ids=["body", "header"],
)
def test_a_server_that_sends_byte_by_byte_is_given_up(
    first: bytes, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_slow, "SPAN", 0.2)
    started = time.monotonic()
    for url in answering(trickle(first)):
        with pytest.raises(Unavailable, match="cannot be downloaded"):
            download(url, part, lambda n=1: None, MOST)
    assert time.monotonic() - started < 5


def test_a_file_without_end_is_not_read_to_it(part: Path) -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"a" * 65536)

    for url in answering(endless):
        with pytest.raises(DatasetError, match=r"sends more than the expected 1,000,000 bytes"):
            download(url, part, lambda n=1: None, 1_000_000)
    assert part.stat().st_size <= 1_000_000


def test_the_body_of_a_redirection_is_not_read(server: Any, part: Path) -> None:
    server.files["/b.zip"] = DATA

    def endless(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {server.url}/b.zip\r\n\r\n".encode())
        while True:
            connection.sendall(b"a" * 65536)

    for url in answering(endless):
        download(url, part, lambda n=1: None, MOST)
    assert part.read_bytes() == DATA


def test_a_full_disk_is_told_as_what_it_is(server: Any, part: Path) -> None:
    server.files["/a.zip"] = DATA

    def full(n: int = 1, note: str | None = None) -> None:
        if n:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DatasetError, match=r"cannot be written .*No space left on device"):
        download(server.url + "/a.zip", part, full, MOST)
    assert len(server.asked) == 1
