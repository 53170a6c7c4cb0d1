from __future__ import annotations

from pathlib import Path

from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.methods.sparse import Sparse
from harness.runtime.context import Context
from harness.training.ragged_base import SparseBase


def test_a_sparse_encoder_judges_for_itself_and_one_that_is_to_become_one_by_its_dense_row(
    tiny_sparse: Path, tiny_encoder: Path, context: Context
) -> None:
    ready = Sparse(str(tiny_sparse))
    base = SparseBase.of(ready.open_model(context), ready)
    assert (base.whole, base.untrained, base.first_stages) == (True, ready, (BM25(), ready))
    unready = Sparse(str(tiny_encoder))
    base = SparseBase.of(unready.open_model(context), unready)
    dense = Dense(str(tiny_encoder), query_prompt="", document_prompt="")
    assert (base.whole, base.untrained, base.first_stages) == (False, dense, (BM25(), dense))


def test_after_a_recipe_the_trained_row_judges(tiny_sparse: Path, tiny_encoder: Path, context: Context) -> None:
    row = Sparse(str(tiny_encoder))
    base = SparseBase.of(row.open_model(context), row)
    after = base.after(tiny_sparse, row, context, frozen=False)
    assert isinstance(after, SparseBase)
    assert (after.untrained, after.weights, after.name) == (row, str(tiny_sparse), base.name)
