from harness.cache.manage import entries, faults
from harness.endpoints.journal import Journal, digest
from harness.runtime.context import Context


def test_pieces_come_back_by_name(context: Context) -> None:
    pieces = Journal(context.cache, "answers", "0" * 32, {"of": "test"})
    pieces.add("one", {"text": "ä"})
    pieces.add("two", [1, None])
    assert Journal(context.cache, "answers", "0" * 32, {}).read() == {"one": {"text": "ä"}, "two": [1, None]}
    [entry] = entries(context.cache)
    assert (entry.describe, faults(entry)) == ({"of": "test"}, [])


def test_a_line_cut_short_counts_as_not_there_and_spoils_no_other(context: Context) -> None:
    pieces = Journal(context.cache, "answers", "0" * 32, {})
    pieces.add("one", 1)
    path = context.cache.root / "answers" / ("0" * 32) / "pieces.jsonl"
    with open(path, "ab") as file:
        file.write(b'["half')
    pieces.add("two", 2)
    assert pieces.read() == {"one": 1, "two": 2}


def test_a_digest_tells_parts_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert len(digest("x")) == 32
