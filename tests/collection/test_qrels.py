from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import DatasetError
from harness.collection.qrels import read_qrels
from harness.data.lines import Fault

HEADER = "query-id\tcorpus-id\tscore"
IDS = st.text("abcxyz019_-", min_size=1, max_size=5)


def written(tmp_path: Path, *rows: str, name: str = "test.tsv") -> Path:
    path = tmp_path / name
    path.write_bytes("\n".join(rows).encode())
    return path


@given(
    qrels=st.dictionaries(IDS, st.dictionaries(IDS, st.integers(-2, 4), min_size=1, max_size=4), max_size=5),
    beir=st.booleans(),
)
def test_what_is_written_is_read(
    qrels: dict[str, dict[str, int]], beir: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [(q, d, g) for q, grades in qrels.items() for d, g in grades.items()]
    shown = [HEADER, *(f"{q}\t{d}\t{g}" for q, d, g in rows)] if beir else [f"{q} 0  {d}\t{g}" for q, d, g in rows]
    path = written(tmp_path_factory.mktemp("qrels"), *shown, name="test.tsv" if beir else "test.txt")
    assert read_qrels(path) == qrels


def test_windows_file_with_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    path.write_bytes(b"\xef\xbb\xbfquery-id\tcorpus-id\tscore\r\nq\td\t1\r\n")
    assert read_qrels(path) == {"q": {"d": 1}}


@pytest.mark.parametrize("header", ["Query-ID\tCorpus-ID\tScore", "query_id\tcorpus_id\tscore"])
def test_spellings_of_the_header(tmp_path: Path, header: str) -> None:
    assert read_qrels(written(tmp_path, header, "q\td\t1")) == {"q": {"d": 1}}


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        (["q\td\t1"], 1, r"query-id\\tcorpus-id\\tscore.*add the header above it"),
        (["q 0 d 1"], 1, r"looks like TREC qrels: name the file \.qrels"),
        (["corpus-id\tquery-id\tscore", "d\tq\t1"], 1, "no header"),
        ([HEADER, "q\td"], 2, "2 columns, 3"),
        ([HEADER, "q\td\t1\t2"], 2, "4 columns, 3"),
        ([HEADER, "q d 1"], 2, "separate them by tabs"),
        ([HEADER, "q\t\t1"], 2, "an id is empty"),
        ([HEADER, "q\td\t1.0"], 2, "grade '1.0' is not an integer"),
        ([HEADER, "q\td\t1", f"\ufeff{HEADER}", "q\te\t1"], 3, r"the line begins with U\+FEFF \(byte order mark\)"),
        ([HEADER, "q\u2003d\t1"], 2, r"2 columns, 3 .* U\+2003 \(em space\) at character 2"),
        ([HEADER, "q\td\t0.5"], 2, "grade '0.5' is not an integer"),
        ([HEADER, "q\td\t1_0"], 2, "not an integer"),
        ([HEADER, "q\td\t1", "q\te\t0", "q\td\t2"], 4, "judged 2 here and 1 on line 2"),
    ],
)
def test_what_is_refused_and_where(tmp_path: Path, rows: list[str], line: int, words: str) -> None:
    with pytest.raises(DatasetError, match=rf"test\.tsv, line {line}: .*{words}"):
        read_qrels(written(tmp_path, *rows))


def test_trec_file_with_beir_columns(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"qrels\.txt, line 1: 3 columns, 4 .*name the file \.tsv"):
        read_qrels(written(tmp_path, HEADER, "q\td\t1", name="qrels.txt"))


def test_the_same_judgement_twice_counts_once(tmp_path: Path) -> None:
    assert read_qrels(written(tmp_path, HEADER, "q\td\t1", "q\td\t1")) == {"q": {"d": 1}}


def test_a_missing_header_does_not_cost_the_first_judgement(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert read_qrels(written(tmp_path, "q\td\t1", "q\te\tx"), faults.append) == {"q": {"d": 1}}
    assert [(f.code, f.line) for f in faults] == [("header", 1), ("grade", 2)]


@pytest.mark.parametrize(
    ("cell", "document"),
    [
        ('"d0"', "d0"),
        ('"""Heroes"""', '"Heroes"'),
        ('"a ""b"""', 'a "b"'),
        ('"Heroes"_1977', '"Heroes"_1977'),
        ('d"0', 'd"0'),
    ],
)
def test_quotes_are_csvs_as_for_beirs_reader(cell: str, document: str, tmp_path: Path) -> None:
    assert read_qrels(written(tmp_path, HEADER, f"q\t{cell}\t1")) == {"q": {document: 1}}


def test_trec_columns_are_split_at_white_space_of_ascii_alone(tmp_path: Path) -> None:
    path = written(tmp_path, "q\u00a01 0\td\u00a0 1 ", name="test.txt")
    assert read_qrels(path) == {"q\u00a01": {"d\u00a0": 1}}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("q 0\u00a0d 1", r"3 columns, 4 .* U\+00A0 \(no-break space\) at character 4"),
        ("q 0 d 1\u00a0", r"not an integer.* It contains U\+00A0 \(no-break space\) at character 2"),
        ("\ufeffq 0 d 1", r"the line begins with U\+FEFF \(byte order mark\)"),
    ],
)
def test_trec_lines_with_an_invisible_character_name_it(row: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=rf"test\.txt, line 2: .*{words}"):
        read_qrels(written(tmp_path, "q 0 d 1", row, name="test.txt"))


@pytest.mark.parametrize("grade", ["999999999", "-999999999", "1000001"])
@pytest.mark.parametrize("name", ["test.tsv", "test.txt"])
def test_a_grade_for_which_trec_eval_would_take_gigabytes_is_refused(grade: str, name: str, tmp_path: Path) -> None:
    rows = [HEADER, f"q\td\t{grade}"] if name.endswith("tsv") else ["q 0 d 1", f"q 0 e {grade}"]
    with pytest.raises(DatasetError, match=rf"{name}, line 2: grade {grade} is beyond 1,000,000"):
        read_qrels(written(tmp_path, *rows, name=name))
