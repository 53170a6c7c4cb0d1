"""What holds for every file of the room, and how a measure of the room gets into ir-measures."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import ir_measures
import ir_measures.measures
import pytest

from harness.base.errors import SettingError
from harness.choices import items
from harness.choices.expression import parse
from harness.data.measures import parse_measures, per_query
from harness.measures import MEASURES, Measure, items_in, public_names

JUDGED = {"a": 2, "b": 1, "c": 0, "d": -1, "e": 1}
BEST, WORST = ["a", "b", "e", "c"], ["d", "x", "c", "e"]
PLUGIN = '''"""Best grade."""

from dataclasses import dataclass

from harness.measures import Measure


@dataclass(frozen=True)
class BestGrade(Measure):
    """Source: none."""

    scale: int = 1

    def score(self, judged, ranking):
        return self.scale * max(0, *(judged.get(document, 0) for document in ranking)) / max(1, *judged.values())
'''


@pytest.fixture(params=MEASURES.names())
def measure(request: pytest.FixtureRequest) -> Measure:
    return MEASURES.get(request.param)(cutoff=3)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path with an installed package of two measures."""
    site = tmp_path / "site-packages"
    (site / "grades").mkdir(parents=True)
    (site / "grades" / "__init__.py").touch()
    (site / "grades" / "best_grade.py").write_text(PLUGIN, encoding="utf-8")
    (site / "grades" / "not_finite.py").write_text(
        PLUGIN.replace("BestGrade", "NotFinite").replace("return self.scale", "return float('nan')"), encoding="utf-8"
    )
    info = site / "grades-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: grades\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        "[harness.measures]\nbest_grade = grades.best_grade:BestGrade\nnot-finite = grades.not_finite:NotFinite\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(site))
    items._installed.cache_clear()
    items.entry_points.cache_clear()
    yield site
    monkeypatch.undo()
    items._installed.cache_clear()
    items.entry_points.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "grades"]:
        del sys.modules[name]
    for name in ("BestGrade", "NotFinite"):
        ir_measures.measures.registry.pop(name, None)


def test_a_measure_is_a_frozen_value_with_a_source(measure: Measure) -> None:
    rooms = {MEASURES.package: MEASURES}
    assert parse(str(measure), MEASURES, rooms) == measure
    assert parse(measure.full(), MEASURES, rooms) == measure
    assert "Source:" in (type(measure).__doc__ or "")
    with pytest.raises(dataclasses.FrozenInstanceError):
        measure.cutoff = 1  # type: ignore[misc]
    for name in measure.settings():
        assert f"        {name}: " in (type(measure).__doc__ or "")


def test_its_class_is_named_as_its_file_and_not_as_a_measure_of_ir_measures(measure: Measure) -> None:
    name = type(measure).__name__
    assert name.lower() == type(measure).name().replace("_", "")
    assert name not in ir_measures.measures.__all__
    assert name in public_names()


def test_a_better_ranking_has_a_higher_score(measure: Measure) -> None:
    assert 0 <= measure.score(JUDGED, WORST[:3]) < measure.score(JUDGED, BEST[:3]) <= 1


def test_ir_measures_computes_it_within_its_cutoff(measure: Measure) -> None:
    (parsed,) = parse_measures([f"{type(measure).__name__}@3"])
    assert items_in([parsed]) == [measure]
    assert parse_measures([str(parsed)]) == [parsed]
    run = [("1", BEST, [4.0, 3.0, 2.0, 1.0]), ("2", WORST, [4.0, 3.0, 2.0, 1.0]), ("not judged", BEST, [4.0] * 4)]
    assert per_query([parsed], {"1": JUDGED, "2": JUDGED, "3": JUDGED}, run) == {
        str(parsed): {"1": measure.score(JUDGED, BEST[:3]), "2": measure.score(JUDGED, WORST[:3]), "3": 0.0}
    }


def test_settings_are_checked_by_their_bounds(measure: Measure) -> None:
    name = type(measure).__name__
    for wrong in (f"{name}@0", f"{name}(cutoff=-1)", f"{name}@1.5", f"{name}(absent=1)@3"):
        with pytest.raises(SettingError, match=name):
            parse_measures([wrong])
    if needs_cutoff(type(measure)):
        with pytest.raises(SettingError, match=name):
            parse_measures([f"{name}@None"])
    else:
        assert parse_measures([f"{name}@None"]) == parse_measures([name])


def needs_cutoff(measure: type[Measure]) -> bool:
    return type(None) not in typing.get_args(typing.get_type_hints(measure)["cutoff"])


@pytest.mark.usefixtures("site")
def test_a_measure_of_an_installed_package_is_found_by_its_name() -> None:
    first, second, third = parse_measures(["BestGrade@2", "BestGrade(scale=3)", "nDCG@10"])
    assert [str(first), str(second)] == ["BestGrade@2", "BestGrade(scale=3)"]
    values = per_query([first, second, third], {"1": JUDGED}, [("1", ["c", "b", "a"], [3.0, 2.0, 1.0])])
    assert values["BestGrade@2"] == {"1": 0.5}
    assert values["BestGrade(scale=3)"] == {"1": 3.0}


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("written", ["bestgrade@3", "best_grade@3", "BestGrad@3"])
def test_another_spelling_is_an_error_that_names_the_measure(written: str) -> None:
    with pytest.raises(SettingError, match="did you mean BestGrade@3"):
        parse_measures([written])


@pytest.mark.usefixtures("site")
def test_a_score_that_is_not_a_finite_number_is_an_error() -> None:
    with pytest.raises(SettingError, match=r"NotFinite@3: `score` must return a finite number, not nan"):
        per_query(parse_measures(["NotFinite@3"]), {"1": JUDGED}, [("1", BEST, [4.0, 3.0, 2.0, 1.0])])


def test_the_command_line_and_workers_find_it(
    site: Path,
    small_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """Two processes: neither has imported the package of the measure before."""
    root = str(Path(items.__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", f"{site}:{root}")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    code = "import sys; from harness.cli.app import main; sys.argv[0] = 'harness'; main()"
    arguments = ["run", "--dataset", small_folder, "--method", "bm25", "--executor", "processes(workers=1)"]
    result = python(code, *arguments, "--measure", "BestGrade@2", "--results", tmp_path / "results")
    assert result.returncode == 0, result.stderr
    (record,) = (tmp_path / "results").rglob("bm25/seed0.json")
    assert '"BestGrade@2": ' in record.read_text(encoding="utf-8")
