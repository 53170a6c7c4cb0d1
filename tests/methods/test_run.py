import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import DatasetError, SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import Run, TopK
from harness.data.trec import write_run
from harness.methods import Searcher, Size, fit
from harness.methods.bm25 import BM25
from harness.methods.run import RunFile
from harness.rows import parse_method
from harness.runtime.context import Context

Rank = Callable[..., TopK]
Search = Callable[..., Searcher]


def written(path: Path, *lines: str) -> RunFile:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return RunFile(str(path))


@pytest.mark.parametrize("name", ["mine.trec", "mine.run.gz"])
def test_a_row_that_was_written_is_read_back_the_same(
    name: str, corpus: Corpus, queries: Queries, rank: Rank, tmp_path: Path
) -> None:
    top = rank(BM25(), corpus, queries, 25)
    write_run(tmp_path / name, Run(queries, top, corpus), "bm25")
    again = rank(RunFile(str(tmp_path / name)), corpus, queries, 25)
    assert np.array_equal(again.indices, top.indices)
    assert np.array_equal(again.scores, top.scores)


def test_scores_decide_and_not_ranks_nor_the_order_of_the_lines(tmp_path: Path, corpus: Corpus, rank: Rank) -> None:
    row = written(tmp_path / "r.trec", "q0 Q0 5 1 0.5 x", "q0 Q0 7 2 0.9 x", "q0 Q0 6 3 0.9 x")
    assert corpus.ids(rank(row, corpus, Queries(["q0"], ["?"]), 3).indices[0]) == ["7", "6", "5"]


def test_a_query_the_file_does_not_rank_is_unanswered(tmp_path: Path, corpus: Corpus, rank: Rank) -> None:
    row = written(tmp_path / "r.trec", "q0 Q0 5 1 0.5 x")
    top = rank(row, corpus, Queries(["q1", "q0"], ["?", "?"]), 2)
    assert top.indices.tolist() == [[-1, -1], [5, -1]]


def test_ranked_queries_that_are_not_asked_are_left_out(tmp_path: Path, corpus: Corpus, rank: Rank) -> None:
    row = written(tmp_path / "r.trec", "q0 Q0 5 1 0.5 x", "other Q0 nowhere 1 0.5 x")
    assert rank(row, corpus, Queries(["q0"], ["?"]), 1).indices.tolist() == [[5]]


def test_an_unknown_document_is_named_with_its_query(tmp_path: Path, corpus: Corpus, rank: Rank) -> None:
    row = written(tmp_path / "r.trec", "q0 Q0 5 1 0.5 x", "q0 Q0 nowhere 2 0.4 x")
    with pytest.raises(
        DatasetError, match=r"r\.trec: 1 of 2 ranked documents are not in the collection, .*query 'q0' ranks 'nowhere'"
    ):
        rank(row, corpus, Queries(["q0"], ["?"]), 2)


def test_a_run_of_another_collection_is_told_by_its_queries(tmp_path: Path, corpus: Corpus, rank: Rank) -> None:
    row = written(tmp_path / "r.trec", "other Q0 5 1 0.5 x")
    with pytest.raises(
        DatasetError, match="ranks none of the 2 queries, for example 'q0'; is it of another collection"
    ):
        rank(row, corpus, Queries(["q0", "q1"], ["?", "?"]), 2)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["q0 Q0 5 1 0.5 x", "q0 Q0 6 2"], "line 2: 4 columns; a TREC run has six"),
        (["q0 Q0 5 1 high x"], "line 1: score 'high' is not a number"),
        (["q0 Q0 5 1 nan x"], "line 1: score 'nan' is not a finite number"),
        (
            ["q0 Q0 5 1 0.5 x", "", "q0 Q0 5 2 0.4 x"],
            "line 3: document '5' occurs a second time in the ranking of query 'q0'",
        ),
        ([], "contains no ranking"),
    ],
)
def test_a_malformed_line_is_named(
    lines: list[str], told: str, tmp_path: Path, corpus: Corpus, context: Context
) -> None:
    with pytest.raises(DatasetError, match=told) as caught:
        fit(written(tmp_path / "r.trec", *lines), TrainView(corpus), context)
    assert "r.trec" in str(caught.value)


def test_a_file_that_is_no_archive_though_it_says_so_is_a_dataset_error(
    tmp_path: Path, corpus: Corpus, context: Context
) -> None:
    (tmp_path / "plain.gz").write_text("q0 Q0 5 1 0.5 x\n")
    (tmp_path / "short.gz").write_bytes(gzip.compress(b"q0 Q0 5 1 0.5 x\n" * 100)[:-10])
    for name in ("plain.gz", "short.gz"):
        with pytest.raises(DatasetError, match=name):
            fit(RunFile(str(tmp_path / name)), TrainView(corpus), context)


def test_a_missing_file_and_a_folder_are_dataset_errors(tmp_path: Path, corpus: Corpus, context: Context) -> None:
    with pytest.raises(DatasetError, match=r"there is no run file .*nowhere\.trec"):
        fit(RunFile(str(tmp_path / "nowhere.trec")), TrainView(corpus), context)
    with pytest.raises(DatasetError, match="cannot be read"):
        fit(RunFile(str(tmp_path)), TrainView(corpus), context)


def test_run_slash_file_is_the_row_of_that_file() -> None:
    assert parse_method("run/some folder/my.trec") == RunFile("some folder/my.trec")
    assert parse_method('run(path="a.trec")') == RunFile("a.trec")


@pytest.mark.parametrize("text", ["run", "run/", 'run(path="")'])
def test_without_a_file_it_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=r"name the file, as run/my\.trec"):
        parse_method(text)


def test_its_content_is_its_input_and_its_key(tmp_path: Path, corpus: Corpus, context: Context) -> None:
    row = written(tmp_path / "r.trec", "q0 Q0 5 1 0.5 x")
    before = row.inputs(context), fit(row, TrainView(corpus), context).key
    written(tmp_path / "r.trec", "q0 Q0 5 1 0.25 x")
    later = Context(cache=context.cache)
    after = row.inputs(later), fit(row, TrainView(corpus), later).key
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert RunFile(str(tmp_path / "nowhere")).inputs(context) == {}


def test_nothing_is_known_of_how_it_was_made(
    tmp_path: Path, corpus: Corpus, searcher_of: Search, context: Context
) -> None:
    row = written(tmp_path / "r.trec", "q0 Q0 5 1 0.5 x")
    searcher = searcher_of(row, corpus)
    assert fit(row, TrainView(corpus), context).supervision == "unknown"
    assert (searcher.live, searcher.size) == (False, Size())


def notes(row: RunFile, corpus: Corpus, asked: Queries, context: Context) -> list[str]:
    fitted = fit(row, TrainView(corpus), context)
    searcher = fitted.index(corpus, context)
    searcher.search(asked, 3)
    return [*fitted.notes, *searcher.notes(asked)]


def test_ranks_that_contradict_scores_are_noted(tmp_path: Path, corpus: Corpus, context: Context) -> None:
    lines = ("q0 Q0 5 1 0.5 x", "q0 Q0 7 2 0.9 x", "q1 Q0 5 1 2 x", "q1 Q0 6 2 2 x", "q1 Q0 7 3 1 x")
    row = written(tmp_path / "r.trec", *lines)
    told = "r.trec: ranks contradict scores in 1 of 2 queries (for example of 'q0' on line 2): scores decide"
    assert notes(row, corpus, Queries(["q0", "q1"], ["?", "?"]), context) == [told]


@pytest.mark.parametrize("ranks", [("0", "0", "0"), ("3", "2", "1"), ("-", "-", "-")])
def test_ranks_that_say_nothing_or_the_same_are_not_noted(
    ranks: tuple[str, ...], tmp_path: Path, corpus: Corpus, context: Context
) -> None:
    lines = [f"q0 Q0 {5 + n} {rank} {n} x" for n, rank in enumerate(ranks)]
    assert notes(written(tmp_path / "r.trec", *lines), corpus, Queries(["q0"], ["?"]), context) == []


def test_scores_that_are_equal_in_32_bits_are_noted(tmp_path: Path, corpus: Corpus, context: Context) -> None:
    row = written(tmp_path / "r.trec", "q0 Q0 5 1 1.00000001 x", "q0 Q0 6 2 1.0 x")
    (told,) = notes(row, corpus, Queries(["q0"], ["?"]), context)
    assert told == "r.trec: scores differ only beyond 32 bits in 1 of 1 queries: they count as ties"


def test_queries_that_are_not_judged_are_noted_with_those_that_look_the_same(
    tmp_path: Path, corpus: Corpus, context: Context
) -> None:
    row = written(tmp_path / "r.trec", "q0 Q0 5 1 1 x", "Q1 Q0 6 2 1.0 x")
    (told,) = notes(row, corpus, Queries(["q0", "q1"], ["?", "?"]), context)
    assert told.startswith(
        "r.trec: ranks 1 queries that are not among the 2 judged here: left out; 1 queries of the coll"
    )
    assert "'q1' and 'Q1': they are not joined" in told


def test_notes_and_errors_name_the_file_though_another_has_the_same_content(
    tmp_path: Path, corpus: Corpus, searcher_of: Search
) -> None:
    line, asked = "q1 Q0 5 1 1 x", Queries(["q0", "q1"], ["?", "?"])
    searchers = [searcher_of(written(tmp_path / name, line, "q2 Q0 5 1 1 x"), corpus) for name in ("a.trec", "b.trec")]
    assert [searcher.notes(asked)[0][:6] for searcher in searchers] == ["a.trec", "b.trec"]
    for searcher, name in zip(searchers, ("a.trec", "b.trec"), strict=True):
        with pytest.raises(DatasetError, match=rf"{name} ranks none of the 1 queries"):
            searcher.search(Queries(["q9"], ["?"]), 3)


def test_documents_that_the_corpus_lacks_are_counted(tmp_path: Path, corpus: Corpus, rank: Rank) -> None:
    row = written(tmp_path / "r.trec", *(f"q{n} Q0 x{n} 1 1 x" for n in range(3)), "q0 Q0 5 2 0.5 x", "q3 Q0 ５ 1 1 x")
    asked = Queries(["q0", "q1", "q2", "q3", "q4"], ["?"] * 5)
    with pytest.raises(
        DatasetError, match=r"4 of 5 ranked documents are not in .*, in 4 of 5 queries; .*'x0'"
    ) as caught:
        rank(row, corpus, asked, 2)
    assert "1 of them look like ids of the collection" in str(caught.value)


def test_names_that_no_file_can_have_or_no_record_hold(tmp_path: Path, corpus: Corpus, context: Context) -> None:
    with pytest.raises(DatasetError, match=r"there is no run file x{300}"):
        fit(RunFile("x" * 300), TrainView(corpus), context)
    assert RunFile("x" * 300).inputs(context) == {}
    for text in ("run/\udcff", 'dense(model="\\ud800")'):
        with pytest.raises(SettingError, match="which is not text"):
            parse_method(text)
