import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import SettingError
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.queries import Labelled, Queries
from harness.data.ranking import TopK, select, stack
from harness.datasets import load_dataset
from harness.fusions.convex import Convex
from harness.fusions.rrf import RRF
from harness.methods import Fitted, Method, Searcher, Size, fit, index, search
from harness.methods.bm25 import BM25
from harness.methods.dense import Dense
from harness.methods.hybrid import Hybrid
from harness.rows import parse_method
from harness.runtime.context import Context

Rank = Callable[..., TopK]
Search = Callable[..., Searcher]

TABLES: dict[str, Mapping[str, Mapping[str, float]]] = {}
"""What the scripted methods answer: table → query → document → score."""


@dataclass(frozen=True)
class Scripted(Method):
    """Answers from a table; uses train labels if told to say so."""

    table: str
    supervision: str = "none"
    note: str = ""

    def fit(self, view: TrainView, context: Context) -> Fitted:
        return _Fitted(self)


class _Fitted(Fitted):
    def __init__(self, method: Scripted) -> None:
        self.method, self.key, self.resolved = method, method.full(), method.settings()
        self.supervision, self.notes = method.supervision, (method.note,) if method.note else ()

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(self.method, corpus)


class _Searcher(Searcher):
    def __init__(self, method: Scripted, corpus: Corpus) -> None:
        self.key, self.size = f"{method.full()} {corpus.revision}", Size(index_bytes=1)
        self.table, self.corpus = TABLES[method.table], corpus

    def search(self, queries: Queries, k: int) -> TopK:
        found = []
        for query in queries.ids:
            scores = self.table.get(query, {})
            values = np.array(list(scores.values()), np.float32)
            found.append(select(self.corpus.rows(list(scores)), values, self.corpus.id_order, k))
        return stack(found, k)


@pytest.fixture
def letters() -> Corpus:
    return Corpus.of([(letter, "", letter) for letter in "abcdefgh"])


@pytest.fixture
def scripted() -> tuple[Scripted, Scripted]:
    """Two methods: on `dev*` the second is right (document a), on `test*` the first is."""
    right, wrong = {"a": 3.0, "b": 2.0, "c": 1.0}, {"c": 3.0, "b": 2.0, "a": 1.0}
    TABLES["one"] = {"dev1": wrong, "dev2": wrong, "test1": right}
    TABLES["two"] = {"dev1": right, "dev2": right, "test1": wrong}
    return Scripted("one"), Scripted("two")


def labelled(**relevant: str) -> Labelled:
    ids = list(relevant)
    return Labelled(Queries(ids, ids), {q: {d: 1} for q, d in relevant.items()})


def test_convex_chooses_the_weight_that_is_best_on_dev_and_records_it(
    scripted: tuple[Scripted, Scripted], letters: Corpus, context: Context
) -> None:
    method = Hybrid(methods=scripted, fusion=Convex())
    fitted = fit(method, TrainView(letters, dev=labelled(dev1="a", dev2="a")), context)
    chosen = fitted.resolved["fusion"]
    assert chosen["name"] == "convex"
    assert chosen["weight"] == 0.55  # the first above the even mixture puts document a on top
    assert fitted.supervision == "dev labels"
    assert fitted.resolved["chosen_by"] == "dev nDCG@10"
    assert len(fitted.resolved["dev"]) == 21
    assert fitted.resolved["dev"]["convex(weight=0.55)"] == 1.0
    assert fitted.resolved["dev"]["convex(weight=0.45)"] == 0.5
    assert fitted.notes == ()


def test_convex_chooses_the_other_side_where_dev_says_so(
    scripted: tuple[Scripted, Scripted], letters: Corpus, context: Context
) -> None:
    fitted = fit(Hybrid(methods=scripted, fusion=Convex()), TrainView(letters, dev=labelled(test1="a")), context)
    assert fitted.resolved["fusion"]["weight"] == 0.45


def test_a_tie_on_dev_goes_to_the_even_mixture(
    scripted: tuple[Scripted, Scripted], letters: Corpus, context: Context
) -> None:
    fitted = fit(Hybrid(methods=scripted, fusion=Convex()), TrainView(letters, dev=labelled(dev1="h")), context)
    assert fitted.resolved["fusion"]["weight"] == 0.5


def test_train_judgements_do_not_move_the_weight(
    scripted: tuple[Scripted, Scripted], letters: Corpus, context: Context
) -> None:
    method, dev = Hybrid(methods=scripted, fusion=Convex()), labelled(dev1="a")
    view = TrainView(letters, train=labelled(test1="c", dev2="c"), dev=dev)
    assert (
        fit(method, view, context).resolved["fusion"]
        == fit(method, TrainView(letters, dev=dev), context).resolved["fusion"]
    )


def test_the_weight_chosen_on_dev_ranks_the_test_queries(
    scripted: tuple[Scripted, Scripted], letters: Corpus, searcher_of: Search
) -> None:
    view = TrainView(letters, dev=labelled(dev1="a", dev2="a"))
    chosen = searcher_of(Hybrid(methods=scripted, fusion=Convex()), letters, view=view)
    said = searcher_of(Hybrid(methods=scripted, fusion=Convex(weight=0.55)), letters)
    asked = Queries(["test1"], ["?"])
    assert letters.ids(chosen.search(asked, 3).indices[0]) == ["c", "b", "a"]
    assert np.array_equal(chosen.search(asked, 3).scores, said.search(asked, 3).scores)


def test_without_dev_queries_the_even_mixture_stands_and_the_record_says_so(
    scripted: tuple[Scripted, Scripted], letters: Corpus, context: Context
) -> None:
    fitted = fit(Hybrid(methods=scripted, fusion=Convex()), TrainView(letters), context)
    assert fitted.resolved["fusion"]["weight"] == 0.5
    assert fitted.supervision == "none"
    assert fitted.notes == (
        'no train or dev queries to choose on: convex(weight=0.5, normalise="minmax") taken as it is',
    )
    assert "dev" not in fitted.resolved


def test_a_weight_that_is_said_is_not_chosen(
    scripted: tuple[Scripted, Scripted], letters: Corpus, context: Context
) -> None:
    view = TrainView(letters, dev=labelled(dev1="a"))
    fitted = fit(Hybrid(methods=scripted, fusion=Convex(weight=0.2)), view, context)
    assert fitted.resolved["fusion"]["weight"] == 0.2
    assert (fitted.supervision, fitted.notes) == ("none", ())
    assert not any(step.kind == "search" for step in context.ledger.steps.values())


def test_another_weight_is_another_searcher(
    scripted: tuple[Scripted, Scripted], letters: Corpus, searcher_of: Search
) -> None:
    method = Hybrid(methods=scripted, fusion=Convex())
    one = searcher_of(method, letters, view=TrainView(letters, dev=labelled(dev1="a")))
    two = searcher_of(method, letters, view=TrainView(letters, dev=labelled(test1="a")))
    assert one.key != two.key


def test_the_weight_is_chosen_on_the_dev_split_of_a_collection_whatever_its_test_judgements(
    small: Dataset, tiny_encoder: Path, context: Context
) -> None:
    method = Hybrid(methods=(BM25(), Dense(model=str(tiny_encoder))), fusion=Convex())
    fitted = fit(method, small.train, context)
    assert fitted.supervision == "dev labels"
    assert fitted.resolved["fusion"]["weight"] < 0.5  # a random encoder is worth less than BM25
    assert small.train.dev is not None
    asked = {step.label: step.key for step in context.ledger.steps.values() if step.kind == "search"}
    assert all(small.train.dev.queries.revision in key for key in asked.values())
    assert not any(small.test.queries.revision in key for key in asked.values())


def test_rrf_sums_the_reciprocal_ranks_of_the_rankings_that_hold_a_document(letters: Corpus, rank: Rank) -> None:
    TABLES["one"] = {"q": {"a": 9.0, "b": 8.0}}
    TABLES["two"] = {"q": {"b": 0.2, "c": 0.1}}
    top = rank(Hybrid(methods=(Scripted("one"), Scripted("two")), fusion=RRF(k=60)), letters, Queries(["q"], ["?"]), 8)
    assert letters.ids(top.indices[0, :3]) == ["b", "a", "c"]
    assert top.scores[0, :3].tolist() == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62])
    assert top.indices[0, 3:].tolist() == [-1] * 5


def test_no_more_than_depth_of_each_ranking_take_part(letters: Corpus, rank: Rank) -> None:
    TABLES["one"] = {"q": {"a": 9.0, "b": 8.0, "c": 7.0}}
    TABLES["two"] = {"q": {"d": 9.0, "e": 8.0, "f": 7.0}}
    method = Hybrid(methods=(Scripted("one"), Scripted("two")), depth=2)
    top = rank(method, letters, Queries(["q"], ["?"]), 8)
    assert set(letters.ids(top.indices[0, :4])) == {"a", "b", "d", "e"}
    assert top.indices[0, 4] == -1
    assert [method.depth_of(part, 1000) for part in method.nested()] == [2, 2]


def test_a_query_only_one_method_answers_is_answered_and_one_that_none_answers_is_not(
    letters: Corpus, rank: Rank
) -> None:
    TABLES["one"] = {"q": {"a": 9.0}}
    TABLES["two"] = {}
    for fusion in (RRF(), Convex(weight=0.5)):
        top = rank(
            Hybrid(methods=(Scripted("one"), Scripted("two")), fusion=fusion),
            letters,
            Queries(["q", "p"], ["?", "!"]),
            2,
        )
        assert top.indices.tolist() == [[0, -1], [-1, -1]]


def test_labels_and_notes_of_its_methods_are_its_own(letters: Corpus, context: Context) -> None:
    TABLES["one"] = {"dev1": {"a": 1.0}}
    trained, noted = Scripted("one", supervision="train labels"), Scripted("one", note="made by hand")
    plain = fit(Hybrid(methods=(trained, noted)), TrainView(letters), context)
    assert (plain.supervision, plain.notes) == ("train labels", ("made by hand",))
    chosen = fit(Hybrid(methods=(trained, noted), fusion=Convex()), TrainView(letters, dev=labelled(dev1="a")), context)
    assert chosen.supervision == "train labels"
    unlabelled = fit(Hybrid(methods=(Scripted("one"), noted)), TrainView(letters), context)
    assert unlabelled.supervision == "none"


def test_what_was_resolved_holds_every_method_and_its_size_is_theirs(
    scripted: tuple[Scripted, Scripted], letters: Corpus, context: Context, searcher_of: Search
) -> None:
    method = Hybrid(methods=(*scripted, dataclasses.replace(scripted[0], note="third")))
    resolved = fit(method, TrainView(letters), context).resolved
    assert [m["table"] for m in resolved["methods"]] == ["one", "two", "one"]
    assert (resolved["fusion"], resolved["depth"]) == ({"name": "rrf", "k": 60}, 1000)
    assert searcher_of(method, letters).size == Size(index_bytes=3)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"methods": (BM25(),)}, "methods must name two or more"),
        ({"methods": ()}, "methods must name two or more"),
        ({"depth": 0}, "depth must be 1 or more"),
        ({"methods": (BM25(), BM25(), BM25()), "fusion": Convex()}, "convex fuses two methods, not 3; use fusion=rrf"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_when_it_is_said(settings: dict[str, object], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Hybrid(**settings)  # type: ignore[arg-type]


@pytest.fixture
def documents_ask(tmp_path: Path, context: Context) -> Dataset:
    """A collection whose dev queries a1 and a2 are its documents of these ids; one dev query and the test query are
    not.
    """
    lines = [{"_id": i, "title": "", "text": f"text of {i}"} for i in ("a1", "a2", "r", "x", "y")]
    asked = {"a1": "text of a1", "a2": "text of a2", "q": "what is r?", "t": "what is x?"}
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps({"_id": i, "text": t}) + "\n" for i, t in asked.items()))
    for split, ids in (("dev", ("a1", "a2", "q")), ("test", ("t",))):
        rows = "".join(f"{i}\tr\t1\n" for i in ids)
        (tmp_path / "qrels" / f"{split}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}")
    return load_dataset(str(tmp_path), context)


def test_the_weight_is_chosen_without_the_documents_that_are_the_dev_queries(
    documents_ask: Dataset, context: Context
) -> None:
    """Below 0.33, r is the best other document of a1 and a2; above 0.5, of q. With a1 and a2 at the head of their own
    rankings the second gains more than the first (2.0 to 1.89), without them less (2.26 to 2.63).
    """
    one, two = {"r": 9.0, "x": 8.0, "y": 7.0}, {"x": 9.0, "y": 8.0, "r": 7.0}
    TABLES["one"] = {"a1": {"a1": 10.0, **one}, "a2": {"a2": 10.0, **one}, "q": {"x": 10.0, "r": 9.0}}
    TABLES["two"] = {"a1": {"a1": 10.0, **two}, "a2": {"a2": 10.0, **two}, "q": {"x": 9.0, "r": 10.0}}
    method = Hybrid(methods=(Scripted("one"), Scripted("two")), fusion=Convex())
    resolved = fit(method, documents_ask.train, context).resolved
    assert resolved["fusion"]["weight"] == 0.3
    second = 1 / np.log2(3)
    assert resolved["dev"]["convex(weight=0.3)"] == pytest.approx((2 + second) / 3, abs=1e-5)
    assert resolved["dev"]["convex(weight=0.55)"] == pytest.approx((2 * second + 1) / 3, abs=1e-5)


def test_a_relevant_document_at_the_tenth_place_counts_after_the_query_itself_is_removed(context: Context) -> None:
    others = [f"o{i}" for i in range(9)]
    corpus = Corpus.of([(i, "", i) for i in ("a", "r", *others)])
    ranked = {"a": 100.0, **{o: 50.0 - i for i, o in enumerate(others)}, "r": 1.0}
    TABLES["one"] = TABLES["two"] = {"a": ranked}
    dev = Labelled(Queries(["a"], ["a"]), {"a": {"r": 1}}, frozenset({"a"}))
    resolved = fit(
        Hybrid(methods=(Scripted("one"), Scripted("two")), fusion=Convex()), TrainView(corpus, dev=dev), context
    ).resolved
    assert resolved["dev"]["convex(weight=0.5)"] == pytest.approx(1 / np.log2(11), abs=1e-5)


@pytest.mark.parametrize("text", ["bm25", "hybrid(methods=(bm25, bm25(k1=0.5)), depth=100000000000)"])
def test_nothing_is_allocated_for_places_beyond_the_corpus(
    text: str, corpus: Corpus, queries: Queries, context: Context
) -> None:
    method = parse_method(text)
    fitted = fit(method, TrainView(corpus), context)
    top = search(method, index(method, fitted, corpus, context), queries, 10**11, context)
    assert top.indices.shape == (len(queries), len(corpus))
