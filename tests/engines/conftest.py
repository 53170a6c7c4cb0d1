from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cache.folders import Cache
from harness.engines import Engine
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.models.cross_encoder import Pair, PairScorer
from harness.models.encoder import Encoder
from harness.runtime.context import Context

TEXTS = [
    "kala bero",
    "a much longer text, with many more words than the first one has; it goes on and on, and on, until it is cut",
    "kala",
    "",
    "Zwei Wörter",
    "one more of a middling length, so that batches hold texts of several",
]
PAIRS: list[Pair] = [(query, text) for query in ("kala", "what is bero?") for text in TEXTS]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """A context for all tests of the room: a started engine takes seconds."""
    return Context(cache=Cache(tmp_path_factory.mktemp("cache")), device="cpu", batch_tokens=64)


@pytest.fixture(scope="session")
def variants(tiny_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Random encoders: mean pooling, the first token's vector, a dense layer behind, dot products with prompts of their
    own.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense as Layer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    root, bert = tmp_path_factory.mktemp("variants"), str(tiny_models[0].parent / "bert")
    torch.manual_seed(1)
    made = {
        "cls": ([Transformer(bert), Pooling(32, "cls"), Normalize()], {}),
        "layer": ([Transformer(bert), Pooling(32, "mean"), Layer(32, 16)], {}),
        "dot": (
            [Transformer(bert), Pooling(32, "mean")],
            {"similarity_fn_name": "dot", "prompts": {"query": "ask: ", "document": "say: "}},
        ),
    }
    for name, (modules, options) in made.items():
        SentenceTransformer(modules=modules, device="cpu", **options).save(str(root / name))
    return {"mean": tiny_models[0], **{name: root / name for name in made}}


@pytest.fixture
def encoder_of(shared: Context) -> Callable[[Path], Encoder]:
    return lambda folder: Encoder(Dense(model=str(folder))._encoder_settings(), shared)


@pytest.fixture
def scorer(shared: Context, tiny_cross_encoder: Path) -> PairScorer:
    return PairScorer(CrossEncoder(model=str(tiny_cross_encoder))._pair_settings(), shared)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`without("openvino")`: that library is not installed."""
    import sys

    return lambda name: monkeypatch.setitem(sys.modules, name, None)


def installed(engine: Engine, precision: str = "fp32") -> bool:
    from harness.base.errors import Unavailable

    try:
        engine.versions(precision)
    except Unavailable:
        return False
    return True
