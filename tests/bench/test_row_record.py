from __future__ import annotations

from harness.bench.row_record import blank_record, leaks_of, with_fit
from harness.data.dataset import Dataset
from harness.methods import fit, index
from harness.rows import parse_method
from harness.runtime.context import Context


def test_a_blank_record_says_of_what_it_is_and_has_no_scores(small: Dataset, context: Context) -> None:
    record = blank_record(small, parse_method("bm25"), context.reseeded(4), 50)
    assert (record.row, record.seed, record.depth, record.measures) == ("bm25", 4, 50, {})
    assert record.dataset["documents"] == len(small.corpus)
    assert record.dataset["judgements"] == sum(map(len, small.test.qrels.values()))


def test_a_record_with_its_fit_has_settings_size_and_notes(small: Dataset, context: Context) -> None:
    method = parse_method("bm25")
    fitted = fit(method, small.train, context)
    searcher = index(method, fitted, small.corpus, context)
    searched = searcher.report(small.test.queries)
    record = with_fit(blank_record(small, method, context, 50), fitted, searched, [], ["a note"])
    assert record.size["index_bytes"] == searched.size.index_bytes > 0
    assert record.notes == [*fitted.notes, "a note"]
    assert record.resolved == {**fitted.resolved, **searched.resolved}


def test_a_row_without_labels_has_leaks_and_no_notes_of_them(small: Dataset, context: Context) -> None:
    fitted = fit(parse_method("bm25"), small.train, context)
    values = {"nDCG@10": dict.fromkeys(small.test.qrels, 0.5)}
    leaks, notes = leaks_of(fitted, small, values, context)
    assert "queries" in leaks
    assert "taught" not in leaks
    assert notes == []
