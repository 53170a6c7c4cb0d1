"""The harness's own claims, and what is refused in a file of claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.errors import HarnessError, SettingError
from harness.claims.claim import Claim, read_claims
from harness.rows import parse_method

CLAIMS = read_claims()
ENTRY = """
[collections]
two = ["d1", "d2"]

[[claim]]
id = "a"
paper = "a paper"
says = "a is better than b."
plus = ["bm25"]
minus = ["dense"]
differs = "nothing"
collections = ["two", "d3"]
"""


def test_every_paper_of_the_recipes_has_claims() -> None:
    assert len(CLAIMS) >= 14
    papers = " ".join(claim.paper for claim in CLAIMS)
    for paper in ("2010.08240", "Contrastive Tension", "2112.07577", "2201.10005", "2402.16829", "1903.03238", "Modal"):
        assert paper in papers


@pytest.mark.parametrize("claim", CLAIMS, ids=[claim.id for claim in CLAIMS])
def test_every_row_of_a_claim_is_a_row(claim: Claim) -> None:
    for row in claim.rows:
        parse_method(row)
    assert claim.says.endswith(".")
    assert claim.differs.endswith(".")
    assert set(claim.plus).isdisjoint(claim.minus)
    assert all(name.count("/") == 2 or name == "stdlib/code/test" for name in claim.collections), "with the split"


def test_lists_of_collections_are_replaced_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "claims.toml"
    path.write_text(ENTRY)
    (claim,) = read_claims(path)
    assert claim.collections == ("d1", "d2", "d3")
    assert claim.contrast == "`bm25` − `dense`"
    assert (claim.part, claim.expects, claim.least) == ("all", "better", 0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("plus =", "plsu ="), "plsu"),
        (("[[claim]]", "[claim"), "cannot be read"),
        (('minus = ["dense"]', 'minus = ["dense", "bm25"]'), "as many rows in minus as in plus"),
        (('differs = "nothing"', 'differs = "nothing"\nleast = 0.0'), "above 0"),
        (('differs = "nothing"', 'differs = "nothing"\nexpects = "worse"'), "worse"),
        (('differs = "nothing"', 'differs = "nothing"\ngiven = "b"'), "presupposes 'b'"),
        ((ENTRY, ENTRY + ENTRY.partition("\n\n")[2]), "two claims have the id 'a'"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "claims.toml"
    path.write_text(ENTRY.replace(*change))
    with pytest.raises(SettingError, match=message):
        read_claims(path)
    with pytest.raises(HarnessError):
        read_claims(tmp_path / "nowhere.toml")
