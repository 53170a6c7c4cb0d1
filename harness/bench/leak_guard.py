"""The guard of the reported split: warns before a model learns texts that also occur in test, and refuses a model that
was trained on test itself.

With folds, what is fitted for a fold is compared with the queries of this fold; a model that a row names is the same
for all folds, and is compared with all queries. Only the runner sees test. Training shows the guard what it is about to
learn and gets no answer (`Context.announce`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.base.errors import ModelError
from harness.choices.value import Value
from harness.data.dataset import Dataset
from harness.leaks.history import read_history, text_hash, trained_here
from harness.leaks.overlap import kept_alike, leaks
from harness.methods import NO_LABELS, Method
from harness.recipes import Recipe, supervision
from harness.runtime.context import Context

CHOSEN = {"gold": "was trained on", "dev": "had its checkpoint chosen on"}
LEAST_SHARE = 0.1
"""Of the reported queries: a model is refused if it has seen at least this share of them, and if they are most of its
training queries.
"""
log = logging.getLogger("harness.bench")


class Guard:
    """Guards the test split of one dataset for a run.

    Args:
        dataset: with the test split.
        context: its cache.
        warned: what was warned of already, by dataset; is added to.
    """

    def __init__(self, dataset: Dataset, context: Context, warned: set[tuple[str, str]]) -> None:
        self._dataset, self._context, self._warned = dataset, context, warned

    def admit(self, method: Method) -> None:
        """Checks a row before it is fitted; warns, once, if its recipes use labels and test queries are among these.

        Raises:
            ModelError: a model that it names was trained or chosen on the split that is reported.
        """
        values = list(_inside(method))
        for folder in dict.fromkeys(_models(values)):
            self._refuse(folder)
        views = self._dataset.train.views
        labels = any(isinstance(v, Recipe) and supervision(v, view) != NO_LABELS for v in values for view in views)
        warning = (self._dataset.name, "labels")
        if not labels or warning in self._warned:
            return
        self._warned.add(warning)
        found = leaks(self._dataset, self._context).queries
        if found:
            self._warn(len(found), "the training or dev queries", Counter(kind for _, kind, _ in found.values()))

    def __call__(self, texts: Sequence[str], fold: int | None = None) -> None:
        """Checks what a model is about to learn from; warns of test queries among it, of each once.

        Args:
            texts: training queries.
            fold: the number of the fold that the model will rank; None if it ranks all queries.
        """
        reported = self._dataset if fold is None else self._dataset.parts[fold]
        view = reported.train
        known = {text for split in (view.train, view.dev) if split is not None for text in split.queries.texts}
        new = sorted(set(texts) - known)
        test = reported.test.queries
        found: dict[tuple[str, str], str] = {}
        for overlap in kept_alike(test, new, self._context):
            warning = (self._dataset.name, f"query {test.ids[overlap.here]}")
            if warning not in self._warned:
                found.setdefault(warning, overlap.kind)
        self._warned |= found.keys()
        if found:
            self._warn(len(found), f"the next {len(new):,} training texts", Counter(found.values()))

    def _warn(self, count: int, where: str, kinds: Counter[str]) -> None:
        how = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        log.warning(
            "%s: %d of %d test queries also occur in %s (%s); scores on them overstate performance on unseen queries. "
            "The record has the scores without them.",
            self._dataset.name,
            count,
            len(self._dataset.test.queries),
            where,
            how,
        )

    def _refuse(self, folder: Path) -> None:
        history = read_history(folder)
        if history is None:
            return
        reported = {text_hash(text) for text in self._dataset.test.queries.texts}
        for kind, done in CHOSEN.items():
            taught = history.hashes.get(kind, frozenset())
            common = len(reported & taught)
            # The model has seen most of the reported queries; or most of its training queries are reported, and these
            # are more than a few.
            most_learnt = 2 * common > len(taught) and LEAST_SHARE * len(reported) <= common
            if 2 * common > len(reported) or most_learnt:
                raise ModelError(
                    f"{folder} {done} {common} of the {len(reported)} queries of {self._dataset.name}, the reported "
                    "split: its score would be that on its own training data. Report on another split, or name a model "
                    "that was trained without this one, as dense+supervised does."
                )


def _inside(value: Value) -> Iterator[Value]:
    yield value
    for part in value.parts():
        yield from _inside(part)


def _models(values: Sequence[Value]) -> Iterator[Path]:
    """The folders that values name as their `model` and that the harness trained."""
    for value in values:
        named = getattr(value, "model", None)
        try:
            folder = Path(named).expanduser().resolve() if isinstance(named, str) and named.strip() else None
            if folder is not None and folder.is_dir() and trained_here(folder):
                yield folder
        except (OSError, RuntimeError, ValueError):  # not a path; opening the model reports what is wrong with it
            continue
