"""The one way to a terminal."""

import ast
import io
import logging
import sys
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

import harness
from harness.cli.progress import bars
from harness.report.screen import Screen, screens

HOSTILE = "\x1b]0;owned\x9c[red]x[/red] :fire: \u202e"
SHOWN = "\\x1b]0;owned\\x9c[red]x[/red] :fire: \\u202e"


@pytest.mark.parametrize(
    "what", [HOSTILE, Text(HOSTILE), Text.assemble("a ", (HOSTILE, "bold"))], ids=["str", "text", "styled"]
)
def test_what_is_printed_is_shown_as_it_is(what: object, capsys: pytest.CaptureFixture[str]) -> None:
    Screen(width=100).print(what)
    assert SHOWN in capsys.readouterr().out


def test_cells_and_titles_of_a_table_are_text_and_columns_fit(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = Table("head", "other", title=HOSTILE, box=None)
    drawn.add_row(HOSTILE, "end")
    Screen(width=120).print(drawn)
    lines = capsys.readouterr().out.splitlines()
    assert SHOWN in lines[0]
    assert lines[2].split()[-1] == "end"
    assert SHOWN in lines[2]


def test_a_style_is_still_a_style(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    Screen(width=20).print(Text("x", "bold"))
    assert sys.stdout.getvalue() == "\x1b[1mx\x1b[0m\n"


def test_a_bar_shows_its_label_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with bars(Screen(stderr=True, width=200))(HOSTILE, 2, "queries") as advance:
        advance(1, "[blue]\x1b]0;note\x07")
    assert SHOWN in terminal.getvalue()
    assert "\x1b]0" not in terminal.getvalue()


def test_warnings_go_to_standard_error_as_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    screens()
    logging.getLogger("harness.test").warning("a query: %s", HOSTILE)
    told = " ".join(capsys.readouterr().err.split())
    assert f"a query: {SHOWN}" in told


class Failing(io.StringIO):
    """A stream that cannot be written, as on a full disk or where the reader is gone."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def flush(self) -> None:
        raise self.error


def test_standard_output_that_fails_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Failing(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left") as caught:
        Screen().print("x")
    assert caught.value.filename == "standard output"


def test_a_reader_that_is_gone_and_standard_error_that_fails_end_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Failing(BrokenPipeError(32, "Broken pipe")))
    monkeypatch.setattr(sys, "stderr", Failing(OSError(28, "No space left on device")))
    for shown in (Screen(), Screen(stderr=True)):
        shown.print("x")
        assert shown.quiet
        shown.print("y")


def _uses(path: Path) -> list[str]:
    """Ways to a terminal that do not go through a `Screen`."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "rich.markup":
            found.append(f"{path.name}, line {node.lineno}: markup")
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in ("Console", "rich.print", "warnings.warn") or name.endswith(
                (".echo", ".secho", "stdout.write", "stderr.write")
            ):
                found.append(f"{path.name}, line {node.lineno}: {name}")
    return found


def test_nothing_else_writes_to_a_terminal() -> None:
    root = Path(harness.__file__).parent
    allowed = {
        "screen.py: Console",
        "app.py: typer.secho",
        "declaration.py: typer.secho",
        "worker.py: sys.stdout.write",
    }
    every = [use for path in root.rglob("*.py") for use in _uses(path)]
    assert [use for use in every if f"{use.partition(',')[0]}: {use.rpartition(' ')[2]}" not in allowed] == []
    # An interruption, and `_fail`, whose text is without control characters.
    for module in ("declaration", "app"):
        assert (root / "cli" / f"{module}.py").read_text(encoding="utf-8").count("typer.secho") == 1
