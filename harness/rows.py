"""Rows: the names of methods on the board, and the parsing of names and expressions."""

from __future__ import annotations

import dataclasses
import functools
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from harness.analyzers import ANALYZERS
from harness.base.errors import HarnessError, SettingError, UnknownName
from harness.base.files import there
from harness.base.plain import check_text
from harness.base.redaction import check_name
from harness.choices import aliases
from harness.choices.expression import parse
from harness.choices.value import RECIPES as RECIPES_OF
from harness.choices.value import Value
from harness.engines import ENGINES
from harness.feedback import FEEDBACK
from harness.fusions import FUSIONS
from harness.generators import GENERATORS, Generator
from harness.indexes import INDEXES
from harness.judges import JUDGES, Judge
from harness.judges.row import Row
from harness.losses import LOSSES
from harness.methods import METHODS, Method
from harness.recipes import RECIPES
from harness.training.trained import Trained

_ROOMS = (METHODS, RECIPES, ANALYZERS, ENGINES, FEEDBACK, FUSIONS, INDEXES, LOSSES, GENERATORS, JUDGES)
_FUNCTION = re.compile(r"[^()\"'=]+\.py:[^\W\d]\w*")
"""`my_search.py:search`, a row of its own function."""
log = logging.getLogger("harness")

ROOMS = {room.package: room for room in _ROOMS}


DEFAULT_ROWS = {
    "bm25": "bm25",
    "dense": "dense",
    "hybrid-rrf": "hybrid(fusion=rrf)",
    "hybrid-convex": "hybrid(fusion=convex)",
    "bm25>>dense": "bm25 >> dense",
    "bm25>>cross-encoder": "bm25 >> cross_encoder",
}
"""The rows of the board by default: name → expression."""

_START = 'model="sentence-transformers/all-MiniLM-L6-v2"'
_PAIRS = f"cross_encoder({_START}, max_length=256)"
RERANKERS = {
    "ce": f'{_PAIRS} + cross_encoder(pairs="unlabelled") + cross_encoder',
    "ce-gold": f"{_PAIRS} + cross_encoder",
    "ce-contrastive": f'{_PAIRS} + cross_encoder(pairs="unlabelled")',
}
"""Names for cross-encoders that are trained here, from the encoder that needs no download: contrastively on the corpus,
on gold pairs, or first the one and then the other: `bm25>>ce`.
"""
SHORT_NAMES = {**RERANKERS, "splade": f"sparse({_START}) + splade", "colbert": f"late({_START}) + colbert"}
"""These, and a sparse and a late-interaction encoder trained on gold pairs from the same encoder."""

NAMED = {**DEFAULT_ROWS, **SHORT_NAMES}


def trained_rows() -> tuple[str, ...]:
    """A row for every recipe, and those that the trained ones are compared with."""
    encoders = [name for name, recipe in RECIPES.usable() if recipe.trains == "encoder"]
    rows = [f"dense+{name}" for name in encoders] + ["dense+contrastive_tension+supervised"]
    return (*DEFAULT_ROWS, *rows, *(f"bm25>>{name}" for name in RERANKERS), "splade", "colbert", "bm25>>colbert")


TUNED_BASELINES = (
    "bm25",
    "tuned(bm25)",
    "dense",
    "hybrid-convex",
    "hybrid(methods=(tuned(bm25), dense), fusion=convex)",
    'ltr(methods=(tuned(bm25), dense), learner="linear")',
)
"""What a new row has to beat: BM25, the hybrid and learning to rank with settings chosen on dev or in folds."""
GROUPS: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "default": lambda: tuple(DEFAULT_ROWS),
    "recipes": trained_rows,
    "tuned-baselines": lambda: TUNED_BASELINES,
}
"""Names that stand for several rows."""


def parse_method(text: str, named: Mapping[str, str] = NAMED) -> Method:
    """A method from its row name, an expression, `run/<file>` or `<file>.py:<function>`; a name before it, as in
    `best=bm25`, is left out.

    Args:
        text: what is read.
        named: short names for whole expressions.

    Raises:
        UnknownName: carries the closest names.
        SettingError: what is wrong with the expression or a setting, or it contains a key
            (`harness.base.redaction.check_name`).
    """
    check_text(text)
    check_name(text, "row")
    _, text = aliases.split(text)
    if text.startswith("run/"):
        return METHODS.get("run")(path=text.removeprefix("run/"))  # type: ignore[call-arg]
    if _FUNCTION.fullmatch(text):
        return METHODS.get("python")(file=text)  # type: ignore[call-arg]
    try:
        return parse(text, METHODS, ROOMS, named)
    except HarnessError as error:
        if text.endswith(".py"):
            raise SettingError(f"{text!r} is not a row; name a function of the file, as {text}:search.") from error
        if there(Path(text).is_file):
            raise SettingError(
                f"{text!r} is not a row; there is a file of that name: write run/{text} for a TREC run."
            ) from error
        raise


def parse_judge(text: str) -> Judge:
    """A judge from its name or expression, as `chat(model="…")`; any other text is a row that scores pairs, as `dense`.

    Raises:
        UnknownName: carries the closest names.
        SettingError: what is wrong with the expression or a setting.
    """
    name = re.match(r"\s*(\w+)", text)
    if name and name.group(1) in JUDGES:
        return parse(text, JUDGES, ROOMS)
    try:
        return Row(parse_method(text))
    except UnknownName as error:
        if name is None or error.name != name.group(1):  # of a setting, or inside the expression
            raise
        hint = "A row that scores pairs is a judge too, as dense or cross_encoder."
        raise UnknownName("judge", error.name, JUDGES.names(), hint, also=METHODS.names()) from error


def parse_generator(text: str) -> Generator:
    """A generator of queries from its name or expression.

    Raises:
        UnknownName: carries the closest names.
        SettingError: what is wrong with the expression or a setting.
    """
    return parse(text, GENERATORS, ROOMS)


def methods_of(rows: Sequence[str | Method], precision: str | None = None) -> list[Method]:
    """The methods of rows; the default rows if there are none.

    Args:
        rows: values or text; `default`, `recipes` and `tuned-baselines` name several rows.
        precision: of models whose row names none (`at_precision`); None leaves them at their default.

    Raises:
        UnknownName, SettingError: see `parse_method`.
    """
    methods: list[Method] = []
    for row in rows or ("default",):
        named = GROUPS[row]() if isinstance(row, str) and row in GROUPS else (row,)
        methods += [parse_method(each) if isinstance(each, str) else each for each in named]
    if precision is None:
        return list(dict.fromkeys(methods))
    from harness.models.engine_settings import EngineSettings  # slow to import, and a listing needs none of it

    EngineSettings(precision).check("--precision")
    changed = [at_precision(method, precision) for method in dict.fromkeys(methods)]
    if len(set(changed)) < len(changed):
        log.warning(
            "--precision %s changes all rows that name no precision, so some of these rows are now one; leave it out "
            "and name the precision in the rows to have both.",
            precision,
        )
    return list(dict.fromkeys(changed))


def at_precision(method: Method, precision: str) -> Method:
    """The same row, with every model of it that names no precision of its own computed as `precision` says.

    Except for `auto`, which is the default, it is another row, under another name. Teachers and judges inside recipes
    stay as they are: nothing is trained again for it.

    Raises:
        SettingError: there is no such precision.
    """
    changed: dict[str, object] = {}
    for field in dataclasses.fields(method):  # type: ignore[arg-type]
        value = getattr(method, field.name)
        if isinstance(value, Method):
            changed[field.name] = at_precision(value, precision)
        elif field.name != RECIPES_OF and isinstance(value, tuple):
            changed[field.name] = tuple(at_precision(v, precision) if isinstance(v, Method) else v for v in value)
        elif field.name == "precision" and value == field.default:
            changed[field.name] = precision
    return dataclasses.replace(method, **changed)  # type: ignore[type-var]


def row_name(method: Method) -> str:
    """A method's name on the board: a name of a row, `first>>scorer` or `method+recipe` if these identify it, else its
    expression.
    """
    for name, row in _rows("default").items():
        if method == row:
            return name
    if method.name() == "rerank":
        first, scorer = method.nested()
        if method == type(method)(first, scorer):  # type: ignore[call-arg]
            scorer_name = scorer.with_short_names(_short) if scorer.name() == "rerank" else row_name(scorer)
            return f"{row_name(first)}>>{scorer_name}"
    return method.with_short_names(_short)


def _short(value: Value) -> str | None:
    """The short name of a row that trains the same model, with the settings that differ; None if there is none."""
    for name, row in _rows("short").items():
        if _same_model(value, row):
            differ = value.differing_settings(row)
            return f"{name}({differ})" if differ else name
    return None


def _same_model(value: Value, row: Value) -> bool:
    """Whether two values train the same model by the same recipes."""
    if not isinstance(value, Trained) or not isinstance(row, Trained) or value.recipes != row.recipes:
        return False
    one, other = value.method, row.method
    return type(one) is type(other) and one.model == other.model


@functools.cache
def _rows(which: Literal["default", "short"]) -> dict[str, Method]:
    texts = {"default": DEFAULT_ROWS, "short": SHORT_NAMES}[which]
    return {name: parse_method(text) for name, text in texts.items()}
