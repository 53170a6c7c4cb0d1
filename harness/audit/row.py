"""What a row's score depends on: its run by other conventions, its encoders' truncation and determinism."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.audit.conventions import RunAudit
from harness.audit.conventions import audit as audit_run
from harness.base.defaults import DATASET, RESULTS
from harness.bench.row_names import shown
from harness.bench.run_rows import run_rows
from harness.bench.runner import Result
from harness.bench.store import Store
from harness.compare.validate import with_scores
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset
from harness.data.measures import DEFAULT, single_measure
from harness.data.trec import read_run
from harness.datasets import load_dataset
from harness.methods import Encodes, Method, fit
from harness.methods.chunked import Chunked
from harness.methods.late_chunks import LateChunks
from harness.models.encoder import Encoder
from harness.models.probe import Drift, Truncation, drifts, truncation
from harness.rows import parse_method
from harness.runtime.context import Context, open_context


@dataclass(frozen=True)
class EncoderAudit:
    """The audit of one encoder of a row.

    Args:
        model: its name.
        prompts: of a query and of a document.
        documents: truncation of the corpus.
        queries: of the test queries.
        drifts: between ways of encoding the same queries.
    """

    model: str
    prompts: tuple[str, str]
    documents: Truncation | None
    queries: Truncation | None
    drifts: tuple[Drift, ...]


@dataclass(frozen=True)
class Audit:
    """The audit of one row.

    Args:
        row: name on the board.
        dataset: full name.
        run: of its rankings.
        removed: queries whose own document was removed from their ranking.
        encoders: those of the row and of all its parts.
    """

    row: str
    dataset: str
    run: RunAudit
    removed: int
    encoders: tuple[EncoderAudit, ...]


def audit(
    row: str | Method,
    dataset: str = DATASET,
    measure: str = DEFAULT[0],
    results: str | Path = RESULTS,
    context: Context | None = None,
    tell: Callable[[Result], None] | None = None,
) -> Audit:
    """Audits a row; runs it if it has no record yet.

    Args:
        row: name, expression or method.
        dataset: one, as `source/name[/split]` or a path.
        measure: in ir-measures' notation.
        results: folder of the records.
        context: seed, cache, device, progress.
        tell: called after the run.

    Raises:
        NoScores: the row has no scores.
        HarnessError: bad input, or a dataset that is not available.
    """
    by = single_measure(measure)
    context = context or open_context()
    method = parse_method(row) if isinstance(row, str) else row
    names = list(dict.fromkeys((*DEFAULT, str(by))))
    (result,) = run_rows(row, dataset=dataset, measures=names, results=results, context=context, tell=tell)
    stored = with_scores(result, Store(Path(results)), method)
    loaded = load_dataset(dataset, context)
    run = audit_run(by, loaded.test.qrels, read_run(stored.place.run), loaded.corpus.id_array.to_pylist())
    removed = len(loaded.drop_self & set(loaded.test.queries.ids))
    encoders = {(e.fingerprint, c.revision): (e, c) for e, c in _encoders(method, loaded.corpus, loaded, context)}
    audited = tuple(_audited(encoder, corpus, loaded) for encoder, corpus in encoders.values())
    return Audit(shown(stored.record), loaded.name, run, removed, audited)


def _encoders(method: Method, corpus: Corpus, dataset: Dataset, context: Context) -> Iterator[tuple[Encoder, Corpus]]:
    """The encoders of a row, each with what it encodes: the documents, or their passages. One that reads documents in
    windows, to cut them late, cuts nothing off, and encodes no whole document.
    """
    if isinstance(method, LateChunks):
        return
    inside = method.passages(corpus, context).corpus if isinstance(method, Chunked) else corpus
    for part in method.nested():
        yield from _encoders(part, inside, dataset, context)
    fitted = fit(method, dataset.train, context)
    if isinstance(fitted, Encodes):
        yield fitted.encoder, corpus


def _audited(encoder: Encoder, corpus: Corpus, dataset: Dataset) -> EncoderAudit:
    documents = encoder.vectors(corpus.texts, "document")
    return EncoderAudit(
        encoder.folder.name,
        (encoder.prompts["query"], encoder.prompts["document"]),
        truncation(encoder, corpus.texts, "document"),
        truncation(encoder, dataset.test.queries.texts, "query"),
        tuple(drifts(encoder, dataset.test.queries.texts, documents.block(0, len(documents)))),
    )
