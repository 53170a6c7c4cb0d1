"""A function of my own as a row: my_search.py:search, or python(file="my_search.py:search")."""

from __future__ import annotations

import hashlib
import inspect
import traceback
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.errors import HarnessError, SettingError
from harness.cache.code import code_of
from harness.choices.plugins import file_of
from harness.choices.source_file import fault_in, imported
from harness.choices.value import PLUGIN
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.documents import Document
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods import UNKNOWN_LABELS, Fitted, Method, Searcher, Size
from harness.methods._foreign import ForeignRankings
from harness.runtime.context import Context


@dataclass(frozen=True)
class PythonFunction(Method):
    """Ranks by a function or an object of a Python file.

    The name after the colon is a function `search(query, k)`, which returns a list of (id, score), or one whose first
    parameter is called `queries`, which takes many texts and returns a list for each. A function `index(corpus)` in the
    same file is called first, with the documents (`id`, `title`, `text`); what it returns is passed to a search
    function with a third parameter. Or the name is a class with these as its methods.

    Scores decide, the higher the better; a ranking may be shorter than k, or empty. The code of the file and of what it
    imports of the user's own files is in the row's identity, and nothing else that the function reads: change `version`
    when that changes.

    Args:
        file: path and name, as `my_search.py:search`.
        version: any text; a row with another one runs again.
    """

    file: str = ""
    version: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        path, _, name = self.file.rpartition(":")
        if not path.endswith(".py") or not name.isidentifier():
            raise SettingError(
                f'python: name a file and a function in it, as python(file="my_search.py:search"), not {self.file!r}.'
            )

    @property
    def _path(self) -> Path:
        return file_of(self.file.rpartition(":")[0])

    def _module(self) -> types.ModuleType:
        return imported(self._path, PLUGIN, "row")

    def inputs(self, context: Context) -> dict[str, str]:
        """See `Method.inputs`; the code of the file.

        Raises:
            SettingError: the file does not exist or cannot be imported; names the line.
        """
        return {self.file: code_of(self._module().__name__)}

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Imports the file and looks the function up.

        Raises:
            SettingError: the file does not exist or cannot be imported, or has no such function.
        """
        return _Fitted(self, _engine(self._module(), self._path, self.file.rpartition(":")[2]), self.inputs(context))


@dataclass(frozen=True)
class _Engine:
    """The functions of a file: `index`, and one search or both; those of a class are made with `make`."""

    make: Callable[[], Any]
    index: Callable[[Any], Callable[[Any], Any] | None]
    one: Callable[[Any], Callable[..., Any] | None]
    many: Callable[[Any], Callable[..., Any] | None]


def _engine(module: types.ModuleType, path: Path, name: str) -> _Engine:
    found = getattr(module, name, None)
    if isinstance(found, type):
        if not (hasattr(found, "search") or hasattr(found, "search_many")):
            raise SettingError(f"{path}: class {name} has no method search(query, k) or search_many(queries, k).")
        return _Engine(
            found,
            lambda engine: getattr(engine, "index", None),
            lambda engine: getattr(engine, "search", None),
            lambda engine: getattr(engine, "search_many", None),
        )
    if not callable(found):
        own = [each for each, value in vars(module).items() if callable(value) and not each.startswith("_")]
        raise SettingError(
            f"{path} has no function {name!r}; it has {', '.join(own) or 'none'}. Name one that takes (query, k)."
        )
    is_batch = next(iter(inspect.signature(found).parameters), "") == "queries"
    return _Engine(
        lambda: None,
        lambda _: getattr(module, "index", None),
        lambda _: None if is_batch else found,
        lambda _: found if is_batch else None,
    )


class _Fitted(Fitted):
    supervision = UNKNOWN_LABELS

    def __init__(self, method: PythonFunction, engine: _Engine, inputs: dict[str, str]) -> None:
        self._method, self._engine = method, engine
        self.key = f"python-{hashlib.sha256(f'{method.full()} {inputs}'.encode()).hexdigest()[:32]}"
        self.resolved = {**method.settings(), "code": inputs[method.file]}

    def index(self, corpus: Corpus, context: Context) -> Searcher:
        return _Searcher(f"{self.key}-{corpus.revision}", self._method, self._engine, corpus)


class Documents(Sequence[Document]):
    """The documents of a corpus, as a function `index` gets them: they are read when they are looked at.

    Args:
        corpus: of them.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def __len__(self) -> int:
        return len(self._corpus)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self._corpus[each] for each in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        return self._corpus[row % len(self)]

    def __iter__(self) -> Any:
        for batch in self._corpus.batches():
            yield from batch


class _Searcher(Searcher):
    def __init__(self, key: str, method: PythonFunction, engine: _Engine, corpus: Corpus) -> None:
        self.key, self.size = key, Size()
        self._file = file_of(method.file.rpartition(":")[0])
        self._name = f"{self._file.name}:{method.file.rpartition(':')[2]}"
        self._rankings = ForeignRankings(self._name, corpus)
        own = self._called("while it was made", engine.make)
        build = engine.index(own)
        state = None if build is None else self._called("in index(corpus)", build, Documents(corpus))
        self._one, self._many = (_with_state(search(own), state) for search in (engine.one, engine.many))

    def search(self, queries: Queries, k: int) -> TopK:
        """See `Searcher.search`.

        Raises:
            HarnessError: the function raised an error, or returned what is no ranking; names the query.
        """
        alone = self._one is not None and (len(queries) == 1 or self._many is None)
        if alone:
            answers = [self._answer(query, text, k) for query, text in zip(queries.ids, queries.texts, strict=True)]
        else:
            assert self._many is not None
            answers = self._called(f"for {len(queries):,} queries", _listed, self._many, list(queries.texts), k)
        return self._rankings.top(queries, answers, k)

    def notes(self, queries: Queries) -> tuple[str, ...]:
        """See `Searcher.notes`."""
        return self._rankings.notes()

    def _answer(self, query: str, text: str, k: int) -> Any:
        assert self._one is not None
        answer = self._called(f"for query {query!r} ({text[:80]!r})", self._one, text, k)
        return list(answer) if isinstance(answer, types.GeneratorType) else answer

    def _called(self, when: str, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            trace = traceback.extract_tb(error.__traceback__)[1:]
            inside = any(frame.filename == str(self._file) for frame in trace)
            where = fault_in(self._file, error) if inside else f"{type(error).__name__}: {error}"
            raise HarnessError(f"{self._name} failed {when}: {where}. Repair it, or return [] there.") from error


def _listed(many: Callable[..., Any], texts: list[str], k: int) -> list[Any]:
    """A list of what a batch search returns: a list, an array or a generator, which does its work when it is read."""
    answers = many(texts, k)
    is_many = isinstance(answers, Iterable) and not isinstance(answers, str | bytes | Mapping)
    return list(answers) if is_many else [answers] * (len(texts) == 1)


def _with_state(function: Callable[..., Any] | None, state: Any) -> Callable[..., Any] | None:
    """The function with what `index` returned as its third argument, if it takes three."""
    if function is None:
        return None
    parameters = inspect.signature(function).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [each for each in parameters if each.kind in kinds and each.default is inspect.Parameter.empty]
    return (lambda texts, k: function(texts, k, state)) if len(needed) > 2 else function
