"""MTEB's result files as published scores."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import RecordError
from harness.base.files import read_text
from harness.base.optional import library
from harness.bench.published import Published
from harness.exchange.mteb_names import datasets_of, from_mteb

ROUNDING = 1e-6


def read_results(paths: Sequence[Path]) -> tuple[list[Published], list[str]]:
    """Published scores from MTEB's result files, one for each model and revision, and messages on what was left out.

    Args:
        paths: result files, or folders with some below them, as in MTEB's repository of results; `model_meta.json`
            next to a file, or else the names of its folders, name the model.

    Raises:
        Unavailable: mteb is not installed.
        RecordError: a file is not a result of MTEB, has a score that is not from 0 to 1, or there is none.
    """
    library("mteb", "mteb")
    models: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    versions: dict[tuple[str, str], set[str]] = {}
    left_out = []
    for file in _files(paths):
        result, model = _result(file), _model(file)
        if why := _not_comparable(result.task_name):
            left_out.append(f"{file}: {why}")
            continue
        for dataset, scores in _scores(result, file).items():
            models.setdefault(model, {}).setdefault(dataset, {}).update(scores)
            versions.setdefault(model, set()).add(str(result.mteb_version))
    names = [name for name, _ in models]
    imported = []
    for (name, revision), by_dataset in models.items():
        source = f"MTEB's results, revision {revision}, mteb {', '.join(sorted(versions[name, revision]))}"
        title = f"{name}@{revision[:12]}" if names.count(name) > 1 else name
        imported.append(Published(title, source, by_dataset))
    return imported, left_out


def _files(paths: Sequence[Path]) -> list[Path]:
    every: list[Path] = []
    for path in paths:
        every += sorted(path.rglob("*.json")) if path.is_dir() else [path]
    files = [file for file in every if file.name != "model_meta.json"]
    if not files:
        raise RecordError(
            f"there is no result of MTEB in {', '.join(map(str, paths))}; a file is <model>/<revision>/<Task>.json."
        )
    return files


def _result(file: Path) -> Any:
    try:
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / file.name  # MTEB reads UTF-8 without a byte order mark
            plain.write_text(read_text(file), encoding="utf-8")
            return library("mteb.results", "mteb").TaskResult.from_disk(plain)
    except Exception as error:  # a bad file fails in pydantic, in JSON or in MTEB's conversion of old formats
        raise RecordError(f"{file} is not a result of MTEB: {' '.join(str(error).split())[:200]}") from error


def _model(file: Path) -> tuple[str, str]:
    """Name and revision of the model, from `model_meta.json` or the folders `<organisation>__<model>/<revision>/`."""
    name, revision = file.parent.parent.name.replace("__", "/"), file.parent.name
    try:
        meta: Mapping[str, Any] = json.loads(read_text(file.parent / "model_meta.json"))
        return str(meta["name"] or name), str(meta["revision"] or revision)
    except (OSError, ValueError, KeyError, TypeError):
        return name, revision


def _not_comparable(task: str) -> str:
    """Why the scores of a task are not of a ranking of all documents; empty if they are, or the task is unknown."""
    try:
        kind = library("mteb", "mteb").get_task(task).metadata.type
    except KeyError:
        return ""
    if kind in ("Retrieval", "InstructionRetrieval"):
        return ""
    return f"{task} is {kind}, not a ranking of all documents: left out"


def _scores(result: Any, file: Path) -> dict[str, dict[str, float]]:
    """Dataset → measure → score."""
    by_dataset: dict[str, dict[str, float]] = {}
    for split, subsets in result.scores.items():
        for entry in subsets:
            scores = {}
            for name, value in entry.items():
                measure = from_mteb(name)
                if measure is not None and isinstance(value, (int, float)):
                    scores[measure] = _share(value, f"{file}: {name} of {result.task_name}")
            if scores:
                by_dataset.update(dict.fromkeys(datasets_of(result.task_name, entry["hf_subset"], split), scores))
    return by_dataset


def _share(value: float, what: str) -> float:
    """A score from 0 to 1, without what rounding adds to a perfect one.

    Raises:
        RecordError: it is not from 0 to 1, or not a number.
    """
    if not -ROUNDING <= value <= 1 + ROUNDING:  # NaN is refused too
        raise RecordError(
            f"{what} is {value}, not a score from 0 to 1; MTEB's own files hold shares: divide percent by 100."
        )
    return min(1.0, max(0.0, float(value)))
