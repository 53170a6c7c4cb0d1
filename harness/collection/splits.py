"""A dataset from corpus, queries and judgements per split: what is reported on, and what training may see.

The reported split never appears in the `TrainView`, and its queries are removed from train and dev too. A collection
without a dev split gets one when it is loaded by its name (`harness.collection.dev`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from harness.base.errors import DatasetError, UnknownName
from harness.collection.files import split_name
from harness.collection.self_retrieval import self_retrieval
from harness.collection.sound import sound
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.ids import Trim, chunked, near, near_note
from harness.data.queries import Labelled, Qrels, Queries


@dataclass(frozen=True)
class Parts:
    """What a source has read of a collection.

    Args:
        name: full name without the split, as `beir/scifact`.
        corpus: the documents.
        queries: all queries of all splits.
        qrels: split → function that reads its judgements.
        licence: where known.
        notes: of the source.
        own: see `harness.collection.self_retrieval.self_retrieval`.
        changed: what was read so far → the ids changed in it by the rule in `harness.data.ids`.
    """

    name: str
    corpus: Corpus
    queries: Queries
    qrels: Mapping[str, Callable[[], Qrels]]
    licence: str = ""
    notes: tuple[str, ...] = ()
    own: bool | None = None
    changed: Mapping[str, Trim] = field(default_factory=dict)


def build_dataset(parts: Parts, split: str) -> Dataset:
    """The dataset that reports on one split.

    Raises:
        UnknownName: the collection has no such split; lists those it has.
        DatasetError: a judged query has no text, a file is malformed, or the split cannot be scored
            (`harness.collection.sound`).
    """
    split = known_split(split, parts.qrels, parts.name)
    test, notes = _labelled(parts, split, parts.qrels[split]())
    reported, problems = frozenset(test.queries.ids), sound(parts.name, test, parts.corpus)
    return Dataset(
        name=f"{parts.name}/{split}",
        corpus=parts.corpus,
        test=test,
        load_train=lambda: _view(parts, split, reported),
        notes=(*parts.notes, *notes, *_overlaps(parts, split, reported), *_changed(parts), *problems),
        licence=parts.licence,
    )


def known_split(split: str, splits: Collection[str], name: str) -> str:
    """The split as the collection names it.

    Args:
        split: the requested one.
        splits: those of the collection.
        name: of the collection.

    Raises:
        UnknownName: the collection has no such split; lists those it has.
    """
    split = split_name(split)
    if split not in splits:
        raise UnknownName("split", split, splits, f"These are the splits of {name}.")
    return split


def _view(parts: Parts, reported_split: str, reported: frozenset[str]) -> TrainView:
    splits: dict[str, Qrels] = {}
    for split in ("train", "dev"):
        if split in parts.qrels and split != reported_split:
            splits[split] = {query: grades for query, grades in parts.qrels[split]().items() if query not in reported}
    train, dev = splits.get("train", {}), splits.get("dev", {})
    # Queries that settings are chosen on must not be trained on.
    train = {query: grades for query, grades in train.items() if query not in dev}
    return TrainView(
        parts.corpus,
        train=_labelled(parts, "train", train)[0] if train else None,
        dev=_labelled(parts, "dev", dev)[0] if dev else None,
    )


def _overlaps(parts: Parts, reported_split: str, reported: frozenset[str]) -> list[str]:
    """Notes on queries that the view leaves out, made when the dataset is loaded, so that every record has them."""
    notes = []
    for split in ("train", "dev"):
        if split in parts.qrels and split != reported_split:
            shared = len(reported & parts.qrels[split]().keys())
            if shared:
                notes.append(f"{shared} queries of {split} are also in {reported_split}: left out of {split}")
    return notes


def _changed(parts: Parts) -> list[str]:
    """Notes on the ids that the rule for ids changed; call it when all files are read."""
    return [*parts.corpus.notes, *(note for where, trim in parts.changed.items() for note in trim.notes(where))]


def _labelled(parts: Parts, split: str, qrels: Qrels) -> tuple[Labelled, tuple[str, ...]]:
    """The split, and notes on its queries that are documents: the rule is the same for test, train and dev."""
    queries = parts.queries.only(list(qrels))
    if len(queries) != len(qrels):
        known = set(queries.ids)
        lost = [query for query in qrels if query not in known]
        alike = near(lost, chunked(parts.queries.ids))
        hint = f" {near_note(alike, 'of them', 'queries')}." if alike else ""
        raise DatasetError(
            f"{parts.name}: {len(lost)} judged queries of split {split!r} have no text, for example "
            f"{', '.join(map(repr, lost[:3]))}; add them to queries.jsonl or delete their judgements.{hint}"
        )
    dropped, notes = self_retrieval(parts.name, queries, parts.corpus, parts.own)
    return Labelled(queries, qrels, dropped), notes
