from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import ModelError, Unavailable
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.ranking import Floats
from harness.engines import Engine, Network, Running, Unfit
from harness.engines.openvino import Openvino
from harness.engines.torch import Torch
from harness.methods import fit
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.models import engine_settings
from harness.models.engine_check import FEW, choose_engine
from harness.models.engine_compare import SampleOutputs
from harness.models.engine_settings import NEAR, REFERENCE, EngineConfig, EngineSettings
from harness.models.model_runner import ModelRunner
from harness.models.sample import Sample
from harness.runtime.context import Context

RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((60, 16)).astype(np.float32)
QUERIES = 10
needed = pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="needs openvino")


def of(vectors: Floats, *, lengths: bool = False) -> SampleOutputs:
    return SampleOutputs(vectors[:QUERIES] @ vectors[QUERIES:].T, vectors, lengths)


@dataclass(frozen=True)
class Fast(Engine):
    """An engine for tests, which knows three precisions and whose library may be absent."""

    precisions = ("fp32", "bf16", "int8")
    absent: bool = False

    def speeds(self, device: str) -> Mapping[str, float]:
        return {"fp32": 1.5, "bf16": 3.0, "int8": 2.0}

    def versions(self, precision: str) -> dict[str, str]:
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

    return lambda *held: monkeypatch.setattr(engine_settings, "ENGINES", Room(*held))


Answering = Callable[[EngineConfig, Sample], SampleOutputs]


def answering(changes: Mapping[str, float | None], asked: list[str] | None = None) -> Answering:
    """Outputs by configuration: precision → what is added to each number; None says that the model does not fit."""

    def answer(way: EngineConfig, some: Sample) -> SampleOutputs:
        if asked is not None:
            asked.append(str(way))
        change = 0.0 if way == REFERENCE else changes[way.precision]
        if change is None:
            raise Unfit("no such operation.")
        return of(
            VECTORS + np.float32(change) * np.sin(np.arange(VECTORS.size, dtype=np.float32)).reshape(VECTORS.shape)
        )

    return answer


# What is chosen


def test_what_torch_computes_as_asked_is_not_probed(view: TrainView, context: Context) -> None:
    for asked in (EngineSettings(), EngineSettings("bf16"), EngineSettings("fp16", Torch())):
        choice = choose_engine(asked, "model", view, lambda way, some: pytest.fail("probed"), context)
        assert (choice.config, choice.record(), choice.notes(asked)) == (EngineConfig(Torch(), asked.precision), {}, ())


def test_auto_takes_the_fastest_that_passes(view: TrainView, context: Context, engines: Callable) -> None:
    engines(Fast())
    tried: list[str] = []
    choice = choose_engine(
        EngineSettings("auto"), "m", view, answering({"bf16": 1e-3, "int8": 0.0, "fp32": 0.0}, tried), context
    )
    assert choice.config == EngineConfig(Fast(), "bf16")
    assert tried == [f"{Fast()} bf16", "torch fp32"]
    assert choice.record()["engine"] == str(Fast())
    (note,) = choice.notes(EngineSettings("auto"))
    assert note.startswith(f"computed by {Fast()} bf16")
    assert [t["verdict"] for t in choice.record()["golden_probe"]["tried"]] == ["taken"]


def test_a_damaged_engine_is_refused_and_the_next_one_tried(
    view: TrainView, context: Context, engines: Callable
) -> None:
    engines(Fast())
    choice = choose_engine(EngineSettings("auto"), "m", view, answering({"bf16": 1.0, "fp32": 0.0}), context)
    assert choice.config == EngineConfig(Fast(), "fp32")
    first, *_, last = choice.trials
    assert (first.verdict, last.verdict) == ("refused", "taken")
    assert first.change is not None
    assert first.change > first.bound == NEAR  # type: ignore[operator]


def test_an_engine_whose_answers_are_no_numbers_is_refused(
    view: TrainView, context: Context, engines: Callable
) -> None:
    engines(Fast())

    def answer(way: EngineConfig, some: Sample) -> SampleOutputs:
        if way.precision == "bf16":
            raise ModelError("values that are not numbers")
        return of(VECTORS)

    choice = choose_engine(EngineSettings("auto"), "m", view, answer, context)
    assert choice.config == EngineConfig(Fast(), "fp32")
    assert (choice.trials[0].verdict, choice.trials[0].why) == ("refused", "values that are not numbers")


def test_where_all_are_refused_torch_in_fp32_is_what_is_left(
    view: TrainView, context: Context, engines: Callable
) -> None:
    engines(Fast())
    choice = choose_engine(
        EngineSettings("auto"), "m", view, answering({"bf16": None, "fp32": 0.1}), context
    )
    assert choice.config == REFERENCE
    verdicts = {t.way: t.verdict for t in choice.trials}
    assert verdicts[f"{Fast()} bf16"] == "unfit"
    assert verdicts[f"{Fast()} fp32"] == "refused"


def test_a_tolerance_that_is_asked_for_decides(view: TrainView, context: Context, engines: Callable) -> None:
    engines(Fast())
    answer = answering({"bf16": 1e-2, "int8": 1e-2, "fp32": 1e-4})
    assert choose_engine(EngineSettings("auto", tolerance=1e-6), "m", view, answer, context).config == EngineConfig(
        Fast(), "fp32"
    )
    assert choose_engine(EngineSettings("auto", tolerance=0.5), "m", view, answer, context).config == EngineConfig(
        Fast(), "bf16"
    )


def test_of_an_engine_asked_for_by_name_that_fails_torch_takes_the_place_and_the_record_says_so(
    view: TrainView, context: Context
) -> None:
    asked = EngineSettings("fp32", Fast())
    choice = choose_engine(asked, "m", view, answering({"fp32": 0.5}), context)
    assert choice.config == REFERENCE
    (note,) = choice.notes(asked)
    assert note.startswith("torch fp32 was used instead of ")
    assert "allowed: 1e-05" in note


def test_what_was_found_is_kept_until_the_model_the_collection_or_the_bound_is_another(
    view: TrainView, context: Context, engines: Callable
) -> None:
    engines(Fast())
    tried: list[str] = []
    answer = answering({"bf16": 1e-3, "int8": 0.0, "fp32": 0.0}, tried)
    first = choose_engine(EngineSettings("auto"), "m", view, answer, context)
    assert choose_engine(EngineSettings("auto"), "m", view, answer, context) == first
    assert len(tried) == 2
    choose_engine(EngineSettings("auto"), "another", view, answer, context)
    another = TrainView(Corpus.of([(f"x{i}", "", "another corpus") for i in range(FEW)]))
    choose_engine(EngineSettings("auto"), "m", another, answer, context)
    choose_engine(EngineSettings("auto", tolerance=0.1), "m", view, answer, context)
    assert len(tried) == 8


def test_an_absent_engine_is_passed_over_by_auto_told_and_missed_where_it_is_needed(
    view: TrainView, context: Context, engines: Callable
) -> None:
    engines(Fast(absent=True))
    choice = choose_engine(EngineSettings("auto"), "m", view, answering({"bf16": 0.0}), context)
    assert isinstance(choice.config.engine, Torch)
    assert "pip install fast" in choice.trials[0].why
    with pytest.raises(Unavailable, match=r"supports precision int8\. .*pip install fast"):
        choose_engine(EngineSettings("int8"), "m", view, answering({}), context)
    with pytest.raises(Unavailable, match="fast is not installed"):
        choose_engine(EngineSettings("fp32", Fast(absent=True)), "m", view, answering({}), context)


def test_auto_checks_nothing_of_few_documents_except_for_pairs(context: Context, engines: Callable) -> None:
    engines(Fast())
    few = TrainView(Corpus.of([(f"d{i}", "", "a text") for i in range(FEW - 1)]))
    choice = choose_engine(EngineSettings("auto"), "m", few, lambda way, some: pytest.fail("checked"), context)
    assert (choice.config, choice.record(), choice.notes(EngineSettings("auto"))) == (REFERENCE, {}, ())
    pairs = EngineSettings("auto", pair_scores=True)
    assert choose_engine(pairs, "m", few, answering({"bf16": 0.0}), context).config == EngineConfig(Fast(), "bf16")
    asked = EngineSettings("bf16", Fast())
    assert choose_engine(asked, "m", few, answering({"bf16": 0.0}), context).config == EngineConfig(Fast(), "bf16")


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
    usual, fast = (
        fit(row(model=model, precision="fp32", **more), view, context) for more in ({}, {"engine": Openvino()})
    )
    assert "golden_probe" not in usual.resolved
    assert (fast.resolved["engine"], fast.resolved["precision"]) == ("openvino", "fp32")
    assert fast.resolved["versions"]["openvino"]
    (trial,) = fast.resolved["golden_probe"]["tried"]
    assert trial["verdict"] == "taken"
    assert trial["change"] <= trial["bound"]
    assert fast.key != usual.key
    assert "openvino" in row(model=model, engine=Openvino()).inputs(context)
    assert "openvino" not in row(model=model, precision="fp32").inputs(context)


@needed
def test_an_engine_that_answers_wrongly_is_not_used_in_a_row(
    tiny_encoder: Path, view: TrainView, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ModelRunner.run_batch

    def damaged(self: ModelRunner, items: Any, prompt: str) -> Floats:
        found = answer(self, items, prompt)
        return found if self._engine is None else found[:, ::-1].copy()

    monkeypatch.setattr(ModelRunner, "run_batch", damaged)
    method = Dense(model=str(tiny_encoder), precision="fp32", engine=Openvino())
    fitted = fit(method, view, context)
    assert (fitted.resolved["engine"], fitted.resolved["precision"]) == ("torch", "fp32")
    assert fitted.notes[0].startswith("torch fp32 was used instead of openvino fp32")
    usual = fit(Dense(model=str(tiny_encoder), precision="fp32"), view, context)
    assert fitted.encoder.key("document") == usual.encoder.key("document")  # type: ignore[attr-defined]
