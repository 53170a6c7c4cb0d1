from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import SettingError
from harness.rows import row_name
from harness.searches import Range, points
from harness.sweep.spec import load

Written = Callable[..., Path]


def rows(path: Path) -> list[str]:
    spec = load(path)
    return [row_name(spec.method(point)) for point in points(spec.space, "grid")]


def test_every_row_of_the_grid(written: Written, tiny_encoder: Path) -> None:
    start = f'dense(model="{tiny_encoder}")+frozen_head(budget="smoke", learning_rate='
    assert rows(written()) == [
        f"{start}{rate}{size})" for size in (", queries=8", ", queries=16", "") for rate in (0.001, 0.01)
    ]


def test_a_row_may_stand_within_another_and_settings_may_be_values(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        """
        dataset = "x"
        [[grid]]
        row = ["dense", "dense+contrastive_tension"]
        recipe = "augmented_sbert(loss='cosine')"
        within = ["bm25>>{}", "hybrid(methods=(bm25, {}))"]
        teacher = "ce"
        [[grid]]
        row = "ce-contrastive"
        recipe = "cross_encoder"
        within = "bm25>>{}"
        ranks = [[1, 10], [5, 20]]
        judge = ["None", "bm25"]
        queries = 30
        """,
        encoding="utf-8",
    )
    found = rows(path)
    assert found[:2] == [
        'bm25>>dense+augmented_sbert(teacher=ce, loss="cosine")',
        'hybrid(methods=(bm25, dense+augmented_sbert(teacher=ce, loss="cosine")))',
    ]
    assert "dense+contrastive_tension+augmented_sbert" in found[2]
    assert len(found) == 8
    assert found[5].endswith("cross_encoder(queries=30, ranks=(1, 10), judge=bm25)")


def test_a_grid_without_a_recipe_is_about_settings_of_the_row_and_of_what_is_inside(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        """
        dataset = "x"
        [[grid]]
        row = ["bm25", "bm25>>dense"]
        k1 = [0.6, 1.2]
        feedback = ["None", "rm3"]
        [[grid]]
        row = "bm25"
        within = "{}>>dense"
        feedback = "rm3"
        feedback.fb_terms = [5, 20]
        """.replace('feedback = "rm3"\n        feedback', "feedback"),
        encoding="utf-8",
    )
    with pytest.raises(SettingError, match=r"unknown part of bm25 'feedback'"):
        load(path)
    text = path.read_text(encoding="utf-8").replace('row = "bm25"\n', 'row = "bm25(feedback=rm3)"\n')
    path.write_text(text, encoding="utf-8")
    found = rows(path)
    assert len(found) == 8 + 2
    assert found[:3] == ["bm25(k1=0.6)", "bm25(k1=0.6, feedback=rm3)", "bm25(k1=1.2)"]
    assert found[4:6] == ["bm25(k1=0.6)>>dense", "bm25(k1=0.6, feedback=rm3)>>dense"]
    assert found[8:] == ["bm25(feedback=rm3(fb_terms=5))>>dense", "bm25(feedback=rm3(fb_terms=20))>>dense"]


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('dataset = "x"\n[[grid]]\nrow = "dense"\nrecipe = "supervised"\n', encoding="utf-8")
    spec = load(path)
    assert ([str(m) for m in spec.baselines], spec.measure, spec.seeds, str(spec.search)) == (
        ["bm25"],
        "nDCG@10",
        3,
        "grid",
    )
    assert spec.name == "s"


def test_ranges_are_for_a_search_that_draws(written: Written) -> None:
    drawn = ("learning_rate = [1e-3, 1e-2]", "learning_rate = { low = 1e-4, high = 1e-2, log = true }")
    with pytest.raises(SettingError, match="grid cannot enumerate the range of learning_rate"):
        load(written("", *drawn))
    pytest.importorskip("optuna")
    path = written("", *drawn)
    path.write_text('search = "optuna(trials=3)"\n' + path.read_text())
    assert load(path).space[0]["learning_rate"] == Range(1e-4, 1e-2, log=True)


@pytest.mark.parametrize(
    ("more", "old", "new", "told"),
    [
        ("", "seeds = 2", "sedes = 2", r"line 4: unknown key 'sedes'; did you mean 'seeds'\?"),
        ("leraning_rate = 1\n", "", "", r"line 12: unknown key 'leraning_rate'; did you mean 'learning_rate'\?"),
        ("", "[1e-3, 1e-2]", "[1e-3, -1]", r"line 11: frozen_head: learning_rate must be above 0, not -1"),
        ("", "[1e-3, 1e-2]", '["fast"]', r"line 11: .*learning_rate must be a number, above 0, or None, not \"fast\""),
        ("", "[1e-3, 1e-2]", "[]", r"line 11: learning_rate lists nothing"),
        ("", "[1e-3, 1e-2]", "{ low = 1 }", r"line 11: a range is"),
        ("", "[1e-3, 1e-2]", "{ low = 2, high = 1 }", r"line 11: the range of learning_rate must increase"),
        ("", "[1e-3, 1e-2]", "{ low = 2, hihg = 1 }", r"line 11: unknown key 'hihg'; did you mean 'high'"),
        ("", '"frozen_head"', '"frozen_haed"', r"line 8: unknown recipe 'frozen_haed'; did you mean 'frozen_head'"),
        (
            "",
            '"frozen_head"',
            '["frozen_head", "tsdae"]',
            r"line 10: frozen_head has a setting 'queries' and tsdae has not",
        ),
        (
            "",
            '[8, 16, "all"]',
            '[8, "some"]',
            r"line 10: queries are whole numbers of 1 or more, or \"all\", not 'some'",
        ),
        ("", '[8, 16, "all"]', "[0]", r"line 10: queries are"),
        ('within = "bm25>>dense"\n', "", "", r"line 12: within must have a place for the trained row"),
        ("", "seeds = 2", "seeds = 0", r"line 4: seeds must be"),
        ("", "seeds = 2", 'measure = "nDCG"\nbaseine = 1', r"line 5: unknown key 'baseine'"),
        ("", "seeds = 2", 'measure = "P@5, P@9"', r"line 4: one measure chooses"),
        ("", "seeds = 2", 'search = "halfing"', r"line 4: unknown search 'halfing'; did you mean 'halving'"),
        ("", "seeds = 2", 'search = "halving(keep=2)"', r"line 4: halving: keep must be"),
        ('[[grid]]\nrow = "bm25"\nrecipe = "supervised"\n', "", "", r"line 14: bm25 is not itself trained"),
        ('[[grid]]\nrecipe = "supervised"\n', "", "", r"line 12: row is missing from this"),
        ('[[grid]]\nrow = "dense"\nqueries = 8\n', "", "", r"line 14: queries needs a recipe"),
        ('[[grid]]\nrow = "bm25"\nk2 = 8\n', "", "", r"line 14: unknown setting of bm25 'k2'; did you mean 'k1'"),
        ('[[grid]]\nrow = "bm25"\nb = [0.5, 2]\n', "", "", r"line 14: bm25: b must be"),
        ('[[grid]]\nrow = "run/a.trec"\n', "", "", r"line 13: a run file ranks its own queries only"),
        ("", '["bm25",', '["run/some.trec",', r"line 3: a run file has rankings"),
    ],
)
def test_faults_are_told_with_their_line(written: Written, more: str, old: str, new: str, told: str) -> None:
    path = written(more, old, new)
    with pytest.raises(SettingError, match=rf"trial.toml, {told}"):
        load(path)


def test_a_sweep_is_not_called_as_the_folder_of_cells(tmp_path: Path) -> None:
    (tmp_path / "cells.toml").write_text(
        'dataset = "stdlib/code"\n[[grid]]\nrow = "dense"\nrecipe = "frozen_head"\n', encoding="utf-8"
    )
    with pytest.raises(SettingError, match="cannot be called 'cells'"):
        load(tmp_path / "cells.toml")


def test_an_empty_file_and_one_without_a_grid(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("", encoding="utf-8")
    with pytest.raises(SettingError, match="dataset is missing"):
        load(path)
    path.write_text('dataset = "x"\ngrid = 3', encoding="utf-8")
    with pytest.raises(SettingError, match=r"line 2: there is nothing to try"):
        load(path)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "benchmarks" / "sweeps").glob("*.toml")), ids=lambda p: p.stem
)
def test_the_sweeps_that_are_kept_can_be_read(path: Path) -> None:
    assert len(set(rows(path))) >= 6
