"""Records as MTEB's result files, which MTEB loads, and MTEB's result files as published figures.

The same measure has two names: MTEB's `ndcg_at_10` is `nDCG@10` here, computed by the same trec_eval. MTEB's recall,
precision, map and success are trec_eval's too; its reciprocal rank breaks ties otherwise, so RR may differ in the last
digits.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.base.errors import RecordError
from harness.base.files import read_text, slug
from harness.base.optional import library
from harness.bench.published import Published
from harness.bench.record import Record
from harness.exchange.mteb_model import model_meta

_CQA = (
    "android",
    "english",
    "gaming",
    "gis",
    "mathematica",
    "physics",
    "programmers",
    "stats",
    "tex",
    "unix",
    "webmasters",
    "wordpress",
)
TASKS = {
    "arguana": "ArguAna",
    "climate-fever": "ClimateFEVER",
    **{f"cqadupstack/{forum}": f"CQADupstack{forum.capitalize()}Retrieval" for forum in _CQA},
    "dbpedia-entity": "DBPedia",
    "fever": "FEVER",
    "fiqa": "FiQA2018",
    "hotpotqa": "HotpotQA",
    "msmarco": "MSMARCO",
    "nfcorpus": "NFCorpus",
    "nq": "NQ",
    "quora": "QuoraRetrieval",
    "scidocs": "SCIDOCS",
    "scifact": "SciFact",
    "trec-covid": "TRECCOVID",
    "webis-touche2020": "Touche2020",
}
"""BEIR's collections by MTEB's names for them."""
NAMES = {"nDCG": "ndcg", "R": "recall", "AP": "map", "P": "precision", "RR": "mrr", "Success": "hit_rate"}
_OURS = re.compile(r"(\w+)@(\d+)")
_THEIRS = re.compile(rf"({'|'.join(NAMES.values())})_at_(\d+)")
MAIN = "ndcg_at_10"
ROUNDING = 1e-6
UNDETERMINED = "und-Zzzz"
"""ISO 639-3 and 15924 for what has no code."""


def write_results(records: Iterable[Record], folder: Path) -> list[Path]:
    """Writes `results/<model>/<revision>/<Task>.json` and `model_meta.json` under a folder, the form of MTEB's
    `ResultCache`.

    The model's name is the row, its revision the method with all settings and the seed. A task's revision is that of
    the content here, so that nothing passes for MTEB's own copy of the data. Splits of one task go into one file.

    Args:
        records: those with figures are written.
        folder: where to; `mteb.ResultCache(folder)` loads it.

    Raises:
        Unavailable: mteb is not installed.
        RecordError: no record has a figure that MTEB knows, one lacks nDCG@10, MTEB's main score of retrieval, or two
            of one row are of the same task and split.
    """
    library("mteb", "mteb")
    grouped: dict[tuple[str, str, int, str], list[tuple[Record, str, str]]] = {}
    for record in records:
        if record.status == "ok":
            task, subset, split = task_of(record.dataset["name"])
            grouped.setdefault((record.row, record.method, record.seed, task), []).append((record, subset, split))
    if not grouped:
        raise RecordError("no record has figures to export; `harness run` makes some, --results says where they are.")
    cache = library("mteb.cache", "mteb").ResultCache(folder)
    written = []
    for (row, method, seed, task), held in grouped.items():
        fingerprint = hashlib.sha256(method.encode()).hexdigest()[
            :16
        ]  # `Value.fingerprint`, of a method that need not be here
        meta = model_meta(row, method, fingerprint, seed)
        result = _task_result(task, held)
        cache.save_to_cache(result, meta)
        written.append(Path(cache.get_task_result_path(task, meta)))
    return written


def task_of(dataset: str) -> tuple[str, str, str]:
    """MTEB's task, subset and split of a dataset's full name; a collection that is no task of MTEB's keeps its own
    name.
    """
    source, _, rest = dataset.partition("/")
    name, _, split = rest.rpartition("/")
    if source == "mteb":
        task, _, subset = name.partition("/")
        return task, subset or "default", split
    known = TASKS.get(name) if source == "beir" else None
    return known or slug(f"{source}/{name}"), "default", split


def datasets_of(task: str, subset: str, split: str) -> list[str]:
    """Names that a task's subset and split have here: `mteb/…`, and `beir/…` where it is one of BEIR's collections."""
    inner = "" if subset == "default" else f"/{subset}"
    split = {"validation": "dev", "valid": "dev", "val": "dev"}.get(split, split)
    found = [f"mteb/{task}{inner}/{split}"]
    return [*found, *(f"beir/{name}/{split}" for name, known in TASKS.items() if known == task and not inner)]


def read_results(paths: Sequence[Path]) -> tuple[list[Published], list[str]]:
    """Published figures from MTEB's result files, one for each model and revision, and what was left out, in words.

    Args:
        paths: result files, or folders with some below them, as in MTEB's repository of results; `model_meta.json`
            beside a file, or the names of its folders, say whose it is.

    Raises:
        Unavailable: mteb is not installed.
        RecordError: a file is no result of MTEB's, holds a score that is not from 0 to 1, or there is none.
    """
    library("mteb", "mteb")
    files = [file for path in paths for file in (sorted(path.rglob("*.json")) if path.is_dir() else [path])]
    files = [file for file in files if file.name != "model_meta.json"]
    if not files:
        raise RecordError(
            f"there is no result of MTEB's in {', '.join(map(str, paths))}; a file is <model>/<revision>/<Task>.json."
        )
    models: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    versions: dict[tuple[str, str], set[str]] = {}
    left_out = []
    for file in files:
        result, model = _result(file), _model(file)
        if why := _not_comparable(result.task_name):
            left_out.append(f"{file}: {why}")
            continue
        for dataset, figures in _figures(result, file).items():
            models.setdefault(model, {}).setdefault(dataset, {}).update(figures)
            versions.setdefault(model, set()).add(str(result.mteb_version))
    found = []
    for (name, revision), of in models.items():
        source = f"MTEB's results, revision {revision}, mteb {', '.join(sorted(versions[name, revision]))}"
        several = sum(other == name for other, _ in models) > 1
        found.append(Published(f"{name}@{revision[:12]}" if several else name, source, of))
    return found, left_out


def _task_result(task: str, held: Sequence[tuple[Record, str, str]]) -> Any:
    results = library("mteb.results", "mteb")
    scores: dict[str, list[dict[str, Any]]] = {}
    for record, subset, split in held:
        named = {f"{NAMES[m[1]]}_at_{m[2]}": value for name, value in record.measures.items() if (m := _named(name))}
        if MAIN not in named:
            raise RecordError(
                f"{record.row} on {record.dataset['name']} lacks nDCG@10, MTEB's main score; run it with that measure."
            )
        if any(there["hf_subset"] == subset for there in scores.get(split, ())):
            both = ", ".join(
                sorted({r.dataset["name"] for r, *_ in held if task_of(r.dataset["name"]) == (task, subset, split)})
            )
            raise RecordError(
                f"{record.row} has records of {both}, which MTEB knows as one, {task}; name the one to export with "
                f"--dataset."
            )
        scores.setdefault(split, []).append(
            {**named, "main_score": named[MAIN], "hf_subset": subset, "languages": _languages(task, subset)}
        )
    first = held[0][0]
    return results.TaskResult(
        task_name=task,
        dataset_revision="+".join(
            dict.fromkeys(f"retrieval-harness:{record.dataset['revision']}" for record, _, _ in held)
        ),
        mteb_version=library("mteb", "mteb").__version__,
        scores=scores,
        evaluation_time=sum(sum(record.seconds.values()) for record, _, _ in held),
        date=datetime.fromisoformat(first.started) if first.started else None,
    )


def _languages(task: str, subset: str) -> list[str]:
    """Of a subset of a task that MTEB knows; else undetermined, as MTEB leaves scores without any language out."""
    try:
        known = library("mteb", "mteb").get_task(task).metadata.hf_subsets_to_langscripts
    except KeyError:
        return [UNDETERMINED]
    return list(known.get(subset, ())) or [UNDETERMINED]


def _named(name: str) -> re.Match[str] | None:
    found = _OURS.fullmatch(name)
    return found if found and found[1] in NAMES else None


def _result(file: Path) -> Any:
    try:
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / file.name  # MTEB reads UTF-8 without a byte order mark
            plain.write_text(read_text(file), encoding="utf-8")
            return library("mteb.results", "mteb").TaskResult.from_disk(plain)
    except Exception as error:  # a stranger's file fails in pydantic, in JSON or in MTEB's conversion of old forms
        raise RecordError(f"{file} is no result of MTEB's: {' '.join(str(error).split())[:200]}") from error


def _model(file: Path) -> tuple[str, str]:
    """Name and revision of the model, from `model_meta.json` or the folders `<organisation>__<model>/<revision>/`."""
    name, revision = file.parent.parent.name.replace("__", "/"), file.parent.name
    try:
        held: Mapping[str, Any] = json.loads(read_text(file.parent / "model_meta.json"))
        return str(held["name"] or name), str(held["revision"] or revision)
    except (OSError, ValueError, KeyError, TypeError):
        return name, revision


def _not_comparable(task: str) -> str:
    """Why the figures of a task are not those of a whole ranking; empty where they are, or the task is not known."""
    try:
        kind = library("mteb", "mteb").get_task(task).metadata.type
    except KeyError:
        return ""
    return (
        ""
        if kind in ("Retrieval", "InstructionRetrieval")
        else f"{task} is {kind}, not a ranking of all documents: left out"
    )


def _figures(result: Any, file: Path) -> dict[str, dict[str, float]]:
    ours = {theirs: name for name, theirs in NAMES.items()}
    found = {}
    for split, subsets in result.scores.items():
        for scores in subsets:
            figures = {
                f"{ours[m[1]]}@{m[2]}": _share(value, f"{file}: {name} of {result.task_name}")
                for name, value in scores.items()
                if (m := _THEIRS.fullmatch(name)) and isinstance(value, (int, float))
            }
            if figures:
                found.update(dict.fromkeys(datasets_of(result.task_name, scores["hf_subset"], split), figures))
    return found


def _share(value: float, what: str) -> float:
    """A score from 0 to 1, without what rounding adds to a perfect one.

    Raises:
        RecordError: it is not from 0 to 1, or not a number.
    """
    if not -ROUNDING <= value <= 1 + ROUNDING:  # nor is NaN
        raise RecordError(
            f"{what} is {value}, not a score from 0 to 1; MTEB's own files hold shares: divide percent by 100."
        )
    return min(1.0, max(0.0, float(value)))
