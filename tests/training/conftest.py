"""The made-up language with train and dev, a tiny encoder, methods that score as they are told, the short way to
train.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Labelled, Queries
from harness.data.ranking import Floats, Ints, TopK, select, stack
from harness.methods import CandidateScorer, Fitted, Method, Reranks, Searcher, Size
from harness.models.encoder import Encoder, EncoderSettings, open_encoder
from harness.runtime.context import Context
from harness.training.examples import sides
from harness.training.lesson import Lesson
from harness.training.loop import train
from harness.training.schedule import Schedule
from tests.models.conftest import routed as routed

Score = Callable[[str, int], float]
TABLES: dict[str, Score] = {}
SEARCHES: list[str] = []


@dataclass(frozen=True)
class Scored(Method):
    """Answers what a function of (query text, row) says; −inf leaves a document out. Without `reranks` it only
    searches.
    """

    table: str
    reranks: bool = True

    def fit(self, view: TrainView, context: Context) -> Fitted:
        return (_Reranks if self.reranks else _Fitted)(self, view.revision)


class _Fitted(Fitted):
    def __init__(self, method: Scored, view: str) -> None:
        self.method, self.key, self.resolved = method, f"{method.full()} {view}", method.settings()

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(self.method, corpus)


class _Reranks(_Fitted, Reranks):
    def candidate_scorer(self, corpus: Corpus, context: Context) -> CandidateScorer:
        return _Scorer(self.method)


class _Scorer(CandidateScorer):
    def __init__(self, method: Scored) -> None:
        self.score, self.size = TABLES[method.table], Size()

    def scores(self, texts: list[str], candidates: list[Ints]) -> list[Floats]:
        return [
            np.array([self.score(t, int(r)) for r in rows], np.float32)
            for t, rows in zip(texts, candidates, strict=True)
        ]


class _Searcher(Searcher):
    def __init__(self, method: Scored, corpus: Corpus) -> None:
        self.key, self.size, self.corpus, self.method = f"{method.full()} {corpus.revision}", Size(), corpus, method

    def search(self, queries: Queries, k: int) -> TopK:
        SEARCHES.append(self.method.table)
        found = []
        for text in queries.texts:
            scores = np.array([TABLES[self.method.table](text, row) for row in range(len(self.corpus))], np.float32)
            rows = np.flatnonzero(scores > -np.inf)
            found.append(select(rows, scores[rows], self.corpus.id_order, k))
        return stack(found, k)


@pytest.fixture
def scored() -> Callable[..., Scored]:
    """`scored("name", function of (query text, row))` is a method."""

    def one(table: str, score: Score, *, reranks: bool = True) -> Scored:
        TABLES[table] = score
        return Scored(table, reranks)

    return one


@pytest.fixture
def searches() -> list[str]:
    """The tables that were searched, one entry for each search."""
    SEARCHES.clear()
    return SEARCHES


@pytest.fixture(scope="session")
def view(language: Any) -> TrainView:
    """The language: 60 documents, 30 training queries, and the test queries as dev."""
    corpus = Corpus.of(language.documents)
    splits = []
    for split in ("train", "test"):
        judged = language.qrels[split]
        splits.append(Labelled(Queries(list(judged), [language.queries[q] for q in judged]), judged))
    return TrainView(corpus, *splits)


@pytest.fixture
def encoder(tiny_encoder: Path, context: Context) -> Encoder:
    """The tiny encoder."""
    return open_encoder(EncoderSettings(str(tiny_encoder), None, None, None, None, None, "fp32", None, False), context)


def ranking_loss(model: Any) -> Any:
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    return MultipleNegativesRankingLoss(model)


@pytest.fixture(scope="session")
def lesson_of(view: TrainView) -> Callable[..., Lesson]:
    """A lesson on the pairs of the training queries: `lesson_of(steps=4)`; settings of the schedule, or fields of the
    lesson.
    """
    assert view.train is not None
    texts = dict(zip(view.train.queries.ids, view.train.queries.texts, strict=True))
    pairs = [(texts[q], d) for q, grades in view.train.qrels.items() for d in grades]
    rows = view.corpus.rows([d for _, d in pairs])
    columns = {"query": [q for q, _ in pairs], "positive": view.corpus.texts_of(rows)[:]}

    def one(**settings: Any) -> Lesson:
        own = {k: settings.pop(k) for k in list(settings) if k in Lesson.__dataclass_fields__}
        usual = {"steps": 6, "batch": 8, "max_length": 32, "precision": "fp32", "evaluations": 3, "learning_rate": 1e-3}
        fields = {"columns": columns, "loss": ranking_loss, "sides": sides(columns), **own}
        return Lesson(schedule=Schedule(**{**usual, **settings}), **fields)

    return one


class Killed(BaseException):
    """As if the process had died here: nothing in the harness may catch it."""


class Curve:
    """A probe that answers a given curve, keeps the weights it was shown, and dies at the n-th calls."""

    def __init__(self, values: list[float], die_at: tuple[int, ...] = ()) -> None:
        self.values, self.die_at, self.shown = values, set(die_at), []

    def __call__(self, model: Any) -> float:
        place = len(self.shown)
        if place in self.die_at:
            self.die_at.remove(place)
            raise Killed
        self.shown.append(weights(model))
        return self.values[place]


def weights(model: Any) -> dict[str, Any]:
    """A copy of all weights."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Bit by bit."""
    import torch

    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def tools() -> Any:
    """`Killed`, `Curve`, `weights`, `same`, `ranking_loss`."""

    class Tools:
        pass

    Tools.Killed, Tools.Curve = Killed, Curve
    Tools.weights, Tools.same = staticmethod(weights), staticmethod(same)
    Tools.ranking_loss = staticmethod(ranking_loss)
    return Tools


@pytest.fixture(autouse=True, scope="package")
def _trains(quick_collections: None) -> None:
    """Every test here trains, or nearly so."""


@pytest.fixture(scope="session")
def _tiny_model(tiny_models: tuple[Path, Path]) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(tiny_models[0]), device="cpu")


@pytest.fixture
def fresh(_tiny_model: Any) -> Callable[[], Any]:
    """The tiny encoder's model, a new copy each time."""

    def one() -> Any:
        model = copy.deepcopy(_tiny_model)
        model.eval()
        return model

    return one


@pytest.fixture
def learn(fresh: Callable[[], Any], tmp_path: Path, context: Context) -> Callable[..., tuple[Any, Any]]:
    """Trains a fresh model: `learn(lesson, probe, "folder of checkpoints")` → the model and the report."""

    def one(lesson: Lesson, probe: Any = None, folder: str = "checkpoints", **more: Any) -> tuple[Any, Any]:
        model = more.pop("model", None) or fresh()
        prompts = more.pop("prompts", {"query": "", "document": ""})
        within = more.pop("within", context)
        return model, train(model, lesson, prompts, probe, within, tmp_path / folder, "supervised")

    return one
