import importlib.util
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import Unavailable
from harness.cache.folders import Cache
from harness.data.ranking import Floats
from harness.engines import Unfit
from harness.engines import openvino as module
from harness.engines.openvino import Openvino
from harness.models.encoder import Encoder
from harness.models.engine_settings import EngineConfig
from harness.runtime.context import Context
from tests.engines.conftest import TEXTS

needed = pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="needs openvino")


def test_where_it_is_not_installed_it_is_named_with_its_extra(
    without: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    without("openvino")
    with pytest.raises(Unavailable, match=r"openvino is not installed.*retrieval-harness\[openvino\]"):
        Openvino().versions("fp32")


def test_it_is_for_the_cpu_and_offers_bf16_only_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Openvino().speeds("cuda")
    monkeypatch.setattr("harness.engines.openvino.multiplies_bf16", lambda: False)
    assert "bf16" not in Openvino().speeds("cpu")


@needed
def test_versions_name_the_libraries_of_a_precision() -> None:
    assert set(Openvino().versions("bf16")) == {"openvino"}
    if importlib.util.find_spec("nncf") is not None:
        assert set(Openvino().versions("int8")) == {"openvino", "nncf"}


@needed
def test_a_model_that_is_no_transformer_does_not_fit(
    tiny_encoder: Path, tmp_path: Path, encoder_of: Callable[[Path], Encoder]
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tiny_encoder / "tokenizer.json"))
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)], device="cpu").save(
        str(tmp_path / "static")
    )
    encoder = encoder_of(tmp_path / "static")
    assert encoder.encode(TEXTS, "query").shape == (len(TEXTS), 8), "torch takes it by the library"
    with pytest.raises(Unfit, match="does not read plain token numbers"):
        encoder.with_engine(EngineConfig(Openvino(), "fp32")).encode(TEXTS, "query")


@needed
def test_a_module_that_nobody_knows_does_not_fit(tiny_encoder: Path, encoder_of: Callable[[Path], Encoder]) -> None:
    import torch

    class Strange(torch.nn.Module):
        def forward(self, features: dict) -> dict:
            return features

    encoder = Encoder(encoder_of(tiny_encoder).settings, Context(device="cpu"))
    encoder.model.add_module("9", Strange())
    with pytest.raises(Unfit, match=r"Strange is not known to be plain arithmetic"):
        encoder.with_engine(EngineConfig(Openvino(), "fp32")).encode(TEXTS, "query")


@needed
def test_a_model_that_pools_without_the_prompt_does_not_fit(
    tiny_models: tuple[Path, Path], tmp_path: Path, encoder_of: Callable[[Path], Encoder]
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    bert = Transformer(str(tiny_models[0].parent / "bert"))
    prompts = {"query": "ask: ", "document": "say: "}
    modules = [bert, Pooling(32, "mean", include_prompt=False)]
    SentenceTransformer(modules=modules, device="cpu", prompts=prompts).save(str(tmp_path / "without"))
    encoder = encoder_of(tmp_path / "without")
    assert encoder.encode(TEXTS, "query").shape == (len(TEXTS), 32)
    with pytest.raises(Unfit, match="its pooling leaves the prompt out"):
        encoder.with_engine(EngineConfig(Openvino(), "fp32")).encode(TEXTS, "query")


@needed
def test_what_it_cannot_trace_does_not_fit(
    tiny_encoder: Path, encoder_of: Callable[[Path], Encoder], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import openvino

    def broken(*given: object, **options: object) -> None:
        raise RuntimeError("no such operation\nand more")

    monkeypatch.setattr(openvino, "convert_model", broken)
    encoder = Encoder(encoder_of(tiny_encoder).settings, Context(cache=Cache(tmp_path), device="cpu"))
    with pytest.raises(Unfit, match=r"cannot run .*RuntimeError: no such operation$"):
        encoder.with_engine(EngineConfig(Openvino(), "fp32")).encode(TEXTS, "query")


@needed
def test_starting_it_says_nothing_and_leaves_environment_and_loggers_as_they_were(
    tiny_encoder: Path, encoder_of: Callable[[Path], Encoder], capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    encoder = Encoder(encoder_of(tiny_encoder).settings, Context(cache=Cache(tmp_path), device="cpu"))
    encoder.encode(TEXTS, "query")
    capfd.readouterr()
    before = dict(os.environ), [logging.getLogger(name).level for name in ("nncf", "transformers")]
    encoder.with_engine(EngineConfig(Openvino(), "int8")).encode(TEXTS, "query")
    assert "".join(capfd.readouterr()) == ""
    if importlib.util.find_spec("nncf"):
        import nncf  # noqa: F401

        assert logging.getLogger("transformers").level == before[1][1]
    assert dict(os.environ) == before[0]


@needed
def test_a_graph_is_compiled_once_and_read_from_the_cache_afterwards(
    tiny_encoder: Path, encoder_of: Callable[[Path], Encoder], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import openvino

    def vectors(precision: str) -> Floats:
        encoder = Encoder(encoder_of(tiny_encoder).settings, Context(cache=Cache(tmp_path), device="cpu"))
        return encoder.with_engine(EngineConfig(Openvino(), precision)).encode(TEXTS, "query")

    first = vectors("fp32")
    monkeypatch.setattr(openvino, "convert_model", lambda *given, **options: pytest.fail("traced again"))
    assert np.array_equal(vectors("fp32"), first)
    assert len(list((tmp_path / "compiled").glob("*/graph.blob"))) == 1
    with pytest.raises(pytest.fail.Exception, match="traced again"):
        vectors("bf16")


@needed
def test_batches_are_padded_to_a_multiple_of_the_processors_tiles(
    tiny_encoder: Path, encoder_of: Callable[[Path], Encoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = encoder_of(tiny_encoder).with_engine(EngineConfig(Openvino(), "fp32"))
    widths: list[int] = []
    call = module._Running.__call__

    def noted(self: Any, batch: Any) -> Floats:
        widths.append(batch.arrays["input_ids"].shape[1])
        return call(self, batch)

    monkeypatch.setattr(module._Running, "__call__", noted)
    encoder.encode(["kala"], "query")
    assert widths == [module.MULTIPLE]


@needed
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_short_text_alone_is_computed_on_one_thread_and_gets_the_same_vector(
    precision: str,
    tiny_encoder: Path,
    encoder_of: Callable[[Path], Encoder],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    threads: list[int] = []
    call = module._Running.__call__

    def noted(self: Any, batch: Any) -> Floats:
        output = call(self, batch)
        used = self._request_alone if "_request_alone" in vars(self) else self._request
        threads.append(int(used.get_compiled_model().get_property("INFERENCE_NUM_THREADS")))
        return output

    monkeypatch.setattr(module._Running, "__call__", noted)

    def vectors(*batches: list[str]) -> list[Floats]:
        threads.clear()
        encoder = Encoder(encoder_of(tiny_encoder).settings, Context(cache=Cache(tmp_path), device="cpu"))
        fast = encoder.with_engine(EngineConfig(Openvino(), precision))
        return [fast.encode(texts, "document") for texts in batches]

    alone, together, long = TEXTS[:1], TEXTS[:1] * 2, " ".join(["kala"] * 40)
    compiled_now = vectors(together, [long], [long] * 2, alone)
    several = threads[0]  # one on a machine with one core
    assert threads == [several, several, several, 1], "only a short text alone is computed by the copy"
    from_cache = vectors(alone, together)
    assert threads[0] == 1
    assert np.array_equal(from_cache[1], compiled_now[0])
    for vector in (compiled_now[3][0], from_cache[0][0]):
        assert vector == pytest.approx(compiled_now[0][0], abs=1e-6)

    monkeypatch.setattr(module, "LIGHT", 0)
    assert np.array_equal(vectors(alone)[0][0], compiled_now[0][0])
    assert threads == [several], "a large graph has no copy"


@needed
def test_a_text_alone_is_computed_though_the_cache_was_emptied_since(
    tiny_encoder: Path, encoder_of: Callable[[Path], Encoder], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("torch.get_num_threads", lambda: 2)
    encoder = Encoder(encoder_of(tiny_encoder).settings, Context(cache=Cache(tmp_path), device="cpu"))
    fast = encoder.with_engine(EngineConfig(Openvino(), "fp32"))
    together = fast.encode(TEXTS[:1] * 2, "query")
    (file,) = (tmp_path / "compiled").glob("*/graph.blob")
    file.unlink()
    assert fast.encode(TEXTS[:1], "query")[0] == pytest.approx(together[0], abs=1e-6)
