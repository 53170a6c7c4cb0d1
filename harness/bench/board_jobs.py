"""The plan of a board as jobs: what rows share first, in parts if that helps, then one job for each row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.bench.corpus_parts import CorpusPart, corpus_parts
from harness.bench.plan import Plan, PlannedStep
from harness.bench.row_job import RowRequest
from harness.bench.worker import ENCODE, ROW, TRAIN
from harness.data.dataset import Dataset
from harness.executors import Job
from harness.methods import Method
from harness.rows import row_name
from harness.runtime.context import Context


@dataclass
class EncodingUse:
    """An encoding, the rows that need it, and whether of the whole corpus or only of candidates."""

    method: Method
    rows: list[str]
    whole: bool


@dataclass(frozen=True)
class BoardJobs:
    """Makes the jobs of a board.

    Args:
        plan: of the whole board.
        context: seed, device, cache.
        methods: all rows of the board; a shared search is as deep as any of them needs.
        measures: in ir-measures' notation.
        depth: of the runs.
        repetition: as `RowRequest.repetition`.
    """

    plan: Plan
    context: Context
    methods: Sequence[Method]
    measures: Sequence[str]
    depth: int
    repetition: str = ""
    _requests: dict[tuple[str, Method], RowRequest] = field(default_factory=dict)

    def row_id(self, name: str, dataset: Dataset, method: Method) -> str:
        """The id of a row's job."""
        return self._id("row", self._request(name, dataset, method))

    def jobs(self, name: str, dataset: Dataset, methods: Sequence[Method]) -> list[Job]:
        """The jobs of some rows on one dataset.

        Args:
            name: as requested.
            dataset: loaded.
            methods: the rows that have to be done, of those of the board.
        """
        rows = {row_name(method): method for method in methods}
        needs: dict[str, list[str]] = {row: [] for row in rows}
        steps = [(step, [row for row in step.rows if row in rows]) for step in self.plan.steps if step.dataset == name]
        uses = encoding_uses(steps)
        parts = corpus_parts(dataset.corpus.texts) if any(use.whole for use in uses) else []
        shared = self._trainings(name, dataset, steps, needs, len(parts))
        for use in uses:
            if use.whole and (len(parts) > 1 or len(use.rows) > 1):
                first = rows[use.rows[0]]
                encodings = [self._encode(name, dataset, use.method, part, shared, first) for part in parts]
                shared |= {job.id: job for job in encodings}
                for row in use.rows:
                    needs[row] += [job.id for job in encodings]
            elif not use.whole:  # only candidates: each row finds what those before it have encoded, as in one process
                for row, before in zip(use.rows[1:], use.rows, strict=False):
                    needs[row].append(self.row_id(name, dataset, rows[before]))
        return [*shared.values(), *(self._row(name, dataset, rows[row], needs[row]) for row in rows)]

    def _trainings(
        self,
        name: str,
        dataset: Dataset,
        steps: Sequence[tuple[PlannedStep, list[str]]],
        needs: Mapping[str, list[str]],
        parts: int,
    ) -> dict[str, Job]:
        """Id → job of each training that several jobs need; adds it to what the rows need."""
        shared: dict[str, Job] = {}
        for step, rows in steps:
            if step.kind != "fit" or not getattr(step.method, "recipes", ()):
                continue
            if len(rows) > 1 or (rows and parts > 1):
                job = self._train(name, dataset, step.method, shared)
                shared[job.id] = job
                for row in rows:
                    needs[row].append(job.id)
        return shared

    def _train(self, name: str, dataset: Dataset, method: Any, shared: Mapping[str, Job]) -> Job:
        request = self._request(name, dataset, method)
        earlier = [dataclasses.replace(method, recipes=method.recipes[:n]) for n in range(1, len(method.recipes))]
        before = [self._id("train", self._request(name, dataset, shorter)) for shorter in earlier]
        after = tuple(known for known in before if known in shared)
        label = f"train {method} on {dataset.name}"
        return Job(self._id("train", request), TRAIN, request.to_json(), label, after=after)

    def _encode(
        self, name: str, dataset: Dataset, method: Method, part: CorpusPart, shared: Mapping[str, Job], first: Method
    ) -> Job:
        """A job for one part; the first also encodes the queries, if the board's first row would begin with them."""
        whole = self._request(name, dataset, method)
        queries = part.start == 0 and first.encoding() is not None
        request = dataclasses.replace(whole, part=dataclasses.replace(part, queries=queries))
        trained = self._id("train", whole)
        label = f"encode documents {part.start:,}–{part.stop:,} of {dataset.name} for {method}"
        after = (trained,) if trained in shared else ()
        return Job(self._id("encode", request), ENCODE, request.to_json(), label, after=after)

    def _row(self, name: str, dataset: Dataset, method: Method, needs: Sequence[str]) -> Job:
        request = self._request(name, dataset, method)
        label = f"{row_name(method)} on {dataset.name}"
        return Job(self._id("row", request), ROW, request.to_json(), label, after=tuple(dict.fromkeys(needs)))

    def _request(self, name: str, dataset: Dataset, method: Method) -> RowRequest:
        if (name, method) not in self._requests:
            self._requests[name, method] = RowRequest.of(
                name,
                dataset,
                method,
                self.context,
                self.measures,
                self.depth,
                board=self.methods,
                repetition=self.repetition,
            )
        return self._requests[name, method]

    def _id(self, kind: str, request: RowRequest) -> str:
        return f"{kind}/{request.dataset}/{request.digest()}/seed{request.seed}"


def encoding_uses(steps: Sequence[tuple[PlannedStep, list[str]]]) -> list[EncodingUse]:
    """The encodings that planned steps need, each with the rows that need it."""
    uses: dict[Method, EncodingUse] = {}
    for step, rows in steps:
        if step.method is None or not rows or step.kind not in ("fit", "index"):
            continue
        encoding = step.method.encoding()
        if encoding is not None:
            use = uses.setdefault(encoding, EncodingUse(encoding, [], whole=False))
            use.rows += [row for row in rows if row not in use.rows]
            use.whole |= step.kind == "index"
    return list(uses.values())
