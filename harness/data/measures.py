"""Measures in ir-measures' notation: `nDCG@10`, `R@100`, `RR@10`, `AP@100`, any other of its own and those of the room
`harness.measures`.

The rules that change means are here: every judged query counts, one without results scores 0, grades are not changed,
nDCG's gain is linear as in trec_eval, and ties are broken by the documented order (`harness.data.ranking`) in every
measure. The providers behind ir-measures break ties differently (for `RR@10`, the one that follows MS MARCO's script
takes the lower id first, unlike trec_eval), so they get ranks instead of scores.
"""

from __future__ import annotations

import math
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.base.defaults import MEASURES, check_one_measure
from harness.base.errors import SettingError, close_names
from harness.data.queries import Qrels
from harness.measures import public_names, register

if TYPE_CHECKING:
    from ir_measures.measures import Measure

DEFAULT = MEASURES
BEYOND = 2**31
"""The least number that trec_eval cannot count to."""

Ranking = tuple[str, list[str], list[float]]
"""Query id, document ids best first, their scores; a `Run` iterates over these."""

PerQuery = dict[str, dict[str, float]]
"""Measure → query id → value."""


def parse_measures(names: Iterable[str]) -> list[Measure]:
    """Measures of ir-measures' notation, in the order given, each once.

    Raises:
        SettingError: a name that it cannot parse, or a measure that no installed provider computes.
    """
    import ir_measures  # slow to import, and a listing needs none of it

    parsed: dict[str, Measure] = {}
    for name in names:
        for part in name.replace(",", " ").split() if "(" not in name else [name]:
            register(re.split(r"\W", part.strip(), maxsplit=1)[0])
            try:
                measure = ir_measures.parse_measure(part)
                supported = ir_measures.DefaultPipeline.supports(measure)  # type: ignore[no-untyped-call]
            except (NameError, ValueError, SyntaxError, AttributeError, TypeError, KeyError, AssertionError) as error:
                raise SettingError(f"{part!r} is not a measure ({error}){_suggestion(part)}") from error
            _check_settings(part, measure.params)
            if not supported:
                raise SettingError(f"no installed provider of ir-measures computes {part}.")
            parsed[str(measure)] = measure
    if not parsed:
        raise SettingError(f"no measure named; the default is {' '.join(DEFAULT)}.")
    return list(parsed.values())


def single_measure(name: str) -> Measure:
    """The one measure that a comparison or audit is by.

    Raises:
        SettingError: not one measure, or as `parse_measures`.
    """
    measures = parse_measures([name])
    check_one_measure(measures)
    return measures[0]


def _check_settings(name: str, settings: Mapping[str, Any]) -> None:
    """Raises SettingError for what a provider fails on, or takes for another number."""
    for setting, value in settings.items():
        if setting in ("cutoff", "rel"):
            if isinstance(value, bool) or value < 1:  # trec_eval ends the process
                raise SettingError(f"{name}: {setting} must be 1 or more, not {value}.")
            if value >= BEYOND:
                raise SettingError(f"{name}: {setting} must be below 2^31, which is more than trec_eval counts to.")
        elif isinstance(value, float) and not math.isfinite(value):
            raise SettingError(f"{name}: {setting} must be a finite number, not {value}.")
        elif isinstance(value, Mapping) and not all(
            isinstance(n, int) and abs(n) < BEYOND for pair in value.items() for n in pair
        ):
            raise SettingError(f"{name}: {setting} must be whole numbers below 2^31, each for a grade.")


OTHER_NAMES = {
    "ndcg_cut": "nDCG",
    "map_cut": "AP",
    "recall": "R",
    "precision": "P",
    "map": "AP",
    "mean_average_precision": "AP",
    "mrr": "RR",
    "reciprocal_rank": "RR",
    "hits": "Success",
    "hit": "Success",
    "hit_rate": "Success",
    "accuracy": "Success",
}
"""Name of a measure in other tools → its name in ir-measures."""


def _suggestion(name: str) -> str:
    """Suggestions for an unknown measure: other case, the name in another tool, or a typing error."""
    import ir_measures.measures

    word, at, cutoff = re.sub(r"_(?=\d+$)", "@", name.strip()).partition("@")  # trec_eval writes ndcg_cut_10
    other = OTHER_NAMES.get(word.strip().lower().replace("-", "_").replace(" ", "_"))
    close = [other] if other else close_names(word, [*ir_measures.measures.registry, *public_names()])[:2]
    meant = [each for each in (f"{each}{at}{cutoff}" for each in close) if each != name]
    suggested = f"; did you mean {' or '.join(meant)}" if meant else ""
    return f"{suggested}; for example nDCG@10, R@1000, P@5, RR, AP(rel=2)."


def per_query(measures: Sequence[Measure], qrels: Qrels, run: Iterable[Ranking]) -> PerQuery:
    """Every measure for every judged query.

    Args:
        measures: from `parse_measures`.
        qrels: judgements of the split.
        run: rankings; queries that are not judged are left out, judged ones without a ranking score 0.

    Raises:
        SettingError: the provider of a measure fails on these judgements (`ERR` takes grades up to 4).
    """
    import ir_measures

    values: PerQuery = {str(m): dict.fromkeys(qrels, 0.0) for m in measures}
    names = list(qrels)
    numbers = {query: str(number) for number, query in enumerate(names)}  # the provider of ERR reads no other query ids
    # trec_eval's table of grades begins at -1; TREC's -2 and below write outside of it and end the process.
    judged = {numbers[query]: {d: max(g, -1) for d, g in grades.items()} for query, grades in qrels.items()}
    depth = seen(measures)
    ranks = {
        numbers[query]: dict(zip(documents[:depth], map(float, range(len(documents), 0, -1)), strict=False))
        for query, documents, _ in run
        if documents and query in numbers
    }
    try:
        for metric in ir_measures.iter_calc(list(measures), judged, ranks) if ranks else ():
            values[str(metric.measure)][names[int(metric.query_id)]] = float(metric.value)
    except (subprocess.CalledProcessError, ArithmeticError) as error:
        raise SettingError(f"ir-measures cannot compute {', '.join(values)} on these judgements: {error}.") from error
    return values


def seen(measures: Iterable[Measure]) -> int | None:
    """How many documents from the top of a ranking the measures use; None if one uses all.

    Documents beyond the greatest cut-off are not given to the providers, whose time grows with the length of rankings.
    A measure that removes unjudged documents before its cut-off may use any document.
    """
    cutoffs: list[int] = []
    for measure in measures:
        if measure.params.get("judged_only") or measure.params.get("cutoff") is None:
            return None
        cutoffs.append(measure.params["cutoff"])
    return max(cutoffs, default=None)


def means(values: PerQuery) -> dict[str, float]:
    """Mean over all judged queries, per measure."""
    return {name: sum(by_query.values()) / len(by_query) for name, by_query in values.items()}
