"""Measures that ir-measures lacks: the judgements and the ranking of one query → its score, one measure per file.

A measure is used in ir-measures' notation, `CappedRecall@100` or `CappedRecall(rel=2)@100`, and is computed with those
of ir-measures. Its name there is the name of its class, which is that of its file but for case and underscores
(`CappedRecall`, `capped_recall.py`). A name that ir-measures has is always its own.

To add one: a file here with one frozen dataclass that derives from `Measure`, and `tests/measures/test_<file>.py`.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from harness.base.errors import SettingError
from harness.choices import bounds
from harness.choices.bounds import Count
from harness.choices.room import Room
from harness.choices.value import Value


@dataclass(frozen=True)
class Measure(Value, ABC):
    """Settings of a measure; all have defaults.

    Args:
        cutoff: the number after `@`: how many documents from the top of a ranking count; None takes all. A measure that
            needs it declares `cutoff: Count` again, without None.
    """

    room: ClassVar[str] = "harness.measures"

    cutoff: Count | None = None

    def __post_init__(self) -> None:
        bounds.check(self, type(self).__name__)  # as it is written in `--measure`

    @abstractmethod
    def score(self, judged: Mapping[str, int], ranking: Sequence[str]) -> float:
        """The score of one query. A query without a ranking scores 0 without a call.

        Args:
            judged: document id → grade, from -1; at least one document.
            ranking: document ids in the documented order, best first, at most `cutoff`; at least one.

        Returns:
            A finite number; higher is better.
        """


MEASURES: Room[Measure] = Room(__name__, Measure, "measure")  # type: ignore[type-abstract]


def register(name: str) -> None:
    """Makes the measure of that name known to ir-measures, once in a process; does nothing if the room has none.

    Raises:
        SettingError: an installed package provides the measure and cannot be used.
    """
    import ir_measures.measures

    keys = [key for key in MEASURES.names() if _same(key, name)]
    if name in ir_measures.measures.registry or not keys:
        return
    item = MEASURES.get(keys[0])
    if item.__name__ == name:
        ir_measures.measures.register(_adapted(item), name=name)  # type: ignore[no-untyped-call]


def public_names() -> list[str]:
    """The names that `--measure` takes from this room; imports every item."""
    return [item.__name__ for _, item in MEASURES.usable()]


def items_in(measures: Iterable[Any]) -> list[Measure]:
    """Those of parsed measures that are items of the room, with their settings."""
    return [measure.item for measure in measures if hasattr(measure, "item")]


def _same(key: str, name: str) -> bool:
    return key.replace("_", "").lower() == name.replace("_", "").lower()


def _adapted(kind: type[Measure]) -> Any:
    """The measure as ir-measures wants one: an object that makes another of itself for settings."""
    import ir_measures
    from ir_measures.measures import Measure as TheirMeasure
    from ir_measures.measures import ParamInfo

    types = {"cutoff": int}  # `item` checks all but that: `@None` is no cutoff
    settings = {
        field.name: ParamInfo(dtype=types.get(field.name), default=field.default)  # type: ignore[no-untyped-call]
        for field in dataclasses.fields(kind)
    }

    class Adapted(TheirMeasure):
        NAME = __name__ = kind.__name__
        SUPPORTED_PARAMS = settings

        @property
        def item(self) -> Measure:
            return kind(**self.params)

        def validate_params(self) -> None:
            super().validate_params()  # type: ignore[no-untyped-call]
            _ = self.item  # checks the bounds of the settings

        def runtime_impl(self, qrels: Any, run: Any) -> Iterator[ir_measures.Metric]:
            """Called by ir-measures with two data frames; `run` is sorted by score."""
            measure = self.item
            judged = {query: _grades(rows) for query, rows in qrels.groupby("query_id")}
            for query, rows in run.groupby("query_id"):
                if query in judged:
                    score = measure.score(judged[query], rows["doc_id"].tolist()[: measure.cutoff])
                    yield ir_measures.Metric(query, self, _finite(score, str(self)))

    return Adapted()  # type: ignore[no-untyped-call]


def _grades(rows: Any) -> dict[str, int]:
    return dict(zip(rows["doc_id"].tolist(), rows["relevance"].tolist(), strict=True))


def _finite(score: object, name: str) -> float:
    if isinstance(score, numbers.Real) and math.isfinite(score):
        return float(score)
    raise SettingError(f"{name}: `score` must return a finite number, not {score!r}.")
