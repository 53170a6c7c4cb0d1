from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.base.errors import HarnessError, UnknownName
from harness.cache.folders import Cache
from harness.data.dataset import Dataset
from harness.datacheck.collection import check
from harness.datacheck.findings import Finding, Report
from harness.datasets import SOURCES, Source, load_dataset
from harness.runtime.context import Context

HEADER = "query-id\tcorpus-id\tscore\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small sound collection."""
    folder = tmp_path / "mine"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": f"d{n}", "title": "", "text": f"text number {n}"}) + "\n" for n in range(1, 4))
    )
    (folder / "queries.jsonl").write_text(
        "".join(json.dumps({"_id": f"q{n}", "text": f"query {n}"}) + "\n" for n in range(1, 4))
    )
    (folder / "qrels" / "test.tsv").write_text(HEADER + "q1\td1\t1\nq1\td2\t0\nq2\td2\t2\n")
    (folder / "qrels" / "train.tsv").write_text(HEADER + "q3\td3\t1\n")
    return folder


def found(report: Report) -> Mapping[str, Finding]:
    return {finding.code: finding for finding in report.findings}


def add(path: Path, *lines: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def test_a_sound_collection(folder: Path, context: Context) -> None:
    report = check(str(folder), context)
    assert report.usable
    assert report.findings == ()
    assert report.counts == {
        "documents": 3,
        "mean words of a document": 3.0,
        "queries": 3,
        "mean words of a query": 2.0,
        "test: queries": 2,
        "test: judgements": 3,
        "test: mean relevant a query": 1.0,
        "train: queries": 1,
        "train: judgements": 1,
        "train: mean relevant a query": 1.0,
        "test: unreachable": 0,
        "train: unreachable": 0,
    }


def test_all_faults_at_once_with_their_lines(folder: Path, context: Context) -> None:
    with open(folder / "corpus.jsonl", "ab") as file:
        file.write(b'\xff\nnonsense\n{"id": "x"}\n{"_id": "d1", "text": "again"}\n{"_id": "s", "text": "\\ud800"}\n')
    add(folder / "queries.jsonl", '{"_id": "q1", "text": "again"}', '{"_id": 1.5, "text": "x"}')
    add(folder / "qrels" / "test.tsv", "q1\td1\t2", "q1\td1", "q1\td3\thigh")
    (folder / "qrels" / "dev.tsv").write_text("q9\td1\t1\n")
    report = check(str(folder), context)
    assert not report.usable
    errors = {code: finding for code, finding in found(report).items() if finding.level == "error"}
    assert {
        code: finding.examples[0].partition(": ")[0].removeprefix(f"{folder}/") for code, finding in errors.items()
    } == {
        "encoding": "corpus.jsonl, line 4",
        "json": "corpus.jsonl, line 5",
        "missing-id": "corpus.jsonl, line 6",
        "missing-text": "corpus.jsonl, line 6",
        "surrogate": "corpus.jsonl, line 8",
        "duplicate-document-id": "lines 1 and 7",
        "duplicate-query-id": "queries.jsonl, line 4",
        "bad-id": "queries.jsonl, line 5",
        "contradiction": "qrels/test.tsv, line 5",
        "columns": "qrels/test.tsv, line 6",
        "grade": "qrels/test.tsv, line 7",
        "header": "qrels/dev.tsv, line 1",
        "judged-without-text": "dev",
    }
    assert report.counts["documents"] == 4


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
def test_a_missing_file_does_not_end_the_check(folder: Path, context: Context, name: str) -> None:
    (folder / name).unlink()
    add(folder / "qrels" / "test.tsv", "q1\td1\tx")
    report = check(str(folder), context)
    assert found(report)["missing-file"].examples == (name,)
    assert {"missing-file", "grade"} == {f.code for f in report.findings if f.level == "error"}


def test_no_qrels_and_two_of_one_split(folder: Path, context: Context) -> None:
    (folder / "qrels.txt").write_text("q1 0 d1 1\n")
    assert found(check(str(folder), context))["two-files"].level == "error"
    for path in (folder / "qrels.txt", *(folder / "qrels").iterdir()):
        path.unlink()
    assert found(check(str(folder), context))["missing-file"].examples == ("qrels/<split>.tsv",)


def test_faults_of_topics_are_listed_as_those_of_queries(folder: Path, context: Context) -> None:
    (folder / "queries.jsonl").unlink()
    (folder / "topics.tsv").write_text("q1\tlift\nq1\tagain\nno tab\n", encoding="utf-8")
    (folder / "topics.xml").write_text("<topics/>", encoding="utf-8")
    codes = {finding.code for finding in check(str(folder), context).findings}
    assert {"duplicate-query-id", "columns", "two-files"} <= codes


def test_empty_files(folder: Path, context: Context) -> None:
    for path in (folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels" / "test.tsv"):
        path.write_text("")
    codes = found(check(str(folder), context))
    assert {"no-documents", "no-queries", "no-judgements"} <= codes.keys()


def test_texts(folder: Path, context: Context) -> None:
    add(
        folder / "corpus.jsonl", '{"_id": "d4", "text": "text number 1"}', '{"_id": "d 5", "title": null, "text": null}'
    )
    add(
        folder / "queries.jsonl",
        '{"_id": "q4", "text": " QUERY  1"}',
        '{"_id": "q5", "text": ""}',
        '{"_id": "q6", "text": "query 2"}',
    )
    add(folder / "qrels" / "test.tsv", "q4\td1\t1", "q5\td1\t0")
    add(folder / "qrels" / "train.tsv", "q6\td9\t1", "q6\td8\t0")
    report = check(str(folder), context)
    assert not report.usable  # for the id with white space
    shown = {code: (finding.count, finding.examples) for code, finding in found(report).items()}
    assert shown == {
        "duplicate-text": (1, ("lines 1 and 4",)),
        "empty-text": (1, ("line 5: 'd 5'",)),
        "white-space-in-id": (1, ("document 'd 5' contains white space",)),
        "empty-query": (1, ("'q5'",)),
        "no-positive": (1, ("test: 'q5'",)),
        "duplicate-query-text": (1, ("test: 'query 1' (2 times)",)),
        "split-overlap-text": (1, ("train 'q6' and test 'q2'",)),
        "unreachable": (1, ("train: query 'q6', document 'd9'",)),
        "judged-not-in-corpus": (2, ("'d8'", "'d9'")),
    }


def test_splits_that_share_a_query(folder: Path, context: Context) -> None:
    add(folder / "qrels" / "train.tsv", "q1\td1\t1")
    finding = found(check(str(folder), context))["split-overlap"]
    assert (finding.level, finding.count, finding.examples) == ("warning", 1, ("train and test: 'q1'",))


def test_queries_that_are_documents(folder: Path, context: Context) -> None:
    add(folder / "corpus.jsonl", '{"_id": "q1", "text": "Query 1"}', '{"_id": "q2", "text": "something else"}')
    codes = found(check(str(folder), context))
    assert (codes["self-dropped"].count, codes["self-kept"].count) == (1, 1)
    assert {codes["self-dropped"].level, codes["self-kept"].level} == {"note"}


def test_the_rule_of_a_made_set(folder: Path, context: Context) -> None:
    add(folder / "corpus.jsonl", '{"_id": "q1", "text": "Query 1"}', '{"_id": "q2", "text": "something else"}')
    for said, code, count in (("true", "self-dropped", 2), ("false", "self-kept", 2)):
        (folder / "manifest.json").write_text('{"queries": {"own_documents_left_out": ' + said + "}}")
        codes = found(check(str(folder), context))
        assert {"self-dropped", "self-kept"} & codes.keys() == {code}
        assert codes[code].count == count


def test_the_rule_of_arguana(folder: Path, tmp_path: Path) -> None:
    add(folder / "corpus.jsonl", '{"_id": "q2", "text": "something else"}')
    folder.rename(tmp_path / "arguana")
    context = Context(cache=Cache(tmp_path / "cache"), data_dirs=(tmp_path,))
    for name in ("beir/arguana", "beir/arguana/test"):
        assert {"self-dropped", "self-kept"} & found(check(name, context)).keys() == {"self-dropped"}


def test_unjudged_and_negative(folder: Path, context: Context) -> None:
    add(folder / "queries.jsonl", '{"_id": "q4", "text": "never judged"}')
    add(folder / "qrels" / "test.tsv", "q1\td3\t-1")
    codes = found(check(str(folder), context))
    assert {code: finding.level for code, finding in codes.items()} == {
        "unjudged-queries": "note",
        "negative-grade": "note",
    }


def test_a_source_without_files(folder: Path, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = SOURCES.get("folder")()

    @dataclass(frozen=True)
    class Bare(Source):
        def load(self, rest: str, context: Context) -> Dataset:
            return inner.load(str(folder), context)

        def available(self, context: Context) -> list[str]:
            return []

    monkeypatch.setattr(type(SOURCES), "get", lambda self, name: Bare)
    report = check("folder/anything", context)
    assert report.usable
    assert report.counts["documents"] == 3
    assert report.counts["test: judgements"] == 3
    assert report.counts["train: queries"] == 1


def test_unknown(context: Context) -> None:
    with pytest.raises(UnknownName):
        check("nothing/here", context)


def test_a_split_whose_relevant_documents_are_all_missing_is_not_usable(folder: Path, context: Context) -> None:
    (folder / "qrels" / "test.tsv").write_text(f"{HEADER}q1\tgone\t1\n")
    report = check(str(folder), context)
    assert found(report)["none-reachable"].level == "error"
    assert not report.usable
    with pytest.raises(HarnessError, match="none of its 1 relevant documents is in the corpus"):
        load_dataset(str(folder), context)


LINES = st.lists(
    st.sampled_from(
        ['{"_id": "d1", "text": "a"}', '{"_id": "d2", "text": "b"}', '{"_id": "d3", "text": ""}', '{"_id": 4}', "x", ""]
    ),
    max_size=4,
)
JUDGED = st.lists(
    st.sampled_from(["d1\td1\t1", "d1\td2\t0", "d2\td1\t2", "d2\td1\t1", "d9\td1\t1", "d1\td1", "d1\td1\t.5"]),
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(corpus=LINES, queries=LINES, qrels=JUDGED, headed=st.booleans())
def test_usable_means_that_it_loads(
    corpus: list[str], queries: list[str], qrels: list[str], headed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "qrels").mkdir()
    (folder / "corpus.jsonl").write_text("\n".join(corpus))
    (folder / "queries.jsonl").write_text("\n".join(queries))
    (folder / "qrels" / "test.tsv").write_text((HEADER if headed else "") + "\n".join(qrels))
    context = Context(cache=Cache(folder / "cache"))
    usable = check(str(folder), context).usable
    try:
        load_dataset(str(folder), context)
    except HarnessError:
        assert not usable
    else:
        assert usable


def test_queries_of_two_splits_that_differ_in_a_word_are_named(folder: Path, context: Context) -> None:
    text = "statins lower the risk of a second stroke in older patients"
    both = {"n1": text, "n2": text.replace("lower", "raise")}
    add(folder / "queries.jsonl", *(json.dumps({"_id": query, "text": words}) for query, words in both.items()))
    add(folder / "qrels" / "train.tsv", "n1\td1\t1")
    add(folder / "qrels" / "test.tsv", "n2\td2\t1")
    finding = found(check(str(folder), context))["split-overlap-near"]
    assert finding.count == 1
    assert finding.examples[0].startswith("train 'n1' and test 'n2' (0.")
