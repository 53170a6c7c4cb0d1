from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import socket
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import psutil
import pytest

from harness.base.errors import SettingError, Unavailable
from harness.executors import Job
from harness.executors.ray import Ray
from harness.runtime.context import Context

STARTS = """
import sys
from pathlib import Path
from harness.cache.folders import Cache
from harness.runtime.context import Context
from harness.executors import Job
from harness.executors.ray import Ray

if __name__ == "__main__":
    jobs = [Job(str(i), "harness_jobs:echo", {"word": i}) for i in range(3)]
    jobs.append(Job("lost", "harness_jobs:die", {"mark": sys.argv[1] + "-mark", "times": 1}))
    context = Context(seed=5, cache=Cache(Path(sys.argv[1])))
    found = list(Ray(workers=2).map(jobs, context))
    import ray
    print(sorted((o.value["word"], o.value["seed"]) for o in found if o.value != "lived"), ray.is_initialized())
"""


def test_without_an_address_it_starts_ray_says_of_it_only_what_was_lost_and_ends_it(
    job_module: str, python: Callable[..., CompletedProcess[str]], tmp_path: Any
) -> None:
    pytest.importorskip("ray")
    done = python(STARTS, tmp_path / "cache")
    assert done.stdout == "[(0, 5), (1, 5), (2, 5)] False\n"
    (line,) = done.stderr.splitlines()  # ours, of the worker that is killed
    assert "was lost with lost" in line


def test_a_cluster_that_is_not_there_is_told_at_once(context: Context) -> None:
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    started = time.monotonic()
    with pytest.raises(
        Unavailable, match=r"no Ray cluster can be joined at 127\.0\.0\.1:\d+: Connection refused.*ray start --head"
    ):
        Ray(address=address)._probe()
    assert time.monotonic() - started < 5


def test_a_server_that_is_no_cluster_is_given_up_in_time(context: Context) -> None:
    pytest.importorskip("ray")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable, match="it does not answer within 2 s"):
            Ray(address=address, timeout=2.0)._probe()


def test_an_address_that_no_machine_has_is_unavailable(context: Context) -> None:
    pytest.importorskip("ray")
    with pytest.raises(Unavailable, match=r"nowhere\.invalid:6379"):
        Ray(address="nowhere.invalid:6379", timeout=5.0)._probe()


def test_where_ray_is_not_installed_the_remedy_is_told(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(Unavailable, match=r"retrieval-harness\[ray\]"):
        list(Ray().map([], context))


def test_a_worker_that_fits_on_no_machine_is_refused(ray_here: None, job_module: str, context: Context) -> None:
    with pytest.raises(Unavailable, match=r"a worker with 0\.5 gpus does not fit: there are 0"):
        list(Ray(gpus=0.5).map([Job("a", f"{job_module}:threads")], context))
    with pytest.raises(Unavailable, match="a worker with 2 gpus does not fit"):
        list(Ray().map([Job("a", f"{job_module}:threads", gpus=2)], context))


def test_workers_without_a_gpu_are_not_asked_to_use_one(ray_here: None, context: Context) -> None:
    with pytest.raises(SettingError, match="gpus=1"):
        list(Ray().map([], dataclasses.replace(context, device="cuda")))


@pytest.mark.parametrize(
    "setting",
    [{"workers": 0}, {"tries": 0}, {"gpus": -1.0}, {"cpus": 0.0}, {"timeout": 0.0}, {"timeout": float("nan")}],
)
def test_settings_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="must be"):
        Ray(**setting)


def test_a_program_that_has_joined_one_cluster_is_not_sent_to_another(ray_here: None, context: Context) -> None:
    with pytest.raises(SettingError, match="has joined"):
        list(Ray(address="10.0.0.1:6379").map([], context))


def test_workers_share_what_they_make_through_a_store(
    ray_here: None, job_module: str, context: Context, tmp_path: Path
) -> None:
    (outcome,) = Ray(workers=1, store=f"file://{tmp_path / 'store'}").map([Job("a", f"{job_module}:stored")], context)
    assert outcome.error is None
    (file,) = (tmp_path / "store" / "kind" / "k").glob("*/a")
    assert file.read_text() == "built"


def test_without_an_address_ray_listens_on_this_machine_alone(ray_here: None) -> None:
    me = psutil.Process()
    listening: list[tuple[str, str]] = []
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # an idle one that Ray has ended meanwhile
            listening += [
                (process.name(), connection.laddr.ip.removeprefix("::ffff:"))
                for connection in process.net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN
            ]
    assert any(name.startswith(("gcs_server", "raylet")) for name, _ in listening)
    assert [one for one in listening if not ipaddress.ip_address(one[1]).is_loopback] == []
