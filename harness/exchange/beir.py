"""A dataset as a folder in BEIR's format, which BEIR's `GenericDataLoader` and `./folder` read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from harness.base.errors import DatasetError
from harness.base.files import replacing, write_text
from harness.collection.qrels import HEADER
from harness.collection.variant import split_variant
from harness.data.dataset import Dataset
from harness.data.queries import Labelled, Qrels


def write_collection(dataset: Dataset, folder: Path) -> dict[str, int]:
    """Writes `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`, and returns the number of queries of each split.

    Train and dev are those of the dataset's `TrainView`: without the queries of the reported split, and with dev cut
    from train if the collection has no dev split.

    Args:
        dataset: what is written.
        folder: where to; files of these names are replaced.

    Raises:
        DatasetError: an id that BEIR's reader, a CSV reader, would read as another because of quotes or tabs.
    """
    view = dataset.train
    every = {"train": view.train, "dev": view.dev, split_variant(dataset.name)[0].rpartition("/")[2]: dataset.test}
    splits = {name: split for name, split in every.items() if split is not None}
    with replacing(folder / "corpus.jsonl") as part, open(part, "w", encoding="utf-8", newline="\n") as file:
        for batch in dataset.corpus.batches():
            file.writelines(_line({"_id": d.id, "title": d.title, "text": d.text}) for d in batch)
    texts: dict[str, str] = {}
    for split in splits.values():
        texts |= zip(split.queries.ids, split.queries.texts, strict=True)
    write_text(folder / "queries.jsonl", "".join(_line({"_id": query, "text": text}) for query, text in texts.items()))
    for name, split in splits.items():
        write_text(folder / "qrels" / f"{name}.tsv", "".join(_judgements(split)))
    return {name: len(split.queries) for name, split in splits.items()}


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
