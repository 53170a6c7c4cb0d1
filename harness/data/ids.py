"""Ids: one rule for every reader, so that corpus, queries, judgements and runs are joined alike.

The rule: white space around an id is removed, on every side of a join; everything else is part of the id, and ids are
compared character by character. White space is what C's `isspace` says (space, tab, line ends), at which trec_eval
splits its columns: TREC's files cannot hold it around an id, so that no other rule has JSON, TSV and TREC files agree.
No-break and other Unicode spaces, invisible characters, case and the composed or decomposed form of an accent are kept,
as BEIR's `GenericDataLoader` and trec_eval keep them. What the rule changed is counted for a note, and where ids would
be equal but for what is kept, `near` finds them for a note.
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
    """Applies the rule, and counts what it changed."""

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
        """One note where ids were changed, else none.

        Args:
            where: what was read, as `corpus.jsonl`.
        """
        if not self.count:
            return ()
        return (f"white space around {self.count:,} ids of {where} was removed, for example {self.example!a}",)


def unfit(name: str) -> str:
    """Why a column of a TREC file cannot hold an id, as a predicate; empty where it can."""
    if not name:
        return "is empty"
    if any(c in name for c in WHITE):
        return "has white space"
    if "\0" in name:
        return "has a NUL, at which C ends a word"
    return "begins with a byte order mark, which readers drop" if name.startswith("\ufeff") else ""


def first_unfit(ids: pa.ChunkedArray) -> str | None:
    """The first id of an Arrow array that does not fit a column; None where all do."""
    import pyarrow.compute as pc  # slow to import, and a listing needs none of it

    for chunk in ids.chunks:
        inside = pc.match_substring_regex(chunk, pattern=f"^$|^\ufeff|[{WHITE}\\x00]")
        if (place := pc.index(inside, True).as_py()) >= 0:
            return str(chunk[place].as_py())
    return None


def near(missing: Sequence[str], ids: pa.ChunkedArray) -> list[tuple[str, str]]:
    """Pairs of an id that was not found and one of `ids` that looks the same.

    Two ids look the same where they differ in Unicode spaces around them, invisible characters, case, or in Unicode's
    compatible and composed forms (NFKC).

    Args:
        missing: ids that none of `ids` equals.
        ids: an Arrow array of those that are there.
    """
    import pyarrow.compute as pc  # slow to import, and a listing needs none of it

    if not len(missing):
        return []
    plain = _plain(pa.array(missing, pa.large_string()))
    found: dict[str, str] = {}
    for chunk in ids.chunks:
        known = _plain(chunk)
        hits = pc.indices_nonzero(pc.is_in(known, value_set=plain))
        for place in hits.to_pylist():
            found.setdefault(known[place].as_py(), chunk[place].as_py())
    return [(name, found[key]) for name, key in zip(missing, plain.to_pylist(), strict=True) if key in found]


def near_note(pairs: Sequence[tuple[str, str]], what: str, where: str) -> str:
    """Says that ids are not joined although they look the same; the example shows what differs as escapes."""
    ours, theirs = pairs[0]
    return (
        f"{len(pairs):,} {what} look the same as ids of {where} and are not equal (spaces, invisible characters, case "
        f"or Unicode "
        f"form), for example {ours!a} and {theirs!a}: not joined; write them alike"
    )


def _plain(ids: pa.Array) -> pa.Array:
    import pyarrow.compute as pc  # slow to import, and a listing needs none of it

    visible = pc.replace_substring_regex(ids, pattern=_INVISIBLE, replacement="")
    return pc.utf8_lower(pc.utf8_trim_whitespace(pc.utf8_normalize(visible, form="NFKC")))


def chunked(names: Iterable[str]) -> pa.ChunkedArray:
    """Names as the array that `near` takes."""
    return pa.chunked_array([pa.array(list(names), pa.large_string())])
