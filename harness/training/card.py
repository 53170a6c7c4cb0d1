"""The model card of a trained model, written from the report: base model, recipe, examples, scores on dev.

Its header is the hub's metadata with a `model-index`, from which programs read scores. After training it has only the
score on dev; the reported scores of a row are added when its model is exported (`add_reported`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.choices.value import Value
from harness.leaks.history import MADE
from harness.training.lesson import Report

KINDS = {
    "encoder": ("sentence-transformers", "SentenceTransformer"),
    "cross_encoder": ("cross-encoder", "CrossEncoder"),
    "sparse": ("sparse-encoder", "SparseEncoder"),
    "late": ("multi-vector", "MultiVectorEncoder"),
}
"""Kind of model → its tag on the hub and the class that loads it."""

TASK = "information-retrieval"
"""Its name in sentence-transformers' cards."""


@dataclass(frozen=True)
class Reported:
    """The reported scores of a row that uses the model, on one dataset.

    Args:
        row: its name on the board.
        dataset: full name without the split.
        split: the reported one.
        revision: content hash of the dataset.
        measures: in ir-measures' notation → mean.
    """

    row: str
    dataset: str
    split: str
    revision: str
    measures: Mapping[str, float]


def write(folder: Path, recipe: Value, base: str, report: Report, seed: int, data: str) -> None:
    """Writes `README.md` into the model's folder."""
    (folder / "README.md").write_text(text(recipe, base, report, seed, data), encoding="utf-8")


def text(recipe: Value, base: str, report: Report, seed: int, data: str) -> str:
    """The card, Markdown with the header that model hubs read.

    Args:
        recipe: how it was trained.
        base: name of the model before.
        report: what training did.
        seed: of every random stream.
        data: revision of the training view.
    """
    from huggingface_hub import ModelCardData

    kind, loader = KINDS[getattr(recipe, "trains", "encoder")]
    results = [_on_dev(report, data)] if report.dev else None
    metadata = ModelCardData(
        library_name="sentence-transformers",
        base_model=base,
        tags=[kind, "retrieval-harness"],
        model_name=f"{base}, trained by {recipe.name()}" if results else None,
        eval_results=results,
    )
    header = ["---", metadata.to_yaml(), "---"]
    lines = [
        *header,
        "",
        f"# {base}, trained by `{recipe.name()}`",
        "",
        f'{MADE} An ordinary sentence-transformers folder: load it with `{loader}("path/to/this/folder")`.',
        "",
        "| | |",
        "|---|---|",
        f"| recipe | `{recipe.full()}` |",
        f"| labels used | {report.supervision} |",
        f"| seed | {seed} |",
        f"| examples | {report.examples:,} |",
        f"| steps | {report.steps:,} ({report.epochs:g} epochs), weights of step {report.chosen:,} |",
        f"| time | {report.seconds:,.0f} s on {report.device}, {report.precision}; {report.preparation:,.0f} s of "
        f"preparation |",
    ]
    if report.dev:
        lines.append(_dev_line(report))
    if report.facts:
        lines += ["", "## What was measured on the way", ""]
        lines += [f"- {name}: {value}" for name, value in report.facts.items()]
    if report.notes:
        lines += ["", "## Notes", ""] + [f"- {note}" for note in report.notes]
    return "\n".join(lines) + "\n"


def _dev_line(report: Report) -> str:
    before, best = report.dev[0][1], dict(report.dev)[report.chosen]
    over = "dev"
    if pool := report.dev_pool:
        over = f"{pool['queries']} dev queries, {pool['documents']:,} documents"
    return f"| nDCG@10 on dev | {before:.4f} before, {best:.4f} after ({over}) |"


def add_reported(folder: Path, reported: Reported) -> None:
    """Adds the scores of a row to the card in a model's folder, to its `model-index` and as a table.

    They are the row's: if the model re-ranks, they include the effect of its first stage.
    """
    from huggingface_hub import ModelCard

    place = folder / "README.md"
    card = ModelCard.load(place)
    card.data.model_name = card.data.model_name or folder.name
    old = [result for result in card.data.eval_results or () if not _same(result, reported)]
    card.data.eval_results = old + [_result(reported, measure, value) for measure, value in reported.measures.items()]
    place.write_text(f"---\n{card.data.to_yaml()}\n---\n\n{_with_table(card.text, reported)}\n", encoding="utf-8")


def _with_table(body: str, reported: Reported) -> str:
    """The card's text with a section for the row on the dataset at its end, in place of one of the same title."""
    title = f"## `{reported.row}` on {reported.dataset}/{reported.split}"
    sections = re.split(r"\n(?=## )", body.strip())
    others = [section.strip() for section in sections if section.partition("\n")[0] != title]
    rows = [f"| {measure} | {value:.4f} |" for measure, value in reported.measures.items()]
    own = "\n".join([title, "", f"Revision `{reported.revision}`.", "", "| measure | mean |", "|---|---|", *rows])
    return "\n\n".join([*others, own])


def _on_dev(report: Report, data: str) -> Any:
    from huggingface_hub import EvalResult

    pool = report.dev_pool or {}
    over = f"dev pool, {pool['queries']} queries over {pool['documents']} documents" if pool else "dev"
    return EvalResult(
        task_type=TASK,
        dataset_type=f"training-view-{data[:12]}",
        dataset_name=over,
        dataset_split="dev",
        dataset_revision=data,
        metric_type="ndcg_at_10",
        metric_name="nDCG@10 on dev, which chose the checkpoint",
        metric_value=round(dict(report.dev)[report.chosen], 6),
    )


def _result(reported: Reported, measure: str, value: float) -> Any:
    from huggingface_hub import EvalResult

    return EvalResult(
        task_type=TASK,
        dataset_type=reported.dataset,
        dataset_name=reported.dataset,
        dataset_split=reported.split,
        dataset_revision=reported.revision,
        metric_type=measure.lower().replace("@", "_at_"),
        metric_name=f"{measure}{_of(reported)}",
        metric_value=value,
    )


def _same(result: Any, reported: Reported) -> bool:
    place = (result.dataset_type, result.dataset_split)
    return place == (reported.dataset, reported.split) and str(result.metric_name or "").endswith(_of(reported))


def _of(reported: Reported) -> str:
    """The end of a metric's name: the hub distinguishes metrics of one dataset only by this."""
    return f" of {reported.row}"
