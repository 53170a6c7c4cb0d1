"""Modal: jobs on rented GPUs, through Modal's own client; needs the extra `modal` and an account."""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge

import harness
from harness.base.errors import Unavailable
from harness.base.optional import library
from harness.choices.bounds import Count, Positive, WholeNumber
from harness.executors import Executor, Job, Outcome, ordered
from harness.executors._budget import Budget, hourly, source
from harness.executors._crew import run_jobs
from harness.executors._modal_crew import Function, ModalCrew
from harness.executors._packed_job import do_packed_job
from harness.executors._requirements import PACKAGE, requirements
from harness.runtime.context import Context

PYTHON = "3.11"
CACHE, DATA = "/cache", "/data"
"""Folders of the cache and of the collections in a container."""
_TOKEN = "`modal token new` makes a token; or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET."  # noqa: S105 - no secret
log = logging.getLogger("harness.executors")


@dataclass(frozen=True)
class Modal(Executor):
    """Runs each job in a container of Modal's, with a GPU; results, models and vectors stay on volumes.

    A job that fails in its own code is not tried again; it is if a container is lost or a connection breaks. A second
    attempt finds what the first one finished, by the job's id.

    Args:
        gpu: as Modal names it, `T4`, `L4`, `A100-80GB`, `H100:2`; an empty text for none.
        timeout: seconds that a job may take.
        retries: further attempts if a container or the connection is lost.
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
        dollars_per_hour: of a container, if the list (`prices.json`) has no price of the GPU or you pay another.
        cap: dollars; a job does not begin if all that are running might pass it. None for no cap.
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
        """Dollars for an hour of a container: as set, else of its GPU by the list; None if unknown."""
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
        in_order = ordered(jobs)
        budget = Budget(self.hour, self.cap, self.timeout)
        if not in_order:
            return
        modal = library("modal", "modal")
        app, function = self.defined(modal)
        self._announce(len(in_order))
        with _running(modal, app):
            yield from self.through(function, in_order, context, budget)

    def defined(self, modal: Any) -> tuple[Any, Any]:
        """The app and its one function, as Modal's client defines them; nothing is sent."""
        app = modal.App(self.app)
        function = app.function(
            image=self._image(modal),
            gpu=self.gpu or None,
            cpu=self.cores,
            memory=self.memory,
            timeout=self.timeout,
            max_containers=self.concurrency,
            retries=0,  # the crew's, which distinguishes a lost container from a job that fails
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

    def _announce(self, count: int) -> None:
        """Logs what the jobs may take and cost."""
        if self.hour is None:
            cost = "price unknown (dollars_per_hour sets one)"
        else:
            origin = "as set" if self.dollars_per_hour is not None else source("modal", self.gpu)
            most = self.hour * self.timeout / 3600 * count
            cost = f"{most:.2f} dollars at most, each to its timeout ({self.hour:g} an hour for the GPU, {origin})"
        capped = "" if self.cap is None else f"; no more than {self.cap:g} dollars are spent"
        log.warning("modal: %d jobs of up to %d s on %s, %s%s", count, self.timeout, self.gpu or "no GPU", cost, capped)

    def through(self, function: Function, jobs: Sequence[Job], context: Context, budget: Budget) -> Iterator[Outcome]:
        """Does jobs by calls of a function that is running."""
        crew = ModalCrew(function, self.concurrency, context, (CACHE, DATA), budget)
        try:
            yield from run_jobs(jobs, crew, context, self.retries + 1)
        finally:
            crew.close()


@contextlib.contextmanager
def _running(modal: Any, app: Any) -> Iterator[None]:
    """The app, running; an error of Modal's is raised with its remedy."""
    problems = modal.exception
    try:
        with app.run():
            yield
    except problems.AuthError as error:
        raise Unavailable(f"Modal does not accept the token: {error}", _TOKEN) from error
    except problems.NotFoundError as error:
        raise Unavailable(
            f"Modal does not have something that the settings name: {error}", "`modal secret create` makes a secret."
        ) from error
    except problems.ConnectionError as error:
        raise Unavailable(f"Modal cannot be reached: {error}", "Try again, or run with --executor local.") from error


def work(text: str) -> str:
    """What runs in the container: a job, with the volumes read before and written after.

    Args:
        text: of `harness.executors._packed_job.packed_job`.
    """
    volume = _volume()
    if volume is not None:
        volume.reload()
    answer = do_packed_job(text)
    if volume is not None:
        volume.commit()
    return answer


def _volume() -> Any:
    """The cache's volume inside a container, None elsewhere."""
    modal = library("modal", "modal")
    return None if modal.is_local() else modal.Volume.from_name(os.environ["HARNESS_MODAL_CACHE"])
