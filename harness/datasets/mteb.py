"""Retrieval and reranking tasks of MTEB, by their names there, loaded by MTEB itself."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.base.errors import DatasetError, Unavailable, UnknownName
from harness.base.optional import library
from harness.collection.files import DEV_NAMES, split_name
from harness.collection.in_memory import LEARNT_FROM, Split, cached_corpus, dataset_of, grades_of
from harness.collection.mteb_rows import documents, queries
from harness.data.dataset import Dataset
from harness.data.ids import Trim
from harness.datasets import Source
from harness.datasets._offline import offline
from harness.runtime.context import Context

DEFAULT = "default"
"""What MTEB calls the only subset of a task that has no others."""


@dataclass(frozen=True)
class Mteb(Source):
    """`mteb/<Task>[/<subset>][/<split>]`, as `mteb/SciFact` or `mteb/MIRACLRetrieval/de/dev`.

    The split is one that MTEB evaluates, by default `test`, else the first. Training sees the task's train and dev
    splits if its data has them and their relevant documents are in the reported split's corpus. The document with a
    query's id is removed from its ranking if the task says so (`ignore_identical_ids`), as in MTEB.
    """

    def load(self, rest: str, context: Context) -> Dataset:
        """The task's data of one subset and split.

        Raises:
            UnknownName: no such task, subset or split.
            DatasetError: the task is of another kind, or its queries or documents are not texts.
            Unavailable: mteb is not installed, or the task's data is not on this machine and cannot be downloaded.
        """
        mteb = _library()
        name, *more = rest.split("/")
        task = _task(mteb, name)
        subset, split = _which(task, more)
        loaded = _loaded(mteb, name, subset, split, context)
        full = f"mteb/{name}" if subset == DEFAULT else f"mteb/{name}/{subset}"
        data = loaded[split]
        changed: dict[str, Trim] = {}

        def trim(what: str) -> Trim:
            changed[what] = Trim()  # a new one for each reading: the corpus is read twice
            return changed[what]

        corpus = cached_corpus(full, lambda: documents(data["corpus"], trim("the corpus")), context)
        splits = {
            known: Split(
                queries(each["queries"], trim(f"the queries of {known}")),
                grades_of(each["relevant_docs"], trim(f"the judgements of {known}")),
            )
            for known, each in loaded.items()
        }
        return dataset_of(
            full,
            corpus,
            splits,
            split,
            own=bool(task.ignore_identical_ids),
            licence=str(task.metadata.license or ""),
            notes=_notes(mteb, task, data),
            changed=changed,
        )

    def available(self, context: Context) -> list[str]:
        """None: MTEB stores its data in the hub's cache and does not say which tasks are there."""
        return []


def _library() -> Any:
    if offline():  # read when its libraries are first imported
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    return library("mteb", "mteb")


def _task(mteb: Any, name: str, **which: Any) -> Any:
    try:
        task = mteb.get_task(name, **which)
    except KeyError as error:
        from mteb.get_tasks import TASK_LIST  # only its names, and only for the message

        known = [task.metadata.name for task in TASK_LIST]
        close = difflib.get_close_matches(name, known, n=5, cutoff=0.5)
        raise UnknownName(
            "MTEB task",
            name,
            close,
            "`mteb.get_tasks()` lists all; retrieval and reranking tasks over text can be used.",
        ) from error
    from mteb.abstasks import AbsTaskRetrieval

    if not isinstance(task, AbsTaskRetrieval) or list(task.metadata.modalities) != ["text"]:
        kind = f"{task.metadata.type} over {' and '.join(task.metadata.modalities)}"
        raise DatasetError(f"mteb/{name} is {kind}; only retrieval and reranking tasks over text can be used.")
    return task


def _which(task: Any, more: list[str]) -> tuple[str, str]:
    """The subset and the split that follow a task's name."""
    name, subsets = task.metadata.name, list(task.hf_subsets)
    subset = more.pop(0) if more and more[0] in subsets else ""
    if not subset:
        if len(subsets) > 1:
            requested = more[0] if more else ""
            raise UnknownName("subset", requested, subsets, f"Name one of them, as mteb/{name}/{subsets[0]}.")
        (subset,) = subsets
    splits = list(task.eval_splits)
    if len(more) > 1 or (more and split_name(more[0]) not in map(split_name, splits)):
        raise UnknownName("split", "/".join(more), splits, f"These are the splits of mteb/{name}.")
    requested = more[0] if more else "test"
    same = [split for split in splits if split_name(split) == split_name(requested)]
    return subset, same[0] if same else splits[0]


def _loaded(mteb: Any, name: str, subset: str, split: str, context: Context) -> dict[str, Any]:
    """Split → MTEB's data of it: the reported split, and those to learn from.

    A task that loads its data itself gives all splits. MTEB's own loader is called for a split that the task is not
    evaluated on only if the data has a split of that name: if there is only one split, it returns that for any name.
    """
    from mteb.abstasks import AbsTaskRetrieval

    try:
        with context.progress(f"load mteb/{name}", 1, "task") as advance:
            task = _task(mteb, name, hf_subsets=[subset], eval_splits=[split])
            task.load_data()
            task.convert_v1_dataset_format_to_v2(num_proc=None)
            advance(1)
        data = task.dataset[subset]
        splits = {split: data[split]}
        splits.update((other, data[other]) for other in (*LEARNT_FROM, *DEV_NAMES) if other in data)
        if type(task).load_data is AbsTaskRetrieval.load_data:
            for other in _on_the_hub(task, subset):
                if other not in splits:
                    task = _task(mteb, name, hf_subsets=[subset], eval_splits=[other])
                    task.load_data()
                    splits[other] = task.dataset[subset][other]
    except KeyError as error:
        raise UnknownName("split", split, task.eval_splits, f"These are the splits of mteb/{name}.") from error
    except OSError as error:  # raised by datasets and the hub's client without a connection
        raise Unavailable(
            f"the data of mteb/{name} cannot be loaded: {' '.join(str(error).split()).rstrip('.')}.",
            "It is downloaded from the Hugging Face hub the first time: connect to the network, or copy the hub's "
            "cache from another machine to the folder that HF_HOME names.",
        ) from error
    return splits


def _on_the_hub(task: Any, subset: str) -> Iterator[str]:
    """Splits to learn from that the task's judgements have, besides those it is evaluated on."""
    import datasets

    place, revision = task.metadata.dataset["path"], task.metadata.dataset["revision"]
    configs = datasets.get_dataset_config_names(place, revision)
    names = [DEFAULT, "qrels"] if subset == DEFAULT else [f"{subset}-qrels"]
    config = next((name for name in names if name in configs), None)
    if config is not None:
        splits = datasets.get_dataset_split_names(place, revision=revision, config_name=config)
        yield from (split for split in (*LEARNT_FROM, *DEV_NAMES) if split in splits)


def _notes(mteb: Any, task: Any, data: Any) -> tuple[str, ...]:
    notes = [f"from mteb {mteb.__version__}, revision {task.metadata.revision} of {task.metadata.dataset['path']}"]
    if data.get("top_ranked"):
        notes.append(
            "scores are not comparable with MTEB's: in this task MTEB re-ranks given candidates of each query; here "
            "all documents are ranked"
        )
    if task.skip_first_result:
        notes.append(
            "scores are not comparable with MTEB's: in this task MTEB leaves out the first document of each ranking; "
            "here it stays"
        )
    return tuple(notes)
