"""Batches without false negatives: checked example by example."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Labelled, Queries
from harness.training.batches import Apart, relevant_texts, sampler
from harness.training.lesson import Lesson
from harness.training.schedule import Schedule


def apart_by_hand(columns: dict[str, list[str]], relevant: dict[str, frozenset[str]], batch: list[int]) -> bool:
    """Whether no text is twice in a batch, and no example has another query's relevant document."""
    texts = [{column[i] for column in columns.values()} for i in batch]
    for place, example in enumerate(batch):
        others = set().union(*(texts[:place] + texts[place + 1 :]))
        if texts[place] & others or relevant.get(columns["query"][example], frozenset()) & others:
            return False
    return True


@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40),
    st.dictionaries(st.integers(0, 8), st.frozensets(st.integers(0, 9), max_size=4)),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_every_example_is_in_one_batch_and_none_is_a_false_negative(examples, known, size, random) -> None:  # type: ignore[no-untyped-def]
    columns = {
        "query": [f"q{q}" for q, _, _ in examples],
        "positive": [f"d{p}" for _, p, _ in examples],
        "negative_1": [f"d{n}" for _, _, n in examples],
    }
    relevant = {f"q{q}": frozenset(f"d{d}" for d in documents) for q, documents in known.items()}
    order = list(range(len(examples)))
    random.shuffle(order)
    batches = list(Apart(columns, relevant).batches(order, size))
    assert sorted(example for batch in batches for example in batch) == sorted(order)
    assert all(0 < len(batch) <= size for batch in batches)
    assert all(apart_by_hand(columns, relevant, batch) for batch in batches)


def test_a_batch_is_filled_where_nothing_is_in_the_way() -> None:
    columns = {"query": [f"q{i}" for i in range(7)], "positive": [f"d{i}" for i in range(7)]}
    assert list(Apart(columns, {}).batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]


def test_the_order_changes_with_the_epoch_and_the_seed_only() -> None:
    columns = {"query": [f"q{i}" for i in range(30)], "positive": [f"d{i}" for i in range(30)]}
    lesson = Lesson(columns, lambda model: None, Schedule(), relevant={"q0": frozenset({"d0", "d1"})})  # type: ignore[arg-type, return-value]

    def drawn(seed: int, epoch: int) -> list[list[int]]:
        drawing = sampler(lesson, 4, seed)
        drawing.set_epoch(epoch)
        return list(drawing)

    assert drawn(1, 0) == drawn(1, 0) != drawn(1, 1)
    assert drawn(1, 0) != drawn(2, 0)
    assert not any({0, 1} <= set(batch) for batch in drawn(1, 0))


def test_only_queries_of_the_lesson_with_several_relevant_documents_count() -> None:
    corpus = Corpus.of([(f"d{i}", "", f"text {i}") for i in range(5)])
    qrels = {"a": {"d0": 1, "d1": 2, "d2": 0}, "b": {"d3": 1}, "c": {"d3": 1, "d4": 1}}
    train = Labelled(Queries(["a", "b", "c"], ["one", "two", "three"]), qrels)
    view = TrainView(corpus, train)
    assert relevant_texts(view, ["one", "two"]) == {"one": frozenset({"text 0", "text 1"})}
    assert relevant_texts(TrainView(corpus), ["one"]) == {}
