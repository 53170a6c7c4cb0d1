"""Whether a split can be scored, and what a reader of the scores must know about its data.

A split on which every method scores 0 is refused: no judgement above 0, no relevant document in the corpus, no text in
the corpus or in the queries. If only some queries or documents are affected, a note counts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.base.counts import all_of
from harness.base.errors import DatasetError
from harness.collection.qrels import GREATEST
from harness.data.corpus import Corpus
from harness.data.ids import first_unfit, near, near_note, unfit
from harness.data.queries import Labelled


def sound(name: str, split: Labelled, corpus: Corpus) -> list[str]:
    """Notes on the split that is reported.

    Args:
        name: of the collection, for messages.
        split: queries and judgements.
        corpus: the documents.

    Raises:
        DatasetError: every score would be 0, a grade is beyond `GREATEST`, or an id cannot be in a TREC run.
    """
    _check_ids(name, split, corpus)
    return [*_texts(name, split, corpus), *_relevant(name, split, corpus)]


def _check_ids(name: str, split: Labelled, corpus: Corpus) -> None:
    bad, kind = first_unfit(corpus.id_array), "document"
    if bad is None:
        bad, kind = next((query for query in split.queries.ids if unfit(query)), None), "query"
    if bad is not None:
        raise DatasetError(
            f"{name}: the {kind} id {bad!r} {unfit(bad)}, which a TREC run file cannot represent: change the id in "
            "corpus, queries and judgements. `harness data check` lists all such ids."
        )


def _texts(name: str, split: Labelled, corpus: Corpus) -> Iterator[str]:
    blank = sum(not text.strip() for text in split.queries.texts)
    counts = (
        (corpus.empty, len(corpus), "document has neither title nor text", "documents have neither title nor text"),
        (blank, len(split.queries), "query has no text", "queries have no text"),
    )
    for empty, whole, one, several in counts:
        if empty == whole:
            every = all_of(whole, f"the only {one}", several)
            raise DatasetError(f"{name}: {every}, so every score would be 0; are the fields named correctly?")
        if empty:
            yield f"{empty:,} of {whole:,} {several}"


def _relevant(name: str, split: Labelled, corpus: Corpus) -> Iterator[str]:
    grades = [(document, grade) for judged in split.qrels.values() for document, grade in judged.items()]
    if (most := max((abs(grade) for _, grade in grades), default=0)) > GREATEST:
        raise DatasetError(
            f"{name}: a grade of {most:,} is beyond the greatest possible one, {GREATEST:,}; correct it."
        )
    relevant = [document for document, grade in grades if grade > 0]
    if not relevant:
        raise DatasetError(
            f"{name}: none of its {len(grades):,} judgements is above 0, so every score would be 0. Are the "
            "grades in the right column? If the judgements of this split are withheld, report on another split."
        )
    none = sum(all(grade <= 0 for grade in judged.values()) for judged in split.qrels.values())
    if none:
        yield f"{none:,} of {len(split.qrels):,} queries have no judgement above 0: every row scores 0 on them"
    missing = list(dict.fromkeys(d for d, row in zip(relevant, corpus.rows(relevant), strict=True) if row < 0))
    alike = near(missing, corpus.id_array)
    if len(missing) == len(set(relevant)):
        hint = f" {near_note(alike, 'of them', 'the corpus')}." if alike else ""
        raise DatasetError(
            f"{name}: none of its {len(missing):,} relevant documents is in the corpus, for example {_some(missing)}, "
            f"so every score would be 0; are judgements and corpus of the same collection?{hint}"
        )
    if alike:
        yield near_note(alike, "relevant documents", "the corpus")


def _some(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name, _ in zip(names, range(3), strict=False))
