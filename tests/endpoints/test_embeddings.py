import numpy as np
import pytest

from harness.base.errors import ModelError, Unavailable
from harness.endpoints.embeddings import EmbeddingResponse, missing_library, validated


def test_vectors_are_put_in_the_order_of_the_texts() -> None:
    found = validated("m", EmbeddingResponse([(1, [0.0, 2.0]), (0, [1.0, 0.0])], 3), ["a", "b"], None)
    assert found.tolist() == [[1.0, 0.0], [0.0, 2.0]]
    assert found.dtype == np.float32
    assert validated("m", EmbeddingResponse([(None, [1.0]), (None, [2.0])], 0), ["a", "b"], 1).tolist() == [
        [1.0],
        [2.0],
    ]


@pytest.mark.parametrize(
    ("vectors", "dimension", "told"),
    [
        ([(0, [1.0])], None, "1 vectors for 2 texts"),
        ([(0, [1.0]), (2, [1.0])], None, r"texts \[0, 2\] instead of 0 to 1"),
        ([(0, [1.0]), (None, [1.0])], None, "instead of 0 to 1"),
        ([(0, [1.0]), (1, [1.0, 2.0])], None, "2 dimensions instead of 1, for 'b'"),
        ([(0, [1.0]), (1, [1.0])], 3, "1 dimensions instead of 3, for 'a'"),
        ([(0, []), (1, [])], None, "0 dimensions"),
        ([(0, ["x"]), (1, [1.0])], None, "not a list of numbers"),
        ([(0, None), (1, [1.0])], None, "not a list of numbers"),
        ([(0, 1.0), (1, 1.0)], None, "not a list of numbers"),
        ([(0, {"a": 1}), (1, [1.0])], None, "not a list of numbers"),
        ([(0, [[1.0], 2.0]), (1, [1.0, 2.0])], None, "not a list of numbers"),
        ([(0, [[1.0, 2.0]]), (1, [[1.0, 2.0]])], None, "a list of lists"),
        ([(0, [1.0]), (1, [float("nan")])], None, "not numbers, first for 'b'"),
        ([(0, [1e39]), (1, [1.0])], None, "not numbers, first for 'a'"),
        ([(0, [1.0]), (1, [0.0])], None, "a vector of zeros, first for 'b'"),
    ],
)
@pytest.mark.filterwarnings("error:overflow")
def test_what_is_no_vector_of_its_text_is_refused(vectors: list, dimension: int | None, told: str) -> None:
    with pytest.raises(ModelError, match=f"^m answered with .*{told}"):
        validated("m", EmbeddingResponse(vectors, 0), ["a", "b"], dimension)


def test_a_missing_library_is_told_from_a_broken_one() -> None:
    found = missing_library("api", "openai", ModuleNotFoundError("no", name="openai"))
    assert isinstance(found, Unavailable)
    assert found.remedy == "python3 -m pip install 'retrieval-harness[openai]'"
    broken = ModuleNotFoundError("no", name="openai_of_ours")
    with pytest.raises(ModuleNotFoundError) as told:
        missing_library("api", "openai", broken)
    assert told.value is broken
