"""What commands share has defaults that are the README's."""

from __future__ import annotations

from pathlib import Path

from harness.cli.options import Options


def test_the_defaults_are_those_of_the_command_line() -> None:
    assert Options() == Options(Path("results"), [], None, 0, None, None, False)
    assert Options().data_dirs is not Options().data_dirs
