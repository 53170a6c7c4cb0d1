from __future__ import annotations

import sysconfig
import textwrap
from pathlib import Path

import pytest

from harness.base.errors import Unavailable
from harness.datasets._functions import Function, Library


def functions(text: str, path: str = "pkg/__init__.py") -> list[Function]:
    return list(Library({path: textwrap.dedent(text)}, "").functions())


def test_source_without_docstring() -> None:
    (found,) = functions(
        '''
        @decorated
        def f(a,
              b=1):
            """Do a thing.

            At length.
            """
            # why
            if a:

                return b
        '''
    )
    assert found == Function(
        id="pkg.f",
        name="f",
        source="@decorated\ndef f(a,\n      b=1):\n    # why\n    if a:\n        return b",
        docstring="Do a thing.\n\nAt length.",
    )


def test_names_of_methods_and_of_second_definitions() -> None:
    found = functions(
        """
        class A:
            class B:
                async def f(self):
                    def inner(): pass
        if True:
            def g(): pass
        else:
            def g(): return 1
        try:
            def h(): pass
        except Exception:
            pass
        """,
        "pkg/mod.py",
    )
    assert [f.id for f in found] == ["pkg.mod.A.B.f", "pkg.mod.g", "pkg.mod.g#2", "pkg.mod.h"]
    assert found[0].source == "async def f(self):\n    def inner(): pass"


def test_a_docstring_that_shares_its_line_cannot_be_cut() -> None:
    found = functions(
        'def f(): "doc"; return 1\ndef g():\n    "doc"  # said\n    return 1\ndef h():\n    "doc"; return 1\n'
    )
    assert [(f.name, f.source) for f in found] == [("g", "def g():\n    return 1")]


def test_columns_count_bytes() -> None:
    (found,) = functions('def f(ä="ü"):\n    "dóc"\n    return 1\n')
    assert (found.source, found.docstring) == ('def f(ä="ü"):\n    return 1', "dóc")


def test_the_running_library() -> None:
    library = Library.running()
    assert {"argparse.py", "email/message.py", "json/__init__.py"} <= set(library.sources)
    tops = {path.split("/")[0].removesuffix(".py") for path in library.sources}
    assert not tops & {"test", "idlelib", "site-packages", "tkinter", "turtle", "_sysconfigdata"}
    assert not any("tests" in path.split("/") for path in library.sources)
    assert list(library.sources) == sorted(library.sources)
    assert Library.running().revision == library.revision


def test_no_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(Unavailable, match="sources of Python's standard library are not in"):
        Library.running()
