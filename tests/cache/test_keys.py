"""The code that makes a cached thing is in its key, for every kind; a comment, or code that decides nothing of it, is
not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cache import code
from harness.cache.code import source_of
from harness.cache.folders import Cache
from harness.datasets import load_dataset
from harness.methods import fit, index
from harness.methods.bm25 import BM25
from harness.rows import parse_method
from harness.runtime.context import Context


class Asked(Exception):
    """A thing was looked for under this key."""


@dataclass
class Things:
    """Asks for a thing of each kind."""

    folder: str
    encoder: Path
    cross_encoder: Path
    sparse: Path
    late: Path

    def key(self, kind: str, context: Context) -> str:
        """The key under which a thing of this kind is looked for; nothing of this kind is made."""
        real = Cache.folder

        def folder(cache: Cache, asked: str, key: str, describe: Any, build: Any) -> Path:
            if asked == kind:
                raise Asked(key)
            return real(cache, asked, key, describe, build)

        fresh = Context(cache=context.cache, device="cpu")  # what a run holds in memory is of one code
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Cache, "folder", folder)
            try:
                return str(getattr(self, kind.replace("-", "_"))(fresh))
            except Asked as asked:
                return str(asked)

    def _fitted(self, row: str, context: Context) -> Any:
        return fit(parse_method(row), load_dataset(self.folder, context).train, context)

    def _indexed(self, row: str, context: Context) -> None:
        index(parse_method(row), self._fitted(row, context), load_dataset(self.folder, context).corpus, context)

    def corpora(self, context: Context) -> None:
        load_dataset(self.folder, context)

    def stdlib(self, context: Context) -> None:
        load_dataset("stdlib/code", context)

    def bm25(self, context: Context) -> None:
        self._indexed("bm25", context)

    def expanded(self, context: Context) -> None:
        self._indexed("doc2query(bm25)", context)

    def indexes(self, context: Context) -> None:
        self._indexed(f'dense(model="{self.encoder}", index=hnsw)', context)

    def models(self, context: Context) -> None:
        self._fitted(f'dense(model="{self.encoder}")+supervised(budget="smoke")', context)

    def golden(self, context: Context) -> None:
        self._fitted(f'dense(model="{self.encoder}", precision="int8", engine=openvino)', context)

    def leaks(self, context: Context) -> None:
        from harness.leaks.overlap import leaks

        leaks(load_dataset(self.folder, context), context)

    def negatives(self, context: Context) -> None:
        from harness.training.negatives import Mining, mine

        view = load_dataset(self.folder, context).train
        assert view.train is not None
        mine(Mining((BM25(),)), view.train.queries, [(0, 0)], [np.zeros(0, np.int64)], view, context)

    def questions(self, context: Context) -> None:
        from harness.generators import questions
        from harness.generators.extractive import Extractive

        questions(Extractive(), load_dataset(self.folder, context).corpus, [0], context)

    def embeddings(self, context: Context) -> str:
        return str(self._fitted(f'dense(model="{self.encoder}")', context).encoder.key("document"))

    def sparse_vectors(self, context: Context) -> str:
        return self._ragged("sparse", self.sparse, context)

    def token_vectors(self, context: Context) -> str:
        return self._ragged("late", self.late, context)

    def _ragged(self, name: str, model: Path, context: Context) -> str:
        from harness.models.late import LateEncoder
        from harness.models.ragged import open_ragged
        from harness.models.sparse import SparseEncoder

        kind = {"sparse": SparseEncoder, "late": LateEncoder}[name]
        return open_ragged(kind, parse_method(f'{name}(model="{model}")')._settings(), context).key("document")

    def pairs(self, context: Context) -> str:
        from harness.methods.cross_encoder import CrossEncoder
        from harness.models.cross_encoder import open_pair_scorer

        return open_pair_scorer(CrossEncoder(model=str(self.cross_encoder))._pair_settings(), context).key


@pytest.fixture
def things(small_folder: Path, tiny_models: tuple[Path, Path], tiny_ragged: tuple[Path, Path]) -> Things:
    return Things(str(small_folder), *tiny_models, *tiny_ragged)


@pytest.fixture
def change(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """`change("harness.lexical.bm25", "X = 1")`: a module's source ends with a text when it is read."""
    added: dict[Path, str] = {}
    real = code.read

    def one(module: str, text: str) -> None:
        source = source_of(module)
        assert source is not None, f"there is no module {module}"
        added[source] = text
        code._module.cache_clear()

    monkeypatch.setattr(code, "read", lambda source: real(source) + f"\n{added.get(source, '')}\n".encode())
    yield one
    code._module.cache_clear()


RUNS = "CHANGED_BY_A_TEST = 1"
SILENT = '# a comment\n"""A text."""'
DECIDING = {
    "corpora": ["collection.jsonl", "data.lines", "data.corpus", "data.corpus_file", "data.documents"],
    "stdlib": ["datasets._code_search", "datasets._functions"],
    "bm25": [
        "analyzers.english",
        "analyzers._porter",
        "analyzers.standard",
        "lexical.postings",
        "lexical.bm25",
        "lexical.lengths",
        "data.corpus",
    ],
    "expanded": ["generators.extractive", "generators", "methods.doc2query", "data.corpus"],
    "indexes": ["indexes.hnsw", "indexes._faiss", "indexes._stored"],
    "leaks": ["leaks.overlap"],
    "golden": ["models.engine_check", "models.engine_compare", "engines.torch", "data.text"],
    "negatives": ["training.negatives", "methods.bm25", "lexical.bm25", "analyzers.english", "data.ranking"],
    "questions": ["generators", "generators.extractive", "data.text"],
    "embeddings": [
        "models.encoder",
        "models._pooling",
        "models.tokens",
        "models.model_runner",
        "models.encode_once",
        "engines.torch",
    ],
    "sparse-vectors": ["models.sparse", "models.ragged", "models.encode_once", "cache.ragged"],
    "token-vectors": ["models.late", "models.ragged", "models.encode_once", "cache.ragged"],
    "pairs": ["models.cross_encoder", "models.tokens", "models.model_runner", "engines.torch"],
    "models": [
        *[
            "recipes.supervised",
            "training.from_gold",
            "training.fine_tuning",
            "training.loop",
            "training.trainer",
            "training.schedule",
        ],
        *[
            "training.examples",
            "training.lesson",
            "training.dev",
            "training.gold",
            "training.negatives",
            "training.base",
            "data.measures",
        ],
        *["models.encoder", "models.tokens", "methods.bm25", "lexical.bm25", "analyzers.english"],
    ],
}
NEEDS = {"indexes": "faiss", "golden": "openvino"}
OTHERS = {
    "bm25": [
        "methods.dense",
        "models.encoder",
        "report.page",
        "base.errors",
        "runtime.context",
        "cache.folders",
        "methods",
        "feedback.rm3",
    ],
    "embeddings": [
        "report.page",
        "methods.dense",
        "lexical.bm25",
        "models.resolve",
        "models.engine_check",
        "models.engine_compare",
        "models.truncated",
        "base.errors",
    ],
    "models": [
        "report.page",
        "bench.runner",
        "training.card",
        "training.checkpoints",
        "leaks.history",
        "recipes",
        "recipes.tsdae",
        "base.errors",
    ],
}


@pytest.mark.parametrize("kind", list(DECIDING))
def test_the_key_changes_with_each_module_that_makes_the_thing_and_with_no_comment(
    kind: str, things: Things, change: Callable[[str, str], None], context: Context
) -> None:
    """With other stop words `bm25` gave other scores on an old cache than on an empty one."""
    if kind in NEEDS:
        pytest.importorskip(NEEDS[kind], reason=f"{NEEDS[kind]} is not installed")
    before = things.key(kind, context)
    assert len(before) == 32
    for name in DECIDING[kind]:
        change(f"harness.{name}", SILENT)
    assert things.key(kind, context) == before
    for name in DECIDING[kind]:
        change(f"harness.{name}", RUNS)
        assert things.key(kind, context) != before, name
        change(f"harness.{name}", "")


@pytest.mark.parametrize("kind", list(OTHERS))
def test_code_that_decides_nothing_of_a_thing_leaves_its_key(
    kind: str, things: Things, change: Callable[[str, str], None], context: Context
) -> None:
    before = things.key(kind, context)
    for name in OTHERS[kind]:
        change(f"harness.{name}", RUNS)
        assert things.key(kind, context) == before, name


def test_a_version_of_a_library_that_computes_is_in_the_key(
    things: Things, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = ("embeddings", "pairs", "sparse-vectors", "token-vectors", "models")
    before = {kind: things.key(kind, context) for kind in kinds}
    real = code.importlib.metadata.version
    monkeypatch.setattr(
        code.importlib.metadata, "version", lambda name: "99.0" if name == "transformers" else real(name)
    )
    assert all(things.key(kind, context) != key for kind, key in before.items())


def test_an_analyser_of_another_package_is_in_the_key(things: Things, context: Context, tmp_path: Path) -> None:
    """Its file, and what that imports of its own package."""
    import importlib
    import sys

    from harness.methods import METHODS

    folder = tmp_path / "brought" / "shout_package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "words.py").write_text("STOP = {'the'}\n")
    (folder / "shout.py").write_text(
        "from dataclasses import dataclass\nfrom harness.analyzers import Analyzer\nfrom shout_package.words import "
        "STOP\n\n"
        "@dataclass(frozen=True)\nclass Shout(Analyzer):\n"
        "    def __call__(self, text):\n        return [w.upper() for w in text.split() if w not in STOP]\n"
    )
    sys.path.insert(0, str(tmp_path / "brought"))
    try:
        shout = importlib.import_module("shout_package.shout").Shout()
        bm25 = METHODS.get("bm25")(analyzer=shout)
        keys = []
        for text in ("STOP = {'the'}", "STOP = {'the'}  # a comment", "STOP = {'the', 'a'}"):
            (folder / "words.py").write_text(text)
            code._module.cache_clear()
            keys.append(code.code_of(bm25))
        assert keys[0] == keys[1] != keys[2]
    finally:
        sys.path.remove(str(tmp_path / "brought"))
        for name in [name for name in sys.modules if name.startswith("shout_package")]:
            del sys.modules[name]
        code._module.cache_clear()
        source_of.cache_clear()


def test_an_answer_of_a_chat_model_is_that_to_what_was_sent(server: Any, small_folder: Path, context: Context) -> None:
    """Its code is not in the key: what is paid for is not paid for again; another request is another answer."""
    from harness.generators.chat import Chat

    corpus = load_dataset(str(small_folder), context).corpus
    chat = Chat(url=server.url, model="m", price_in=0, price_out=0)
    first = list(chat.generate(corpus, [0], context))
    assert list(chat.generate(corpus, [0], context)) == first
    assert len(server.bodies) == 1
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Chat, "_messages", lambda self, text: [{"role": "user", "content": f"otherwise: {text}"}])
        list(chat.generate(corpus, [0], context))
    assert len(server.bodies) == 2


def test_a_vector_of_a_hosted_model_is_that_of_what_was_sent(hosted: Any, context: Context) -> None:
    pytest.importorskip("openai", reason="the client openai is not installed")
    from harness.endpoints.encoder import HostedEncoder

    method = parse_method(f'api(model="m", url="{hosted.url}", price=0, query_prompt="find: ")')
    view = None
    encoder = method.fit(view, context).encoder
    encoder.vectors(["kala"], "query")
    encoder.vectors(["kala"], "query")
    assert len(hosted.bodies) == 1
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(HostedEncoder, "sent", lambda self, text, side: f"otherwise: {text}")
        encoder.vectors(["kala"], "query")
    assert len(hosted.bodies) == 2
