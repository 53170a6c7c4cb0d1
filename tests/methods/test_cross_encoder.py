from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import HarnessError
from harness.data.corpus import Corpus
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import Searcher
from harness.methods import cross_encoder as module
from harness.methods.cross_encoder import CrossEncoder
from harness.models.cross_encoder import PairScorer
from harness.runtime.context import Context

Rank = Callable[..., TopK]
Search = Callable[..., Searcher]


def test_alone_it_scores_every_document_for_every_query(
    tiny_cross_encoder: Path, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    import torch
    from sentence_transformers import CrossEncoder as Loaded

    model = Loaded(str(tiny_cross_encoder), device="cpu")
    top = rank(CrossEncoder(model=str(tiny_cross_encoder)), corpus, queries, len(corpus))
    for row, text in enumerate(queries.texts):
        pairs = [(text, document) for document in corpus.texts[:]]
        expected = model.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False)
        assert expected[top.indices[row]] == pytest.approx(top.scores[row], abs=1e-4)
    assert sorted(top.indices[0].tolist()) == list(range(len(corpus)))


def test_alone_it_refuses_more_pairs_than_anybody_would_wait_for_and_says_how_to_use_it(
    tiny_cross_encoder: Path, corpus: Corpus, searcher_of: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = searcher_of(CrossEncoder(model=str(tiny_cross_encoder)), corpus)
    monkeypatch.setattr(PairScorer, "scores", lambda *_: pytest.fail("scored"))
    many = Queries([str(i) for i in range(5001)], ["wing"] * 5001)
    with pytest.raises(
        HarnessError, match=r"would score 200,040 pairs here; use it as a re-ranker, as in bm25>>cross_encoder"
    ):
        searcher.search(many, 10)


def test_alone_it_takes_as_many_pairs_as_are_allowed(
    tiny_cross_encoder: Path, corpus: Corpus, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    method, two = CrossEncoder(model=str(tiny_cross_encoder)), Queries(["1", "2"], ["wing", "drag"])
    monkeypatch.setattr(module, "EXHAUSTIVE_PAIRS", 2 * len(corpus))
    assert (rank(method, corpus, two, 1).indices >= 0).all()
    monkeypatch.setattr(module, "EXHAUSTIVE_PAIRS", 2 * len(corpus) - 1)
    with pytest.raises(HarnessError, match="80 pairs"):
        rank(method, corpus, two, 1, within=Context())


def test_asked_afresh_it_scores_again_what_is_kept(
    tiny_cross_encoder: Path, corpus: Corpus, searcher_of: Search, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher, one = searcher_of(CrossEncoder(model=str(tiny_cross_encoder)), corpus), Queries(["q"], ["wing"])
    searcher.search(one, 3)
    computed: list[int] = []
    run = PairScorer.run
    monkeypatch.setattr(PairScorer, "run", lambda self, items: (computed.append(len(items)), run(self, items))[1])
    searcher.search(one, 3)
    assert computed == []
    searcher.search(Queries(one.ids, one.texts, cached=False), 3)
    assert sum(computed) == len(corpus)


def test_a_document_is_read_with_its_title(tiny_cross_encoder: Path, rank: Rank) -> None:
    corpus = Corpus.of([("a", "wing", "drag"), ("b", "", "wing drag"), ("c", "", "drag")])
    top = rank(CrossEncoder(model=str(tiny_cross_encoder)), corpus, Queries(["q"], ["wing"]), 3)
    scores = dict(zip(corpus.ids(top.indices[0]), top.scores[0].tolist(), strict=True))
    assert scores["a"] == pytest.approx(scores["b"], abs=1e-5)
    assert scores["a"] != pytest.approx(scores["c"], abs=1e-3)


def test_it_takes_the_models_weights_and_no_index(
    tiny_cross_encoder: Path, corpus: Corpus, searcher_of: Search
) -> None:
    size = searcher_of(CrossEncoder(model=str(tiny_cross_encoder)), corpus).size
    assert (size.index_bytes, size.dimensions) == (0, 0)
    assert size.model_bytes == (tiny_cross_encoder / "model.safetensors").stat().st_size
    assert size.parameters > 0


def test_its_inputs_are_the_models_content(tiny_cross_encoder: Path, context: Context) -> None:
    inputs = CrossEncoder(model=str(tiny_cross_encoder), precision="fp32").inputs(context)
    assert list(inputs) == [str(tiny_cross_encoder)]
    assert np.all([c in "0123456789abcdef" for c in inputs[str(tiny_cross_encoder)]])
