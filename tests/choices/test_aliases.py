"""`best=hybrid(…)` is a name and an expression; settings, files and comparisons are no names."""

import pytest

from harness.choices.aliases import split


@pytest.mark.parametrize(
    ("text", "alias", "expression"),
    [
        ("best=bm25", "best", "bm25"),
        (" my best row = bm25(k1=1.2)>>dense ", "my best row", "bm25(k1=1.2)>>dense "),
        ("v1.2-rc_3+x=dense", "v1.2-rc_3+x", "dense"),
        ("mine=run/a=b.trec", "mine", "run/a=b.trec"),
    ],
)
def test_a_name_is_what_is_before_the_sign(text: str, alias: str, expression: str) -> None:
    assert split(text) == (alias, expression)


@pytest.mark.parametrize("text", ["bm25", "bm25(k1=1)", "run/a=b.trec", "a>>b(c=1)", "=bm25", "x=", "x==bm25", "_x=1"])
def test_other_texts_have_none(text: str) -> None:
    assert split(text) == ("", text)
