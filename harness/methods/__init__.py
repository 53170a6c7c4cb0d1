"""Methods: the rows of the leaderboard, one per file.

A method is a frozen dataclass of settings. `fit` learns what it needs from a `TrainView` (nothing, for most) and
returns a `Fitted`; `Fitted.index` takes the corpus and returns a `Searcher`; `Searcher.search` takes queries and
returns the best k. Each hands on a new thing and remembers nothing, so that searching before indexing cannot be
written.

To add one: a file here with one frozen dataclass that derives from `Method`, and `tests/methods/test_<file>.py`; the
contract tests, `harness list`, the command line and the suites find it by its file's name. A method made of others asks
for them with `fit`, `index` and `search` of this module, which do a shared step once however many rows need it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from harness.choices.room import Room
from harness.choices.value import Value
from harness.data.corpus import Corpus
from harness.data.dataset import TrainView
from harness.data.queries import Queries
from harness.data.ranking import TopK
from harness.methods._fitted import DEV_LABELS as DEV_LABELS
from harness.methods._fitted import NO_LABELS as NO_LABELS
from harness.methods._fitted import TRAIN_LABELS as TRAIN_LABELS
from harness.methods._fitted import UNKNOWN_LABELS as UNKNOWN_LABELS
from harness.methods._fitted import Encodes as Encodes
from harness.methods._fitted import Fitted as Fitted
from harness.methods._fitted import Reranks as Reranks
from harness.methods._fitted import strongest as strongest
from harness.methods._folds import FoldedFitted as FoldedFitted
from harness.methods._folds import of_folds
from harness.methods._searching import CandidateScorer as CandidateScorer
from harness.methods._searching import Searcher as Searcher
from harness.methods._searching import SearchReport as SearchReport
from harness.methods._searching import Size as Size
from harness.runtime.context import Context

if TYPE_CHECKING:
    from harness.endpoints.encoder import HostedEncoder


class Method(Value, ABC):
    """A way to rank documents for a query: settings only."""

    room: ClassVar[str] = "harness.methods"
    needs_documents: ClassVar[bool] = False
    """Whether it looks labelled documents up in the corpus that it indexes, which passages of them are not."""

    @abstractmethod
    def fit(self, view: TrainView, context: Context) -> Fitted:
        """Learns from the view, or checks that the method can run.

        Raises:
            Unavailable: a library or model is absent; the row is skipped by name.
            HarnessError: the settings and the view do not fit.
        """

    def inputs(self, context: Context) -> dict[str, str]:
        """What the settings point to, by content: name → hash of a model folder or a file, version of an index's
        library.

        Part of a record's identity.

        Raises:
            Unavailable: it is not to be had.
        """
        return {name: value for part in self.nested() for name, value in part.inputs(context).items()}

    def nested(self) -> Iterator[Method]:
        """The methods directly inside this one."""
        return (part for part in self.parts() if isinstance(part, Method))

    def reach(self, depth: int) -> int:
        """How long a ranking can be in a run of the given depth: a measure that looks deeper is noted in the record."""
        return depth

    def encoding(self) -> Method | None:
        """The row, with all else at its default, whose `Fitted.encode` makes what this one's index is built from; None
        for none.

        Rows of the same encoding share what is kept of each document, so that it can be made once and in parts,
        anywhere.
        """
        return None

    def hosted_encodings(self, context: Context) -> Iterable[HostedEncoding]:
        """The hosted encoders that this method sends texts to, with what each will encode; nothing is sent.

        By default those of the nested methods. The cost of each is estimated, reported and checked against its cap
        before the row runs. What cannot be known before (generated text, prompts of a chat model) is not listed: it is
        estimated when it is sent.
        """
        for part in self.nested():
            yield from part.hosted_encodings(context)

    def depth_of(self, part: Method, depth: int) -> int:
        """How deep a nested method must be searched for a run of this one of the given depth; for planning."""
        return depth


class TrainableMethod(Method):
    """A method with one model, which recipes can train: `method + recipe` is `harness.training.trained.Trained`.

    `open_model` opens the model that its settings name, `fitted` makes a `Fitted` of that or of a trained one. A
    subclass also sets `recipes_after`.
    """

    model: str
    """Name or folder of the model, as the settings name it."""
    kind: ClassVar[str]
    """Of the model: `encoder`, `cross_encoder`, `sparse` or `late`, for `harness.training.trained.KINDS`."""
    recipes: ClassVar[tuple[Value, ...]] = ()
    """None: a trained row has them."""

    @abstractmethod
    def open_model(self, context: Context) -> Any:
        """The model that the settings name, as training starts from it.

        Raises:
            Unavailable: it is not to be had.
        """

    @abstractmethod
    def fitted(self, model: Any, view: TrainView, context: Context) -> Fitted:
        """The method with this model: that of `open_model`, or what training made of it."""

    def while_training(self) -> Method:
        """The row that scores texts during its training (mines, judges); the same for all precisions of a row."""
        return self

    def fit(self, view: TrainView, context: Context) -> Fitted:
        """See `Method.fit`."""
        return self.fitted(self.open_model(context), view, context)


@dataclass(frozen=True)
class HostedEncoding:
    """Texts that a method has a hosted encoder encode: the test queries and documents.

    Args:
        encoder: of the hosted model; it knows prices, the cap and which texts are cached.
        first: finds the candidates if only these are encoded; None if the whole corpus is.
        depth: number of candidates for each query; 0 with the whole corpus.
        dev: whether the dev queries are encoded too, since a setting is chosen on them.
    """

    encoder: HostedEncoder
    first: Method | None = None
    depth: int = 0
    dev: bool = False


METHODS: Room[Method] = Room(__name__, Method, "method")  # type: ignore[type-abstract]


def fit(method: Method, view: TrainView, context: Context) -> Fitted:
    """`method.fit`, done once per method and view in a run.

    If the view has folds, the method is fitted on the view of each fold by itself, and what it gives ranks every query
    by what was fitted without the query's fold; no method has to know of it. A method that learns nothing from the
    views is the same for all folds, and is indexed and searched once.
    """
    key = f"{method.fingerprint()}-{view.revision}"
    if view.folds is None:
        return context.ledger.once("fit", f"fit {method}{_fold(view)}", key, lambda: _fit(method, view, context))
    parts = view.folds.parts

    def each() -> Fitted:
        fitted = [fit(method, fold.view, context.in_fold(number)) for number, fold in enumerate(parts)]
        return of_folds(parts, fitted, partial(index, method))

    return context.ledger.once("fit", f"fit {method} in {len(parts)} folds", key, each)


def _fold(view: TrainView) -> str:
    return "" if view.fold is None else f" without fold {view.fold + 1}"


def _fit(method: Method, view: TrainView, context: Context) -> Fitted:
    fitted = method.fit(view, context)
    if view.fold is not None and fitted.supervision in (DEV_LABELS, TRAIN_LABELS):
        # What learnt from one fold is never taken for what learnt from another, even if a method's key forgot its view.
        fitted.learnt_from = view.revision
    return fitted


def index(method: Method, fitted: Fitted, corpus: Corpus, context: Context) -> Searcher:
    """`fitted.index`, done once per fitted method and corpus in a run."""
    key = f"{fitted.key}-{corpus.revision}-{fitted.learnt_from}"
    searcher = context.ledger.once("index", f"index {method}", key, lambda: fitted.index(corpus, context))
    searcher.documents = len(corpus)
    return searcher


def search(method: Method, searcher: Searcher, queries: Queries, k: int, context: Context) -> TopK:
    """`searcher.search`, done once per searcher and queries in a run; a deeper run answers a shallower one.

    It is (Q, k), or (Q, N) if k is greater than the N documents of the corpus: nothing is allocated for places that
    stay empty.
    """
    most = k if searcher.documents is None else searcher.documents
    k = min(k, most)
    if not queries.cached:
        return searcher.search(queries, k)
    deepest = context.ledger.deepest(f"{searcher.key}-{queries.revision}", max(k, context.search_depth))
    deepest = min(deepest, max(k, most))
    key = f"{searcher.key}-{queries.revision}-{deepest}"
    return context.ledger.once("search", f"search {method}", key, lambda: searcher.search(queries, deepest)).cut(k)
