"""What is said of each row as it is done."""

from collections.abc import Callable

import pytest

from harness.bench.record import Record
from harness.bench.runner import Result
from harness.report.messages import row_printer, trial_printer
from harness.report.screen import Screen
from harness.sweep.trial import CellResult

Made = Callable[..., Record]


def test_a_row_with_figures_says_them(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    row_printer(Screen(stderr=True))(Result(made("a [red]", 0.5), kept=True))
    assert capsys.readouterr().err == "a [red] on beir/example/test: nDCG@10 0.5000 (up to date)\n"


def test_a_row_that_failed_is_said_though_the_screen_is_quiet(
    made: Made, skipped: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    tell = row_printer(Screen(stderr=True, quiet=True))
    tell(Result(made("a", 0.5), kept=False))
    tell(Result(skipped("b"), kept=False))
    tell(Result(made("c", status="error", problem={"reason": "one\ntwo \x1b[31m"}), kept=False))
    assert capsys.readouterr().err == "c on beir/example/test: error: one two \\x1b[31m\n"


def test_a_try_says_its_place_and_its_mean(capsys: pytest.CaptureFixture[str]) -> None:
    tell = trial_printer(Screen(stderr=True))
    fields = {
        "number": 1,
        "total": 3,
        "row": "a",
        "seed": 0,
        "mean": 0.5,
        "kept": False,
        "seconds": 2.0,
        "problem": "",
        "skipped": False,
    }
    known = {name: value for name, value in fields.items() if name in CellResult.__dataclass_fields__}
    tell(CellResult(**known))
    assert capsys.readouterr().err == "1/3 a, seed 0: 0.5000 on dev (2 s)\n"
