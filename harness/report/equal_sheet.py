"""Equal trials as a table: for each recipe what was tried, what that took, and what dev chose, on test."""

from __future__ import annotations

from collections.abc import Sequence

from harness.bench.document_split import PARTS
from harness.compare.validate import verdicts
from harness.compare.verdict import Verdict, ends, signed
from harness.recipes import Recipe
from harness.report import formats
from harness.report.sheet import Field, Sheet
from harness.report.sweep_sheets import time_left
from harness.sweep.result import SweepResult
from harness.sweep.trial import Trial
from harness.training.recipe import recipes_in


def equal_sheet(swept: Sequence[SweepResult]) -> tuple[Sheet, list[str]]:
    """A line for each recipe, the best on test first, and a verdict on each against the first baseline.

    The p-values are corrected over the recipes, since one table tests them all.

    Args:
        swept: one sweep for each recipe, all over one collection (`harness.sweep.equal`).
    """
    against = compared(swept)
    order = sorted(swept, key=lambda one: -one.tested.scores.mean if one.tested else 0.0)
    found = [against.get(id(one)) for one in order]
    chosen = [one.chosen for one in order]
    names = [one.names(row.config) if row else one.name for one, row in zip(order, chosen, strict=True)]
    recipes = [_recipe(row) for row in chosen]
    spent = [sum(row.seconds * len(row.cells) for row in one.tried) for one in order]
    gaps = ["–" if each is None else _difference(each) for each in found]
    settings = ["–" if recipe is None else _settings(recipe) for recipe in recipes]
    fields = [
        Field("name", "row", names, [_short(one) for one in order], right=False),
        Field.hidden("row", [row and row.row for row in chosen]),
        Field.of("score", order[0].measure, [one.tested and one.tested.scores.mean for one in order], formats.score),
        *_parts(found),
        Field.label("from the baseline", gaps, 1, right=True),
        Field.hidden("difference", [each and each.contrast.difference for each in found]),
        Field.hidden("p", [each and each.contrast.p for each in found]),
        Field.of("dev", "dev", [row and row.mean for row in chosen], formats.score, 2),
        Field.words("chosen", settings, 3, key="chosen"),
        Field.of("tried", "tried", [len(one.whole) for one in order], "{:,}".format, 4),
        Field.of("seconds", "took", spent, lambda seconds: time_left(seconds, lambda _: None), 2),
        Field.label("new index", [_index(recipe) for recipe in recipes], 4),
        Field.hidden("new_index", [recipe and recipe.new_index() for recipe in recipes]),
        Field.hidden("problem", [one.problem for one in order]),
    ]
    facts = "the settings of each recipe chosen on dev, scores on test"
    sentences = [each.sentences[0] for each in found if each is not None]
    return Sheet(order[0].dataset, fields, facts), sentences


def compared(swept: Sequence[SweepResult]) -> dict[int, Verdict]:
    """`id` of a sweep → its chosen row against the first baseline, if both have scores on test."""
    able = [one for one in swept if one.tested and one.tested.verdicts]
    pairs = [(one.tested.scores, one.tested.verdicts[0].contrast.baseline) for one in able if one.tested]
    return {id(one): each for one, each in zip(able, verdicts(pairs), strict=True)} if pairs else {}


def _recipe(row: Trial | None) -> Recipe | None:
    """The last recipe of a trained row, which the trials vary."""
    return None if row is None else list(recipes_in(row.method))[-1]


def _short(one: SweepResult) -> str:
    """The row and recipe that a sweep is over, whatever the settings."""
    return one.tried[0].group if one.tried else one.name


def _settings(recipe: Recipe) -> str:
    shown = (("learning rate {:g}", "learning_rate"), ("{:,} tokens", "tokens"), ("{:g} epochs", "epochs"))
    given = [(form, getattr(recipe, name)) for form, name in shown]
    return ", ".join(form.format(value) for form, value in given if value is not None)


def _difference(verdict: Verdict) -> str:
    """The difference with its interval; a star if it is significant among all recipes of the table."""
    star = "*" if verdict.finding in ("better", "worse") else ""
    return f"{signed(verdict.contrast.difference)} {ends(verdict.contrast.interval, 3)}{star}".replace("-", "−")


def _parts(found: Sequence[Verdict | None]) -> list[Field]:
    """The scores on queries about old and about new documents, where there are both."""
    fields = []
    for part in PARTS:
        means = [next((c.row.mean for c in each.parts if c.row.part == part), None) if each else None for each in found]
        if any(mean is not None for mean in means):
            fields.append(Field.of(part, f"{part} documents", means, formats.score, 1))
    return fields


def _index(recipe: Recipe | None) -> str:
    if recipe is None:
        return "–"
    return "yes" if recipe.new_index() else "no"
