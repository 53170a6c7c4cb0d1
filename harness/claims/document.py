"""The verdicts on all claims as Markdown and in words. The same records give the same bytes."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from harness.claims.assess import Assessment
from harness.claims.judge import finding, matters
from harness.report import formats
from harness.report.markdown import escaped, grid
from harness.statistics.family import Difference

WIDTH = 116
"""Characters of a line of prose."""
INTRODUCTION = (
    "Written by `harness claims`, which tests what papers claim on the records of a results folder. The estimate is "
    "the difference of the contrast's rows, the mean over the collections that have all of them, each of equal weight; "
    "its 95 % interval is for a single planned comparison: a studentised bootstrap, queries resampled within each "
    "collection, with the variance between seeds if there are several. A claim that a row is better is *reproduced* if "
    "the interval is above 0, *opposite* if it is below; a claim that it is not worse is *reproduced* if the interval "
    "excludes a loss of the least effect that matters, *opposite* if it is below 0. Otherwise the effect is *too small "
    "to tell* with these queries. Collections are fixed: nothing here is about others. Intervals are not corrected "
    "for the number of claims: about one in twenty misses the truth. To add a claim, add an entry to "
    "`harness/claims/claims.toml`."
)


def verdicts_page(found: Sequence[Assessment], measure: str) -> str:
    """The page with a table of all claims, and one section for each."""
    parts = ["# Claims", _wrapped(escaped(INTRODUCTION).replace("\\*", "*")), escaped(counts(found))]
    rows = [[each.claim.id, each.claim.paper, _where(each), _shown(each.pooled), verdict_of(each)] for each in found]
    head = ["claim", "paper", "where", f"{measure}, 95 %", "verdict"]
    parts.append(grid(head, [[escaped(cell) for cell in row] for row in rows], words=range(5)))
    for each in found:
        parts += _section(each, measure)
    return "\n\n".join(parts) + "\n"


def counts(found: Sequence[Assessment]) -> str:
    """How many claims have which verdict, in one sentence."""
    kinds = ("reproduced", "opposite", "too small to tell", "not run")
    each = [f"{sum(one.verdict == kind for one in found)} {kind}" for kind in kinds]
    return f"{len(found)} claims: {', '.join(each)}."


def verdict_of(found: Assessment) -> str:
    """The verdict in words, with the number of queries if it is open."""
    return f"too small to tell with {_queries(found)}" if found.verdict == "too small to tell" else found.verdict


def _where(found: Assessment) -> str:
    if found.pooled is None:
        return formats.MISSING
    count = len(found.estimates)
    part = "" if found.claim.part == "all" else f", {found.claim.part} documents"
    return f"{count} of {len(found.claim.collections)} collections, {_queries(found)}{part}"


def _queries(found: Assessment) -> str:
    return f"{found.queries:,} {'query' if found.queries == 1 else 'queries'}"


def _shown(difference: Difference | None) -> str:
    return formats.difference(difference).removesuffix(" tied")


def _section(found: Assessment, measure: str) -> list[str]:
    claim = found.claim
    lines = [
        f"{claim.says} ({claim.paper})",
        f"Contrast: {claim.contrast}, {measure}"
        + ("" if claim.part == "all" else f" over queries about {claim.part} documents")
        + f"; expected: {claim.expects}, {'on each collection, ' if claim.every else ''}"
        + f"least effect that matters {claim.least:g}.",
        f"Verdict: {verdict_of(found)}.",
        f"Differs from the paper: {claim.differs}",
    ]
    if found.pooled is not None and (size := matters(claim, found.pooled)):
        lines[2] = f"{lines[2].removesuffix('.')}; {size}."
    parts = [f"## {escaped(claim.id)}", "\n".join(map(_item, lines))]
    if found.estimates:
        rows = [
            [
                each.collection,
                f"{each.queries:,}",
                str(each.seeds or formats.MISSING),
                _shown(each.difference),
                finding(claim, each.difference),
            ]
            for each in found.estimates
        ]
        rows.append(["together", f"{found.queries:,}", "", _shown(found.pooled), found.verdict])
        head = ["collection", "queries", "seeds", "difference, 95 %", "verdict"]
        parts.append(grid(head, [[escaped(cell) for cell in row] for row in rows], words=(4,)))
    more = [*found.notes, *_missing(found)]
    if more:
        parts.append("\n".join(map(_item, more)))
    if found.command:
        parts.append(f"```\n{found.command}\n```")
    return parts


def _item(sentence: str) -> str:
    return _wrapped(f"- {escaped(sentence)}", indent="  ")


def _wrapped(text: str, indent: str = "") -> str:
    """Prose in lines; none begins with a `+`, which would be a list."""
    glued = text.replace(" + ", "\0+ ")
    lines = textwrap.wrap(glued, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def _missing(found: Assessment) -> list[str]:
    """Why collections have no estimate; those of the same reason in one line."""
    reasons: dict[str, list[str]] = {}
    for collection, reason in found.missing.items():
        reasons.setdefault(reason, []).append(collection)
    return [f"{', '.join(collections)}: {reason}" for reason, collections in reasons.items()]
