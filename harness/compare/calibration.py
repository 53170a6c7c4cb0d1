"""Scores on machine labels: uncalibrated, or corrected by the labels of people (`harness.statistics.ppi`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from harness.base.errors import HarnessError
from harness.bench.judged_by import labels_of
from harness.bench.store import StoredRecord
from harness.collection.agreement import disagreement
from harness.compare.judge_errors import bounds
from harness.data.measures import Ranking, parse_measures, per_query
from harness.data.queries import Qrels
from harness.data.trec import read_run
from harness.judges.row import models_of
from harness.rows import parse_judge, parse_method
from harness.statistics.paired import Values
from harness.statistics.ppi import LEAST, estimates, people_needed, strata, tuned_for_differences


@dataclass(frozen=True, eq=False)
class Calibration:
    """A row's scores by machine labels and by people's.

    Args:
        judges: names of the machine judges.
        favoured: those of them that share a model with the row.
        queries: how many have labels.
        share: of the judged pairs, how many machines alone judged.
        annotated: how many have people's labels; corrected are only scores with `LEAST` or more.
        people: (n, seeds) values by people's labels, of the queries that have them; None if uncorrected.
        machine: (n, seeds) values of the same queries by machine labels.
        others: (queries − n, seeds) values of the other queries by machine labels.
        weight: λ of the estimate.
        disagreement: of people, in words; empty if they agree.
    """

    judges: tuple[str, ...]
    favoured: tuple[str, ...]
    queries: int
    share: float = 1.0
    annotated: int = 0
    people: Values | None = None
    machine: Values | None = None
    others: Values | None = None
    weight: float = 1.0
    disagreement: str = ""

    @property
    def corrected(self) -> bool:
        """Whether people's labels correct the scores."""
        return self.people is not None

    @property
    def parts(self) -> tuple[Values, Values, Values]:
        """(n, 1), (n, 1) and (queries − n, 1): people, machine and others, means over the seeds."""
        assert self.people is not None
        assert self.machine is not None
        assert self.others is not None
        people, machine, others = (part.mean(1, keepdims=True) for part in (self.people, self.machine, self.others))
        return people, machine, others

    @property
    def strata(self) -> list[Values]:
        """(n, 1) values of each stratum, for the estimate at the weight."""
        return strata(*self.parts, self.weight)

    @property
    def mean(self) -> float:
        """The prediction-powered estimate."""
        return float(estimates(self.strata)[0])

    @property
    def sentence(self) -> str:
        """What a reader of the scores must know."""
        return f"{self._basis} {self.disagreement}".strip()

    @property
    def _basis(self) -> str:
        judges = " and ".join(self.judges)
        if self.corrected:
            return (
                f"Calibrated: {judges} judged all {self.queries:,} queries, people {self.annotated:,} of them; means, "
                "differences and intervals are prediction-powered estimates of what people would say of all."
            )
        have = f"; people judged {self.annotated}" if self.annotated else ""
        labels = "all labels are" if self.share == 1 else f"{self.share:.0%} of the labels are"
        own = bounds(self.judges)
        known = ""
        if set(self.judges) != {own.judge}:
            which = "this judge was" if len(self.judges) == 1 else "these judges together were"
            known = f" (the largest errors of any judge there: {which} not measured)"
        return (
            f"Uncalibrated: {labels} by {judges}{have}. Intervals of differences are widened for the judge's errors, "
            f"as measured on {own.collections} collections with real judgements{known}: more queries do not narrow "
            f"them. {LEAST} or more random queries judged by people give estimates instead (`harness judge`)."
        )

    @property
    def uncorrected(self) -> Calibration:
        """Without the values, for a part of the queries: what is known of the judge only."""
        return replace(self, people=None, machine=None, others=None)


class _Calibrated(Protocol):
    @property
    def calibration(self) -> Calibration | None: ...


T = TypeVar("T", bound=_Calibrated)


def calibration_of(stored: Sequence[StoredRecord], measure: str) -> Calibration | None:
    """The calibration of a row's records, one per seed; None if machines judged nothing, or people all queries.

    Raises:
        DatasetError: the labels cannot be read.
    """
    first = stored[0].record
    summary = first.dataset.get("labels")
    if not isinstance(summary, Mapping) or "machine" not in summary["judges"].values():
        return None
    judges = tuple(name for name, kind in summary["judges"].items() if kind == "machine")
    favoured = tuple(judge for judge in judges if shares_a_model(judge, first.method))
    labels = labels_of(first.dataset["name"], summary["qrels"])  # if its qrels are still those of the record
    queries, pairs = int(first.dataset["queries"]), summary["pairs"]
    share = pairs.get("machine", 0) / max(1, sum(pairs.values()))
    if labels is None:
        return Calibration(judges, favoured, queries, share)
    people = labels.of_people()
    if len(people) == queries:
        return None
    said = disagreement(labels.every)
    plain = Calibration(judges, favoured, queries, share, len(people), disagreement=said)
    if len(people) < LEAST or any(not each.place.run.is_file() for each in stored):
        return plain
    machine = labels.of_machines()
    ids, others = sorted(people), sorted(set(machine) - set(people))
    by_people, by_machine, rest = [], [], []
    for each in stored:
        ranked: list[Ranking] = [(query, list(found), []) for query, found in read_run(each.place.run).items()]
        real, made = _values(measure, people, ranked), _values(measure, machine, ranked)
        by_people.append([real[query] for query in ids])
        by_machine.append([made[query] for query in ids])
        rest.append([made[query] for query in others])
    real_values, same, others_values = (
        np.array(part, np.float64).T.reshape(-1, len(stored)) for part in (by_people, by_machine, rest)
    )
    return replace(plain, people=real_values, machine=same, others=others_values)


def common_weight(rows: Sequence[Calibration | None]) -> float | None:
    """The weight of the machine labels that is best for the differences of rows; None unless people's labels of the
    same queries correct all of them.
    """
    parts = [row.parts for row in rows if row is not None and row.corrected]
    if not parts or len(parts) < len(rows) or len({tuple(map(len, part)) for part in parts}) != 1:
        return None
    return tuned_for_differences(*(np.concatenate(columns, axis=1) for columns in zip(*parts, strict=True)))


def joined_strata(rows: Sequence[Calibration | None]) -> list[Values] | None:
    """(n, rows) values of each stratum, if all rows are corrected by people's labels with one weight; else None."""
    corrected = [row for row in rows if row is not None and row.corrected]
    if not corrected or len(corrected) < len(rows) or len({row.weight for row in corrected}) != 1:
        return None
    return [np.concatenate(columns, axis=1) for columns in zip(*(row.strata for row in corrected), strict=True)]


def judge_sizes(rows: Sequence[Calibration | None]) -> Values | None:
    """(rows, rows) sizes up to which a difference may have the wrong sign, if machines judged and nobody corrects them;
    else None.
    """
    judged = [row for row in rows if row is not None]
    if not judged:
        return None
    judges = sorted({judge for row in judged for judge in row.judges})
    favoured = [row is not None and bool(row.favoured) for row in rows]
    return bounds(judges).of(favoured, judges, max(row.share for row in judged))


def weighed_together(rows: Sequence[T]) -> list[T]:
    """Rows with one weight of the machine labels, the best for their differences, where people's labels correct them.

    Args:
        rows: dataclasses with a `calibration`, as `harness.compare.evidence.Scores`.
    """
    weight = common_weight([row.calibration for row in rows])
    if weight is None:
        return list(rows)
    weighed = [replace(row.calibration, weight=weight) for row in rows if row.calibration is not None]
    return [replace(row, calibration=own) for row, own in zip(rows, weighed, strict=True)]  # type: ignore[type-var]


def caveats(rows: Sequence[tuple[str, Calibration | None]]) -> list[str]:
    """Sentences for a reader of rows' scores: who judged, and whether a judge shares a model with a row.

    Args:
        rows: name and calibration.
    """
    found = [(row, own) for row, own in rows if own is not None]
    lines = [found[0][1].sentence] if found else []
    for row, own in found:
        if own.favoured and not own.corrected:
            lines.append(f"The judge ({', '.join(own.favoured)}) shares a model with {row}, which favours it.")
    return lines


def power_sentence(row: Calibration, baseline: Calibration | None, margin: float) -> str:
    """How many queries people must judge until a difference of the margin is detected, in words."""
    assert baseline is not None
    parts = [np.concatenate(pair, axis=1) for pair in zip(row.parts, baseline.parts, strict=True)]
    needed = people_needed(parts[0], parts[1], parts[2], margin)
    if needed >= row.queries:
        return f"Even if people judged all {row.queries:,} queries, {margin:g} might not be detected."
    have = f"there are {row.annotated:,}"
    return f"About {needed:,} queries judged by people would detect {margin:g} with 80 % power; {have}."


def shares_a_model(judge: str, method: str) -> bool:
    """Whether a judge and a row compute with the same model; False if either cannot be read any more."""
    try:
        return bool(parse_judge(judge).models() & models_of(parse_method(method)))
    except HarnessError:
        return False


def _values(measure: str, qrels: Qrels, ranked: Sequence[Ranking]) -> dict[str, float]:
    return per_query(parse_measures([measure]), qrels, ranked)[measure]
