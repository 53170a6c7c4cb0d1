"""Datasets and measures by MTEB's names for them.

The same measure has two names: MTEB's `ndcg_at_10` is `nDCG@10` here, computed by the same trec_eval. MTEB's recall,
precision, map and success are trec_eval's too; its reciprocal rank breaks ties otherwise, so RR may differ in the last
digits.
"""

from __future__ import annotations

import re

from harness.base.files import slug

_FORUMS = (
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
    **{f"cqadupstack/{forum}": f"CQADupstack{forum.capitalize()}Retrieval" for forum in _FORUMS},
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
"""BEIR's collection → MTEB's task."""
MEASURES = {"nDCG": "ndcg", "R": "recall", "AP": "map", "P": "precision", "RR": "mrr", "Success": "hit_rate"}
"""A measure's name here → in MTEB, both without the cutoff."""
_HERE = {theirs: name for name, theirs in MEASURES.items()}
_MEASURE = re.compile(r"(\w+)@(\d+)")
_MTEB_MEASURE = re.compile(rf"({'|'.join(_HERE)})_at_(\d+)")


def task_of(dataset: str) -> tuple[str, str, str]:
    """MTEB's task, subset and split of a dataset's full name.

    A collection that is not a task of MTEB keeps its own name.
    """
    source, _, rest = dataset.partition("/")
    name, _, split = rest.rpartition("/")
    if source == "mteb":
        task, _, subset = name.partition("/")
        return task, subset or "default", split
    known = TASKS.get(name) if source == "beir" else None
    return known or slug(f"{source}/{name}"), "default", split


def datasets_of(task: str, subset: str, split: str) -> list[str]:
    """Names of a task's subset and split here: `mteb/…`, and `beir/…` if it is one of BEIR's collections."""
    split = {"validation": "dev", "valid": "dev", "val": "dev"}.get(split, split)
    if subset != "default":
        return [f"mteb/{task}/{subset}/{split}"]
    return [f"mteb/{task}/{split}", *(f"beir/{name}/{split}" for name, known in TASKS.items() if known == task)]


def to_mteb(measure: str) -> str | None:
    """MTEB's name of a measure, as `ndcg_at_10` of `nDCG@10`; None if MTEB has none."""
    match = _MEASURE.fullmatch(measure)
    if match is None or match[1] not in MEASURES:
        return None
    return f"{MEASURES[match[1]]}_at_{match[2]}"


def from_mteb(score: str) -> str | None:
    """The measure that MTEB's score is, as `nDCG@10` of `ndcg_at_10`; None if there is none."""
    match = _MTEB_MEASURE.fullmatch(score)
    return f"{_HERE[match[1]]}@{match[2]}" if match else None
