"""One rule for ids on both sides of every join, against BEIR's loader and trec_eval; what it changes is reported."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import DatasetError
from harness.data.ids import WHITE, Trim, chunked, first_unfit, near, unfit
from harness.data.measures import means, parse_measures, per_query
from harness.datasets import load_dataset
from harness.runtime.context import Context

Write = Callable[..., Path]
E_ACUTE, E_AND_ACUTE = "é", unicodedata.normalize("NFD", "é")


def collection(
    folder: Path, documents: list[str], qrels: list[tuple[str, str, str]], queries: tuple[str, ...] = ("q1", "q2")
) -> Path:
    """A folder with the ids exactly as given, in BEIR's form."""
    (folder / "qrels").mkdir(parents=True)
    rows = [json.dumps({"_id": name, "title": "", "text": f"text {n}"}) for n, name in enumerate(documents)]
    (folder / "corpus.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    rows = [json.dumps({"_id": name, "text": f"query {n}"}) for n, name in enumerate(queries)]
    (folder / "queries.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(row) for row in qrels)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return folder


def perfect(folder: Path, context: Context) -> float:
    """R@10 of a ranking of all documents: the share of the relevance that is joined."""
    dataset = load_dataset(str(folder), context)
    ids = dataset.corpus.id_array.to_pylist()
    values = per_query(parse_measures(["R@10"]), dataset.test.qrels, [(q, ids, []) for q in dataset.test.queries.ids])
    return means(values)["R@10"]


@pytest.mark.parametrize("around", ["{} ", " {}", "{}\u00a0", "\u00a0{}", "\u3000{}", "{}\u200b", "{}" + E_AND_ACUTE])
def test_an_id_that_is_written_alike_in_corpus_and_judgements_is_joined_as_by_beir(
    around: str, tmp_path: Path, context: Context
) -> None:
    name = around.format("d0")
    folder = collection(tmp_path / "c", [name, "d1"], [("q1", name, "1"), ("q2", "d1", "1")])
    assert perfect(folder, context) == 1.0
    loader = pytest.importorskip("beir.datasets.data_loader", reason="beir is not installed").GenericDataLoader
    corpus, _, qrels = loader(str(folder)).load("test")
    assert set(qrels["q1"]) <= set(corpus)


def test_white_space_around_ids_is_removed_on_both_sides_and_reported(tmp_path: Path, context: Context) -> None:
    folder = collection(
        tmp_path / "c",
        ["d0", " d1", "d2"],
        [("q1", "d0 ", "1"), ("q2 ", "d1", "1"), ("q2", "d2", "1")],
        queries=("q1", "\tq2"),
    )
    for _ in range(2):  # read, and from the cache
        dataset = load_dataset(str(folder), Context(cache=context.cache))
        assert dataset.test.qrels == {"q1": {"d0": 1}, "q2": {"d1": 1, "d2": 1}}
        assert dataset.test.queries.ids == ["q1", "q2"]
        assert dataset.corpus.ids(dataset.corpus.rows(["d0", "d1", "d2"])) == ["d0", "d1", "d2"]
        assert dataset.notes == (
            "white space around 1 ids of corpus.jsonl was removed, for example ' d1'",
            "white space around 1 ids of queries.jsonl was removed, for example '\\tq2'",
            "white space around 2 ids of test.tsv was removed, for example 'd0 '",
        )


def test_a_no_break_space_is_part_of_an_id_and_where_ids_look_the_same_a_note_says_so(
    tmp_path: Path, context: Context
) -> None:
    judged = [("q1", "d0\u00a0", "1"), ("q2", "d1", "1"), ("q2", E_AND_ACUTE, "1")]
    folder = collection(tmp_path / "c", ["d0", "d1", E_ACUTE], judged)
    dataset = load_dataset(str(folder), context)
    assert dataset.test.qrels == {"q1": {"d0\u00a0": 1}, "q2": {"d1": 1, E_AND_ACUTE: 1}}
    assert dataset.unreachable == 2
    (note,) = dataset.notes
    assert note == (
        "2 relevant documents look like ids of the corpus but differ in spaces, invisible characters, case or Unicode "
        "form, for example 'd0\\xa0' and 'd0': they are not joined; write them the same way"
    )


def test_ids_that_the_rule_makes_equal_are_refused(tmp_path: Path, context: Context) -> None:
    folder = collection(tmp_path / "c", ["d0", "d0 "], [("q1", "d0", "1"), ("q2", "d0", "1")])
    with pytest.raises(DatasetError, match="1 document ids appear more than once, for example 'd0'"):
        load_dataset(str(folder), context)


@pytest.mark.parametrize("name", ["d 0", "d\n0", "d\t0", "\ufeffd0"])
def test_an_id_that_a_trec_run_cannot_hold_is_refused_before_the_work(
    name: str, tmp_path: Path, context: Context
) -> None:
    folder = collection(tmp_path / "c", [name, "d1"], [("q1", "d1", "1"), ("q2", "d1", "1")])
    with pytest.raises(
        DatasetError, match=r"the document id '.*' (contains white space|begins with a byte order mark).*data check"
    ):
        load_dataset(str(folder), context)


def test_queries_without_text_whose_ids_look_the_same_are_shown(tmp_path: Path, context: Context) -> None:
    folder = collection(tmp_path / "c", ["d0"], [("q1", "d0", "1"), ("Q2", "d0", "1")])
    with pytest.raises(
        DatasetError,
        match=r"1 judged queries .* no text, for example 'Q2'.* example 'Q2' and 'q2': they are not joined",
    ):
        load_dataset(str(folder), context)


def test_numbers_and_their_digits_are_one_id(tmp_path: Path, context: Context) -> None:
    folder = collection(tmp_path / "c", ["7", "d1"], [("q1", "7", "1"), ("q2", "d1", "1")])
    text = (folder / "corpus.jsonl").read_text().replace('"_id": "7"', '"_id": 7')
    (folder / "corpus.jsonl").write_text(text)
    assert perfect(folder, context) == 1.0
    (folder / "corpus.jsonl").write_text(text.replace('"_id": 7', '"_id": 7.0'))
    with pytest.raises(DatasetError, match=r'line 1: "_id" is a number; write it as a string'):
        load_dataset(str(folder), Context(cache=context.cache))


NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(NAMES)
def test_the_rule_is_trec_evals_columns(name: str) -> None:
    trim = Trim()
    assert trim(name) == name.strip(WHITE)
    assert trim.count == (trim(name) != name)
    raw = name.encode().split()  # C's isspace
    assert (raw == [trim(name).encode()]) == (unfit(trim(name)) not in ("is empty", "contains white space"))


@given(st.lists(NAMES, max_size=8))
def test_the_first_unfit_id_of_an_array_is_that_of_a_loop(names: list[str]) -> None:
    assert first_unfit(chunked(names)) == next((name for name in names if unfit(name)), None)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a\u00a0", "a"), ("\ufeffa", "a"), ("A", "a"), (E_ACUTE, E_AND_ACUTE), ("a\u200bb", "ab"), ("１", "1")],
)
def test_ids_that_look_the_same_are_shown_from_either_side(one: str, other: str) -> None:
    assert near([one, "z"], chunked(["x", other])) == [(one, other)]
    assert near([other], chunked([one])) == [(other, one)]
    assert near([], chunked([one])) == []
