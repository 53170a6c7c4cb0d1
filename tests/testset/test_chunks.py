"""Chunks: at most so many words, nothing lost, each with its line and its heading."""

from __future__ import annotations

import pytest

from harness.testset.chunks import chunks_of, path_id, splitter, words_in

TEXT = "# Guide\n\nIntro line one.\n\n## Setup\n\n" + "\n\n".join(
    f"Paragraph {i} has some words about step {i} of the setup." for i in range(12)
)


def test_chunks_are_short_and_together_the_whole_text() -> None:
    parts = list(chunks_of(TEXT, splitter(30), markdown=True))
    assert len(parts) > 3
    assert max(words_in(part.text) for part in parts) <= 30
    assert "".join("".join(part.text for part in parts).split()) == "".join(TEXT.split())


def test_a_chunk_has_the_line_it_begins_on_and_the_heading_above() -> None:
    lines = TEXT.split("\n")
    parts = list(chunks_of(TEXT, splitter(30), markdown=True))
    for part in parts:
        assert lines[part.line - 1].startswith(part.text.split("\n")[0][:20])
    assert parts[0].heading == "Guide"
    assert {part.heading for part in parts[1:]} == {"Setup"}
    assert {part.heading for part in chunks_of(TEXT, splitter(30), markdown=False)} == {""}


def test_a_text_without_spaces_is_cut_too() -> None:
    text = "検索の評価には質問と判定が必要です。" * 60
    parts = list(chunks_of(text, splitter(40), markdown=False))
    assert len(parts) > 1
    assert max(words_in(part.text) for part in parts) <= 40


def test_no_chunks_without_a_limit() -> None:
    assert [part.text for part in chunks_of(TEXT, splitter(0), markdown=True)] == [TEXT]


@pytest.mark.parametrize(("path", "name"), [("a/b.md", "a/b.md"), ("a b/c\td.md", "a%20b/c%09d.md")])
def test_a_path_without_white_space_is_an_id(path: str, name: str) -> None:
    assert path_id(path) == name
