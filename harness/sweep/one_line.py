"""A sweep from a row and what its settings may be, in one line: `harness tune bm25 k1=0.6:1.6 b=0.2:0.9`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.base.errors import SettingError
from harness.base.files import slug
from harness.base.toml_files import File, Key
from harness.choices.spans import Plain, Span, listed, parse_axes
from harness.searches.grid import Grid
from harness.sweep.space import ROW
from harness.sweep.spec import Spec, spec_of


@dataclass(frozen=True)
class Line(File):
    """The file that a line stands for; its faults are the command's.

    Args:
        command: whose line it is.
    """

    command: str = "tune"

    def where(self, *keys: Key) -> str:
        """See `File.where`; a line has no numbers of lines."""
        return self.command


def tuned(
    row: str,
    settings: Sequence[str],
    datasets: Sequence[str],
    baselines: Sequence[str] = (),
    measure: str | None = None,
    seeds: int = 3,
    search: str = str(Grid()),
) -> Spec:
    """The sweep over a row; the row as it is may be chosen too.

    Its name is that of the row, so that `reported.json` lists what was chosen for the row before.

    Args:
        row: an expression.
        settings: as `k1=0.6:1.6`, `b=0.3,0.75`, `first.k1=0.6:1.6`; a span is listed in round numbers, unless the
            search draws from it.
        datasets: names of the collections; one row is chosen for each.
        baselines: rows that the chosen one is compared with; none takes the row as it is.
        measure: that chooses.
        seeds: training runs of a trained row.
        search: an expression.

    Raises:
        SettingError: what is wrong with a setting, its values or anything else.
    """
    axes = parse_axes(settings)
    if not axes:
        raise SettingError(f"nothing to choose: name settings of {row} with values, as k1=0.6:1.6 or k1=0.6,0.9,1.2.")
    text = _text(row, axes, datasets, baselines, measure, seeds, search)
    return spec_of(Line(Path(f"tune-{slug(row)}.toml"), text, tomllib.loads(text)))


def _text(
    row: str,
    axes: dict[str, tuple[Plain, ...] | Span],
    datasets: Sequence[str],
    baselines: Sequence[str],
    measure: str | None,
    seeds: int,
    search: str,
) -> str:
    """The sweep as TOML."""
    draws = search.startswith("optuna")
    values_of = listed(axes)
    lines = [f"dataset = {_shown(datasets)}", f"baseline = {_shown(baselines or [row])}", f"seeds = {seeds}"]
    lines += [f"search = {_shown(search)}", *([f"measure = {_shown(measure)}"] if measure else []), "", "[[grid]]"]
    lines.append(f"{ROW} = {_shown(row)}")
    for name, values in axes.items():
        if isinstance(values, Span) and draws:
            log = ", log = true" if values.log else ""
            lines.append(f"{json.dumps(name)} = {{ low = {values.low!r}, high = {values.high!r}{log} }}")
        else:
            lines.append(f"{json.dumps(name)} = {_shown(values_of[name])}")
    return "\n".join([*lines, "", "[[grid]]", f"{ROW} = {_shown(row)}"]) + "\n"


def _shown(value: object) -> str:
    """A text, a number, True, False or a list of these as TOML."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else repr(value)
