"""The one form in which a worker gets a row to do and returns its result, for boards and for sweeps; JSON-safe.

A worker checks that it would do the same as the requesting machine: the same code, the same collection, the same
libraries and models.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.base.errors import DatasetError, HarnessError, SettingError, Unavailable
from harness.bench.corpus_parts import CorpusPart
from harness.bench.identity import identity
from harness.bench.provenance import code_hash
from harness.bench.record import Record
from harness.bench.store import Place, Store
from harness.data.dataset import Dataset
from harness.datasets import load_dataset
from harness.executors import Outcome
from harness.methods import Method
from harness.rows import parse_method, row_name
from harness.runtime.context import Context


@dataclass(frozen=True)
class RowRequest:
    """A row on a collection, or a part of its work, as a worker gets it.

    Args:
        dataset: name of the collection.
        method: the full expression.
        seed: of every random stream.
        measures: in ir-measures' notation.
        depth: of the rankings.
        board: full expressions of the rows whose searches it shares; empty for none.
        warned: what of test was warned of already, by dataset.
        part: documents to encode; None if the request is not about a part.
        code: hash of the requesting package's code.
        revision: of the collection.
        train_revision: of its training view.
        identity: hash of what decides the row's scores; empty if the requesting machine cannot compute it.
        repetition: differs for each time that the row is to be done again; empty if a stored outcome will do.
    """

    dataset: str
    method: str
    seed: int
    measures: tuple[str, ...]
    depth: int
    board: tuple[str, ...] = ()
    warned: tuple[tuple[str, str], ...] = ()
    part: CorpusPart | None = None
    code: str = ""
    revision: str = ""
    train_revision: str = ""
    identity: str = ""
    repetition: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        dataset: Dataset,
        method: Method,
        context: Context,
        measures: Sequence[str],
        depth: int,
        board: Sequence[Method] = (),
        warned: Collection[tuple[str, str]] = (),
        repetition: str = "",
    ) -> RowRequest:
        """A request for a row of a collection that is loaded here, with the seed of the context."""
        try:
            own = _identity(method, dataset, context, measures)
        except Exception:  # noqa: BLE001 - the job meets the error again, and reports it
            own = ""
        return cls(
            dataset=name,
            method=method.full(),
            seed=context.seed,
            measures=tuple(measures),
            depth=depth,
            board=tuple(row.full() for row in board),
            warned=tuple(sorted(warned)),
            code=code_hash(),
            revision=dataset.revision,
            train_revision=dataset.train.revision,
            identity=own,
            repetition=repetition,
        )

    def to_json(self) -> dict[str, Any]:
        """JSON-safe, as a job's arguments."""
        return json.loads(json.dumps(dataclasses.asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, packed: Mapping[str, Any]) -> RowRequest:
        """Reads it back."""
        part = packed["part"]
        if part is not None:
            part = CorpusPart(**{**part, "repeated": tuple(part["repeated"])})
        lists = {name: tuple(packed[name]) for name in ("measures", "board")}
        warned = tuple((str(name), str(text)) for name, text in packed["warned"])
        return cls(**{**packed, **lists, "warned": warned, "part": part})

    def digest(self) -> str:
        """16 hexadecimal digits over all of it."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    def parsed(self) -> Method:
        """The row."""
        return parse_method(self.method)

    def rows(self) -> list[Method]:
        """The rows of the board, or only this one."""
        return [parse_method(text) for text in self.board or (self.method,)]

    def seeded(self, context: Context) -> Context:
        """A worker's context with the seed of the request; its own, with what it has loaded, if that has the seed."""
        return context if context.seed == self.seed else context.reseeded(self.seed)

    def load(self, context: Context) -> Dataset:
        """The collection, on a worker that would do the same as the requesting machine.

        Raises:
            SettingError: libraries, plug-ins or models differ.
            DatasetError: the collection differs.
            HarnessError: the package's code differs, or the collection cannot be loaded.
        """
        if self.code != code_hash():
            raise HarnessError(
                "this worker has another version of retrieval-harness than the requesting machine; install the same."
            )
        context.ledger.turn_to(self.dataset)
        dataset = load_dataset(self.dataset, context)
        for own, expected in ((dataset.revision, self.revision), (dataset.train.revision, self.train_revision)):
            if own != expected:
                raise DatasetError(
                    f"{self.dataset} is another collection on this worker (revision {own[:12]}, not {expected[:12]}); "
                    "give it the same files."
                )
        self._check_identity(dataset, context)
        return dataset

    def _check_identity(self, dataset: Dataset, context: Context) -> None:
        method = self.parsed()
        try:
            own = _identity(method, dataset, context, self.measures)
        except Unavailable:  # the row itself reports what is absent
            return
        if self.identity and own != self.identity:
            raise SettingError(
                f"a worker would run another {row_name(method)} on {dataset.name} than requested: its libraries, "
                "plug-ins or models differ. Install the same on all machines."
            )


def _identity(method: Method, dataset: Dataset, context: Context, measures: Sequence[str]) -> str:
    return identity(method, context, measures, dataset=dataset.revision, train=dataset.train.revision)


@dataclass(frozen=True)
class RowResult:
    """What a worker returns of a row on test.

    Args:
        record: of the row; it says whether the row failed.
        files: `queries` and `run`, in base 64; empty without scores.
    """

    record: Record
    files: Mapping[str, str]

    @classmethod
    def stored(cls, record: Record, store: Store, place: Place) -> RowResult:
        """That of a row whose files are in a results folder."""
        return cls(record, store.packed(place))

    def to_json(self) -> dict[str, Any]:
        """JSON-safe, as a job's value; a failed row is not final (`harness.executors.Job`)."""
        return {"record": self.record.to_json(), "files": dict(self.files), "final": self.record.status == "ok"}

    @classmethod
    def of(cls, outcome: Outcome) -> RowResult:
        """Reads it back from the outcome of a job that ended without an error.

        Raises:
            RecordError: it has no record that can be read.
        """
        return cls(Record.from_json(outcome.value["record"], outcome.job.id), outcome.value["files"])

    @property
    def problem(self) -> str | None:
        """Why there are no scores; None if there are."""
        if self.record.status == "ok":
            return None
        problem = self.record.problem or {}
        return f"{problem.get('reason', self.record.status)} {problem.get('remedy', '')}".strip()
