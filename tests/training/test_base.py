from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.data.dataset import TrainView
from harness.methods.bm25 import BM25
from harness.models.cross_encoder import PairSettings, open_pair_scorer
from harness.models.encoder import Encoder, EncoderSettings, open_encoder
from harness.runtime.context import Context
from harness.training.base import RERANKED, EncoderBase, PairBase
from harness.training.dev import EncoderProbe, PairProbe
from harness.training.schedule import Schedule


def scorer_of(folder: Path, context: Context) -> Any:
    return open_pair_scorer(PairSettings(str(folder), None, None, "fp32", False), context)


def test_an_encoder_is_described_by_what_it_was_opened_with(encoder: Encoder, tiny_encoder: Path) -> None:
    base = EncoderBase(encoder, [BM25()], BM25())
    assert base.kind == "encoder"
    assert (base.source, base.revision) == (str(tiny_encoder), None)
    assert (base.weights, base.name) == (str(encoder.folder.path), encoder.folder.name)
    assert base.training_key == encoder.fingerprint
    assert base.prompts == {"query": "", "document": ""}
    assert (base.first_stages, base.untrained) == ((BM25(),), BM25())


def test_whatever_changes_its_vectors_changes_its_key(tiny_encoder: Path, context: Context) -> None:
    keys = set()
    changes = [
        ("query_prompt", "q "),
        ("document_prompt", "d "),
        ("max_length", 9),
        ("pooling", "cls"),
        ("similarity", "dot"),
    ]
    for settings in ({}, *(dict([change]) for change in changes)):
        names = (
            "model",
            "revision",
            "query_prompt",
            "document_prompt",
            "pooling",
            "max_length",
            "precision",
            "similarity",
        )
        usual = dict.fromkeys(names) | {"model": str(tiny_encoder), "precision": "fp32", "trust_remote_code": False}
        encoder = open_encoder(EncoderSettings(**{**usual, **settings}), context)  # type: ignore[arg-type]
        keys.add(EncoderBase(encoder, [], BM25()).training_key)
    assert len(keys) == 6


def test_a_fresh_model_is_nobody_elses(encoder: Encoder, context: Context) -> None:
    import torch

    base = EncoderBase(encoder, [], BM25())
    one, other = base.fresh(context), base.fresh(context)
    assert one is not other
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.zero_()
    assert any(p.abs().sum() > 0 for p in other.parameters())
    assert any(p.abs().sum() > 0 for p in encoder.model.parameters())
    assert {p.dtype for p in other.parameters()} == {torch.float32}


def test_each_kind_is_measured_by_its_own_probe(
    encoder: Encoder, tiny_cross_encoder: Path, view: TrainView, context: Context
) -> None:
    schedule = Schedule(precision="fp32")
    one = EncoderBase(encoder, [BM25()], BM25()).probe(view, schedule, context)
    other = PairBase(scorer_of(tiny_cross_encoder, context), [BM25()], BM25()).probe(view, schedule, context)
    assert isinstance(one, EncoderProbe)
    assert isinstance(other, PairProbe)
    assert one.pool.describe() == other.pool.describe() == {"queries": 20, "documents": 60, "whole_corpus": True}
    assert max(map(len, other._candidates)) <= RERANKED


def test_without_dev_queries_there_is_no_probe(
    encoder: Encoder, tiny_cross_encoder: Path, view: TrainView, context: Context
) -> None:
    bare = TrainView(view.corpus, view.train)
    assert EncoderBase(encoder, [BM25()], BM25()).probe(bare, Schedule(), context) is None
    assert PairBase(scorer_of(tiny_cross_encoder, context), [BM25()], BM25()).probe(bare, Schedule(), context) is None


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_dev_is_measured_in_the_precision_of_the_training(
    encoder: Encoder,
    tiny_cross_encoder: Path,
    view: TrainView,
    context: Context,
    fresh: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
    precision: Any,
) -> None:
    import torch

    from harness.training import dev

    seen = []
    autocast = dev.autocast
    monkeypatch.setattr(dev, "autocast", lambda device, on: (seen.append(on), autocast(device, on=on))[1])
    schedule = Schedule(precision=precision)
    probe = EncoderBase(encoder, [BM25()], BM25()).probe(view, schedule, context)
    assert probe is not None
    probe(fresh())
    scorer = scorer_of(tiny_cross_encoder, context)
    probe = PairBase(scorer, [BM25()], BM25()).probe(view, schedule, context)
    assert probe is not None
    probe(scorer.fresh())
    assert seen
    assert set(seen) == {precision == "bf16"}
    assert not torch.is_autocast_enabled("cpu")


def test_auto_precision_measures_a_cross_encoder_as_it_is_trained(
    tiny_cross_encoder: Path, view: TrainView, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    for can in (False, True):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda can=can: {"amx_bf16": can}, raising=False)
        probe = PairBase(scorer_of(tiny_cross_encoder, context), [BM25()], BM25()).probe(view, Schedule(), context)
        assert isinstance(probe, PairProbe)
        assert probe._bf16 is can


def test_the_head_an_encoder_gets_is_drawn_from_the_contexts_seed(
    tiny_encoder: Path, context: Context, tools: Any
) -> None:
    import torch

    def head(seed: int) -> Any:
        within = Context(seed=seed, cache=context.cache)
        return tools.weights(PairBase(scorer_of(tiny_encoder, within), [], BM25()).fresh(within))

    state = torch.get_rng_state()
    one, again, other = head(0), head(0), head(1)
    assert torch.equal(torch.get_rng_state(), state)
    assert tools.same(one, again)
    assert [n for n in one if not torch.equal(one[n], other[n])] == [
        n for n in one if "classifier" in n and n.endswith("weight")
    ]


def test_a_cross_encoder_is_described_by_what_it_was_opened_with(tiny_cross_encoder: Path, context: Context) -> None:
    scorer = scorer_of(tiny_cross_encoder, context)
    base = PairBase(scorer, [BM25()], BM25())
    assert (base.kind, base.name, base.training_key) == ("cross_encoder", scorer.folder.name, scorer.key)
    assert base.prompts == {"query": "", "document": ""}
    assert base.weights == str(scorer.folder.path)
