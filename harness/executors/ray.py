"""Ray: workers on this machine or on all machines of a cluster, with their share of cores and GPUs."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.base.errors import SettingError, Unavailable
from harness.base.optional import library
from harness.base.threads import cores
from harness.cache.remote import ADDRESS
from harness.choices.bounds import Count, NonNegative, Positive
from harness.executors import Executor, Job, Outcome
from harness.executors._crew import Crew, Lost, Ticket, Worker, run_jobs
from harness.executors._job_result import do_job
from harness.executors._orphans import firmly_end_with, ignore_interrupts
from harness.executors._ray_internals import mute, on_this_machine
from harness.executors._setup import Setup, environment
from harness.runtime.context import Context

log = logging.getLogger("harness.executors")
OBJECTS = 512 << 20
"""Bytes of shared memory that Ray may take on this machine: what jobs return is small."""
LOOPBACK = "127.0.0.1"
STARTS = 3
"""How often it is tried to start Ray on this machine: Ray itself waits half a minute each time."""


@dataclass(frozen=True)
class Ray(Executor):
    """Does jobs in Ray actors, each with a context of its own, so that the next job finds what one has loaded.

    Without an address Ray is started on this machine for the time of the jobs, and needs no configuration. If a program
    has called `ray.init` itself, its Ray is used and not ended.

    Args:
        workers: how many; None takes as many as the cores suffice for.
        cpus: cores of each worker; None divides this machine's among them, and takes 1 in a cluster.
        gpus: of each worker; may be a fraction, and more if a job needs more.
        address: of a running cluster's head, as `10.0.0.1:6379` or `ray://10.0.0.1:10001`; `auto` finds that of this
            machine.
        tries: how often a job is begun whose worker or machine is lost.
        store: address of a store for machines that share no cache folder (`harness.cache.remote`), as
            `s3://bucket/harness`.
        timeout: seconds to wait for a cluster to answer, or for a worker to start.
    """

    workers: Count | None = None
    cpus: Positive | None = None
    gpus: NonNegative = 0.0
    address: str | None = None
    tries: Count = 3
    store: str | None = None
    timeout: Positive = 60.0

    def map(self, jobs: Sequence[Job], context: Context) -> Iterator[Outcome]:
        """See `Executor.map`.

        Raises:
            Unavailable: Ray is not installed, or no cluster answers at the address.
        """
        ray = library("ray", "ray")
        own = not ray.is_initialized()
        if own:
            self._open(ray)
            mute(ray, muted=True)
        elif self.address not in (None, "auto", joined := ray.get_runtime_context().gcs_address):
            raise SettingError(
                f"ray: this program has joined {joined} already, not {self.address}; `ray.shutdown()` leaves it."
            )
        try:
            yield from run_jobs(jobs, self._crew(ray, jobs, context), context, self.tries)
        finally:
            if own:
                ray.shutdown()
                mute(ray, muted=False)

    def _open(self, ray: Any) -> None:
        if self.address is None:
            size = self.workers or cores()
            started: dict[str, Any] = {
                "num_cpus": max(cores(), round(size * (self.cpus or 0))),
                "object_store_memory": OBJECTS,
                "_node_ip_address": LOOPBACK,
            }
        else:
            self._probe()
            started = {"address": self.address}
        # Ray's own variables: no usage statistics, and a worker that has requested no GPU sees none.
        own = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1"}
        with environment(own), contextlib.nullcontext() if self.address else on_this_machine(ray):
            for left in reversed(range(STARTS if self.address is None else 1)):
                try:
                    ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, **started)
                    return
                except Exception as error:  # Ray raises plain ones; on a busy machine another attempt may succeed
                    ray.shutdown()
                    if not left:
                        raise self._unavailable(str(error).partition("\n")[0].rstrip(".")) from error

    def _probe(self) -> None:
        """Joins the cluster in a process of its own first: if none answers, Ray waits for minutes, then ends its
        process.

        Raises:
            Unavailable: no cluster answers in time.
        """
        code = "import ray, sys; ray.init(address=sys.argv[1], log_to_driver=False, logging_level=50); ray.shutdown()"
        host, _, port = str(self.address).removeprefix("ray://").rpartition(":")
        try:
            if port.isdecimal():  # fails at once if nothing listens
                socket.create_connection((host.strip("[]"), int(port)), self.timeout).close()
            with environment({"RAY_USAGE_STATS_ENABLED": "0"}):
                command = [sys.executable, "-c", code, str(self.address)]
                joined = subprocess.run(command, capture_output=True, text=True, timeout=self.timeout, check=False)
        except subprocess.TimeoutExpired as error:
            raise self._unavailable(f"it does not answer within {self.timeout:g} s") from error
        except OSError as error:
            raise self._unavailable(error.strerror or str(error)) from error
        if joined.returncode:
            lines = [line for line in joined.stderr.splitlines() if line.strip()]
            raise self._unavailable(lines[-1].rstrip(".") if lines else f"joining it ended with {joined.returncode}")

    def _unavailable(self, why: str) -> Unavailable:
        if self.address is None:
            return Unavailable(f"Ray cannot be started on this machine: {why}.", "See /tmp/ray/session_latest/logs.")
        return Unavailable(
            f"no Ray cluster can be joined at {self.address}: {why}.",
            "`ray start --head` starts one, `ray status` there reports on it; without an address Ray is started here.",
        )

    def _crew(self, ray: Any, jobs: Sequence[Job], context: Context) -> _Crew:
        there = ray.cluster_resources()
        fixed = self.address is None
        all_cpus = float(there.get("CPU", 1.0))
        cpus = self.cpus or (max(1.0, all_cpus // self.workers) if fixed and self.workers else 1.0)
        gpus = max([self.gpus, *(job.gpus for job in jobs)])
        if fixed:  # a cluster may grow
            cpus = min(cpus, all_cpus / (self.workers or 1))
            for name, each, total in (("cpus", cpus, all_cpus), ("gpus", gpus, float(there.get("GPU", 0.0)))):
                if each > total:
                    raise Unavailable(
                        f"a worker with {each:g} {name} does not fit: there are {total:g}.", f"Ask for fewer {name}."
                    )
        setup = Setup.of(context, {ADDRESS: self.store} if self.store else {})
        if gpus == 0 and (context.device or "").startswith("cuda"):
            raise SettingError(
                f"ray: workers without a GPU cannot run on {context.device}; say gpus=1, or a share of one."
            )
        if gpus == 0 and there.get("GPU") and context.device is None:
            log.warning(
                "there are GPUs and ray's workers have none; say ray(gpus=1), or a share of one as ray(gpus=0.5)"
            )
        size = self.workers or max(1, int(all_cpus // cpus))
        return _Crew(ray, size, {"num_cpus": cpus, "num_gpus": gpus}, setup, self.timeout)


class _Crew(Crew):
    def __init__(self, ray: Any, size: int, wants: dict[str, float], setup: Setup, patience: float) -> None:
        self.size, self.patience = size, patience
        self._ray, self._setup = ray, setup.to_json()
        # Ray gives each worker as many threads as it has cores, unless the environment sets another number.
        self._actor = ray.remote(_Actor).options(**wants)

    def hire(self) -> Worker:
        return _RayWorker(self._ray, self._actor, self._setup)

    def wait(self, tickets: Sequence[Ticket], seconds: float) -> list[Ticket]:
        answered, _ = self._ray.wait(list(tickets), num_returns=1, timeout=seconds)
        if answered:  # all that are
            answered, _ = self._ray.wait(list(tickets), num_returns=len(tickets), timeout=0)
        return list(answered)


class _RayWorker(Worker):
    def __init__(self, ray: Any, actor: Any, setup: str) -> None:
        self._ray, self._actor = ray, actor.remote(setup)

    def start(self) -> Ticket:
        return self._actor.place.remote()

    def begin(self, job: str) -> Ticket:
        return self._actor.do.remote(job)

    def answer(self, ticket: Ticket) -> str:
        errors = self._ray.exceptions
        try:
            return str(self._ray.get(ticket))
        except errors.RayTaskError as error:  # not of the job: an import failed, or the cache cannot be written
            raise Lost(str(error).strip().rpartition("\n")[2]) from error
        except errors.RayError as error:
            raise Lost(_why(error)) from error

    def dismiss(self) -> None:
        self._ray.kill(self._actor)


def _why(error: Exception) -> str:
    """Ray's description of a lost worker, in a line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


class _Actor:
    """A worker, in its own process."""

    def __init__(self, setup: str) -> None:
        ignore_interrupts()
        firmly_end_with(os.getppid())  # Ray's own process of this machine
        self._context = Setup.from_json(setup).context()

    def place(self) -> str:
        """Machine and process."""
        return f"{socket.gethostname()}:{os.getpid()}"

    def do(self, job: str) -> str:
        """See `_job_result.do_job`."""
        return do_job(job, self._context)
