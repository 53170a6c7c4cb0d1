"""Dev for sparse and late-interaction encoders, against rankings by the rows of the same model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.data.dataset import TrainView
from harness.data.measures import means, parse_measures, per_query
from harness.data.ranking import Run
from harness.methods import Method, fit, index, search
from harness.methods.bm25 import BM25
from harness.methods.late import Late
from harness.methods.sparse import Sparse
from harness.models.late import LateEncoder
from harness.models.ragged import open_ragged
from harness.models.sparse import SparseEncoder
from harness.runtime.context import Context
from harness.training.probes import LateProbe, SparseProbe
from harness.training.ragged_base import LateBase, RaggedBase, SparseBase
from harness.training.schedule import Schedule


@pytest.fixture(params=["sparse", "cosine", "late", "mean"])
def case(request: pytest.FixtureRequest, tiny_sparse: Path, tiny_late: Path, tmp_path: Path, context: Context) -> Any:
    """A row, what is trained of it, and the kind of probe."""
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers import SparseEncoder as Model

    folder = {"sparse": tiny_sparse, "late": tiny_late}.get(request.param, tmp_path / "model")
    if request.param == "cosine":
        Model(str(tiny_sparse), device="cpu", similarity_fn_name="cosine").save_pretrained(str(folder))
    if request.param == "mean":
        MultiVectorEncoder(str(tiny_late), device="cpu", similarity_fn_name="meanmaxsim").save_pretrained(str(folder))
    if request.param in ("sparse", "cosine"):
        sparse = Sparse(str(folder))
        return (
            sparse,
            SparseBase(open_ragged(SparseEncoder, sparse._settings(), context), [BM25()], sparse),
            SparseProbe,
        )
    late = Late(str(folder))
    return late, LateBase(open_ragged(LateEncoder, late._settings(), context), [BM25()], late), LateProbe


def by_the_row(method: Method, view: TrainView, context: Context) -> float:
    assert view.dev is not None
    top = search(method, index(method, fit(method, view, context), view.corpus, context), view.dev.queries, 10, context)
    run = Run.of(view.dev.queries, top, view.corpus)
    return means(per_query(parse_measures(["nDCG@10"]), view.dev.qrels, run))["nDCG@10"]


def test_a_probe_over_the_whole_corpus_measures_what_the_row_gets(case: Any, view: TrainView, context: Context) -> None:
    method, base, kind = case
    probe = base.probe(view, Schedule(precision="fp32", dev_pool=1000), context)
    assert isinstance(probe, kind)
    assert probe.pool.whole
    value = probe(base.fresh(context))
    assert value == pytest.approx(by_the_row(method, view, context), abs=1e-6)
    assert 0.02 < value < 0.98, "neither all nor nothing"
    small = Context(cache=context.cache, batch_tokens=70)
    assert base.probe(view, Schedule(precision="fp32"), small)(base.fresh(context)) == pytest.approx(value, abs=0.02)


def test_prompts_reach_the_model(case: Any, view: TrainView, context: Context) -> None:
    _, base, _ = case
    probe = base.probe(view, Schedule(precision="fp32"), context)
    model, seen = base.fresh(context), []
    preprocess = model.preprocess
    model.preprocess = lambda texts, prompt=None, **more: (
        seen.append(prompt),
        preprocess(texts, prompt=prompt, **more),
    )[1]
    probe.prompts = {"query": "one ", "document": "two "}
    probe(model)
    assert set(seen) == {"one ", "two "}


def test_without_dev_queries_there_is_no_probe(case: Any, view: TrainView, context: Context) -> None:
    _, base, _ = case
    assert base.probe(TrainView(view.corpus, view.train), Schedule(), context) is None


def test_a_base_is_described_by_what_it_was_opened_with(case: Any, tiny_encoder: Path, context: Context) -> None:
    method, base, _ = case
    encoder = base.encoder
    assert base.kind == method.name()
    assert base.whole
    assert (base.name, base.source, base.weights) == (encoder.folder.name, method.model, str(encoder.folder.path))
    assert (base.training_key, base.prompts) == (encoder.fingerprint, encoder.prompts)
    other = type(method)(str(tiny_encoder))
    bare = type(base)(open_ragged(type(encoder), other._settings(), context), [BM25()], method)
    assert not bare.whole
    assert isinstance(bare, RaggedBase)


def test_new_layers_are_drawn_from_the_contexts_seed(
    case: Any, tiny_encoder: Path, context: Context, tools: Any
) -> None:
    import torch

    method, base, _ = case
    settings = type(method)(str(tiny_encoder))._settings()
    state = torch.get_rng_state()

    def fresh(seed: int) -> Any:
        within = Context(seed=seed, cache=context.cache)
        return tools.weights(type(base)(open_ragged(type(base.encoder), settings, within), [], method).fresh(within))

    one, again, other = fresh(0), fresh(0), fresh(1)
    assert torch.equal(torch.get_rng_state(), state)
    assert tools.same(one, again)
    assert not tools.same(one, other)
