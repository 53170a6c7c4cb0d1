"""The picture that a link to the page is shown with: the best rows of its first dataset as bars with intervals."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from harness.base.plain import one_line

WIDTH, HEIGHT = 1200, 630
"""Pixels, as sites that show previews expect them."""
MOST_ROWS, LONGEST = 8, 40
LEFT, RIGHT, TOP, STEP = 420, 1060, 190, 50


def preview_image(data: Mapping[str, Any]) -> str:
    """The SVG as a data address; empty if the first dataset has no scores.

    Args:
        data: see `harness.report.page_data.page_data`.
    """
    picture = preview(data)
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}" if picture else ""


def preview(data: Mapping[str, Any]) -> str:
    """The SVG. All text in it is escaped, without control characters and cut to what fits."""
    if not data["datasets"]:
        return ""
    dataset = data["datasets"][data["start"]]
    measure = next(iter(dataset["measures"]), None)
    rows = [row for row in dataset["rows"] if measure and row["values"][measure]["value"] is not None][:MOST_ROWS]
    if measure is None or not rows:
        return ""
    most = max(row["values"][measure]["high"] or row["values"][measure]["value"] for row in rows) or 1.0
    bars = [_bar(i, row["name"], row["values"][measure], most) for i, row in enumerate(rows)]
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            _text(60, 84, "Retrieval leaderboard", 44, "#1b1f24", "font-weight='700'"),
            _text(60, 134, f"{dataset['name']}, {measure}: {data['about']}", 26, "#5b6570"),
            *bars,
            "</svg>",
        ]
    )


def _bar(place: int, name: str, values: Mapping[str, float], most: float) -> str:
    """A row: its name, its score as a bar and a number, and its interval."""
    y, value = TOP + STEP * place, values["value"]
    x = LEFT + (RIGHT - LEFT) * value / most
    parts = [
        _text(LEFT - 16, y + 24, name, 22, "#1b1f24", "text-anchor='end'"),
        f'<rect x="{LEFT}" y="{y}" width="{max(0.0, x - LEFT):.1f}" height="34" fill="#0072b2" fill-opacity="0.8"/>',
        _text(RIGHT + 20, y + 25, f"{value:.4f}", 22, "#1b1f24"),
    ]
    if values["low"] is not None:
        low, high = (LEFT + (RIGHT - LEFT) * max(0.0, values[end]) / most for end in ("low", "high"))
        parts.append(f'<path d="M{low:.1f} {y + 17}H{high:.1f}" stroke="#1b1f24" stroke-width="3"/>')
    return "".join(parts)


def _text(x: int, y: int, text: str, size: int, fill: str, more: str = "") -> str:
    longest = LONGEST if "end" in more else 2 * LONGEST
    short = one_line(text)
    short = short if len(short) <= longest else f"{short[: longest - 1]}…"
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}" {more}>{escape(short)}</text>'
