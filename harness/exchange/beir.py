"""A dataset as a folder in BEIR's format, which BEIR's `GenericDataLoader` and `./folder` read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.base.errors import DatasetError, SettingError
from harness.base.files import replacing, write_text
from harness.collection.copied_rule import copy_rule
from harness.collection.labels import Labels, digest, labels_file, labels_giving, line_of
from harness.collection.qrels import HEADER
from harness.collection.variant import reported_split, split_variant
from harness.data.dataset import Dataset
from harness.data.queries import Labelled, Qrels
from harness.datasets import made_folder
from harness.runtime.context import Context


def write_collection(dataset: Dataset, folder: Path, context: Context | None = None) -> dict[str, int]:
    """Writes `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`, and returns the number of queries of each split.

    Train and dev are those of the dataset's `TrainView`: without the queries of the reported split, and with dev cut
    from train if the collection has no dev split. Labels with their judges are copied (`qrels/<split>.labels.jsonl`),
    and so is the rule on queries that are documents (`manifest.json`), so that the copy has the scores and the notes of
    the original.

    Args:
        dataset: what is written.
        folder: where to; files of these names are replaced.
        context: its data folders, where labels are looked for; None takes the defaults.

    Raises:
        DatasetError: an id that BEIR's reader, a CSV reader, would read as another because of quotes or tabs.
        SettingError: the dataset has folds.
    """
    context = context or Context()
    splits = splits_of(dataset)
    copy_rule(dataset.name, list(splits.values()), dataset.corpus, made_folder(dataset.name, context), folder)
    with replacing(folder / "corpus.jsonl") as part, open(part, "w", encoding="utf-8", newline="\n") as file:
        for batch in dataset.corpus.batches():
            file.writelines(_line({"_id": d.id, "title": d.title, "text": d.text}) for d in batch)
    texts: dict[str, str] = {}
    for split in splits.values():
        texts |= zip(split.queries.ids, split.queries.texts, strict=True)
    write_text(folder / "queries.jsonl", "".join(_line({"_id": query, "text": text}) for query, text in texts.items()))
    for name, split in splits.items():
        write_text(folder / "qrels" / f"{name}.tsv", "".join(_judgements(split)))
    for name, labels in labels_of_splits(dataset.name, splits, context).items():
        write_text(labels_file(folder, name), "".join(map(line_of, labels.every)))
    return {name: len(split.queries) for name, split in splits.items()}


def splits_of(dataset: Dataset) -> dict[str, Labelled]:
    """The splits of a dataset, by their names: those of its `TrainView`, and the reported one.

    Raises:
        SettingError: it has folds, which are no splits.
    """
    reported = reported_split(dataset.name)
    if reported is None:
        raise SettingError(
            f"{dataset.name} has folds, which a folder of files cannot have: copy {split_variant(dataset.name)[0]}, "
            "and name the folds where the copy is used."
        )
    view = dataset.train
    every = {"train": view.train, "dev": view.dev, reported: dataset.test}
    return {name: split for name, split in every.items() if split is not None}


def labels_of_splits(name: str, splits: Mapping[str, Labelled], context: Context) -> dict[str, Labels]:
    """Split → the labels that give its judgements, without splits that have none.

    Args:
        name: of the dataset.
        splits: as it has them.
        context: its data folders.
    """
    folder = made_folder(name, context)
    if folder is None:
        return {}
    found = {
        split: labels_giving(folder, digest(labelled.qrels), split, frozenset(labelled.queries.ids))
        for split, labelled in splits.items()
    }
    return {split: labels for split, labels in found.items() if labels is not None}


def _line(record: dict[str, str]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _judgements(labelled: Labelled) -> Iterable[str]:
    yield "\t".join(HEADER) + "\n"
    for query, grades in _checked(labelled.qrels).items():
        yield from (f"{query}\t{document}\t{grade}\n" for document, grade in grades.items())


def _checked(qrels: Qrels) -> Qrels:
    for query, grades in qrels.items():
        for name in (query, *grades):
            if name != name.strip() or name.startswith('"') or any(c in name for c in "\t\n\r"):
                raise DatasetError(
                    f"BEIR's reader cannot read the id {name!r} of a judgement; rename it in the collection."
                )
    return qrels
