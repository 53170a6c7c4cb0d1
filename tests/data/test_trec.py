"""Run files read back as what was written."""

from __future__ import annotations

import gzip
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import DatasetError
from harness.collection.qrels import read_qrels
from harness.data import trec
from harness.data.corpus import Corpus
from harness.data.ids import unfit
from harness.data.queries import Queries
from harness.data.ranking import Run, TopK, select, stack
from harness.data.trec import read_run, write_qrels, write_run, write_topics

ID = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5).filter(lambda name: not unfit(name))
SCORE = st.floats(width=32, allow_nan=False, allow_infinity=False)


def run_of(rankings: dict[str, dict[str, float]]) -> Run:
    ids = sorted({document for ranking in rankings.values() for document in ranking})
    corpus = Corpus.of([(i, "", "") for i in ids or ["none"]])
    parts = [
        select(corpus.rows(list(ranking)), np.fromiter(ranking.values(), np.float32, len(ranking)), corpus.id_order, 99)
        for ranking in rankings.values()
    ]
    return Run.of(Queries(list(rankings), [""] * len(rankings)), stack(parts, 99), corpus)


RUN = {"q1": {"d1": 2.5, "d2": 0.1, "d3": -1e-20}, "q2": {"d2": 3.0}}


RANKINGS = st.dictionaries(ID, st.dictionaries(ID, SCORE, min_size=1, max_size=5), min_size=1, max_size=4)


@given(RANKINGS, st.sampled_from(["", ".gz"]))
def test_a_run_reads_back_bit_for_bit(rankings: dict[str, dict[str, float]], suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"run{suffix}"
        write_run(path, run_of(rankings), "tag")
        held = read_run(path)
    assert held.keys() == rankings.keys()
    for query, ranking in rankings.items():
        assert held[query].keys() == ranking.keys()
        for document, score in ranking.items():
            assert np.float32(held[query][document]).tobytes() == np.float32(score).tobytes()


def test_lines_are_in_the_documented_order_with_ranks_from_1(tmp_path: Path) -> None:
    write_run(tmp_path / "run", run_of({"q1": {"a": 1.0, "b": 1.0, "c": 0.1}, "q2": {"a": 100.0}}), "my tag")
    assert (tmp_path / "run").read_text() == (
        "q1 Q0 b 1 1.0 my_tag\nq1 Q0 a 2 1.0 my_tag\nq1 Q0 c 3 0.1 my_tag\nq2 Q0 a 1 100.0 my_tag\n"
    )


def test_a_query_without_an_answer_has_no_line(tmp_path: Path) -> None:
    write_run(tmp_path / "run", run_of({"q1": {"a": 1.0}, "q2": {}}), "t")
    assert read_run(tmp_path / "run") == {"q1": {"a": 1.0}}


@pytest.mark.parametrize(("tag", "column"), [("bm25 >> dense", "bm25_>>_dense"), ("a\tb\n", "a_b_"), ("", "run")])
def test_a_tag_is_one_column(tmp_path: Path, tag: str, column: str) -> None:
    write_run(tmp_path / "run", run_of({"q": {"d": 1.0}}), tag)
    assert (tmp_path / "run").read_text().split(" ")[5] == f"{column}\n"


def test_the_bytes_of_a_compressed_run_know_no_time_and_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "one.gz", run_of(RUN), "t")
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    write_run(tmp_path / "two.gz", run_of(RUN), "t")
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.gz").read_bytes()).startswith(b"q1 Q0 d1 1 2.5 t\n")


def test_a_compressed_run_has_the_lines_of_a_plain_one(tmp_path: Path) -> None:
    run = run_of({f"q{q}": {f"d{d}": (d * 7 + q) % 11 / 3 for d in range(1 + q)} for q in range(40)})
    for name in ("run", "run.gz"):
        write_run(tmp_path / name, run, "t")
    lines = [
        f"{query} Q0 {document} {rank} {np.float32(score)!s} t\n"
        for query, documents, scores in run
        for rank, (document, score) in enumerate(zip(documents, scores, strict=True), start=1)
    ]
    assert (tmp_path / "run").read_text() == "".join(lines)
    assert gzip.decompress((tmp_path / "run.gz").read_bytes()) == (tmp_path / "run").read_bytes()


def test_trec_eval_reads_the_same_figures_from_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rankings = {f"q{q}": {f"d{d}": float(rng.integers(0, 4)) for d in rng.permutation(30)[:20]} for q in range(5)}
    qrels = {f"q{q}": {f"d{d}": int(rng.integers(0, 3)) for d in range(30)} for q in range(5)}
    write_run(tmp_path / "run", run_of(rankings), "t")
    with open(tmp_path / "run") as file:
        theirs = pytrec_eval.parse_run(file)
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg", "map"})
    assert evaluator.evaluate(theirs) == evaluator.evaluate(rankings)


def test_a_write_that_fails_leaves_the_old_run(tmp_path: Path) -> None:
    write_run(tmp_path / "run", run_of(RUN), "t")
    before = (tmp_path / "run").read_bytes()
    two = Run(Queries(["a"], [""]), TopK(np.zeros((2, 1), np.int64), np.zeros((2, 1), np.float32)), run_of(RUN).corpus)
    with pytest.raises(ValueError, match="zip"):
        write_run(tmp_path / "run", two, "t")
    assert (tmp_path / "run").read_bytes() == before
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]


def test_columns_may_be_parted_by_any_white_space_and_lines_be_empty(tmp_path: Path) -> None:
    (tmp_path / "run").write_bytes(b"\n q1\tQ0\td1  7\t1e-3 me \r\n\r\nq1 0 d2 1 -2 me")
    assert read_run(tmp_path / "run") == {"q1": {"d1": 0.001, "d2": -2.0}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"q Q0 d 1 1.0 t\nq Q0 d 1 1.0\n", r"line 2: 5 columns; a TREC run has six"),
        (b"q Q0 d 1 1.0 t more\n", r"line 1: 7 columns"),
        (b"q Q0 d 1 high t\n", r"line 1: score 'high' is not a number"),
        (b"q Q0 d 1 nan t\n", r"line 1: score 'nan' is not a finite number"),
        (b"q Q0 d 1 -inf t\n", r"line 1: score '-inf' is not a finite number"),
        (b"q Q0 d 1 -3.4028236e38 t\n", r"line 1: score '-3.4028236e38' is not a finite number of 32 bits"),
        (
            b"q Q0 d 1 2 t\nx Q0 d 1 2 t\nq Q0 d 2 1 t\n",
            r"line 3: document 'd' occurs a second time in the ranking of query 'q'",
        ),
        (b"q Q0 d 1 2 t\nq Q0 \xff 1 2 t\n", r"line 2: .*utf-8"),
        (
            "q Q0\u00a0d 1 2 t\n".encode(),
            r"line 1: 5 columns; .* It contains U\+00A0 \(no-break space\) at character 5",
        ),
        (
            "q Q0 d 1 2\u200b t\n".encode(),
            r"line 1: score .* is not a number\. It contains U\+200B \(zero width space\)",
        ),
        (
            "q Q0 d 1 2 t\n\ufeffr Q0 d 1 2 t\n".encode(),
            r"line 2: the line begins with U\+FEFF \(byte order mark\), which is left from joining two files",
        ),
        (b"", r"contains no ranking"),
        (b"\n\n", r"contains no ranking"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_malformed_run_is_refused_with_the_line(tmp_path: Path, content: bytes, message: str, suffix: str) -> None:
    path = tmp_path / f"my.run{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    with pytest.raises(DatasetError, match=rf"my\.run{suffix}.* {message}"):
        read_run(path)


def test_a_run_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"there is no run file .*absent"):
        read_run(tmp_path / "absent")


def test_a_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_run(tmp_path)


@pytest.mark.parametrize("damage", ["not compressed", "cut short", "altered", "no deflate"])
def test_a_damaged_compressed_run_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "run.gz"
    write_run(path, run_of({f"q{i}": {f"d{i}": i / 7} for i in range(500)}), "t")
    whole = path.read_bytes()
    middle = len(whole) // 2
    altered = whole[:middle] + bytes(255 - b for b in whole[middle : middle + 40]) + whole[middle + 40 :]
    broken = {
        "not compressed": b"q Q0 d 1 1 t\n",
        "cut short": whole[:-20],
        "altered": altered,
        "no deflate": whole[:10] + b"\xff" * 30,
    }
    path.write_bytes(broken[damage])
    with pytest.raises(DatasetError, match=r"run\.gz"):
        read_run(path)


def test_an_id_that_appears_late_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trec, "CHECKED", 2)
    corpus = Corpus.of([("a", "", "x"), ("b", "", "x"), ("c", "", "x"), ("d d", "", "x")])
    rows = np.array([[0, 1, 2], [0, 1, 2], [0, 1, 3]])
    top = TopK(rows, np.ones((3, 3), np.float32))
    with pytest.raises(DatasetError, match="white space"):
        write_run(tmp_path / "run.gz", Run.of(Queries(["1", "2", "3"], ["x"] * 3), top, corpus), "tag")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("query", "document"), [("q 1", "d1"), ("q1", "a doc"), ("q1", "a\nb")])
def test_an_id_with_white_space_is_refused_and_nothing_is_written(query: str, document: str, tmp_path: Path) -> None:
    corpus = Corpus.of([(document, "", "x")])
    run = Run.of(Queries([query], ["x"]), TopK(np.array([[0]]), np.array([[1.0]], np.float32)), corpus)
    with pytest.raises(DatasetError, match="white space"):
        write_run(tmp_path / "run.gz", run, "tag")
    assert list(tmp_path.iterdir()) == []


QRELS = {"q1": {"d1": 2, "d2": 0, "d3": -1}, "q2": {"d2": 1}}


def test_qrels_are_read_back_grades_and_all(tmp_path: Path) -> None:
    write_qrels(tmp_path / "qrels.txt", QRELS)
    assert (tmp_path / "qrels.txt").read_text() == "q1 0 d1 2\nq1 0 d2 0\nq1 0 d3 -1\nq2 0 d2 1\n"
    assert read_qrels(tmp_path / "qrels.txt") == QRELS
    with open(tmp_path / "qrels.txt") as file:
        assert pytrec_eval.parse_qrel(file) == QRELS


@pytest.mark.parametrize(
    ("qrels", "why"),
    [
        ({"q 1": {"d1": 1}}, "contains white space"),
        ({"q1": {"d 1": 1}}, "contains white space"),
        ({"q1": {"d1 ": 1}}, "contains white space"),
        ({"q1": {"d\t1": 1}}, "contains white space"),
        ({"q1": {"d\n1": 1}}, "contains white space"),
        ({"": {"d1": 1}}, "is empty"),
        ({"q1": {"d\0": 1}}, "contains a NUL character, at which C ends a word"),
        ({"\ufeffq1": {"d": 1}}, "begins with a byte order mark, which readers remove"),
    ],
)
def test_ids_that_qrels_cannot_hold_are_refused(qrels: dict[str, dict[str, int]], why: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=f"{why}, which a TREC qrels file cannot represent"):
        write_qrels(tmp_path / "qrels.txt", qrels)


def test_topics_that_a_form_cannot_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"query 'q1' contains the character '\\x07', which XML cannot represent: write \.tsv"
    ):
        write_topics(tmp_path / "topics.xml", Queries(["q1"], ["a bell\x07"]))
    with pytest.raises(DatasetError, match="white space, which a TREC topics file cannot represent"):
        write_topics(tmp_path / "topics.tsv", Queries(["q 1"], ["a"]))
    assert not list(tmp_path.iterdir())


@given(st.dictionaries(ID, st.dictionaries(ID, st.integers(-9, 9), min_size=1, max_size=3), min_size=1, max_size=4))
def test_qrels_read_back_whatever_the_ids(qrels: dict[str, dict[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_qrels(Path(folder) / "qrels.txt", qrels)
        assert read_qrels(Path(folder) / "qrels.txt") == qrels


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("q1 Q0 d1 1 2.0 t\nq2 Q0 d1 1 1.0 t\n", "utf-8-sig"),
        ("q1 Q0 d1 1 2.0 t\r\nq2 Q0 d1 1 1.0 t\r\n", "utf-16"),
        ("q1 Q0 d1 1 2.0 t\rq2 Q0 d1 1 1.0 t\r", "utf-8"),
    ],
)
def test_a_run_keeps_its_first_query_in_every_encoding_and_with_every_line_end(
    text: str, encoding: str, tmp_path: Path
) -> None:
    (tmp_path / "run").write_bytes(text.encode(encoding))
    assert read_run(tmp_path / "run") == {"q1": {"d1": 2.0}, "q2": {"d1": 1.0}}


def test_a_no_break_space_and_a_line_separator_are_part_of_an_id_as_in_trec_eval(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("q1 Q0 d\u00a01 1 2.0 t\nq1 Q0 d\u2028 2 1.0 t\n", encoding="utf-8")
    with open(tmp_path / "run", encoding="utf-8", newline="\n") as file:
        lines = [line.encode().split() for line in file]
    assert read_run(tmp_path / "run") == {"q1": {line[2].decode(): float(line[4]) for line in lines}}


@pytest.mark.parametrize("score", ["1_000", "١", "0x1p3", "1e39", "1,5"])
def test_scores_that_c_reads_otherwise_are_refused(score: str, tmp_path: Path) -> None:
    (tmp_path / "run").write_text(f"q1 Q0 d1 1 {score} t\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"run, line 1: score '.*' is not a"):
        read_run(tmp_path / "run")
