"""What a row's score depends on, as tables: the run, other conventions, what encoders cut, how they compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.audit.row import Audit, EncoderAudit
from harness.models.probe import Truncation
from harness.report import formats
from harness.report.sheet import Field, Sheet
from harness.report.sheet_formats import Shown

PASSAGES = "Documents that are longer than an encoder reads are read whole as passages: chunked(…) around the row."


def shown(audited: Audit) -> Shown:
    """The score in one sentence, and what it depends on."""
    run = audited.run
    sentence = f"{audited.row} on {audited.dataset}: {run.measure} {run.value:.4f} over {run.queries:,} queries."
    facts = {
        "row": audited.row,
        "dataset": audited.dataset,
        "measure": run.measure,
        "score": run.value,
        "queries": run.queries,
        "worst_ties": run.worst_ties,
        "best_ties": run.best_ties,
        "ceiling": run.ceiling,
    }
    sheets = [_run(audited), _conventions(audited)]
    if audited.encoders:
        sheets += [_lengths(audited.encoders), _computations(audited.encoders)]
    return Shown(sheets, [sentence], facts)


def _run(audited: Audit) -> Sheet:
    run = audited.run
    lines: list[tuple[str, float, str, str]] = [
        ("unanswered queries", run.unanswered, f"{run.unanswered:,}", "They count 0."),
        (
            "queries with ties that matter",
            run.tied,
            f"{run.tied:,}",
            f"The order of equal scores decides: {run.worst_ties:.4f} to {run.best_ties:.4f}.",
        ),
        ("judged within the cutoff", run.judged, f"{run.judged:.1%}", "Unjudged documents count as not relevant."),
        (
            "judged but not in the corpus",
            run.lost,
            f"{run.lost:,}",
            f"No row can find them: a perfect ranking has {run.ceiling:.4f}.",
        ),
        (
            "query and document of one id",
            audited.removed,
            f"{audited.removed:,}",
            "Such documents are removed from their own query's ranking.",
        ),
    ]
    names = [line[0] for line in lines]
    fields = [
        Field("finding", "finding", names, names, right=False),
        Field("value", "value", [line[1] for line in lines], [line[2] for line in lines]),
        Field.words("what it means", [line[3] for line in lines], key="meaning"),
    ]
    return Sheet("the run", fields, key="run")


def _conventions(audited: Audit) -> Sheet:
    run = audited.run
    names, values = list(run.conventions), list(run.conventions.values())
    gains = [value - run.value for value in values]
    fields = [
        Field("convention", "convention", names, names, right=False),
        Field.of("score", run.measure, values, formats.score),
        Field("difference", "difference", gains, [f"{gain:+.4f}".replace("-", "−") for gain in gains]),
    ]
    return Sheet(f"{run.measure} by the conventions of others", fields, key="conventions")


def _lengths(encoders: Sequence[EncoderAudit]) -> Sheet:
    sides = [
        (each.model, side, prompt, cut)
        for each in encoders
        for side, prompt, cut in (
            ("queries", each.prompts[0], each.queries),
            ("documents", each.prompts[1], each.documents),
        )
    ]
    names = [f"{side} of {model}" for model, side, _, _ in sides]

    def of(value: Callable[[Truncation], float]) -> list[float | None]:
        return [None if cut is None else value(cut) for *_, cut in sides]

    fields = [
        Field("texts", "texts", names, names, right=False),
        Field.of("number", "number", of(lambda cut: cut.texts), "{:,}".format, 2),
        Field.of("limit", "limit", of(lambda cut: cut.limit), "{:,}".format),
        Field.of("longer", "longer", of(lambda cut: cut.cut), "{:,}".format),
        Field.of("lost", "tokens lost", of(lambda cut: cut.lost if cut.cut else 0.0), "{:.1%}".format, 1),
        Field.of("longest", "longest", of(lambda cut: cut.longest), "{:,}".format, 3),
        Field.words("prompt", [f'"{prompt}"' if prompt else "none" for *_, prompt, _ in sides], 4, key="prompt"),
    ]
    notes = [PASSAGES] if any(each.documents and each.documents.cut for each in encoders) else []
    notes += ["–: the model's tokenizer cannot count tokens."] if any(cut is None for *_, cut in sides) else []
    return Sheet("tokens that encoders read", fields, notes=notes, key="lengths")


def _computations(encoders: Sequence[EncoderAudit]) -> Sheet:
    drifts = [(each.model, drift) for each in encoders for drift in each.drifts]
    names = [f"{drift.way}, {model}" for model, drift in drifts]
    fields = [
        Field("way", "way", names, names, right=False),
        Field.of("queries", "queries", [drift.texts for _, drift in drifts], "{:,}".format, 2),
        Field.of("cosine", "1 − cosine", [drift.cosine for _, drift in drifts], "{:.1e}".format),
        Field.of("changed", "other top 10", [drift.changed for _, drift in drifts], "{:,}".format),
        Field.of("order", "other order", [drift.order for _, drift in drifts], "{:,}".format, 1),
    ]
    verdict = "The largest change of a vector, and the queries whose first ten documents, or their order, change."
    return Sheet("queries encoded in other ways", fields, verdict=verdict if drifts else "", key="computations")
