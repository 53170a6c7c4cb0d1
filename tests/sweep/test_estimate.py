from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.bench.record import Record
from harness.executors.local import Local
from harness.runtime.context import Context
from harness.sweep.cells import Cells
from harness.sweep.estimate import Planned, planned
from harness.sweep.spec import load
from harness.sweep.trials import Trials

RECORDED = Path(__file__).parents[1] / "bench" / "schema1" / "bm25.json"


@pytest.fixture
def parts(tmp_path: Path, context: Context) -> Callable[..., list[Planned]]:
    def one(path: Path, records: Any = ()) -> list[Planned]:
        spec, cells = load(path), Cells(tmp_path / "sweep")
        return planned(spec, Trials(spec, spec.datasets[0], Local(), context, cells), cells, records)

    return one


def test_a_grid_is_counted_by_row_and_recipe(parts: Callable[..., list[Planned]], written: Callable[..., Path]) -> None:
    more = '\n[[grid]]\nrow = "dense"\nrecipe = "supervised"\nlearning_rate = [1e-5, 2e-5]\n'
    one, other = parts(written(more))
    assert (one.rows, one.cells, one.kept, one.seconds, one.left) == (6, 12, 0, None, None)
    assert one.source == "not known until one is done"
    assert one.label.startswith("grid, dense(model=")
    assert (other.label, other.rows, other.cells) == ("grid, dense+supervised", 2, 4)


def test_done_cells_say_how_long_the_others_take(
    parts: Callable[..., list[Planned]], written: Callable[..., Path], tmp_path: Path, context: Context
) -> None:
    path = written("", "seeds = 2", "seeds = 1")
    spec, cells = load(path), Cells(tmp_path / "sweep")
    tries = Trials(spec, spec.datasets[0], Local(), context, cells)
    from harness.searches import points

    every = points(spec.space, "grid")
    for point, seconds in zip(every[:3], (1.0, 10.0, 4.0), strict=True):
        ((_, key),) = tries.jobs(spec.method(point))
        cells.save(key, {"mean": 0.5, "values": {"q": 0.5}, "seconds": seconds, "group": spec.group(point)})
    (part,) = parts(path)
    assert (part.rows, part.cells, part.kept, part.seconds, part.left) == (6, 6, 3, 4.0, 12.0)
    assert part.source == "the median of 3 such cells done here"


def test_records_of_the_recipe_stand_in_where_no_cell_is_done(
    parts: Callable[..., list[Planned]], written: Callable[..., Path]
) -> None:
    held = json.loads(RECORDED.read_text(encoding="utf-8"))
    training = {"recipe": "frozen_head(out=3)", "seconds": 5.0, "preparation": 2.0}
    record = Record(**{**held, "resolved": {"training": [training]}, "seconds": {"index": 3.0}})
    other = Record(**{**held, "resolved": {"training": [{**training, "recipe": "supervised", "seconds": 99.0}]}})
    (part,) = parts(written(), [record, other])
    assert part.seconds == 10.0
    assert part.source == "the median of 1 record, uncached"


def test_the_tokens_of_a_training_say_how_long_it_takes_where_nothing_of_the_recipe_is_recorded(
    parts: Callable[..., list[Planned]], written: Callable[..., Path], context: Context
) -> None:
    from harness.recipes.supervised import Supervised
    from harness.training.pace import Pace, TrainingKind

    more = '\n[[grid]]\nrow = "dense"\nrecipe = "supervised"\nlearning_rate = [1e-5, 2e-5]\n'
    schedule = Supervised().schedule()
    kind = TrainingKind("supervised", 1000, "cpu", False, 2, schedule.batch, schedule.max_length, schedule.evaluations)
    Pace(kind, 1000.0, context).remember(100, 50.0)  # 2,000 tokens a second
    heads, other = parts(written(more))
    assert heads.seconds is None, "the training of a head reads no tokens"
    assert schedule.tokens is not None
    assert other.seconds == pytest.approx(schedule.tokens / 2000)
    assert other.left == pytest.approx(4 * schedule.tokens / 2000)
    assert "by trainings done here" in other.source


def test_halving_is_counted_rung_by_rung(parts: Callable[..., list[Planned]], written: Callable[..., Path]) -> None:
    path = written()
    path.write_text('search = "halving(keep=0.5)"\n' + path.read_text())
    assert [(p.label.partition(",")[0], p.rows, p.cells) for p in parts(path)] == [
        ("queries = 8", 2, 4),
        ("queries = 16", 1, 2),
        ("queries = all", 1, 2),
    ]
