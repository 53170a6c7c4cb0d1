"""What a remote worker does with a job that comes as text, and how the job is written."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.base.errors import HarnessError
from harness.base.files import slug, write_text
from harness.executors import Job
from harness.executors._setup import Setup
from harness.runtime.context import Context

PLACES = ("HARNESS_CACHE", "HARNESS_DATA")
"""Variables that name folders of this machine."""
DONE = "jobs"
"""Folder of the cache in which outcomes are kept by the jobs' ids."""


def written(job: Job, context: Context, cache: str, data: str) -> str:
    """A job as text, with what a worker on another machine makes its context of.

    Args:
        job: which.
        context: of whoever asks.
        cache: the worker's cache folder.
        data: the worker's folder of collections.
    """
    setup = Setup.of(context)
    carried = {name: value for name, value in setup.environment.items() if name not in PLACES}
    there = replace(setup, cache=cache, data_dirs=(data,), folder=".", environment=carried)
    told = {"id": job.id, "call": job.call, "given": dict(job.given), "setup": there.to_json()}
    return json.dumps(told, allow_nan=False)


def done(text: str) -> str:
    """Does a job; what was done before under its id is not done again, unless it failed or says that it was `skipped`.

    Args:
        text: of `written`.

    Returns:
        JSON: `value` and `seconds`, or `error` in words.
    """
    told: Mapping[str, Any] = json.loads(text)
    setup = Setup.from_json(told["setup"])
    place = Path(setup.cache) / DONE / f"{slug(told['id'])}.json"
    if place.is_file():
        return place.read_text(encoding="utf-8")
    context = setup.context()
    started = time.perf_counter()
    try:
        value = Job(told["id"], told["call"]).function()(told["given"], context)
        outcome: dict[str, Any] = {"value": value}
    except Exception as error:  # noqa: BLE001 - it goes back as words; what the worker lacks may not be there to unpickle it
        outcome = {"error": str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"}
    outcome["seconds"] = round(time.perf_counter() - started, 3)
    answer = json.dumps(outcome, allow_nan=False)
    if "value" in outcome and not (isinstance(outcome["value"], dict) and "skipped" in outcome["value"]):
        write_text(place, answer)  # what is absent today may be there tomorrow
    return answer
