from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ModelError, SettingError, Unavailable
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.ranking import Floats
from harness.engines import Engine, Network, Running, Unfit
from harness.engines.openvino import Openvino
from harness.engines.torch import Torch
from harness.methods import fit
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.models import engine_check as golden
from harness.models.engine_check import REFERENCE, Answers, Asked, Way, choose, compared, plain
from harness.models.model_runner import Engined
from harness.models.sample import Sample
from harness.runtime.context import Context

RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((60, 16)).astype(np.float32)
QUERIES = 10
needed = pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="needs openvino")


def of(vectors: Floats, *, lengths: bool = False) -> Answers:
    return Answers(vectors[:QUERIES] @ vectors[QUERIES:].T, vectors, lengths)


@dataclass(frozen=True)
class Fast(Engine):
    """An engine for tests, which knows three precisions and whose library may be absent."""

    precisions = ("fp32", "bf16", "int8")
    absent: bool = False

    def speeds(self, device: str) -> Mapping[str, float]:
        return {"fp32": 1.5, "bf16": 3.0, "int8": 2.0}

    def versions(self) -> dict[str, str]:
        if self.absent:
            raise Unavailable("fast is not installed.", "pip install fast")
        return {"fast": "1.0"}

    def start(self, network: Network, precision: str) -> Running:
        raise NotImplementedError


@pytest.fixture
def view() -> TrainView:
    documents = [(f"d{i:03}", "", "word " * (i % 40 + 1) + f"number {i}.") for i in range(200)]
    return TrainView(Corpus.of(documents))


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`engines(Fast())`: torch and these are all there is."""

    class Room:
        def __init__(self, *held: Engine) -> None:
            self.held = held

        def usable(self) -> Any:
            return [(engine.name(), lambda engine=engine: engine) for engine in (Torch(), *self.held)]

    return lambda *held: monkeypatch.setattr(golden, "ENGINES", Room(*held))


Answering = Callable[[Way, Sample], Answers]


def answering(changes: Mapping[str, float | None], asked: list[str] | None = None) -> Answering:
    """Answers by way: precision → what is added to each number; None says that the model does not fit."""

    def answer(way: Way, some: Sample) -> Answers:
        if asked is not None:
            asked.append(str(way))
        change = 0.0 if way == REFERENCE else changes[way.precision]
        if change is None:
            raise Unfit("no such operation.")
        return of(
            VECTORS + np.float32(change) * np.sin(np.arange(VECTORS.size, dtype=np.float32)).reshape(VECTORS.shape)
        )

    return answer


# What is compared


def test_the_same_answers_change_nothing() -> None:
    trial = compared(REFERENCE, of(VECTORS), of(VECTORS), 1e-12)
    assert (trial.verdict, trial.overlap) == ("taken", 1.0)
    assert trial.change is not None
    assert trial.change < 1e-12


def test_the_change_is_the_largest_of_a_cosine_from_one() -> None:
    turned = VECTORS.copy()
    turned[3] = np.roll(turned[3], 1)
    one, other = VECTORS[3].astype(float), turned[3].astype(float)
    trial = compared(REFERENCE, of(turned), of(VECTORS), 0.5)
    assert trial.change == pytest.approx(1 - one @ other / np.linalg.norm(one) / np.linalg.norm(other), rel=1e-2)
    assert trial.verdict == "refused"


def test_lengths_count_where_dot_products_rank_and_not_where_cosines_do() -> None:
    longer = VECTORS.copy()
    longer[20] *= 1.001
    assert compared(REFERENCE, of(longer, lengths=True), of(VECTORS, lengths=True), 1e-2).change == pytest.approx(
        1e-3, rel=0.01
    )
    change = compared(REFERENCE, of(longer), of(VECTORS), 1e-2).change
    assert change is not None
    assert change < 1e-9


def test_scores_of_pairs_are_compared_in_standard_deviations() -> None:
    scores = RNG.standard_normal((6, 10)).astype(np.float32)
    moved = scores.copy()
    moved[2, 3] += 0.5
    assert compared(REFERENCE, Answers(moved), Answers(scores), 1.0).change == pytest.approx(
        0.5 / scores.std(), rel=0.01
    )


def test_the_overlap_is_the_share_of_the_ten_best_that_stays() -> None:
    scores = np.tile(np.arange(40, dtype=np.float32), (2, 1))
    other = scores.copy()
    other[0, :3] += 100  # three of the worst documents of one query come first
    trial = compared(REFERENCE, Answers(other), Answers(scores), 1e9)
    assert trial.overlap == pytest.approx((7 + 10) / 20)
    assert trial.verdict == "refused"


def test_documents_that_tie_with_the_last_of_the_best_do_not_count_as_lost() -> None:
    scores = np.ones((1, 40), np.float32)
    assert compared(REFERENCE, Answers(scores[:, ::-1] + np.linspace(0, 1e-7, 40)), Answers(scores), 1.0).overlap == 1.0


def test_what_is_no_number_is_refused() -> None:
    broken = VECTORS.copy()
    broken[5, 5] = np.nan
    assert compared(REFERENCE, of(broken), of(VECTORS), 1.0).verdict == "refused"


# What is sampled


# What is chosen


def test_what_torch_computes_as_asked_is_not_probed(view: TrainView, context: Context) -> None:
    for asked in (Asked(), Asked("bf16"), Asked("fp16", Torch())):
        choice = choose(asked, "model", view, lambda way, some: pytest.fail("probed"), context)
        assert (choice.way, choice.told(), choice.notes(asked)) == (Way(Torch(), asked.precision), {}, ())


def test_auto_takes_the_fastest_that_passes(view: TrainView, context: Context, engines: Callable) -> None:
    engines(Fast())
    tried: list[str] = []
    choice = choose(Asked("auto"), "m", view, answering({"bf16": 1e-3, "int8": 0.0, "fp32": 0.0}, tried), context)
    assert choice.way == Way(Fast(), "bf16")
    assert tried == [f"{Fast()} bf16", "torch fp32"]
    assert choice.told()["engine"] == str(Fast())
    assert [t["verdict"] for t in choice.told()["golden_probe"]["tried"]] == ["taken"]


def test_a_damaged_engine_is_refused_and_the_next_one_tried(
    view: TrainView, context: Context, engines: Callable
) -> None:
    engines(Fast())
    choice = choose(Asked("auto"), "m", view, answering({"bf16": 1.0, "int8": 1e-3, "fp32": 0.0}), context)
    assert choice.way == Way(Fast(), "int8")
    first, second = choice.trials[:2]
    assert (first.verdict, second.verdict) == ("refused", "taken")
    assert first.change is not None
    assert first.change > first.bound == golden.NEAR  # type: ignore[operator]


def test_an_engine_whose_answers_are_no_numbers_is_refused(
    view: TrainView, context: Context, engines: Callable
) -> None:
    engines(Fast())

    def answer(way: Way, some: Sample) -> Answers:
        if way.precision == "bf16":
            raise ModelError("values that are not numbers")
        return of(VECTORS)

    choice = choose(Asked("auto"), "m", view, answer, context)
    assert choice.way == Way(Fast(), "int8")
    assert (choice.trials[0].verdict, choice.trials[0].why) == ("refused", "values that are not numbers")


def test_where_all_are_refused_torch_in_fp32_is_what_is_left(
    view: TrainView, context: Context, engines: Callable
) -> None:
    engines(Fast())
    choice = choose(Asked("auto"), "m", view, answering({"bf16": 1.0, "int8": None, "fp32": 0.1}), context)
    assert choice.way == REFERENCE
    verdicts = {t.way: t.verdict for t in choice.trials}
    assert verdicts[f"{Fast()} int8"] == "unfit"
    assert verdicts[f"{Fast()} fp32"] == "refused"


def test_a_tolerance_that_is_asked_for_decides(view: TrainView, context: Context, engines: Callable) -> None:
    engines(Fast())
    answer = answering({"bf16": 1e-2, "int8": 1e-2, "fp32": 1e-4})
    assert choose(Asked("auto", tolerance=1e-6), "m", view, answer, context).way == Way(Fast(), "fp32")
    assert choose(Asked("auto", tolerance=0.5), "m", view, answer, context).way == Way(Fast(), "bf16")


def test_of_an_engine_asked_for_by_name_that_fails_torch_takes_the_place_and_the_record_says_so(
    view: TrainView, context: Context
) -> None:
    asked = Asked("fp32", Fast())
    choice = choose(asked, "m", view, answering({"fp32": 0.5}), context)
    assert choice.way == REFERENCE
    (note,) = choice.notes(asked)
    assert note.startswith("torch fp32 was taken in place of ")
    assert "allowed 1e-05" in note


def test_what_was_found_is_kept_until_the_model_the_collection_or_the_bound_is_another(
    view: TrainView, context: Context, engines: Callable
) -> None:
    engines(Fast())
    tried: list[str] = []
    answer = answering({"bf16": 1e-3, "int8": 0.0, "fp32": 0.0}, tried)
    first = choose(Asked("auto"), "m", view, answer, context)
    assert choose(Asked("auto"), "m", view, answer, context) == first
    assert len(tried) == 2
    choose(Asked("auto"), "another", view, answer, context)
    choose(Asked("auto"), "m", TrainView(Corpus.of([("x", "", "another corpus")])), answer, context)
    choose(Asked("auto", tolerance=0.1), "m", view, answer, context)
    assert len(tried) == 8


def test_an_absent_engine_is_passed_over_by_auto_told_and_missed_where_it_is_needed(
    view: TrainView, context: Context, engines: Callable
) -> None:
    engines(Fast(absent=True))
    choice = choose(Asked("auto"), "m", view, answering({"bf16": 0.0}), context)
    assert isinstance(choice.way.engine, Torch)
    assert "pip install fast" in choice.trials[0].why
    with pytest.raises(Unavailable, match=r"computes in int8\. .*pip install fast"):
        choose(Asked("int8"), "m", view, answering({}), context)
    with pytest.raises(Unavailable, match="fast is not installed"):
        choose(Asked("fp32", Fast(absent=True)), "m", view, answering({}), context)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (Asked("int4"), "precision must be one of fp32, bf16, fp16, int8 or auto"),
        (Asked("int8", Torch()), "the engine torch knows the precisions fp32, bf16, fp16"),
        (Asked("fp16", Openvino()), "the engine openvino knows"),
        (Asked("auto", tolerance=0.0), "tolerance must be above 0"),
        (Asked("bf16", tolerance=0.1), "nothing to hold against a tolerance"),
    ],
)
def test_a_setting_out_of_range_is_refused(asked: Asked, told: str) -> None:
    with pytest.raises(SettingError, match=told):
        asked.check("dense")


def test_training_starts_from_what_torch_computes() -> None:
    assert plain(Asked("bf16")) == Asked("bf16")
    for asked in (Asked("auto"), Asked("int8"), Asked("bf16", Openvino()), Asked("fp32", Torch(), 0.1)):
        assert plain(asked) == Asked()


# In a row


def test_rows_without_an_engine_have_the_fingerprints_that_they_had() -> None:
    for row in (Dense(), Dense(precision="bf16"), CrossEncoder()):
        assert "engine" not in row.full()
        assert "tolerance" not in row.full()


@needed
@pytest.mark.parametrize("row", [Dense, CrossEncoder])
def test_a_row_computed_by_another_engine_says_so_and_keeps_its_answers_apart(
    row: type[Dense | CrossEncoder], tiny_models: tuple[Path, Path], view: TrainView, context: Context
) -> None:
    model = str(tiny_models[row is CrossEncoder])
    usual, fast = (fit(row(model=model, **more), view, context) for more in ({}, {"engine": Openvino()}))
    assert "golden_probe" not in usual.resolved
    assert (fast.resolved["engine"], fast.resolved["precision"]) == ("openvino", "fp32")
    assert fast.resolved["versions"]["openvino"]
    (trial,) = fast.resolved["golden_probe"]["tried"]
    assert trial["verdict"] == "taken"
    assert trial["change"] <= trial["bound"]
    assert fast.key != usual.key
    assert "openvino" in row(model=model, engine=Openvino()).inputs(context)
    assert "openvino" not in row(model=model).inputs(context)


@needed
def test_an_engine_that_answers_wrongly_is_not_used_in_a_row(
    tiny_encoder: Path, view: TrainView, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Engined.answer

    def damaged(self: Engined, items: Any, prompt: str) -> Floats:
        found = answer(self, items, prompt)
        return found if self._engine is None else found[:, ::-1].copy()

    monkeypatch.setattr(Engined, "answer", damaged)
    method = Dense(model=str(tiny_encoder), engine=Openvino())
    fitted = fit(method, view, context)
    assert (fitted.resolved["engine"], fitted.resolved["precision"]) == ("torch", "fp32")
    assert fitted.notes[0].startswith("torch fp32 was taken in place of openvino fp32")
    assert fitted.encoder.key("document") == fit(Dense(model=str(tiny_encoder)), view, context).encoder.key("document")  # type: ignore[attr-defined]
