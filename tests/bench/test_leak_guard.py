"""The reported split is guarded: a warning before the first step, an error where a model learnt what is reported."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.bench.leak_guard import Guard
from harness.bench.record import Record
from harness.data.dataset import Dataset
from harness.leaks.history import BESIDE, INSIDE
from harness.rows import parse_method
from harness.runtime.context import Context
from harness.training import loop
from harness.training.trained_models import MODEL

Run = Callable[..., list[Record]]
LAST = 'budget="smoke", choose="last"'
MADE = f'qgen({LAST}, documents=60, generator=extractive(kinds=("title",)))'


@pytest.fixture
def run(tmp_path: Path, context: Context) -> Run:
    """Dataset, rows → their records."""

    def one(dataset: str, *rows: str) -> list[Record]:
        board = api.run(*rows, dataset=dataset, results=tmp_path / "results", context=context, measures=["nDCG@10"])
        return [result.record for result in board.results]

    return one


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What the bench has warned of so far."""
    caplog.set_level(logging.WARNING, "harness.bench")
    return lambda: [
        r.getMessage() for r in caplog.records if r.name == "harness.bench" and r.levelno == logging.WARNING
    ]


@pytest.fixture
def dev_folder(small_folder: Path, language: Any) -> Path:
    """The made-up collection with a dev split: a third of the training queries."""
    judged = language.qrels["train"]
    for split, wanted in (("dev", "0"), ("train", "12")):
        rows = [f"{q}\t{d}\t{g}" for q, grades in judged.items() if q[-1] in wanted for d, g in grades.items()]
        (small_folder / "qrels" / f"{split}.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n")
    return small_folder


def folders(context: Context, recipe: str = "") -> list[Path]:
    """The models that were trained so far by a recipe of this name, as folders."""
    held = {
        p.parent: json.loads(p.read_text())["describe"]["recipe"]
        for p in (context.cache.root / "models").glob("*/meta.json")
    }
    return [place / MODEL for place, by in held.items() if by.startswith(recipe)]


# Before training


def test_labels_that_share_queries_with_test_are_warned_of_once_before_the_fit(
    plant: Any,
    language: Any,
    run: Run,
    tiny_encoder: Path,
    warnings: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = plant({f"train{n}0": language.queries[f"asked{n}"] for n in range(4)})
    before_training = []
    train = loop.train

    def trains(*given: Any, **more: Any) -> Any:
        before_training.append(len(warnings()))
        return train(*given, **more)

    monkeypatch.setattr(loop, "train", trains)
    dense = f'dense(model="{tiny_encoder}")'
    rows = ["bm25", dense, f"{dense}+supervised({LAST})", f"{dense}+supervised({LAST}, negatives=0)"]
    records = run(name, *rows)
    assert all(record.status == "ok" for record in records)
    (told,) = warnings()
    assert told.startswith(
        f"folder/{name}/test: 4 of 20 test queries also occur in the training or dev queries (4 exact)"
    )
    assert told.endswith(
        "scores on them overstate performance on unseen queries. The record has the scores without them."
    )
    assert before_training == [1, 1]


def test_rows_without_labels_and_collections_without_leaks_are_not_warned_of(
    small_folder: Path, run: Run, tiny_encoder: Path, warnings: Callable[[], list[str]]
) -> None:
    run(
        str(small_folder), "bm25", f'dense(model="{tiny_encoder}")', f'dense(model="{tiny_encoder}")+supervised({LAST})'
    )
    assert warnings() == []


def test_made_questions_are_warned_of_between_the_lesson_and_the_first_step(
    plant: Any,
    titles: dict[str, str],
    run: Run,
    tiny_encoder: Path,
    warnings: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stops(*given: Any, **more: Any) -> Any:
        raise RuntimeError("the first step")

    name = plant({"name0": titles["d01"].upper(), "asked0": titles["d11"]})
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train", stops)
        (record,) = run(name, f'dense(model="{tiny_encoder}")+{MADE}')
    assert record.problem is not None
    assert record.problem["reason"] == "RuntimeError: the first step"
    (told,) = warnings()
    assert "2 of 20 test queries also occur in the next 30 training texts (1 exact, 1 normalised)" in told


def test_silver_queries_of_another_collection_are_warned_of_and_the_own_are_known(
    small: Dataset, context: Context, warnings: Callable[[], list[str]]
) -> None:
    guard = Guard(small, context, set())
    train = small.train.train
    assert train is not None
    texts = [*train.queries.texts, *small.test.queries.texts[:2], "a question of no one at all"]
    assert guard(texts) is None  # type: ignore[func-returns-value]
    assert len(warnings()) == 1
    assert "2 of 20 test queries also occur in the next 3 training texts" in warnings()[0]
    guard(texts)
    assert len(warnings()) == 1
    guard(small.test.queries.texts[:3])
    assert "1 of 20 test queries" in warnings()[1]


def test_whoever_learns_is_answered_nothing(context: Context) -> None:
    seen: list[object] = []
    guarded = context.guarded(lambda texts: seen.append(texts) or ["the test queries"])
    assert guarded.announce(["a", "b"]) is None  # type: ignore[func-returns-value]
    assert seen == [("a", "b")]


# Models that learnt what is reported


def test_a_model_that_was_trained_on_the_reported_split_is_refused(
    small_folder: Path, run: Run, tiny_encoder: Path, context: Context, tmp_path: Path
) -> None:
    run(str(small_folder), f'dense(model="{tiny_encoder}")+supervised({LAST})')
    (model,) = folders(context)
    shutil.copytree(model, tmp_path / "given")  # the folder alone, without what lies beside it
    for place in (model, tmp_path / "given"):
        rows = [f'dense(model="{place}")', f'bm25>>dense(model="{place}")+tsdae({LAST}, decoder="fresh")']
        for record in run(f"{small_folder}/train", *rows):
            assert record.status == "error"
            assert record.measures == {}
            assert record.problem is not None
            assert record.problem["reason"] == (
                f"{place} was trained on 24 of the 30 queries of folder/{small_folder}/train, the reported split: its "
                "score would be that on its own training data. Report on another split, or name a model that was "
                "trained without this one, as dense+supervised does."
            )
        (fine,) = run(str(small_folder), rows[0])
        assert fine.status == "ok"
        assert fine.leaks["taught"]["texts"] == {"gold": 24}


def test_part_of_the_reported_split_is_enough(
    small_folder: Path, run: Run, tiny_encoder: Path, context: Context
) -> None:
    run(str(small_folder), f'dense(model="{tiny_encoder}")+supervised({LAST}, queries=3)')
    (model,) = folders(context)
    (record,) = run(f"{small_folder}/train", f'dense(model="{model}")')
    assert record.problem is not None
    assert "was trained on 3 of the 30 queries" in record.problem["reason"]


def test_a_model_whose_checkpoint_was_chosen_on_the_reported_split_is_refused(
    dev_folder: Path, run: Run, tiny_encoder: Path, context: Context
) -> None:
    run(str(dev_folder), f'dense(model="{tiny_encoder}")+tsdae(budget="smoke", decoder="fresh")')
    (model,) = folders(context)
    (record,) = run(f"{dev_folder}/dev", f'dense(model="{model}")')
    assert record.problem is not None
    assert "had its checkpoint chosen on 10 of the 10 queries of" in record.problem["reason"]
    assert run(f"{dev_folder}/train", f'dense(model="{model}")')[0].status == "ok"


def test_a_query_or_two_are_a_leak_and_no_reason_to_refuse(
    dev_folder: Path, run: Run, tiny_encoder: Path, context: Context
) -> None:
    qrels = dev_folder / "qrels" / "dev.tsv"
    qrels.write_text("\n".join(qrels.read_text().splitlines()[:2]) + "\n")
    run(str(dev_folder), f'dense(model="{tiny_encoder}")+tsdae(budget="smoke", decoder="fresh")')
    (model,) = folders(context)
    train = dev_folder / "qrels" / "train.tsv"
    train.write_text(train.read_text() + qrels.read_text().splitlines()[1] + "\n")
    qrels.unlink()
    (record,) = run(f"{dev_folder}/train", f'dense(model="{model}")')
    assert record.status == "ok", record.problem
    assert record.leaks["taught"]["queries"]["count"] == 1


def test_a_teacher_and_a_later_stage_carry_it_on(
    small_folder: Path, run: Run, tiny_encoder: Path, tiny_cross_encoder: Path, context: Context
) -> None:
    dense = f'dense(model="{tiny_encoder}")'
    run(
        str(small_folder),
        f'{dense}+supervised({LAST})+tsdae({LAST}, decoder="fresh")',
        f'bm25>>cross_encoder(model="{tiny_cross_encoder}")+cross_encoder({LAST})',
    )
    (late,), (teacher,) = folders(context, "tsdae"), folders(context, "cross_encoder")
    rows = [
        f'dense(model="{late}")',
        f'bm25>>cross_encoder(model="{teacher}")',
        f'{dense}+gpl({LAST}, teacher=cross_encoder(model="{teacher}"))',
        f'hybrid(methods=(bm25, dense(model="{late}")))',
    ]
    for record in run(f"{small_folder}/train", *rows):
        assert record.problem is not None, record.row
        assert "was trained on 24 of the 30 queries" in record.problem["reason"]


def test_a_folder_from_before_is_not_refused_and_not_known(
    small_folder: Path, run: Run, tiny_encoder: Path, context: Context
) -> None:
    run(str(small_folder), f'dense(model="{tiny_encoder}")+supervised({LAST})')
    (model,) = folders(context)
    (model / INSIDE).unlink()
    (model.parent / BESIDE).unlink()
    (record,) = run(f"{small_folder}/train", f'dense(model="{model}")')
    assert record.status == "ok"
    assert record.leaks["taught"] == {"known": False}


def test_the_reported_split_is_neither_trained_nor_chosen_on(dev_folder: Path, run: Run, tiny_encoder: Path) -> None:
    dense = f'dense(model="{tiny_encoder}")'
    (trained,) = run(f"{dev_folder}/train", f"{dense}+supervised({LAST})")
    assert trained.status == "skipped"
    chosen, fused = run(
        f"{dev_folder}/dev", f'{dense}+supervised(budget="smoke")', f"hybrid(methods=(bm25, {dense}), fusion=convex)"
    )
    assert chosen.leaks["taught"]["texts"] == {"dev": 4, "gold": 16}
    assert chosen.leaks["taught"]["queries"]["count"] == 0
    assert fused.supervision == "dev labels"


def test_a_model_that_is_no_path_at_all_is_somebody_elses_error(small: Dataset, context: Context) -> None:
    warned: set[tuple[str, str]] = set()
    guard = Guard(small, context, warned)
    for name in ("owner/model", "x" * 5000, "~nobody-at-all/model", "a\\u0000b"):
        guard.admit(parse_method(f'dense(model="{name}")'))
    assert not warned
