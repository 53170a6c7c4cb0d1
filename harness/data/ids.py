"""Ids: one rule for every reader, so that corpus, queries, judgements and runs are joined alike.

The rule: white space around an id is removed, on every side of a join; everything else is part of the id, and ids are
compared character by character. White space is that of C's `isspace` (space, tab, line ends), at which trec_eval splits
columns: TREC's files cannot represent it around an id, so only this rule makes JSON, TSV and TREC files agree. No-break
and other Unicode spaces, invisible characters, case and the composed or decomposed form of an accent stay, as in BEIR's
`GenericDataLoader` and trec_eval. Changed ids are counted for a note, and `near` finds ids that differ only in what
stays, for another note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

WHITE = " \t\n\v\f\r"
"""White space as C's `isspace` has it."""
_INVISIBLE = "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"


@dataclass
class Trim:
    """Applies the rule, and counts the ids that it changes."""

    count: int = 0
    example: str = ""

    def __call__(self, name: str) -> str:
        """The id without white space around it."""
        bare = name.strip(WHITE)
        if len(bare) != len(name):
            self.count += 1
            self.example = self.example or name
        return bare

    def notes(self, where: str) -> tuple[str, ...]:
        """One note if ids were changed, else none.

        Args:
            where: the source, as `corpus.jsonl`.
        """
        if not self.count:
            return ()
        return (f"white space around {self.count:,} ids of {where} was removed, for example {self.example!a}",)


def unfit(name: str) -> str:
    """Why a column of a TREC file cannot contain an id, as a predicate; empty if it can."""
    if not name:
        return "is empty"
    if any(c in name for c in WHITE):
        return "contains white space"
    if "\0" in name:
        return "contains a NUL character, at which C ends a word"
    return "begins with a byte order mark, which readers remove" if name.startswith("\ufeff") else ""


def first_unfit(ids: pa.ChunkedArray) -> str | None:
    """The first id of an Arrow array that does not fit a column; None if all do."""
    import pyarrow.compute as pc  # slow to import, and a listing needs none of it

    for chunk in ids.chunks:
        inside = pc.match_substring_regex(chunk, pattern=f"^$|^\ufeff|[{WHITE}\\x00]")
        if (place := pc.index(inside, True).as_py()) >= 0:
            return str(chunk[place].as_py())
    return None


def near(missing: Sequence[str], ids: pa.ChunkedArray) -> list[tuple[str, str]]:
    """Pairs of a missing id and one of `ids` that looks the same.

    Two ids look the same if they differ only in Unicode spaces around them, invisible characters, case, or in Unicode's
    compatible and composed forms (NFKC).

    Args:
        missing: ids that are not in `ids`.
        ids: an Arrow array of existing ids.
    """
    import pyarrow.compute as pc  # slow to import, and a listing needs none of it

    if not len(missing):
        return []
    plain = _plain(pa.array(missing, pa.large_string()))
    existing: dict[str, str] = {}
    for chunk in ids.chunks:
        known = _plain(chunk)
        hits = pc.indices_nonzero(pc.is_in(known, value_set=plain))
        for place in hits.to_pylist():
            existing.setdefault(known[place].as_py(), chunk[place].as_py())
    return [(name, existing[key]) for name, key in zip(missing, plain.to_pylist(), strict=True) if key in existing]


def near_note(pairs: Sequence[tuple[str, str]], what: str, where: str) -> str:
    """A note that ids are not joined although they look the same; its example shows the difference as escapes."""
    ours, theirs = pairs[0]
    return (
        f"{len(pairs):,} {what} look like ids of {where} but differ in spaces, invisible characters, case or Unicode "
        f"form, for example {ours!a} and {theirs!a}: they are not joined; write them the same way"
    )


def _plain(ids: pa.Array) -> pa.Array:
    import pyarrow.compute as pc  # slow to import, and a listing needs none of it

    visible = pc.replace_substring_regex(ids, pattern=_INVISIBLE, replacement="")
    return pc.utf8_lower(pc.utf8_trim_whitespace(pc.utf8_normalize(visible, form="NFKC")))


def chunked(names: Iterable[str]) -> pa.ChunkedArray:
    """Names as the array that `near` takes."""
    return pa.chunked_array([pa.array(list(names), pa.large_string())])
