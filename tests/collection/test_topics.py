"""Topics in each of TREC's forms: read as ir_datasets reads them, and what is wrong with them told with its line."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import DatasetError
from harness.collection.topics import read_topics
from harness.data.lines import Fault
from harness.data.queries import Queries
from harness.data.trec import write_topics
from harness.datasets import load_dataset
from harness.runtime.context import Context

SGML = """
<top>

<num> Number: 301
<title> International Organized
Crime

<desc> Description:
Identify organizations that participate in crime.

<narr> Narrative:
A relevant document must name the organization.

</top>

<top>
<num>302</num>
<title>Topic: Poliomyelitis &amp; post-polio</title>
<desc>
Is it under control?
</top>
"""
XML = """<?xml version="1.0" encoding="UTF-8"?>
<topics task="COVIDSEARCH" batch="1">

  <topic number="1">
    <query>coronavirus origin</query>
    <question>what is the <b>origin</b></question>
  </topic>
  <topic number="2" type="faceted">
    <title>heat &amp; flow</title><query>second</query>
    <description>seeking</description>
  </topic>
  <topic number="3">
    A 58-year-old   woman
  </topic>
</topics>
"""
READ = [("301", "International Organized Crime"), ("302", "Poliomyelitis & post-polio")]


def topics(path: Path) -> list[tuple[str, str]]:
    return [(query, text) for _, query, text in read_topics(path)]


def put(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_sgml(tmp_path: Path) -> None:
    assert topics(put(tmp_path, "topics.sgml", SGML)) == READ
    assert [line for line, _, _ in read_topics(tmp_path / "topics.sgml")] == [2, 16]


def test_xml(tmp_path: Path) -> None:
    read = [("1", "coronavirus origin"), ("2", "heat & flow"), ("3", "A 58-year-old woman")]
    assert topics(put(tmp_path, "topics.xml", XML)) == read
    assert [line for line, _, _ in read_topics(tmp_path / "topics.xml")] == [4, 8, 12]


def test_tsv(tmp_path: Path) -> None:
    assert topics(put(tmp_path, "topics.tsv", "q1\tlift of a wing\n\nq2\tdrag\tand more\n")) == [
        ("q1", "lift of a wing"),
        ("q2", "drag\tand more"),
    ]


def test_the_form_is_told_by_what_is_written_not_by_the_ending(tmp_path: Path) -> None:
    assert topics(put(tmp_path, "topics.txt", SGML)) == READ
    assert topics(put(tmp_path, "topics.trec", XML))[0] == ("1", "coronavirus origin")
    assert topics(put(tmp_path, "plain.txt", "q1\tlift\n")) == [("q1", "lift")]
    (tmp_path / "topics.sgml.gz").write_bytes(gzip.compress(SGML.encode()))
    assert topics(tmp_path / "topics.sgml.gz") == READ


@pytest.mark.parametrize(
    ("name", "text", "reader", "number"), [("t.sgml", SGML, "TrecQueries", 0), ("t.xml", XML, "TrecXmlQueries", 2)]
)
def test_ir_datasets_reads_the_same(tmp_path: Path, name: str, text: str, reader: str, number: int) -> None:
    other = pytest.importorskip("ir_datasets", reason="ir_datasets is not installed")
    full = text.replace("<desc>\nIs it under control?", "<desc>\nIs it under control?\n<narr>\nnone\n").replace(
        "&amp;", "and"
    )
    full = full.replace("<num>302</num>", "<num>302")
    path = put(tmp_path, name, full)
    formats = other.formats
    options = (
        {}
        if name == "t.sgml"
        else {"qtype": other.formats.GenericQuery, "qtype_map": {"query": "text", "title": "text"}}
    )
    read = list(getattr(formats, reader)(other.util.LocalDownload(path), **options).queries_iter())
    theirs = [(q.query_id, " ".join(q.default_text().split())) for q in read if q.default_text()]
    ours = topics(path)
    assert theirs[:1] == ours[:1]
    assert len(theirs) == 2
    if not number:  # of a topic with both a title and a query it takes the last
        assert theirs == ours


ID = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=6).filter(
    lambda name: name.split() == [name] and not {"\ufffe", "\uffff", "\ufeff"} & set(name)
)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30).filter(
    lambda text: text.strip() and not {"\ufffe", "\uffff"} & set(text)
)


@given(st.dictionaries(ID, TEXT, min_size=1, max_size=4), st.sampled_from(["tsv", "xml"]))
def test_what_is_written_is_read_back(held: dict[str, str], form: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"topics.{form}"
        write_topics(path, Queries(list(held), list(held.values())))
        assert topics(path) == [(query, " ".join(text.split())) for query, text in held.items()]


@given(
    st.dictionaries(
        st.from_regex(r"[a-z0-9-]{1,6}", fullmatch=True), st.from_regex(r"[a-zé&;<>,. -]{0,20}[a-z]", fullmatch=True)
    )
)
def test_sgml_that_is_written_is_read_back(held: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "topics.sgml"
        write_topics(path, Queries(list(held), list(held.values())))
        assert topics(path) == [(query, " ".join(text.split())) for query, text in held.items()]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("topics.tsv", "q1\tlift\nq2 drag\n", r"line 2: no tab"),
        ("topics.tsv", "q1\tlift\nq1\tdrag\n", r"line 2: topic 'q1' is also on line 1"),
        ("topics.tsv", "\tlift\n", r"line 1: a topic has no number"),
        ("topics.sgml", "<top>\n<num> 1\n<desc> long\n</top>\n", r"line 1: topic '1' has no <title> and no <query>"),
        ("topics.sgml", "<top>\n<num> 1\n<title> cut\n", r"line 3: the topic of line 1 is not closed"),
        (
            "topics.sgml",
            "<top>\n<num> 1\n<title> a\n<top>\n<num> 2\n<title> b\n</top>\n",
            r"line 4: the topic of line 1 is not",
        ),
        ("topics.sgml", "<top>\n<title> lift\n</top>\n", r"line 1: a topic has no number"),
        (
            "topics.xml",
            "<topics>\n<topic number='1'>\n<summary>x</summary>\n</topic></topics>",
            r"line 2: topic '1' has no <title>",
        ),
        ("topics.xml", "<topics>\n<topic number='1'>\n</topics>", r"line 3: not XML: mismatched tag"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, name: str, text: str, told: str) -> None:
    path = put(tmp_path, name, text)
    with pytest.raises(DatasetError, match=told):
        topics(path)
    faults: list[Fault] = []
    list(read_topics(path, faults.append))
    assert faults


def test_a_folder_may_give_topics_and_qrels_in_trecs_form(small_folder: Path, context: Context) -> None:
    dataset = load_dataset(str(small_folder), context)
    texts = zip(dataset.test.queries.ids, dataset.test.queries.texts, strict=True)
    (small_folder / "queries.jsonl").unlink()
    for path in (small_folder / "qrels").iterdir():
        path.unlink()
    (small_folder / "topics.txt").write_text(
        "".join(f"<top>\n<num> Number: {query}\n<title> {text}\n</top>\n" for query, text in texts), encoding="utf-8"
    )
    judged = [f"{query} 0 {d} {grade}\n" for query, grades in dataset.test.qrels.items() for d, grade in grades.items()]
    (small_folder / "qrels.trec").write_text("".join(judged), encoding="utf-8")
    again = load_dataset(str(small_folder), Context(cache=context.cache))
    assert again.revision == dataset.revision


def test_queries_win_over_topics_and_two_files_of_topics_are_refused(small_folder: Path, context: Context) -> None:
    put(small_folder, "topics.tsv", "asked0\tsomething else\n")
    put(small_folder, "topics.xml", XML)
    assert "something else" not in load_dataset(str(small_folder), context).test.queries.texts
    (small_folder / "queries.jsonl").unlink()
    with pytest.raises(DatasetError, match=r"topics\.xml: .*topics\.tsv contains topics too"):
        load_dataset(str(small_folder), Context(cache=context.cache))
