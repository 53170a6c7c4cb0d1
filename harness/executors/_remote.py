"""What a remote worker does with a job that comes as text, and how the job is written."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.cache.folders import Cache
from harness.context import Context
from harness.errors import HarnessError
from harness.executors import Job
from harness.files import slug, write_text

DONE = "jobs"
"""Folder of the cache in which outcomes are kept by the jobs' ids."""


def written(job: Job, context: Context, cache: str, data: str) -> str:
    """A job as text, with what a worker makes its context of.

    Args:
        job: which.
        context: of whoever asks: its seed, device and tokens of a batch.
        cache: the worker's cache folder.
        data: the worker's folder of collections.
    """
    told = {
        "id": job.id,
        "call": job.call,
        "given": dict(job.given),
        "seed": context.seed,
        "device": context.device,
        "batch_tokens": context.batch_tokens,
        "cache": cache,
        "data": data,
    }
    return json.dumps(told, allow_nan=False)


def done(text: str) -> str:
    """Does a job; what was done before under its id is not done again.

    Args:
        text: of `written`.

    Returns:
        JSON: `value` and `seconds`, or `error` in words.
    """
    told: Mapping[str, Any] = json.loads(text)
    cache = Cache(Path(told["cache"]))
    place = cache.root / DONE / f"{slug(told['id'])}.json"
    if place.is_file():
        return place.read_text(encoding="utf-8")
    context = Context(
        seed=told["seed"],
        device=told["device"],
        batch_tokens=told["batch_tokens"],
        cache=cache,
        data_dirs=(Path(told["data"]),),
    )
    started = time.perf_counter()
    try:
        value = Job(told["id"], told["call"]).function()(told["given"], context)
        outcome: dict[str, Any] = {"value": value}
    except Exception as error:  # noqa: BLE001 - it goes back as words; what the worker lacks may not be there to unpickle it
        outcome = {"error": str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"}
    outcome["seconds"] = round(time.perf_counter() - started, 3)
    answer = json.dumps(outcome, allow_nan=False)
    if "value" in outcome:
        write_text(place, answer)
    return answer
