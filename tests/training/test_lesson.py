from pathlib import Path

import pytest

from harness.base.errors import ModelError
from harness.leaks.history import TrainedQuery
from harness.training.lesson import REPORT, Lesson, Report
from harness.training.schedule import Schedule

REPORTED = Report(
    examples=1200,
    steps=40,
    epochs=2.0,
    seconds=12.5,
    schedule={"batch": 8, "steps": None, "decay": "linear"},
    precision="fp32",
    device="cpu",
    preparation=3.5,
    loss=((10, 2.5), (20, 1.25)),
    dev=((0, 0.25), (20, 0.5), (40, 0.375)),
    chosen=20,
    dev_pool={"queries": 3, "documents": 20, "whole_corpus": True},
    facts={"negatives": {"left_out": 3, "miners": ["bm25"]}},
    notes=("one", "two"),
)


def test_a_report_comes_back_as_it_was_written(tmp_path: Path) -> None:
    for report in (REPORTED, Report(1, 1, 1.0, 0.0, {}, "bf16", "cuda")):
        report.write(tmp_path)
        assert Report.read(tmp_path) == report


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "{}", "\x00", '{"dev": [], "loss": []}', '{"dev": [1], "loss": []}']
)
def test_a_report_that_cannot_be_read_says_what_to_remove(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / REPORT).write_text(text)
    with pytest.raises(ModelError, match=r"training\.json cannot be read .*; remove .* and train again"):
        Report.read(tmp_path)


def test_a_report_with_a_field_too_many_or_too_few_is_damaged(tmp_path: Path) -> None:
    REPORTED.write(tmp_path)
    whole = (tmp_path / REPORT).read_text()
    for text in (whole.replace('"steps": 40', '"stops": 40'), whole.replace('"examples": 1200,', "")):
        (tmp_path / REPORT).write_text(text)
        with pytest.raises(ModelError, match="cannot be read"):
            Report.read(tmp_path)


def test_a_number_that_is_none_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        Report(1, 1, 1.0, float("nan"), {}, "fp32", "cpu").write(tmp_path)


def test_columns_and_labels_are_of_one_length() -> None:
    columns = {"a": ["1", "2"], "b": ["3", "4"]}
    assert len(Lesson(columns, lambda model: model, Schedule(), labels=[1, 0])) == 2
    for wrong in ({"columns": {**columns, "c": ["5"]}}, {"columns": columns, "labels": [1]}, {"columns": {}}):
        with pytest.raises(ValueError, match="columns of a lesson must be of one length"):
            Lesson(loss=lambda model: model, schedule=Schedule(), **wrong)  # type: ignore[arg-type]


def test_a_recipe_that_does_not_say_learns_from_all_that_is_given_as_a_query() -> None:
    columns = {"query": ["a", "b", "a"], "positive": ["x", "y", "z"], "asked": ["c", "c", "d"]}
    lesson = Lesson(columns, lambda model: model, Schedule(), sides={"asked": "query", "positive": "document"})
    assert [(one.kind, one.text, one.documents) for one in lesson.queries()] == [("other", text, ()) for text in "abcd"]
    said = [TrainedQuery("gold", "a", ("x",))]
    assert Lesson(columns, lambda model: model, Schedule(), trained_queries=said).queries() == said
    assert Lesson(columns, lambda model: model, Schedule(), trained_queries=()).queries() == []
