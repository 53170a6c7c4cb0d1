"""What holds for every method in the room, one that is added tomorrow too."""

import dataclasses
import gc
import json
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from harness.base.errors import HarnessError, Unavailable
from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import Dataset, TrainView
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Run, TopK
from harness.data.trec import write_run
from harness.datasets import load_dataset
from harness.lucene.process import Process
from harness.methods import (
    DEV_LABELS,
    METHODS,
    NO_LABELS,
    TRAIN_LABELS,
    CandidateScorer,
    Fitted,
    Method,
    Reranks,
    Searcher,
    Size,
    fit,
    index,
    search,
)
from harness.methods.api import API
from harness.methods.bm25 import BM25
from harness.methods.chunked import Chunked
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.http import HTTP
from harness.methods.hybrid import Hybrid
from harness.methods.late import Late
from harness.methods.late_chunks import LateChunks
from harness.methods.ltr import LTR
from harness.methods.memory import Memory
from harness.methods.python import PythonFunction
from harness.methods.rerank import Rerank
from harness.methods.run import RunFile
from harness.methods.sparse import Sparse
from harness.methods.tuned import Tuned
from harness.rows import parse_method
from harness.runtime.context import Context
from tests.methods.conftest import ENGINES

Rank = Callable[..., TopK]
DEEP = 100  # deeper than the corpus
ELSEWHERE = ("api", "http", "hyde", "listwise", "pointwise", "query2doc", "rerank_api", "run")
"""Rows whose settings name a server or a file of one test."""


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Context]:
    """A row that runs here → its context for all tests of this file, so that its model is loaded and its index built
    once.
    """
    root, held = tmp_path_factory.mktemp("contexts"), {}

    def one(name: str) -> Context:
        return held.setdefault(name, Context(cache=Cache(root / name)))

    return one


@pytest.fixture
def kept(method: Method, contexts: Callable[[str], Context], context: Context) -> Context:
    """That of the method; a new one for a row with a server, which each test starts anew."""
    return context if method.name() in (*ENGINES, *ELSEWHERE) else contexts(method.name())


@pytest.fixture
def ranked(rank: Rank, kept: Context) -> Rank:
    """Fits, indexes and searches, the first two once for all tests: `ranked(method, corpus, queries, k)`."""

    def one(method: Method, corpus: Corpus, queries: Queries, k: int) -> TopK:
        return rank(method, corpus, queries, k, within=kept)

    return one


@pytest.fixture
def run_file(tmp_path: Path, corpus: Corpus, queries: Queries, rank: Rank) -> Path:
    """BM25's ranking of the queries, with scores so coarse that many tie."""
    top = rank(BM25(), corpus, queries, DEEP)
    coarse = TopK(top.indices, np.where(np.isfinite(top.scores), np.round(top.scores), -np.inf).astype(np.float32))
    write_run(tmp_path / "mine.trec", Run(queries, coarse, corpus), "mine")
    return tmp_path / "mine.trec"


@pytest.fixture(scope="module")
def java() -> Iterator[Callable[..., Process]]:
    """Stands for the class: one process of Java for all tests, for it takes seconds to start."""
    started: list[Process] = []

    def process(command: list[str], environment: dict[str, str]) -> Process:
        if not started:
            started.append(Process(command, environment))
        return started[0]

    yield process
    for one in started:
        one.close()


@pytest.fixture(params=METHODS.names())
def method(
    request: pytest.FixtureRequest,
    tiny_encoder: Path,
    tiny_cross_encoder: Path,
    tiny_ragged: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    java: Callable[..., Process],
) -> Method:
    """One of each; a method that runs with its defaults needs no line here. One whose extra is absent is skipped by
    name.
    """
    dense = Dense(model=str(tiny_encoder))
    if request.param == "api":
        pytest.importorskip("openai", reason="the client openai is not installed")
        return API(model="tiny", url=request.getfixturevalue("hosted").url)
    if request.param in ("listwise", "pointwise"):
        return METHODS.get(request.param)(model="judge", url=request.getfixturevalue("judge").url)
    if request.param in ("hyde", "query2doc"):
        first = dense if request.param == "hyde" else BM25()
        return METHODS.get(request.param)(first=first, model="writer", url=request.getfixturevalue("writer").url)
    known = {
        "cross_encoder": CrossEncoder(model=str(tiny_cross_encoder)),
        "dense": dense,
        "late": Late(model=str(tiny_ragged[1])),
        "sparse": Sparse(model=str(tiny_ragged[0])),
        "chunked": Chunked(dense, words=3, overlap=1),
        "late_chunks": LateChunks(Dense(model=str(tiny_encoder), precision="fp32"), words=3, overlap=1, shared=2),
        "hybrid": Hybrid(methods=(BM25(), dense)),
        "memory": Memory(dense),
        "tuned": Tuned(over=("k1=0.9,1.2",)),
        "ltr": LTR(methods=(BM25(), BM25(k1=2))),
        "rerank": Rerank(BM25(), CrossEncoder(model=str(tiny_cross_encoder)), depth=20),
    }
    if request.param == "python":
        return PythonFunction(f"{Path(__file__).parent / 'own_search.py'}:search")
    if request.param == "generative":
        return METHODS.get(request.param)(model=str(request.getfixturevalue("tiny_generative")))
    if request.param == "rerank_api":
        return METHODS.get(request.param)(model="tiny", url=request.getfixturevalue("reranker").url)
    if request.param == "http":
        return HTTP(url=request.getfixturevalue("search_server").url)
    if request.param in ENGINES:
        return request.getfixturevalue("engine")(request.param)
    if request.param == "run":
        return RunFile(str(request.getfixturevalue("run_file")))
    monkeypatch.setattr("harness.methods.lucene.Process", java)
    made = known.get(request.param) or METHODS.get(request.param)()
    try:
        made.inputs(Context(cache=Cache(tmp_path / "inputs")))
    except Unavailable as error:
        pytest.skip(f"{request.param}: {error}")
    return made


def test_a_method_is_a_frozen_dataclass_named_after_its_file(method: Method) -> None:
    assert METHODS.get(method.name()) is type(method)
    assert type(method).__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hash(method) == hash(dataclasses.replace(method))


def test_its_settings_print_and_parse_back(method: Method) -> None:
    assert parse_method(str(method)) == method
    assert parse_method(method.full()) == method
    assert len(str(method)) <= len(method.full())


def test_its_settings_and_what_was_resolved_are_json(method: Method, corpus: Corpus, kept: Context) -> None:
    resolved = dict(fit(method, TrainView(corpus), kept).resolved)
    for value in (method.settings(), resolved, method.inputs(kept)):
        assert json.loads(json.dumps(value, allow_nan=False)) == value


def test_fitting_says_which_labels_were_used(method: Method, corpus: Corpus, kept: Context) -> None:
    fitted = fit(method, TrainView(corpus), kept)
    assert isinstance(fitted, Fitted)
    assert fitted.supervision in (NO_LABELS, DEV_LABELS, TRAIN_LABELS, "unknown")
    assert all(isinstance(note, str) for note in fitted.notes)


def test_a_ranking_is_q_by_k_int64_and_float32(method: Method, corpus: Corpus, queries: Queries, ranked: Rank) -> None:
    top = ranked(method, corpus, queries, 7)
    assert top.indices.shape == top.scores.shape == (len(queries), 7)
    assert (top.indices.dtype, top.scores.dtype) == (np.int64, np.float32)


@pytest.mark.parametrize("k", [1, 5, DEEP])
def test_padding_closes_a_ranking_and_is_minus_one_and_minus_infinity(
    k: int, method: Method, corpus: Corpus, queries: Queries, ranked: Rank
) -> None:
    top = ranked(method, corpus, queries, k)
    padded = top.indices == -1
    assert np.array_equal(padded, np.isneginf(top.scores))
    assert np.array_equal(np.sort(padded, axis=1), padded)
    assert np.isfinite(top.scores[~padded]).all()
    assert ((top.indices[~padded] >= 0) & (top.indices[~padded] < len(corpus))).all()


@pytest.mark.parametrize("k", [1, 5, DEEP])
def test_a_ranking_is_in_the_documented_order_best_score_first_and_ties_by_descending_id(
    k: int, method: Method, corpus: Corpus, queries: Queries, ranked: Rank
) -> None:
    for rows, scores in ranked(method, corpus, queries, k).rows():
        pairs = list(zip(scores.tolist(), [i.encode() for i in corpus.ids(rows)], strict=True))
        assert pairs == sorted(pairs, reverse=True)


def test_the_documented_order_decides_the_cut_so_that_a_shallow_ranking_begins_a_deep_one(
    method: Method, corpus: Corpus, queries: Queries, ranked: Rank
) -> None:
    deep = ranked(method, corpus, queries, DEEP)
    for k in (1, 2, 3, 7, 20):
        shallow = ranked(method, corpus, queries, k)
        assert np.array_equal(shallow.indices, deep.indices[:, :k])
        assert np.array_equal(shallow.scores, deep.scores[:, :k])


def test_no_document_comes_twice(method: Method, corpus: Corpus, queries: Queries, ranked: Rank) -> None:
    for rows, _ in ranked(method, corpus, queries, DEEP).rows():
        assert len(set(rows.tolist())) == len(rows)


def test_it_finds_something(method: Method, corpus: Corpus, queries: Queries, ranked: Rank) -> None:
    top = ranked(method, corpus, queries, 5)
    assert (top.indices[:5, 0] >= 0).all()


def test_a_query_of_which_the_corpus_holds_no_word_is_no_error(method: Method, corpus: Corpus, ranked: Rank) -> None:
    lost = Queries(["nothing", "q0"], ["qqq xxyyzz", "wing"])
    top = ranked(method, corpus, lost, 5)
    assert top.indices.shape == (2, 5)
    assert top.indices[1, 0] >= 0


def test_ranking_is_the_same_twice_with_nothing_shared(
    method: Method, corpus: Corpus, queries: Queries, rank: Rank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.methods.lucene.Process", Process)  # not that of the other tests
    tops = [
        rank(method, corpus, queries, DEEP, within=Context(cache=Cache(tmp_path / name))) for name in ("one", "two")
    ]
    assert np.array_equal(tops[0].indices, tops[1].indices)
    assert np.array_equal(tops[0].scores, tops[1].scores)


def test_what_is_taken_from_the_cache_ranks_as_what_is_made_afresh(
    method: Method, corpus: Corpus, queries: Queries, rank: Rank, context: Context
) -> None:
    first = rank(method, corpus, queries, DEEP)
    again = rank(method, corpus, queries, DEEP, within=Context(cache=context.cache))
    assert np.array_equal(first.indices, again.indices)
    assert np.array_equal(first.scores, again.scores)


def test_a_query_asked_alone_and_afresh_is_ranked_as_among_others(
    method: Method, corpus: Corpus, queries: Queries, searcher_of: Callable[..., Searcher], kept: Context
) -> None:
    searcher = searcher_of(method, corpus, within=kept)
    if not searcher.live:
        pytest.skip(f"{method.name()} replays what was computed elsewhere")
    together = searcher.search(queries, DEEP)
    for i, (query, text) in enumerate(zip(queries.ids, queries.texts, strict=True)):
        alone = searcher.search(Queries([query], [text], cached=False), DEEP)
        scores = dict(zip(alone.indices[0].tolist(), alone.scores[0].tolist(), strict=True))
        expected = dict(zip(together.indices[i].tolist(), together.scores[i].tolist(), strict=True))
        assert scores == pytest.approx(expected, abs=1e-4), query


def test_what_its_encoding_makes_of_each_document_and_query_is_all_that_indexing_and_searching_encode(
    method: Method, corpus: Corpus, queries: Queries, context: Context
) -> None:
    encoding = method.encoding()
    if encoding is None:
        return
    assert encoding.encoding() == encoding
    fitted = fit(encoding, TrainView(corpus), context)
    fitted.encode(corpus.texts[:])
    fitted.encode(queries.texts, "query")
    search(method, index(method, fit(method, TrainView(corpus), context), corpus, context), queries, 5, context)
    counts = [step.counts for step in context.ledger.steps.values() if "asked" in step.counts]
    assert sum(count["asked"] for count in counts) >= len(corpus) + len(queries)
    assert sum(count["computed"] for count in counts) == 0


def test_keys_tell_corpora_apart(
    method: Method, corpus: Corpus, searcher_of: Callable[..., Searcher], context: Context
) -> None:
    other = Corpus.of([*(corpus[i] for i in range(len(corpus))), ("new", "", "wing")])
    assert searcher_of(method, corpus).key != searcher_of(method, other).key
    assert (
        fit(method, TrainView(corpus), context).key == fit(method, TrainView(corpus), Context(cache=context.cache)).key
    )


def test_it_says_what_it_takes(
    method: Method, corpus: Corpus, queries: Queries, searcher_of: Callable[..., Searcher]
) -> None:
    searcher = searcher_of(method, corpus)
    before = dict(vars(searcher))
    searcher.search(queries, 5)
    reported = searcher.report(queries)
    assert isinstance(searcher.size, Size)
    assert all(isinstance(v, int) and v >= 0 for v in dataclasses.asdict(reported.size).values())
    assert reported.size.index_bytes >= searcher.size.index_bytes
    json.dumps(dict(reported.resolved), allow_nan=False)
    assert {name: value for name, value in vars(searcher).items() if before.get(name) is not value} == {}
    assert searcher.live or searcher.size.model_bytes == 0 or any(method.nested())  # of a part that runs here


def test_what_it_is_built_of_has_a_depth_for_the_plan(method: Method) -> None:
    for part in method.nested():
        assert isinstance(part, Method)
        assert method.depth_of(part, 10) >= 0


def test_a_method_that_re_ranks_scores_the_candidates_it_is_given_in_their_order(
    method: Method, corpus: Corpus, queries: Queries, kept: Context
) -> None:
    fitted = fit(method, TrainView(corpus), kept)
    if not isinstance(fitted, Reranks):
        pytest.skip(f"{method.name()} does not re-rank")
    scorer = fitted.candidate_scorer(corpus, kept)
    assert isinstance(scorer, CandidateScorer)
    if not scorer.independent:
        pytest.skip(f"{method.name()} weighs candidates against each other")
    rng = np.random.default_rng(0)
    candidates = [rng.permutation(len(corpus))[:n] for n in (5, 0, 1, 12, 40, 3)]
    found = scorer.scores(queries.texts, candidates)
    assert [s.shape for s in found] == [c.shape for c in candidates]
    backwards = scorer.scores(queries.texts, [c[::-1] for c in candidates])
    for scores, reversed_scores in zip(found, backwards, strict=True):
        assert scores == pytest.approx(reversed_scores[::-1], abs=1e-5)


def test_a_shared_step_is_done_once(method: Method, corpus: Corpus, queries: Queries, context: Context) -> None:
    tops = []
    for _ in range(2):
        fitted = fit(method, TrainView(corpus), context)
        tops.append(search(method, index(method, fitted, corpus, context), queries, 5, context))
    assert tops[0] is tops[1]
    labels = [step.label for step in context.ledger.steps.values() if step.kind in ("fit", "index", "search")]
    assert len(labels) == len(set(labels)) >= 3


# What a method is given


def reachable(root: object) -> list[object]:
    """Everything that can be got at from an object, through closures too, not through modules and classes."""
    seen: dict[int, object] = {}
    todo = [root]
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, (type, types.ModuleType)):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, types.FunctionType):
            todo += [*(thing.__closure__ or ()), *(thing.__defaults__ or ())]
        else:
            todo += gc.get_referents(thing)
    return list(seen.values())


def test_nothing_of_the_test_split_can_be_reached_from_what_a_method_is_fitted_on(small: Dataset) -> None:
    view = small.train
    assert view.train is not None
    assert view.dev is not None
    found = reachable(view)
    texts = {thing for thing in found if isinstance(thing, str)}
    assert set(view.train.queries.ids) | set(view.dev.queries.texts) <= texts  # the walk does get there
    assert not texts & set(small.test.queries.ids)
    assert not texts & set(small.test.queries.texts)
    assert not any(thing is small or thing is small.test or thing is small.test.qrels for thing in found)
    assert {id(t) for t in found if isinstance(t, Labelled)} == {id(view.train), id(view.dev)}


def test_a_test_query_that_is_also_a_train_query_cannot_be_reached_either(small_folder: Path, context: Context) -> None:
    with open(small_folder / "qrels" / "train.tsv", "a") as file:
        file.write("name0\td00\t1\nname1\td10\t1\n")
    dataset = load_dataset(str(small_folder), context)
    texts = {thing for thing in reachable(dataset.train) if isinstance(thing, str)}
    assert "name0" in dataset.test.queries.ids
    assert not texts & {"name0", "name1", *dataset.test.queries.texts}
    assert dataset.notes == ("2 queries of train are also in test: left out of train",)


def test_the_walk_would_find_a_test_split_behind_a_closure(small: Dataset) -> None:
    leaky = TrainView(small.corpus, train=Labelled(small.train.train.queries, {}), dev=None)  # type: ignore[union-attr]
    object.__setattr__(leaky, "later", lambda: small.test)
    assert set(small.test.queries.texts) <= {t for t in reachable(leaky) if isinstance(t, str)}


def test_fitting_does_not_depend_on_the_test_split(method: Method, small: Dataset, context: Context) -> None:
    if method.name() == "run":
        pytest.skip("a run file is of its own collection")
    other = dataclasses.replace(small, test=Labelled(Queries(["x"], ["other words"]), {"x": {"d00": 1}}))
    assert fit(method, small.train, context).key == fit(method, other.train, Context(cache=context.cache)).key


def test_a_setting_it_does_not_have_is_refused_by_name(method: Method) -> None:
    with pytest.raises(HarnessError, match=r"unknown setting of .* 'no_such_setting'"):
        parse_method(f"{method.name()}(no_such_setting=1)")
