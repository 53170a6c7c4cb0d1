"""Measures, all of them from ir-measures: `nDCG@10`, `R@100`, `RR@10`, `AP@100` and whatever else its notation can say.

The rules that move means live here: every judged query counts, one that is not answered counts 0, grades are kept, and nDCG's
gain is linear, as trec_eval has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import ir_measures
from ir_measures.measures import Measure

from harness.errors import SettingError
from harness.judged import Qrels
from harness.ranking import Run

DEFAULT = ("nDCG@10", "R@100", "RR@10", "AP@100")

PerQuery = dict[str, dict[str, float]]
"""Measure → query id → value."""


def parse_measures(names: Iterable[str]) -> list[Measure]:
    """Measures of ir-measures' notation, in the order given, each once.

    Raises:
        SettingError: a name it cannot read, or a measure none of its providers here can compute.
    """
    found: dict[str, Measure] = {}
    for name in names:
        for part in name.replace(",", " ").split() if "(" not in name else [name]:
            try:
                measure = ir_measures.parse_measure(part)
                supported = ir_measures.DefaultPipeline.supports(measure)
            except (NameError, ValueError, SyntaxError, AttributeError, TypeError, KeyError) as error:
                raise SettingError(f"{part!r} is no measure of ir-measures ({error}); for example nDCG@10, R@1000, P@5, RR, AP(rel=2).") from error
            if not supported:
                raise SettingError(f"none of ir-measures' providers installed here computes {part}.")
            found[str(measure)] = measure
    if not found:
        raise SettingError(f"no measure named; the default is {' '.join(DEFAULT)}.")
    return list(found.values())


def per_query(measures: Sequence[Measure], qrels: Qrels, run: Run) -> PerQuery:
    """Every measure for every judged query.

    Args:
        measures: from `parse_measures`.
        qrels: judgements of the split.
        run: a ranking; queries that are not judged are left out, judged ones it does not answer count 0.
    """
    values: PerQuery = {str(m): dict.fromkeys(qrels, 0.0) for m in measures}
    scores = {query: ranking for query, ranking in run.scores().items() if ranking and query in qrels}
    judged: Mapping[str, Mapping[str, int]] = qrels
    if scores:
        for metric in ir_measures.iter_calc(list(measures), {q: dict(d) for q, d in judged.items()}, scores):
            if metric.query_id in qrels:
                values[str(metric.measure)][metric.query_id] = float(metric.value)
    return values


def means(values: PerQuery) -> dict[str, float]:
    """Mean over all judged queries, per measure."""
    return {name: sum(by_query.values()) / len(by_query) for name, by_query in values.items()}
