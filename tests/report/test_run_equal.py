"""Equal trials end to end on the made-up collection: a table of recipes, and one without scores among them."""

from __future__ import annotations

import json
from pathlib import Path

from harness.report.run_equal import equal
from harness.report.sheet_formats import as_json
from harness.runtime.context import Context
from harness.sweep.equal import equal_trials


def test_each_recipe_has_one_row_on_test_that_dev_chose(
    small_folder: Path, tiny_encoder: Path, tmp_path: Path, context: Context
) -> None:
    row = f'dense(model="{tiny_encoder}")'
    recipes = ['frozen_head(sides="query", epochs=2)', "supervised(max_length=16, batch=4)", 'gpl(tuples="no.jsonl")']
    specs = equal_trials(row, recipes, [str(small_folder)], ["bm25"], seeds=1, tokens=400)
    found = equal(specs, results=tmp_path / "r", context=context)
    assert list(found.without) == [f'{row}+gpl(tuples="no.jsonl") on {small_folder}']
    assert len(list((tmp_path / "r").glob("*/*/seed0.json"))) == 3, "test has seen one row of each recipe, and bm25"
    (table,) = json.loads(as_json(found.shown))["tables"]
    rows = {line["row"].partition("+")[2].partition("(")[0]: line for line in table["rows"]}
    assert set(rows) == {"frozen_head", "supervised"}
    assert [line["tried"] for line in rows.values()] == [6, 6]
    assert (rows["frozen_head"]["new_index"], rows["supervised"]["new_index"]) == (False, True)
    assert rows["supervised"].keys() >= {"old", "difference", "p", "seconds"}
    assert "tokens" in rows["supervised"]["chosen"]
    assert "epochs" in rows["frozen_head"]["chosen"]
    for one in found.finished:
        chosen = one.found.chosen
        assert chosen is not None
        line = next(line for line in table["rows"] if line["row"] == chosen.row)
        assert one.found.tested is not None
        assert line["score"] == one.found.tested.scores.mean
        assert line["dev"] == chosen.mean == max(trial.mean for trial in one.found.tried)
    assert not found.skipped

