from collections import Counter

import pytest

from harness.bench.plan import Plan, PlannedStep, plan
from harness.methods import Method
from harness.methods.bm25 import BM25
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.rerank import Rerank
from harness.rows import DEFAULT_ROWS, parse_method


def rows(*texts: str) -> list[Method]:
    return [parse_method(text) for text in texts]


def steps_of(found: Plan, kind: str, method: Method) -> list[PlannedStep]:
    return [step for step in found.steps if step.kind == kind and step.method == method]


def test_bm25_is_fitted_indexed_and_searched_once_for_all_rows_that_need_it() -> None:
    found = plan(rows("bm25", "hybrid-rrf", "hybrid-convex", "bm25>>dense"), ["a"], 1000)
    for kind in ("fit", "index", "search"):
        (step,) = steps_of(found, kind, BM25())
        assert step.rows == ["bm25", "hybrid-rrf", "hybrid-convex", "bm25>>dense"]


def test_other_settings_are_another_step() -> None:
    found = plan(rows("bm25", "bm25(k1=1.2)", "bm25(k1=1.2)>>dense"), ["a"], 10)
    assert steps_of(found, "index", BM25())[0].rows == ["bm25"]
    assert steps_of(found, "index", BM25(k1=1.2))[0].rows == ["bm25(k1=1.2)", "bm25(k1=1.2)>>dense"]


def test_a_shared_search_is_as_deep_as_the_deepest_row_needs() -> None:
    (step,) = steps_of(plan(rows("bm25>>dense", "bm25"), ["a"], 20), "search", BM25())
    assert step.depth == 100
    (step,) = steps_of(plan(rows("bm25>>dense", "bm25"), ["a"], 500), "search", BM25())
    assert step.depth == 500
    (step,) = steps_of(
        plan(rows("bm25", "hybrid(methods=(bm25, bm25(k1=2)), depth=700)"), ["a"], 500), "search", BM25()
    )
    assert step.depth == 700


def test_the_depth_of_a_dataset_is_that_of_its_deepest_search() -> None:
    found = plan(rows("bm25>>dense"), ["a"], 20)
    assert (found.depth("a"), found.depth("b")) == (100, 0)


def test_a_scorer_is_fitted_and_neither_indexed_nor_searched() -> None:
    found = plan(rows("bm25>>dense", "bm25>>cross-encoder"), ["a"], 10)
    for scorer in (Dense(), CrossEncoder()):
        assert len(steps_of(found, "fit", scorer)) == 1
        assert not steps_of(found, "index", scorer)
        assert not steps_of(found, "search", scorer)


def test_a_scorer_that_is_also_a_row_is_indexed_for_that_row_alone() -> None:
    found = plan(rows("bm25>>dense", "dense"), ["a"], 10)
    assert steps_of(found, "fit", Dense())[0].rows == ["bm25>>dense", "dense"]
    assert steps_of(found, "index", Dense())[0].rows == ["dense"]


def test_a_chain_searches_each_stage_to_the_depth_the_next_asks_for() -> None:
    inner = Rerank(BM25(), Dense(), depth=50)
    found = plan([Rerank(inner, CrossEncoder(), depth=10)], ["a"], 1000)
    assert steps_of(found, "search", BM25())[0].depth == 50
    assert steps_of(found, "search", inner)[0].depth == 10


def test_a_dataset_is_loaded_once_and_finished_before_the_next() -> None:
    found = plan(rows(*DEFAULT_ROWS), ["a", "b"], 1000)
    order = [step.dataset for step in found.steps]
    assert order == sorted(order)
    assert Counter((s.dataset, s.kind) for s in found.steps)["a", "load"] == 1
    assert [s for s in found.steps if s.kind == "load"][0].rows == list(DEFAULT_ROWS)  # noqa: RUF015


@pytest.mark.parametrize("row", DEFAULT_ROWS)
def test_a_row_loads_then_has_its_parts_done_before_itself_and_is_measured_last(row: str) -> None:
    found = plan(rows(*DEFAULT_ROWS), ["a"], 1000)
    steps = list(found.of("a", row))
    assert (steps[0].kind, steps[-1].kind) == ("load", "measure")
    assert [s.kind for s in steps[-4:]] == ["fit", "index", "search", "measure"]
    assert {s.method for s in steps[-4:]} == {parse_method(row)}
    done: list[Method] = []
    for step in steps[1:-1]:
        assert step.method is not None
        for part in step.method.nested():
            assert part in done
        if step.kind == "fit":
            done.append(step.method)


def test_no_step_is_planned_twice() -> None:
    found = plan(rows(*DEFAULT_ROWS, *DEFAULT_ROWS), ["a"], 1000)
    keys = [(s.dataset, s.kind, s.method) for s in found.steps]
    assert len(keys) == len(set(keys))
    assert all(len(s.rows) == len(set(s.rows)) for s in found.steps)


def test_a_step_reads_as_what_is_done_and_for_whom() -> None:
    found = [str(step) for step in plan(rows("bm25", "bm25>>dense"), ["beir/scifact"], 1000).steps]
    assert found[:4] == [
        "load beir/scifact  ← bm25, bm25>>dense",
        "fit bm25  ← bm25, bm25>>dense",
        "index bm25  ← bm25, bm25>>dense",
        "search bm25 to depth 1000  ← bm25, bm25>>dense",
    ]


def test_no_rows_or_no_datasets_are_no_steps() -> None:
    assert plan([], ["a"], 10).steps == plan(rows("bm25"), [], 10).steps == ()
