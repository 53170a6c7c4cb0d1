"""All claims tested on the records of a results folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from harness.base.defaults import MEASURES, RESULTS
from harness.base.errors import RecordError
from harness.bench.store import Store
from harness.claims.assess import Assessment, assess, by_row
from harness.claims.claim import read_claims
from harness.data.measures import single_measure


def claims(
    results: str | Path = RESULTS, measure: str = MEASURES[0], path: Path | None = None
) -> tuple[list[Assessment], list[RecordError]]:
    """Tests each claim; runs nothing.

    Args:
        results: folder of the records.
        measure: in ir-measures' notation.
        path: of the claims; None takes the harness's own.

    Returns:
        What the records say of each claim, and an error for each record that cannot be read.

    Raises:
        SettingError: the claims cannot be read.
        RecordError: there is no such folder.
    """
    by = str(single_measure(measure))
    folder = Path(results)
    if not folder.is_dir() and (folder.exists() or folder != RESULTS):  # without records, all claims are not run
        raise RecordError(f"there is no folder {folder}: name the folder of the records with --results.")
    store = Store(folder)
    stored, faults = store.stored()
    rows = by_row(stored)
    found: dict[str, Assessment] = {}
    for claim in read_claims(path):
        found[claim.id] = with_given(assess(claim, rows, store, by), found)
    return list(found.values()), faults


def with_given(assessed: Assessment, before: Mapping[str, Assessment]) -> Assessment:
    """An assessment whose claim is not reproduced if the claim that it presupposes is not.

    Args:
        assessed: by its own contrast.
        before: id → the assessments of the claims before it.
    """
    given = assessed.claim.given
    if given is None or assessed.verdict != "reproduced" or before[given].verdict == "reproduced":
        return assessed
    note = (
        f"the contrast is as claimed, but the claim presupposes {given}, which is {before[given].verdict}: what is "
        "compared may be losses"
    )
    return dataclasses.replace(assessed, verdict="too small to tell", notes=(*assessed.notes, note))
