"""The arithmetic of the benchmarks' tables; the benchmarks themselves are run by hand."""

import csv
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import _table

    return _table


def test_rounds_are_interleaved_and_the_warm_up_does_not_count(table: ModuleType) -> None:
    asked: list[str] = []

    def way(name: str, seconds: list[float]):
        def work() -> dict[str, float]:
            asked.append(name)
            return {"all": seconds.pop(0)}

        return work

    found = table.interleaved("t", {"a": way("a", [9.0, 1.0, 4.0]), "b": way("b", [9.0, 3.0, 2.0])}, 2, against="a")
    assert asked == ["a", "b"] * 3
    assert found.spent == {"a": [{"all": 1.0}, {"all": 4.0}], "b": [{"all": 3.0}, {"all": 2.0}]}
    assert found.ratios("b", "all") == [3.0, 0.5]  # of neighbours: the ratio of the medians would be 1


def test_a_part_that_a_way_has_not_is_a_dash_and_the_last_part_decides(table: ModuleType) -> None:
    spent = {"a": [{"index": 1.0, "both": 2.0}] * 2, "b": [{"both": 1.0}, {"both": 3.0}]}
    head, first, second = table.Table("t", spent, "a", {"b": {"nDCG@10": "0.5"}}).rows()
    assert head == ["way", "index s", "both s", "both, ratio to a", "nDCG@10"]
    assert first == ["a", "1.000 (1.000 to 1.000)", "2.000 (2.000 to 2.000)", "1.000 (1.000 to 1.000)", ""]
    assert second == ["b", "–", "2.000 (1.000 to 3.000)", "1.000 (0.500 to 1.500)", "0.5"]


def test_text_markdown_csv_and_plot(table: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    made = table.Table("a title", {"a": [{"x": 1.0}], "b": [{"x": 123.4}]}, load=(0.5, 2.0))
    for text in (made.text(), made.markdown()):
        assert text.startswith("a title\n")
        assert text.endswith("load 0.5 at the start, 2.0 at the end")
    assert "| b | 123 |" in made.markdown()
    made.write_csv(tmp_path / "rounds.csv")
    with open(tmp_path / "rounds.csv", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["way", "round", "part", "s"],
            ["a", "1", "x", "1.0"],
            ["b", "1", "x", "123.4"],
        ]
    made.draw(tmp_path / "plot.svg")
    assert "<svg" in (tmp_path / "plot.svg").read_text(encoding="utf-8")


def test_a_process_is_timed_and_its_failure_is_told(table: ModuleType) -> None:
    spent = table.process([sys.executable, "-c", "sum(range(3_000_000))"])
    assert spent["CPU"] > 0
    assert spent["wall"] > 0
    with pytest.raises(table.subprocess.CalledProcessError):
        table.process([sys.executable, "-c", "raise SystemExit(3)"])
