"""What a row's figure rests on: its run by the conventions of others, its encoders by what they cut and how steady they
are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.audit.conventions import RunAudit
from harness.audit.conventions import audit as audit_run
from harness.base.defaults import DATASET, RESULTS
from harness.bench.run_rows import run_rows
from harness.bench.runner import Result
from harness.bench.store import Store
from harness.compare.validate import with_scores
from harness.data.dataset import Dataset
from harness.data.measures import DEFAULT, single_measure
from harness.data.trec import read_run
from harness.datasets import load_dataset
from harness.methods import Encodes, Method, fit
from harness.models.encoder import Encoder
from harness.models.probe import Drift, Truncation, drifts, truncation
from harness.rows import parse_method
from harness.runtime.context import Context, open_context


@dataclass(frozen=True)
class EncoderAudit:
    """What was found in one encoder of a row.

    Args:
        model: its name.
        prompts: before a query, before a document.
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
    """Everything about one row.

    Args:
        row: name on the board.
        dataset: full name.
        run: of its rankings.
        removed: queries whose own document was taken out of their ranking.
        encoders: those that it holds, at whatever depth.
    """

    row: str
    dataset: str
    run: RunAudit
    removed: int
    encoders: tuple[EncoderAudit, ...]

    @property
    def lines(self) -> list[str]:
        """As plain text."""
        run = self.run
        told = [
            f"{self.row} on {self.dataset}: {run.measure} {run.value:.4f} over {run.queries:,} queries",
            f"  unanswered queries            {run.unanswered:,} (they count 0)",
            f"  queries with ties that matter {run.tied:,}; {run.worst_ties:.4f} to {run.best_ties:.4f} by their order",
            f"  judged within the cutoff      {run.judged:.1%}",
            f"  judged but not in the corpus  {run.lost:,}; a perfect ranking has {run.ceiling:.4f}",
            f"  query and document of one id  "
            f"{f'{self.removed:,} taken out of their own ranking' if self.removed else 'none'}",
            f"  {run.measure} by the conventions of others:",
            *(f"    {value:.4f} ({value - run.value:+.4f})  {name}" for name, value in run.conventions.items()),
        ]
        for encoder in self.encoders:
            query, document = (f'"{prompt}"' if prompt else "none" for prompt in encoder.prompts)
            told.append(f"encoder {encoder.model}: prompt of queries {query}, of documents {document}")
            told += [
                f"  {_cut(side, found)}"
                for side, found in (("documents", encoder.documents), ("queries", encoder.queries))
            ]
            told += [f"  {_drift(drift)}" for drift in encoder.drifts]
        return told


def audit(
    row: str | Method,
    dataset: str = DATASET,
    measure: str = DEFAULT[0],
    results: str | Path = RESULTS,
    context: Context | None = None,
    tell: Callable[[Result], None] | None = None,
) -> Audit:
    """Audits a row, which is run first if its record is not there.

    Args:
        row: name, expression or method.
        dataset: one, as `source/name[/split]` or a path.
        measure: in ir-measures' notation.
        results: folder of the records.
        context: seed, cache, device, progress.
        tell: called after the run.

    Raises:
        ComparisonError: the row gave no figures.
        HarnessError: bad input, or a dataset that cannot be had.
    """
    asked = single_measure(measure)
    context = context or open_context()
    method = parse_method(row) if isinstance(row, str) else row
    names = list(dict.fromkeys((*DEFAULT, str(asked))))
    (result,) = run_rows(method, dataset=dataset, measures=names, results=results, context=context, tell=tell)
    held = with_scores(result, Store(Path(results)), method)
    loaded = load_dataset(dataset, context)
    found = audit_run(asked, loaded.test.qrels, read_run(held.place.run), loaded.corpus.id_array.to_pylist())
    removed = len(loaded.drop_self & set(loaded.test.queries.ids))
    encoders = {encoder.fingerprint: encoder for encoder in _encoders(method, loaded, context)}
    return Audit(held.record.row, loaded.name, found, removed, tuple(_audited(e, loaded) for e in encoders.values()))


def _encoders(method: Method, dataset: Dataset, context: Context) -> Iterator[Encoder]:
    for part in method.nested():
        yield from _encoders(part, dataset, context)
    fitted = fit(method, dataset.train, context)
    if isinstance(fitted, Encodes):
        yield fitted.encoder


def _audited(encoder: Encoder, dataset: Dataset) -> EncoderAudit:
    documents = encoder.vectors(dataset.corpus.texts, "document")
    return EncoderAudit(
        encoder.folder.name,
        (encoder.prompts["query"], encoder.prompts["document"]),
        truncation(encoder, dataset.corpus.texts, "document"),
        truncation(encoder, dataset.test.queries.texts, "query"),
        tuple(drifts(encoder, dataset.test.queries.texts, documents.block(0, len(documents)))),
    )


def _cut(side: str, found: Truncation | None) -> str:
    if found is None:
        return f"{side}: the model's tokenizer cannot count tokens"
    share = found.cut / found.texts if found.texts else 0.0
    told = (
        f"{side}: {found.cut:,} of {found.texts:,} ({share:.1%}) are longer than the {found.limit} tokens that are read"
    )
    return f"{told}; {found.lost:.1%} of all tokens are lost, the longest has {found.longest:,}" if found.cut else told


def _drift(drift: Drift) -> str:
    told = f"{drift.texts} queries {drift.way}: vectors differ by {drift.cosine:.1e} at most (1 - cosine)"
    return f"{told}; {drift.changed} have other documents in their top 10, {drift.order} another order"
