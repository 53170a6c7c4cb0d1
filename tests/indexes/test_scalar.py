"""FAISS's scalar quantisation: how small, how near."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.ranking import Floats
from harness.indexes import Index
from harness.indexes.scalar import Scalar
from harness.runtime.context import Context
from tests.indexes.conftest import Held

Topics = tuple[Floats, Floats]
Of = Callable[..., Index]


@pytest.mark.parametrize(("code", "least"), [("8bit", 0.95), ("fp16", 0.995)])
def test_codes_alone_find_nearly_all_and_rescored_they_rank_as_exact_does(
    index_of: Of,
    topics: Topics,
    recalled: Callable[..., float],
    ranks_as_exact: Callable[..., bool],
    code: str,
    least: float,
) -> None:
    assert recalled(index_of("scalar", code=code, rescore=1), *topics, 10) >= least
    assert ranks_as_exact(index_of("scalar", code=code, rescore=4), *topics, 10)


@pytest.mark.parametrize(("code", "size"), [("8bit", 64), ("fp16", 128)])
def test_its_size_is_that_of_the_codes(
    index_of: Of, topics: Topics, context: Context, corpus_of: Callable[[int], Corpus], code: str, size: int
) -> None:
    assert index_of("scalar", code=code).build(Held(topics[0]), corpus_of(1500).id_order, context).nbytes == 1500 * size


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(SettingError, match='scalar: code must be one of "8bit", "fp16", not "4bit"'):
        Scalar(code="4bit")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="scalar: rescore must be 1 or more"):
        Scalar(rescore=0)
