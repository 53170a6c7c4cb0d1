"""The model card of a trained model, written from the report: what it was made from, with what, and what dev said."""

from __future__ import annotations

import json
from pathlib import Path

from harness.taught import MADE
from harness.training.lesson import Report
from harness.values import Value

KINDS = {
    "encoder": ("sentence-transformers", "SentenceTransformer"),
    "cross_encoder": ("cross-encoder", "CrossEncoder"),
    "sparse": ("sparse-encoder", "SparseEncoder"),
    "late": ("multi-vector", "MultiVectorEncoder"),
}
"""Kind of model → its tag on the hub and the class that loads it."""


def write(folder: Path, recipe: Value, base: str, report: Report, seed: int) -> None:
    """Writes `README.md` into the model's folder."""
    (folder / "README.md").write_text(text(recipe, base, report, seed), encoding="utf-8")


def text(recipe: Value, base: str, report: Report, seed: int) -> str:
    """The card, Markdown with the header that model hubs read."""
    kind, loader = KINDS[getattr(recipe, "trains", "encoder")]
    named = json.dumps(base, ensure_ascii=False)  # a folder's name may hold what YAML would read
    header = ["---", "library_name: sentence-transformers", f"base_model: {named}", f"tags: [{kind}, retrieval-harness]", "---"]
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
        f"| time | {report.seconds:,.0f} s on {report.device}, {report.precision}; {report.preparation:,.0f} s of preparation |",
    ]
    if report.dev:
        before, best = report.dev[0][1], dict(report.dev)[report.chosen]
        pool = report.dev_pool or {}
        over = f"{pool.get('queries')} dev queries, {pool.get('documents'):,} documents" if pool else "dev"
        lines.append(f"| nDCG@10 on dev | {before:.4f} before, {best:.4f} after ({over}) |")
    if report.facts:
        lines += ["", "## What was measured on the way", ""]
        lines += [f"- {name}: {value}" for name, value in report.facts.items()]
    if report.notes:
        lines += ["", "## Notes", ""] + [f"- {note}" for note in report.notes]
    return "\n".join(lines) + "\n"
