"""Modal: jobs on rented GPUs, through Modal's own client; needs the extra `modal` and an account."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import logging
import os
import re
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from annotated_types import Ge

import harness
from harness.base.errors import SettingError, Unavailable
from harness.base.optional import library
from harness.choices.bounds import Count, Positive, WholeNumber
from harness.executors import Executor, Job, Outcome, ordered
from harness.executors._budget import Budget, hourly, source
from harness.executors._remote import done, written
from harness.runtime.context import Context

PACKAGE, PYTHON = "retrieval-harness", "3.11"
CACHE, DATA = "/cache", "/data"
"""Where a worker finds its cache and its collections."""
NOT_AGAIN = (
    "FunctionTimeoutError",
    "InputCancellation",
    "InvalidError",
    "PermissionDeniedError",
    "SerializationError",
    "DeserializationError",
    "RequestSizeError",
    "UserCodeException",
    "VersionError",
)
"""Modal's errors that another attempt would meet again."""
log = logging.getLogger("harness.executors")


class Handle(Protocol):
    """What is needed of a Modal function."""

    def remote(self, text: str) -> str:
        """Runs it there and waits for the answer."""
        ...


@dataclass(frozen=True)
class Modal(Executor):
    """Runs each job in a container of Modal's, with a GPU; outcomes, models and vectors stay on volumes between sweeps.

    A job that fails in its own code is not tried again; a container that is lost, and a connection that breaks, is. A
    second attempt finds what the first one finished, by the job's id.

    Args:
        gpu: as Modal names it, `T4`, `L4`, `A100-80GB`, `H100:2`; an empty text for none.
        timeout: seconds that a job may take.
        retries: further attempts where a container or the connection is lost.
        concurrency: containers at a time.
        cores: processor cores of each.
        memory: of each, in MiB.
        data: the volume with the collections, seen as `--data-dir`: `modal volume put harness-data ./scifact
            /beir/scifact`.
        cache: the volume of the cache.
        secrets: names of Modal's secrets whose variables the jobs need, as keys of hosted models.
        extras: of this package, that the jobs need, as `faiss`.
        code: `local` installs the versions that are installed here and adds this package's files; `index` installs this
            package's version from the package index.
        app: name under which Modal shows it.
        dollars_per_hour: of a container, where the list (`prices.json`) has no price of the GPU or another one holds.
        cap: dollars; a job does not begin where all that are under way might pass it. None for no cap.
    """

    gpu: str = "L4"
    timeout: Count = 3600
    retries: WholeNumber = 2
    concurrency: Count = 10
    cores: Annotated[float, Ge(0.125)] = 2.0
    memory: Annotated[int, Ge(128)] = 8192
    data: str = "harness-data"
    cache: str = "harness-cache"
    secrets: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    code: Literal["local", "index"] = "local"
    app: str = PACKAGE
    dollars_per_hour: Positive | None = None
    cap: Positive | None = None

    @property
    def hour(self) -> float | None:
        """Dollars for an hour of a container: as set, else of its GPU by the list; None where nobody says."""
        return self.dollars_per_hour if self.dollars_per_hour is not None else hourly("modal", self.gpu)

    def dollars(self, seconds: float) -> float | None:
        """See `Executor.dollars`."""
        return None if self.hour is None else self.hour * seconds / 3600

    def map(self, jobs: Sequence[Job], context: Context) -> Iterator[Outcome]:
        """See `Executor.map`.

        Raises:
            SettingError: a cap without a price.
            Unavailable: no client, no token, no connection, or Modal lacks a secret that is named.
        """
        waiting = ordered(jobs)
        budget = Budget(self.hour, self.cap, self.timeout)
        if not waiting:
            return
        modal = library("modal", "modal")
        app, function = self.defined(modal)
        self._tell(len(waiting))
        with _running(modal, app):
            yield from self.through(function, waiting, context, budget)

    def defined(self, modal: Any) -> tuple[Any, Any]:
        """The app and its one function, as Modal is to be told of them; nothing is sent."""
        app = modal.App(self.app)
        function = app.function(
            image=self._image(modal),
            gpu=self.gpu or None,
            cpu=self.cores,
            memory=self.memory,
            timeout=self.timeout,
            max_containers=self.concurrency,
            retries=0,  # ours, which tells a lost container from a job that fails
            volumes={
                CACHE: modal.Volume.from_name(self.cache, create_if_missing=True),
                DATA: modal.Volume.from_name(self.data, create_if_missing=True),
            },
            secrets=[modal.Secret.from_name(name) for name in self.secrets],
            env={"HARNESS_MODAL_CACHE": self.cache},
            include_source=False,  # the image has the package whole
        )(work)
        return app, function

    def _image(self, modal: Any) -> Any:
        base = modal.Image.debian_slim(python_version=PYTHON)
        if self.code == "index":
            named = f"{PACKAGE}[{','.join(self.extras)}]" if self.extras else PACKAGE
            return base.pip_install(f"{named}=={harness.__version__}", "modal")
        folder = Path(harness.__file__).parent
        installed = base.pip_install(*requirements(self.extras), f"modal=={importlib.metadata.version('modal')}")
        return installed.add_local_dir(folder, "/root/harness", ignore=["**/__pycache__/**"])

    def _tell(self, count: int) -> None:
        if self.hour is None:
            told = "at a price that is not known (dollars_per_hour)"
        else:
            from_where = "as set" if self.dollars_per_hour is not None else source("modal", self.gpu)
            most = self.hour * self.timeout / 3600 * count
            told = f"{most:.2f} dollars at most, each to its timeout ({self.hour:g} an hour for the GPU, {from_where})"
        capped = "" if self.cap is None else f"; no more than {self.cap:g} dollars are spent"
        log.warning("modal: %d jobs of up to %d s on %s, %s%s", count, self.timeout, self.gpu or "no GPU", told, capped)

    def through(self, handle: Handle, jobs: Sequence[Job], context: Context, budget: Budget) -> Iterator[Outcome]:
        """Does jobs through a function's handle, so many at a time, each after those it comes after."""
        waiting = {job.id: job for job in jobs}
        failed: set[str] = set()
        finished: set[str] = set()
        with ThreadPoolExecutor(self.concurrency, "harness-modal") as pool:
            running: dict[Future[Outcome], Job] = {}
            while waiting or running:
                for job in list(waiting.values()):
                    if lost := [name for name in job.after if name in failed]:
                        del waiting[job.id]
                        failed.add(job.id)
                        yield Outcome(job, error=f"not tried: {lost[0]} failed", attempts=0, where="modal")
                    elif all(name in finished for name in job.after):
                        del waiting[job.id]
                        running[pool.submit(self._one, handle, job, context, budget)] = job
                for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                    job, outcome = running.pop(future), future.result()
                    (failed if outcome.error is not None else finished).add(job.id)
                    yield outcome

    def _one(self, handle: Handle, job: Job, context: Context, budget: Budget) -> Outcome:
        text = written(job, context, CACHE, DATA)
        problem, attempt, seconds = "", 0, 0.0
        while attempt <= self.retries:
            if not budget.begin():
                told = (
                    f"not begun: it might pass the cap of {self.cap:g} dollars, of which {budget.spent:.2f} are spent"
                )
                return Outcome(job, error=f"{problem}; {told}" if problem else told, attempts=attempt, where="modal")
            attempt += 1
            started = time.perf_counter()
            try:
                answer = json.loads(handle.remote(text))
            except Exception as error:  # noqa: BLE001 - whatever the client or the connection raises
                problem = f"{type(error).__name__}: {error}"
                seconds = time.perf_counter() - started
                if type(error).__name__ in NOT_AGAIN:
                    break
                log.warning("modal: %s, attempt %d: %s", job.label or job.id, attempt, problem)
                _pause(attempt)
                continue
            finally:
                budget.end(time.perf_counter() - started)
            return Outcome(job, answer.get("value"), answer.get("error"), float(answer["seconds"]), attempt, "modal")
        return Outcome(job, error=problem, seconds=seconds, attempts=attempt, where="modal")


@contextlib.contextmanager
def _running(modal: Any, app: Any) -> Iterator[None]:
    """The app, running; what keeps it from that is told with its remedy."""
    problems = modal.exception
    try:
        with app.run():
            yield
    except problems.AuthError as error:
        raise Unavailable(f"Modal does not know who asks: {error}", _TOKEN) from error
    except problems.NotFoundError as error:
        raise Unavailable(
            f"Modal lacks something that is named: {error}", "`modal secret create` makes a secret."
        ) from error
    except problems.ConnectionError as error:
        raise Unavailable(f"Modal cannot be reached: {error}", "Try again, or run with --executor local.") from error


def work(text: str) -> str:
    """What runs in the container: a job, with the volumes read before and written after.

    Args:
        text: of `harness.executors._remote.written`.
    """
    volume = _volume()
    if volume is not None:
        volume.reload()
    answer = done(text)
    if volume is not None:
        volume.commit()
    return answer


def _volume() -> Any:
    """The cache's volume inside a container, None elsewhere."""
    modal = library("modal", "modal")
    return None if modal.is_local() else modal.Volume.from_name(os.environ["HARNESS_MODAL_CACHE"])


def requirements(extras: Sequence[str] = ()) -> list[str]:
    """What this package needs, at the versions that are installed here, so that figures are of the same libraries.

    Raises:
        SettingError: there is no such extra.
        Unavailable: something of an extra is not installed here, so nobody knows which version is meant.
    """
    found, asked = [], {extra.replace("-", "_") for extra in extras}
    known = {extra.replace("-", "_") for extra in importlib.metadata.metadata(PACKAGE).get_all("Provides-Extra") or ()}
    if asked - known:
        raise SettingError(f"modal: {PACKAGE} has no extra {min(asked - known)!r}; it has {', '.join(sorted(known))}.")
    for line in importlib.metadata.requires(PACKAGE) or ():
        told, _, marker = line.partition(";")
        wanted = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
        if wanted and wanted.group(1).replace("-", "_") not in asked:
            continue
        named = re.match(r"[A-Za-z0-9._-]+(\[[^\]]*\])?", told.strip())
        assert named is not None
        name = named.group().partition("[")[0]
        try:
            version = importlib.metadata.version(name).partition("+")[0]  # a local build's mark is on no index
        except importlib.metadata.PackageNotFoundError as error:
            raise Unavailable(
                f"{name} is not installed here.", f'pip install "{PACKAGE}[{",".join(extras)}]"'
            ) from error
        found.append(f"{named.group()}=={version}")
    return found


_TOKEN = "`modal token new` makes a token; or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET."  # noqa: S105 - no secret


def _pause(attempt: int) -> None:
    """Waits longer each time."""
    threading.Event().wait(min(30.0, 2.0**attempt))
