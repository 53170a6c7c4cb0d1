"""Jobs for containers that are started for each job and share only volumes: a job with the settings of its context as
one text; results are stored by the jobs' ids.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.base.files import slug, write_text
from harness.executors._job_result import JobResult, do_job, job_from_json
from harness.executors._setup import Setup
from harness.runtime.context import Context

PLACES: Final = ("HARNESS_CACHE", "HARNESS_DATA")
"""Variables that name folders of this machine."""
FOLDER: Final = "jobs"
"""Folder of the cache in which results are stored by the jobs' ids."""


def packed_job(job: str, context: Context, cache: str, data: str) -> str:
    """A job (as JSON) as text, with the settings that its context is made of on another machine.

    Args:
        job: as JSON.
        context: of the requesting process.
        cache: cache folder on the other machine.
        data: folder of the collections there.
    """
    setup = Setup.of(context)
    environment = {name: value for name, value in setup.environment.items() if name not in PLACES}
    there = replace(setup, cache=cache, data_dirs=(data,), folder=".", environment=environment)
    return json.dumps({"job": job, "setup": there.to_json()}, allow_nan=False)


def do_packed_job(text: str) -> str:
    """Does a job, or returns its stored result; only final results are stored (`JobResult.final`).

    Args:
        text: of `packed_job`.

    Returns:
        `JobResult` as JSON.
    """
    packed = json.loads(text)
    setup = Setup.from_json(packed["setup"])
    place = Path(setup.cache) / FOLDER / f"{slug(job_from_json(packed['job']).id)}.json"
    if place.is_file():
        return place.read_text(encoding="utf-8")
    result = do_job(packed["job"], setup.context())
    if JobResult.from_json(result).final:
        write_text(place, result)
    return result
