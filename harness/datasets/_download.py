"""Downloads one file over HTTP: resumes a broken transfer, tries again, bounds size and time, verifies the checksum."""

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
"""Seconds to wait for a connection or for the next bytes; short, so that a missing network is reported soon."""

TRIES = 4
"""Failures in a row without one new byte before giving up."""

WAIT = 1.0
"""Seconds before the second try; doubled each time."""

_CHUNK = 1 << 18


def download(url: str, part: Path, advance: Advance, most: int) -> None:
    """Downloads a file to `part` and continues what is already there; the caller verifies it and moves it into place.

    Args:
        url: `https`, or `http` on this machine itself.
        part: file to write; it stays after a failure, so that the next call resumes there.
        advance: called with the number of new bytes, negative if the transfer starts over.
        most: greatest size of the file in bytes, as published.

    Raises:
        SettingError: the address is not safe.
        DatasetError: the file is longer than `most`, or the disk is full.
        Unavailable: no connection, no such file, or the transfer failed or was too slow too often.
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
                raise Unavailable(
                    f"the server answers {error.code} {error.reason} for {url}.", "Check the address."
                ) from error
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
                f"{url} cannot be downloaded ({reason}).", "Check the network and run again: the download is resumed."
            )
        time.sleep(wait)
        wait *= 2


def verify_md5(path: Path, md5: str, url: str) -> None:
    """Checks a downloaded file, and deletes it if it is not what was published.

    Raises:
        DatasetError: the checksum differs.
    """
    with open(path, "rb") as file:
        actual = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if actual != md5:
        path.unlink()
        raise DatasetError(
            f"the file from {url} has the MD5 checksum {actual} instead of {md5}: it is damaged or was replaced, and "
            "has been deleted. Run again; if the error stays, the publisher has changed the file."
        )


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections only to addresses that `download` itself would accept."""

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
        fp.close()  # else its body would be read to the end, and it may have no end
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _transfer(url: str, part: Path, advance: Advance, most: int) -> None:
    present = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "retrieval-harness", "Accept-Encoding": "identity"})
    if present:
        request.add_header("Range", f"bytes={present}-")
    try:
        response: Any = urllib.request.build_opener(_SafeRedirects, TimedHTTP, TimedHTTPS).open(
            request, timeout=TIMEOUT
        )
    except urllib.error.HTTPError as error:
        if error.code == 416 and present:  # no bytes follow: the file is complete, or another one
            if _total(error.headers.get("Content-Range", "")) == present:
                return
            part.unlink()
            advance(-present)
            raise Broken("the part present does not fit the file") from error
        raise
    with response:
        continued = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {present}-")
        if response.status == 206 and not continued:
            part.unlink(missing_ok=True)
            advance(-present)
            raise Broken("the server sent another range than the requested one")
        length = response.headers.get("Content-Length")
        received = 0
        if present and not continued:  # a server without ranges sends the whole file: start over
            advance(-present)
        before, rate = present if continued else 0, Rate()
        with _written(url, part), open(part, "ab" if continued else "wb") as file:
            while chunk := response.read1(_CHUNK):
                received += len(chunk)
                if before + received > most:
                    raise DatasetError(
                        f"{url} sends more than the expected {most:,} bytes; the download was stopped. Check the "
                        f"address, and delete {part}."
                    )
                file.write(chunk)
                advance(len(chunk))
                rate.add(len(chunk))
        if length is not None and received < int(length):
            raise Broken(f"the connection ended after {received} of {length} bytes")


@contextlib.contextmanager
def _written(url: str, part: Path) -> Iterator[None]:
    """Reports a full disk as a DatasetError, so that the download is not tried again."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise DatasetError(
            f"{part} cannot be written ({error.strerror}) while {url} is downloaded. Free some space, or name another "
            "folder with --cache-dir, and run again: the download is resumed."
        ) from error


def _check(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname or "")):
        return
    raise SettingError(
        f"{url} is not downloaded: the address must begin with https:// (http:// only for this machine itself)."
    )


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _total(content_range: str) -> int:
    match = re.fullmatch(r"bytes \*/(\d+)", content_range)
    return int(match[1]) if match else -1


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
