"""Collections of the ir_datasets catalogue, by their ids there: TREC, CLEF, MS MARCO and hundreds of others."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.errors import DatasetError, Unavailable, UnknownName
from harness.base.optional import library
from harness.collection.files import DEV_NAMES
from harness.collection.in_memory import LEARNT_FROM, Split, cached_corpus, dataset_of
from harness.collection.self_retrieval import ALWAYS
from harness.data.dataset import Dataset
from harness.data.documents import Document
from harness.data.ids import Trim
from harness.datasets import Source
from harness.datasets._offline import offline
from harness.runtime.context import Context

SPLITS = ("test", *LEARNT_FROM, *DEV_NAMES)
"""Last parts of an id that name a split; an id that ends otherwise is its own split `test`."""


@dataclass(frozen=True)
class IrDatasets(Source):
    """`ir_datasets/<id>`, as `ir_datasets/beir/scifact/test` or `ir_datasets/msmarco-passage/trec-dl-2019/judged`.

    Documents and queries have the default text of ir_datasets (of a TREC topic its title); grades are unchanged.
    Training sees the `train` and `dev` (`valid`, `validation`, `val`) ids with the same documents on the same level of
    the catalogue or above, as `msmarco-passage/train` for any MS MARCO passage id.
    """

    def load(self, rest: str, context: Context) -> Dataset:
        """The collection of that id.

        Raises:
            UnknownName: the catalogue has no such id.
            DatasetError: it has no documents, queries or judgements.
            Unavailable: ir_datasets is not installed, or its files are not on this machine and cannot be downloaded.
        """
        catalogue = library("ir_datasets", "ir_datasets")
        found, name, split = _locate(catalogue, rest)
        full = f"ir_datasets/{name}"
        for part in ("docs", "queries", "qrels"):
            if not catalogue.load(found).has(part):
                below = [i for i in catalogue.registry if i.startswith(f"{found}/") and catalogue.load(i).has(part)]
                hint = f"; these ids have: {', '.join(below[:8])}" if below else ""
                raise DatasetError(f"ir_datasets/{found} has no {part}{hint}.")
        _check_offline(catalogue.load(found), found)
        changed: dict[str, Trim] = {}
        try:
            corpus = cached_corpus(full, lambda: _documents(catalogue.load(found), changed), context)
            splits = {split: _split(catalogue.load(found), found, changed)}
            for known, other in _learnt_from(catalogue, found).items():
                splits.setdefault(known, _split(catalogue.load(other), other, changed))
        except (OSError, RuntimeError) as error:  # a failed download, or files that must be put there by hand
            raise Unavailable(
                f"ir_datasets cannot load {found}: {' '.join(str(error).split()).rstrip('.')}.",
                f"See https://ir-datasets.com/{found.partition('/')[0]}.html for how to get the files; ir_datasets "
                "looks for them in the folder that IR_DATASETS_HOME names.",
            ) from error
        notes = (f"from ir_datasets {catalogue.__version__}, id {found}",)
        return dataset_of(
            full, corpus, splits, split, own=True if name in ALWAYS else None, notes=notes, changed=changed
        )

    def available(self, context: Context) -> list[str]:
        """None: the catalogue knows which files are on this machine only by looking for all of them."""
        return []


def _locate(catalogue: Any, rest: str) -> tuple[str, str, str]:
    """The catalogue's id, the name without the split, and the split; `cranfield/test` is the id `cranfield`."""
    head, _, tail = rest.rpartition("/")
    for found in (rest, head if tail == "test" else ""):
        try:
            catalogue.load(found)
        except KeyError:
            continue
        if found == rest and head and tail in SPLITS:
            return found, head, tail
        return found, found, "test"
    known = list(catalogue.registry)
    inner = [i for i in known if rest and i.startswith(f"{rest}/")]
    close = difflib.get_close_matches(rest, known, n=5, cutoff=0.5)
    raise UnknownName("ir_datasets id", rest, inner[:8] or close, "All ids are listed on https://ir-datasets.com.")


def _learnt_from(catalogue: Any, found: str) -> dict[str, str]:
    """Split → id that training may see: on the level of the reported id or above it, with the same documents."""
    same = catalogue.load(found).docs_handler()
    ids: dict[str, str] = {}
    parts = found.split("/")
    for depth in range(len(parts) - 1, 0, -1):
        for name in (*LEARNT_FROM, *DEV_NAMES):
            other, split = "/".join((*parts[:depth], name)), "dev" if name in DEV_NAMES else name
            if split in ids or other == found or found.startswith(f"{other}/"):
                continue
            try:
                dataset = catalogue.load(other)
            except KeyError:
                continue
            complete = all(dataset.has(kind) for kind in ("queries", "qrels", "docs"))
            if complete and dataset.docs_handler() == same:
                ids[split] = other
    return ids


def _documents(dataset: Any, changed: dict[str, Trim]) -> Iterator[Document]:
    trim = changed["the corpus"] = Trim()
    for document in dataset.docs_iter():
        name = trim(document.doc_id)
        text, title = document.default_text(), getattr(document, "title", None)
        if isinstance(title, str) and title.strip() and text.startswith(title):
            yield Document(name, title, text[len(title) :].lstrip())
        else:
            yield Document(name, "", text)


def _split(dataset: Any, name: str, changed: dict[str, Trim]) -> Split:
    """Queries and judgements of one id; of a pair that is judged for several subtopics, the highest grade."""
    trim = changed[f"the judgements of {name}"] = Trim()
    qrels: dict[str, dict[str, int]] = {}
    for judgement in dataset.qrels_iter():
        grades = qrels.setdefault(trim(judgement.query_id), {})
        document, grade = trim(judgement.doc_id), int(judgement.relevance)
        grades[document] = max(grade, grades.get(document, grade))
    trim = changed[f"the queries of {name}"] = Trim()
    return Split({trim(query.query_id): query.default_text() for query in dataset.queries_iter()}, qrels)


def _check_offline(dataset: Any, found: str) -> None:
    """Raises Unavailable if the network is forbidden and a file is missing: ir_datasets would download it."""
    if not offline():
        return
    for handler in (dataset.docs_handler(), dataset.queries_handler(), dataset.qrels_handler()):
        for path in _files(handler):
            if not path.exists():
                raise Unavailable(
                    f"{path} of {found} is missing, and HARNESS_OFFLINE forbids the download.",
                    "Unset it, or copy the file there.",
                )


def _files(handler: Any) -> Iterator[Path]:
    """Paths of the files that a handler reads, downloaded or not: its attributes with a method `path` know them."""
    for value in vars(handler).values():
        for part in value if isinstance(value, (list, tuple)) else (value,):
            with contextlib.suppress(TypeError, AttributeError):  # not a file, or its path is unknown until downloaded
                yield Path(part.path(force=False))
