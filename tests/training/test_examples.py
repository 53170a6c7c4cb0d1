import numpy as np

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.training.examples import sides, triplets

VIEW = TrainView(Corpus.of([("a", "Title", "one"), ("b", "", "two"), ("c", "", "three"), ("d", "", "four")]))


def test_columns_are_the_query_its_positive_and_each_negative() -> None:
    columns = triplets(["p", "q"], [(1, 0), (0, 2), (1, 3)], np.array([[1, 2], [3, 0], [1, 1]]), VIEW)
    assert columns == {
        "query": ["q", "p", "q"],
        "positive": ["Title one", "three", "four"],
        "negative_1": ["two", "four", "two"],
        "negative_2": ["three", "Title one", "two"],
    }
    assert list(columns) == ["query", "positive", "negative_1", "negative_2"]


def test_without_negatives_there_are_two_columns() -> None:
    assert triplets(["q"], [(0, 1)], np.zeros((1, 0), np.int64), VIEW) == {"query": ["q"], "positive": ["two"]}


def test_the_query_column_gets_the_querys_prompt_and_every_other_the_documents() -> None:
    assert sides({"query": [], "positive": [], "negative_1": [], "text": []}) == {
        "query": "query",
        "positive": "document",
        "negative_1": "document",
        "text": "document",
    }
