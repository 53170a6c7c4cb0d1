"""Takes the README's picture of the board: the HTML page in Chromium, at twice its size, as a PNG of few colours.

    python benchmarks/picture.py results/leaderboard.html --out docs/board.png [--state '#view=plots'] [--dark]

`--state` is what the page's address has behind the file, as the tab "Share" shows it. Needs playwright, Debian's
chromium and Pillow (which matplotlib brings along).
"""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path

SCALE = 2
COLOURS = 256
"""Of the picture: text and flat areas need few, and the file is a third as large."""
MOST_BYTES = 300_000
"""A README should open at once."""


def taken(file: Path, state: str = "", width: int = 1280, height: int = 800, dark: bool = False) -> bytes:
    """The upper part of the page as a PNG.

    Args:
        file: the page.
        state: the fragment of its address, with the `#`.
        width: of the window, in CSS pixels; the picture is `SCALE` times as wide.
        height: likewise.
        dark: for readers with a dark screen.
    """
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": width, "height": height},
            device_scale_factor=SCALE,
            color_scheme="dark" if dark else "light",
        )
        page.goto(file.resolve().as_uri() + state)
        shown = "document.querySelector('[role=tabpanel]:not([hidden]) :is(tr, svg, pre)') !== null"
        page.wait_for_function(shown)
        picture = page.screenshot()
        browser.close()
    out = io.BytesIO()
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    whole.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    """Writes the picture and prints its size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=Path("results/leaderboard.html"))
    parser.add_argument("--out", type=Path, default=Path("docs/board.png"))
    parser.add_argument("--state", default="")
    parser.add_argument("--dark", action="store_true")
    for name, default in (("width", 1280), ("height", 800)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    picture = taken(asked.file, asked.state, asked.width, asked.height, asked.dark)
    if len(picture) > MOST_BYTES:
        raise SystemExit(f"the picture has {len(picture):,} bytes, more than {MOST_BYTES:,}: take a lower --height")
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_bytes(picture)
    print(f"{asked.out}: {len(picture) / 1000:.0f} KB")


if __name__ == "__main__":
    main()
