"""Unpacks a zip archive into a folder after checking the name and the size of every member."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from harness.base.errors import DatasetError

MOST_MEMBERS = 10_000
MOST_RATIO = 200
"""Unpacked bytes per packed byte; text gives up to about 20, a bomb thousands."""

_ALWAYS_FINE = 1 << 24
_NOISE = ("__MACOSX/", ".DS_Store")


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks into an existing empty folder; nothing is written before all members are checked.

    Raises:
        DatasetError: not a complete zip; a member that would be written outside the folder, is a link, is encrypted,
            occurs twice or is far larger than its archive; or not enough space on the disk.
    """
    try:
        with zipfile.ZipFile(archive) as file:
            members = [m for m in file.infolist() if not (m.filename.startswith(_NOISE) or m.filename.endswith(_NOISE))]
            _check_members(archive, members)
            free = shutil.disk_usage(folder).free
            needed = sum(m.file_size for m in members)
            if needed > free:
                raise DatasetError(
                    f"{archive.name} needs {needed:,} bytes in {folder}, but only {free:,} are free: free some space."
                )
            for member in members:
                file.extract(member, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DatasetError(
            f"{archive} is not a complete zip archive ({error}); delete it and download it again."
        ) from error


def _check_members(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for member in members:
        # `orig_filename` is the stored name; `filename` is already cut at a NUL, with slashes for backslashes.
        name = member.orig_filename
        fault = _fault(member, name)
        if fault is None and name.casefold() in seen:
            fault = "occurs twice"
        if fault:
            raise DatasetError(
                f"{archive.name}: the member {name!r} {fault}. Nothing was unpacked; do not trust the source of this "
                "archive."
            )
        seen.add(name.casefold())
    size, packed = sum(m.file_size for m in members), archive.stat().st_size
    if len(members) > MOST_MEMBERS or size > max(_ALWAYS_FINE, MOST_RATIO * packed):
        raise DatasetError(
            f"{archive.name}: {len(members):,} members of {size:,} bytes in an archive of {packed:,} bytes look like a "
            "zip bomb. Nothing was unpacked; do not trust the source of this archive."
        )


def _fault(member: zipfile.ZipInfo, name: str) -> str | None:
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "has an absolute path"
    if "\\" in name or "\0" in name:
        return "has a backslash or a NUL character in its name"
    if ".." in name.split("/"):
        return "leads out of the archive's folder"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if member.flag_bits & 1:
        return "is encrypted"
    return None
