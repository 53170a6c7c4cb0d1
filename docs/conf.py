"""The documentation site: `sphinx-build -W --keep-going docs build/docs`, or `tox -e docs`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

import harness

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402  # it is next to this file

project = "retrieval-harness"
author = copyright = "The retrieval-harness authors"
version = release = harness.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["misc.highlighting_failure"]  # `…` in Python stands for what a reader fills in

html_theme = "furo"
highlight_language = "none"
smartquotes = False
html_title = "retrieval-harness"
html_copy_source = False
html_extra_path = ["../results/leaderboard.html"]
copybutton_exclude = ".linenos, .gp, .go"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
default_role = "literal"

TO_OTHER_PAGES = {
    "../CONTRIBUTING.md": "reference/contributing.md",
    "../benchmarks/README.md": "reference/benchmarks.md",
    "../results/leaderboard.md": "leaderboard.html",
    "../results/leaderboard.html": "leaderboard.html",
}
"""Links that work in a checkout → where the same is on the site. `leaderboard.html` is copied next to the pages."""


def _links(app: Sphinx, page: str, source: list[str]) -> None:
    """Links out of this folder, which work in a checkout, lead to pages of the site."""
    for there, here in TO_OTHER_PAGES.items():
        if here.endswith(".html"):
            source[0] = re.sub(rf"\[([^\]]*)\]\({re.escape(there)}\)", rf'<a href="{here}">\1</a>', source[0])
        else:
            source[0] = source[0].replace(f"]({there}", f"]({here}")


def _markdown(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Docstrings have code in single backticks and no other mark-up: the rest is text, whatever characters it has."""
    for number, line in enumerate(lines):
        parts = re.split(r"(``.*?``|`[^`]*`)", line)
        lines[number] = "".join(part if part[:1] == "`" else _plain(part) for part in parts)


def _plain(text: str) -> str:
    return re.sub(r"(?<=\w)_(?!\w)|\||\*", lambda match: f"\\{match[0]}", text)


def setup(app: Sphinx) -> None:
    """Writes the reference pages before they are read."""
    app.connect("builder-inited", lambda _: generate.write(HERE / "reference"))
    app.connect("source-read", _links)
    app.connect("autodoc-process-docstring", _markdown, priority=400)  # before napoleon, which adds mark-up
