"""A collection whose test split nobody can touch, and the short way from a recipe to the row that it trains."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.cache.folders import Cache
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Labelled, Queries
from harness.datasets import load_dataset
from harness.methods import Method, fit
from harness.methods.cross_encoder import CrossEncoder
from harness.methods.dense import Dense
from harness.methods.late import Late
from harness.methods.sparse import Sparse
from harness.models.cross_encoder import open_pair_scorer
from harness.models.encoder import open_encoder
from harness.models.late import LateEncoder
from harness.models.ragged import open_ragged
from harness.models.sparse import SparseEncoder
from harness.recipes import Recipe
from harness.runtime.context import Context
from harness.training.base import EncoderBase, PairBase, Trainable
from harness.training.lesson import Lesson
from harness.training.ragged_base import LateBase, SparseBase
from harness.training.trained import with_recipes

SEALED = "zzsealed"
"""A word that every test query of the sealed collection holds and nothing else does."""


class Sealed:
    """Stands where a test split would; whoever looks into it fails."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"the test split was asked for {name}")


@pytest.fixture(autouse=True, scope="package")
def _trains(quick_collections: None) -> None:
    """Most tests here train."""


@pytest.fixture(autouse=True, scope="module")
def _no_engine_check(reference_engine: None) -> None:
    """It takes longer than what is taught here."""


@pytest.fixture(scope="module")
def sealed(language: Any, tmp_path_factory: pytest.TempPathFactory) -> TrainView:
    """The made-up collection as training sees it, after its test split was removed from memory and from disk."""
    folder = tmp_path_factory.mktemp("sealed") / "small"
    (folder / "qrels").mkdir(parents=True)
    rows = [json.dumps({"_id": i, "title": t, "text": x}) for i, t, x in language.documents]
    (folder / "corpus.jsonl").write_text("\n".join(rows) + "\n")
    hidden = {
        i: f"{x} {SEALED}{n}" if i in language.qrels["test"] else x for n, (i, x) in enumerate(language.queries.items())
    }
    rows = [json.dumps({"_id": i, "text": x}) for i, x in hidden.items()]
    (folder / "queries.jsonl").write_text("\n".join(rows) + "\n")
    for split, judged in language.qrels.items():
        lines = [
            "query-id\tcorpus-id\tscore",
            *(f"{q}\t{d}\t{g}" for q, grades in judged.items() for d, g in grades.items()),
        ]
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    dataset = load_dataset(str(folder), Context(cache=Cache(tmp_path_factory.mktemp("sealed-cache"))))
    view = dataset.train
    object.__setattr__(dataset, "test", Sealed())
    for file in (folder / "queries.jsonl", *(folder / "qrels").iterdir()):
        file.unlink()
    return view


@pytest.fixture
def view(small: Any) -> TrainView:
    return small.train


Row = Callable[..., Method]


@pytest.fixture(scope="session")
def row(tiny_models: tuple[Path, Path], tiny_ragged: tuple[Path, Path]) -> Row:
    """Recipes → the row of the tiny model that they train, one after the other."""

    def one(*recipes: Recipe) -> Method:
        if recipes[0].trains == "cross_encoder":
            return with_recipes(CrossEncoder(model=str(tiny_models[1]), precision="fp32"), recipes)
        if recipes[0].trains == "sparse":
            return with_recipes(Sparse(model=str(tiny_ragged[0])), recipes)
        if recipes[0].trains == "late":
            return with_recipes(Late(model=str(tiny_ragged[1])), recipes)
        return with_recipes(Dense(model=str(tiny_models[0])), recipes)

    return one


@pytest.fixture
def base_of(tiny_models: tuple[Path, Path], tiny_ragged: tuple[Path, Path]) -> Callable[..., Trainable]:
    """Recipe, context → the tiny model as a recipe is given it."""
    from harness.methods.bm25 import BM25

    def one(recipe: Recipe, context: Context, model: Path | None = None) -> Trainable:
        if recipe.trains == "cross_encoder":
            scorer = CrossEncoder(model=str(model or tiny_models[1]))
            return PairBase(open_pair_scorer(scorer._pair_settings(), context), (BM25(),), scorer)
        if recipe.trains == "sparse":
            sparse = Sparse(model=str(model or tiny_ragged[0]))
            return SparseBase(open_ragged(SparseEncoder, sparse._settings(), context), (BM25(), sparse), sparse)
        if recipe.trains == "late":
            late = Late(model=str(model or tiny_ragged[1]))
            return LateBase(open_ragged(LateEncoder, late._settings(), context), (BM25(), late), late)
        dense = Dense(model=str(model or tiny_models[0]))
        return EncoderBase(open_encoder(dense._encoder_settings(), context), (BM25(), dense), dense)

    return one


@pytest.fixture
def lesson_of(base_of: Callable[..., Trainable], context: Context) -> Callable[..., Lesson]:
    """Recipe, view → the lesson it gives the tiny model."""

    def one(recipe: Recipe, view: TrainView, within: Context | None = None) -> Lesson:
        within = within or context
        return recipe.lesson(base_of(recipe, within), view, within)

    return one


@dataclass(frozen=True)
class Done:
    """A recipe that was fitted on the sealed collection at `smoke`.

    Args:
        recipe: which.
        method: its row.
        fitted: the row, fitted.
        told: what a record says about the training.
        texts: every text that a tokenizer, a model or BM25 was given.
        cache: where the model is kept.
    """

    recipe: Recipe
    method: Method
    fitted: Any
    told: dict[str, Any]
    texts: frozenset[str]
    cache: Path

    @property
    def place(self) -> Path:
        """The folder of the model that was asked for (a recipe's own teacher has one too)."""
        sha = self.fitted.resolved["sha"]
        from harness.models.resolve import resolve

        folders = (self.cache / "models").glob("*/model")
        return next(p for p in folders if resolve(str(p), Context(cache=Cache(self.cache))).sha == sha)


@pytest.fixture(scope="module")
def trained_at_smoke(sealed: TrainView, row: Row, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Done]:
    """Recipe → what its training left; each recipe is trained once for all tests of a file."""
    held: dict[str, Done] = {}

    def one(recipe: Recipe) -> Done:
        if str(recipe) not in held:
            place = tmp_path_factory.mktemp("trained")
            method = row(recipe)
            with pytest.MonkeyPatch.context() as patch:
                texts = spy(patch)
                fitted = fit(method, sealed, Context(cache=Cache(place)))
            told = fitted.resolved["training"][0]
            held[str(recipe)] = Done(recipe, method, fitted, told, frozenset(texts), place)
        return held[str(recipe)]

    return one


def spy(patch: pytest.MonkeyPatch) -> set[str]:
    """Collects every text that goes to a tokenizer, to a model's `preprocess`, or to an analyser of BM25."""
    import importlib

    from transformers import PreTrainedTokenizerBase

    from harness.analyzers.english import English

    base = importlib.import_module("sentence_transformers.base.model").BaseModel
    seen: set[str] = set()

    def collect(thing: Any) -> None:
        if isinstance(thing, str):
            seen.add(thing)
        elif isinstance(thing, dict):
            collect(list(thing.values()))
        elif isinstance(thing, (list, tuple)):
            for each in thing:
                collect(each)

    for owner, name in ((PreTrainedTokenizerBase, "__call__"), (base, "preprocess"), (English, "__call__")):
        before = getattr(owner, name)

        def after(self: Any, *given: Any, _before: Any = before, **more: Any) -> Any:
            collect(given)
            collect(more)
            return _before(self, *given, **more)

        patch.setattr(owner, name, after)
    return seen


@pytest.fixture
def documents_ask(view: TrainView) -> TrainView:
    """The collection with a title before each text, and training queries that are documents of it, without the
    titles.
    """
    rows = [document for batch in view.corpus.batches() for document in batch]
    corpus = Corpus.of([(d.id, f"title {n}", d.text) for n, d in enumerate(rows)])
    asking = rows[:20]
    judged = {d.id: {rows[n + 20].id: 1} for n, d in enumerate(asking)}
    queries = Queries([d.id for d in asking], [d.text for d in asking])
    return TrainView(corpus, train=Labelled(queries, judged, frozenset(judged)))
