"""Whether anything can be measured on a split, and what a reader of its scores must know of its data.

A split on which every method must score 0 is refused: no judgement above 0, no relevant document in the corpus, no text
in the corpus or in the queries. Where only some are so, a note counts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.base.errors import DatasetError
from harness.collection.qrels import GREATEST
from harness.data.corpus import Corpus
from harness.data.ids import first_unfit, near, near_note, unfit
from harness.data.queries import Labelled


def sound(name: str, split: Labelled, corpus: Corpus) -> list[str]:
    """Notes on the split that is reported.

    Args:
        name: of the collection, for messages.
        split: its queries and judgements.
        corpus: its documents.

    Raises:
        DatasetError: every score would be 0, a grade is beyond what trec_eval can count, or an id does not fit a TREC
            run.
    """
    _check_ids(name, split, corpus)
    return [*_texts(name, split, corpus), *_relevant(name, split, corpus)]


def _check_ids(name: str, split: Labelled, corpus: Corpus) -> None:
    found, kind = first_unfit(corpus.id_array), "document"
    if found is None:
        found, kind = next((query for query in split.queries.ids if unfit(query)), None), "query"
    if found is not None:
        raise DatasetError(
            f"{name}: the {kind} id {found!r} {unfit(found)}, which the TREC run of a row cannot hold: write another "
            f"id in "
            "corpus, queries and judgements. `harness data check` lists such ids."
        )


def _texts(name: str, split: Labelled, corpus: Corpus) -> Iterator[str]:
    blank = sum(not text.strip() for text in split.queries.texts)
    counts = (
        (corpus.empty, len(corpus), "documents have neither title nor text"),
        (blank, len(split.queries), "queries have no text"),
    )
    for empty, whole, what in counts:
        if empty == whole:
            raise DatasetError(
                f"{name}: all {whole:,} {what}, so that every score would be 0; are the fields named right?"
            )
        if empty:
            yield f"{empty:,} of {whole:,} {what}"


def _relevant(name: str, split: Labelled, corpus: Corpus) -> Iterator[str]:
    grades = [(document, grade) for judged in split.qrels.values() for document, grade in judged.items()]
    if (most := max((abs(grade) for _, grade in grades), default=0)) > GREATEST:
        raise DatasetError(f"{name}: a grade of {most:,} is beyond {GREATEST:,}, the greatest that is read; mend it.")
    relevant = [document for document, grade in grades if grade > 0]
    if not relevant:
        raise DatasetError(
            f"{name}: none of its {len(grades):,} judgements is above 0, so that every score would be 0; are the "
            f"grades in the "
            "right column, or is this a split whose judgements are withheld? Report on another split."
        )
    none = sum(all(grade <= 0 for grade in judged.values()) for judged in split.qrels.values())
    if none:
        yield f"{none:,} of {len(split.qrels):,} queries have no judgement above 0: they count 0 for every row"
    missing = list(dict.fromkeys(d for d, row in zip(relevant, corpus.rows(relevant), strict=True) if row < 0))
    alike = near(missing, corpus.id_array)
    if len(missing) == len(set(relevant)):
        hint = f" {near_note(alike, 'of them', 'the corpus')}." if alike else ""
        raise DatasetError(
            f"{name}: none of its {len(missing):,} relevant documents is in the corpus, for example {_some(missing)}, "
            f"so that "
            f"every score would be 0; are judgements and corpus of one collection?{hint}"
        )
    if alike:
        yield near_note(alike, "relevant documents", "the corpus")


def _some(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name, _ in zip(names, range(3), strict=False))
