"""What holds for every file of the room."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.cache.folders import Cache
from harness.choices.expression import parse
from harness.engines import ENGINES, PRECISIONS, Engine
from harness.methods.dense import Dense
from harness.models import encode_once as keep
from harness.models.cross_encoder import PairScorer
from harness.models.encoder import Encoder
from harness.models.engine_settings import REFERENCE, EngineConfig
from harness.rows import ROOMS
from harness.runtime.context import Context
from tests.engines.conftest import PAIRS, TEXTS, installed

NEAR = {"fp32": 1e-6, "bf16": 1e-2, "fp16": 1e-3, "int8": 2e-2}
"""How far from fp32 torch the cosine of a random model of 32 dimensions may be from 1."""
WAYS = [(name, precision) for name in ENGINES.names() for precision in ENGINES.get(name).precisions]


@pytest.fixture(params=ENGINES.names())
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES.get(request.param)()


@pytest.fixture(params=WAYS, ids=" ".join)
def way(request: pytest.FixtureRequest) -> EngineConfig:
    name, precision = request.param
    engine = ENGINES.get(name)()
    if not installed(engine, precision):
        pytest.skip(f"{name} is not installed")
    return EngineConfig(engine, precision)


def test_an_engine_is_a_frozen_value_with_defaults(engine: Engine) -> None:
    assert parse(str(engine), ENGINES, ROOMS) == engine
    assert parse(engine.full(), ENGINES, ROOMS) == engine
    assert type(engine).__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert dataclasses.is_dataclass(engine)


def test_its_precisions_are_known_ones_and_its_speeds_are_of_them(engine: Engine) -> None:
    assert engine.precisions
    assert set(engine.precisions) <= set(PRECISIONS)
    for device in ("cpu", "mps"):
        assert set(engine.speeds(device)) <= set(engine.precisions)
        assert all(speed > 0 for speed in engine.speeds(device).values())


def test_it_says_which_versions_decide(engine: Engine) -> None:
    if installed(engine):
        assert all(isinstance(version, str) and version for version in engine.versions(engine.precisions[0]).values())


@pytest.mark.parametrize("variant", ["mean", "cls", "layer", "dot"])
def test_vectors_are_near_those_of_fp32_torch(
    way: EngineConfig, variant: str, variants: dict[str, Path], encoder_of: Callable[[Path], Encoder]
) -> None:
    encoder = encoder_of(variants[variant])
    for side in ("query", "document"):
        usual, found = (encoder.with_engine(each).encode_in_batches(TEXTS, side) for each in (REFERENCE, way))  # type: ignore[arg-type]
        assert found.dtype == np.float32
        lengths = [np.linalg.norm(each, axis=1) for each in (usual, found)]
        cosines = (usual * found).sum(axis=1) / (lengths[0] * lengths[1])
        assert (1 - cosines).max() < NEAR[way.precision]
        assert np.abs(lengths[1] / lengths[0] - 1).max() < 2 * NEAR[way.precision] ** 0.5
        assert np.allclose(lengths[1], 1, atol=1e-5 if way.precision in ("fp32", "int8") else 1e-2) is (
            variant != "dot"
        )


def test_scores_of_pairs_are_near_those_of_fp32_torch(way: EngineConfig, scorer: PairScorer) -> None:
    usual, found = (scorer.with_engine(each).compute(PAIRS) for each in (REFERENCE, way))
    assert found.shape == (len(PAIRS), 1)
    assert np.abs(found - usual).max() < (1e-5 if way.precision == "fp32" else 0.15 * usual.std())
    assert len(set(found[:, 0].tolist())) == len(set(usual[:, 0].tolist())), "none ties that did not"


def test_an_answer_does_not_depend_on_what_else_is_in_the_batch(
    way: EngineConfig, variants: dict[str, Path], encoder_of: Callable[[Path], Encoder]
) -> None:
    encoder = encoder_of(variants["mean"]).with_engine(way)
    together = encoder.encode(TEXTS, "document")
    alone = np.concatenate([encoder.encode([text], "document") for text in TEXTS])
    assert np.abs(together - alone).max() < (1e-5 if way.precision == "fp32" else 0.1)


def test_the_same_batch_twice_gives_the_same_bytes(
    way: EngineConfig, variants: dict[str, Path], encoder_of: Callable[[Path], Encoder]
) -> None:
    encoder = encoder_of(variants["mean"]).with_engine(way)
    found = [encoder.encode(some, "document") for some in (TEXTS, TEXTS[:2], TEXTS)]
    assert found[0].tobytes() == found[2].tobytes()
    assert found[1].shape == (2, 32)


def test_each_way_has_keys_of_its_own(variants: dict[str, Path], encoder_of: Callable[[Path], Encoder]) -> None:
    encoder = encoder_of(variants["mean"])
    ways = [EngineConfig(ENGINES.get(name)(), precision) for name, precision in WAYS if installed(ENGINES.get(name)())]
    for one, other in itertools.combinations(ways, 2):
        assert encoder.with_engine(one).key("document") != encoder.with_engine(other).key("document")


def test_what_a_kill_leaves_undone_ends_in_the_bytes_of_a_run_that_was_not_killed(
    engine: Engine, variants: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed(engine):
        pytest.skip(f"{engine} is not installed")
    way = EngineConfig(engine, "fp32")
    monkeypatch.setattr(keep, "FLUSH_SECONDS", -1.0)  # every batch is written at once
    texts = [f"{'word ' * (i % 17)}number {i}" for i in range(60)]

    def encoder_in(name: str) -> Encoder:
        context = Context(cache=Cache(tmp_path / name), device="cpu", batch_tokens=64)
        return Encoder(Dense(model=str(variants["mean"]))._encoder_settings(), context).with_engine(way)

    whole = encoder_in(f"whole {way}").vectors(texts, "document").block(0, len(texts))
    killed, done, run = encoder_in(f"killed {way}"), [], Encoder.run

    def until(self: Encoder, items: list, side: str) -> np.ndarray:
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(items)
        return run(self, items, side)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Encoder, "run", until)
        with pytest.raises(KeyboardInterrupt):
            killed.vectors(texts, "document")
    resumed = killed.vectors(texts, "document").block(0, len(texts))
    assert sum(map(len, done)) < len(texts)
    assert resumed.tobytes() == whole.tobytes()
