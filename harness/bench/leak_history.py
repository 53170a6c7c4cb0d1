"""The training queries of a row's models compared with the test queries: labelled, generated and silver ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.bench.leak_effect import queries, split_means, without
from harness.data.dataset import Dataset
from harness.data.measures import PerQuery
from harness.leaks.history import History, read_history, text_hash, trained_here
from harness.leaks.overlap import kept_alike
from harness.runtime.context import Context

LABELLED = ("gold", "dev")
Found = dict[str, tuple[dict[str, str], set[str]]]
"""Kind → test query ids with how they match, and those of them that were trained with a document relevant to them."""


def taught_leaks(
    trained: Sequence[tuple[Dataset, Iterable[Path]]], values: PerQuery, context: Context
) -> dict[str, Any]:
    """Test queries that also occur in the training data of a row's models, JSON-safe (`Record.leaks`, `taught`).

    `queries` are all of them, `pairs` those with a relevant document in common: the number, by kind, and the means of
    the measures without them and over only them. Empty if no model was trained here; without numbers if no model's
    training queries are known.

    Args:
        trained: a dataset with its test split, and the folders of the models that rank its queries; one pair for each
            fold if there are folds.
        values: of the row.
        context: its cache.
    """
    read = [(part, [read_history(m) for m in dict.fromkeys(models) if trained_here(m)]) for part, models in trained]
    histories = [history for _, own in read for history in own]
    if not histories:
        return {}
    known = [history for history in histories if history is not None]
    leaks: dict[str, Any] = {"known": len(known) == len(histories) and all(history.whole for history in known)}
    if not known:
        return leaks
    found: Found = {}
    texts: Counter[str] = Counter()  # of the fold with the most
    for part, own in read:
        texts |= _add([history for history in own if history is not None], part, context, found)
    if not all(history.texts for history in known):
        leaks["copies_alone"] = True
    every, paired = {q for m, _ in found.values() for q in m}, {q for _, pairs in found.values() for q in pairs}
    kinds = {kind: dict(sorted(Counter(m.values()).items())) for kind, (m, _) in sorted(found.items()) if m}
    by_kind = {kind: len(pairs) for kind, (_, pairs) in sorted(found.items()) if pairs}
    return {
        **leaks,
        "texts": dict(sorted(texts.items())),
        "queries": {"count": len(every), "kinds": kinds, **split_means(values, every)},
        "pairs": {"count": len(paired), "kinds": by_kind, **split_means(values, paired)},
    }


def _add(known: Sequence[History], dataset: Dataset, context: Context, found: Found) -> Counter[str]:
    """Adds the test queries that occur in some histories; returns the number of training texts by kind."""
    texts: Counter[str] = Counter()
    for kind, size, matches, pairs in (*_by_text(known, dataset, context), *_by_hash(known, dataset)):
        own = found.setdefault(kind, ({}, set()))
        own[0].update({query: how for query, how in matches.items() if query not in own[0]})
        own[1].update(pairs)
        texts[kind] += size
    return texts


def _by_text(
    known: Iterable[History], dataset: Dataset, context: Context
) -> Iterator[tuple[str, int, dict[str, str], set[str]]]:
    """Kind, number of texts, test query → how the most alike matches, test queries with a document in common."""
    taught: dict[str, dict[str, set[str]]] = {}
    for one in (t for history in known for t in history.queries):
        taught.setdefault(one.kind, {}).setdefault(one.text, set()).update(one.documents)
    test = dataset.test
    relevant = {q: {d for d, grade in grades.items() if grade > 0} for q, grades in test.qrels.items()}
    for kind, documents in sorted(taught.items()):
        texts = sorted(documents)
        matches: dict[str, str] = {}
        pairs: set[str] = set()
        for overlap in kept_alike(test.queries, texts, context):
            query = test.queries.ids[overlap.here]
            matches.setdefault(query, overlap.kind)
            if documents[texts[overlap.there]] & relevant[query]:
                pairs.add(query)
        yield kind, len(texts), matches, pairs


def _by_hash(known: Iterable[History], dataset: Dataset) -> Iterator[tuple[str, int, dict[str, str], set[str]]]:
    """The same for folders that came without their texts: copies are found, near ones and documents are not."""
    own = dict(zip(dataset.test.queries.ids, map(text_hash, dataset.test.queries.texts), strict=True))
    for history in known:
        listed = {(t.kind, text_hash(t.text)) for t in history.queries}
        for kind, hashes in sorted(history.hashes.items()):
            more = {h for h in hashes if (kind, h) not in listed}
            if more:
                yield kind, len(more), {q: "normalised" for q, h in own.items() if h in more}, set()


def taught_notes(seen: dict[str, Any]) -> list[str]:
    """Notes on these leaks for readers of the record; none if those of train and dev say it all."""
    found = seen.get("taught", {})
    if not found:
        return []
    notes = []
    made = any(kind not in LABELLED for kind in found.get("queries", {"kinds": ()})["kinds"])
    labelled = seen.get("queries", {"count": 0})["count"]
    if "queries" in found and (made or found["queries"]["count"] > labelled):
        kinds = ", ".join(f"{sum(how.values())} {kind}" for kind, how in found["queries"]["kinds"].items())
        count = found["queries"]["count"]
        notes.append(
            f"{queries(count, 'occurs', 'occur')} in its training data ({kinds}), "
            f"{found['pairs']['count']} with a document that is relevant to it{without(found['queries'])}"
        )
    if found.get("copies_alone"):
        notes.append(
            "a model of this row came without the texts it was trained on: only copies of test queries could be found"
        )
    if not found["known"]:
        notes.append(
            "its training queries are not known in full: a model of this row was trained before they were recorded, "
            "or by a recipe that does not record them"
        )
    return notes
