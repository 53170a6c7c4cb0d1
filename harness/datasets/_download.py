"""One file over HTTP: goes on where a broken transfer stopped, tries again, and counts only if its checksum is
right.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import ipaddress
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from harness.base.errors import DatasetError, SettingError, Unavailable
from harness.datasets._slow import Broken, Rate, Slow, TimedHTTP, TimedHTTPS
from harness.runtime.progress import Advance

TIMEOUT = 5.0
"""Seconds to wait for a connection or for the next bytes: without a network, one learns so soon."""

TRIES = 4
"""Failures in a row without one new byte before giving up."""

WAIT = 1.0
"""Seconds before the second try; doubled each time."""

_CHUNK = 1 << 18


def download(url: str, part: Path, advance: Advance, most: int) -> None:
    """Brings a file to `part`, keeping and continuing what is already there; the caller verifies it and moves it into
    place.

    Args:
        url: `https`, or `http` on this machine itself.
        part: where the bytes go; stays after a failure, so that the next call goes on from there.
        advance: told how many bytes there are more, or fewer where the transfer starts over.
        most: bytes that the file has at most, as published.

    Raises:
        SettingError: the address is not safe.
        DatasetError: the file is longer than `most`, or the disk is full.
        Unavailable: no connection, no such file, or broken off or too slow too often.
    """
    _check(url)
    part.parent.mkdir(parents=True, exist_ok=True)
    advance(_size(part))
    failures, reached, wait = 0, False, WAIT
    while True:
        before, slow = _size(part), False
        try:
            _transfer(url, part, advance, most)
            return
        except urllib.error.HTTPError as error:
            reached = True
            if error.code < 500 and error.code not in (408, 429):
                raise Unavailable(f"{url} answers {error.code} {error.reason}.", "Check the address.") from error
            reason = f"the server answers {error.code} {error.reason}"
        except Broken as error:
            reached, slow = True, isinstance(error, Slow)
            reason = str(error)
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", None) or error) or type(error).__name__
        grown = _size(part) > before and not slow
        failures, wait = (1, WAIT) if grown else (failures + 1, wait)
        if failures >= TRIES or not (reached or grown):
            raise Unavailable(
                f"{url} cannot be fetched ({reason}).", "Run again with a network: it goes on where it stopped."
            )
        time.sleep(wait)
        wait *= 2


def verify_md5(path: Path, md5: str, url: str) -> None:
    """Checks a downloaded file, and deletes it if it is not what was published.

    Raises:
        DatasetError: the checksum differs.
    """
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != md5:
        path.unlink()
        raise DatasetError(
            f"what {url} gave has MD5 {found}, published is {md5}: it was damaged or replaced, and is deleted. "
            "Run again; if it stays so, the publisher has changed the file."
        )


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirection only to where the first request might have gone."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _check(newurl)
        fp.close()  # its body would be read to the end, and may have none
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _transfer(url: str, part: Path, advance: Advance, most: int) -> None:
    held = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "retrieval-harness", "Accept-Encoding": "identity"})
    if held:
        request.add_header("Range", f"bytes={held}-")
    try:
        response: Any = urllib.request.build_opener(_SafeRedirects, TimedHTTP, TimedHTTPS).open(
            request, timeout=TIMEOUT
        )
    except urllib.error.HTTPError as error:
        if error.code == 416 and held:  # nothing after what we hold: whole, or longer than the file ever was
            if _total(error.headers.get("Content-Range", "")) == held:
                return
            part.unlink()
            advance(-held)
            raise Broken("the part held does not fit the file") from error
        raise
    with response:
        continued = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {held}-")
        if response.status == 206 and not continued:
            part.unlink(missing_ok=True)
            advance(-held)
            raise Broken("the server gave another range than was asked for")
        length = response.headers.get("Content-Length")
        received = 0
        if held and not continued:  # a server that knows no ranges gives the whole file: start over
            advance(-held)
        before, rate = held if continued else 0, Rate()
        with _written(url, part), open(part, "ab" if continued else "wb") as file:
            while chunk := response.read1(_CHUNK):
                received += len(chunk)
                if before + received > most:
                    raise DatasetError(
                        f"{url} gives more than the {most:,} bytes that are published for it: it is not read further. "
                        f"See "
                        f"whether the address is right, and delete {part}."
                    )
                file.write(chunk)
                advance(len(chunk))
                rate.add(len(chunk))
        if length is not None and received < int(length):
            raise Broken(f"the connection ended after {received} of {length} bytes")


@contextlib.contextmanager
def _written(url: str, part: Path) -> Iterator[None]:
    """Tells of a full disk as what it is: the network would be asked in vain."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise DatasetError(
            f"{part} cannot be written ({error.strerror}) while {url} is fetched. Make room, or name another folder "
            f"with "
            "--cache-dir; what is there is kept and continued."
        ) from error


def _check(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname or "")):
        return
    raise SettingError(
        f"{url} is not fetched: the address must begin with https:// (http:// only for this machine itself)."
    )


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _total(content_range: str) -> int:
    found = re.fullmatch(r"bytes \*/(\d+)", content_range)
    return int(found[1]) if found else -1


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
