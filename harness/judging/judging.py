"""`harness judge`: what is missing, and who fills it in: a model, a table, people on a page."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path

from harness.base.defaults import RESULTS
from harness.base.errors import DatasetError, SettingError
from harness.collection.agreement import agreements, disagreement
from harness.collection.labels import Labels
from harness.judging.clicks import Clicked, from_clicks
from harness.judging.due import Pair, board_rankings, for_a_person, holes, pooled_pairs
from harness.judging.machine import judged
from harness.judging.serve import open_server
from harness.judging.session import Session
from harness.judging.table import export, labels_in
from harness.judging.target import Target, locked, open_target
from harness.rows import parse_judge
from harness.runtime.context import Context, open_context

DEPTH = 10
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """A collection with the pairs that rows on the board retrieve.

    Args:
        target: the collection.
        rows: names of the rows whose runs make the pool.
        pairs: of the pool, the next to judge first.
    """

    target: Target
    rows: tuple[str, ...]
    pairs: tuple[Pair, ...]

    @property
    def holes(self) -> list[Pair]:
        """The pairs that nobody has judged."""
        return holes(self.pairs, self.target.labels)

    def lines(self) -> list[str]:
        """What there is and what is missing, a line each."""
        summary = Labels(tuple(self.target.labels)).summary()
        pairs = ", ".join(f"{count:,} by {_who(kind)}" for kind, count in summary["pairs"].items())
        found = [
            f"{self.target.dataset.name}: {sum(summary['pairs'].values()):,} judged pairs ({pairs}), "
            f"{summary['people_queries']:,} queries judged completely by people",
            f"pool of {len(self.rows)} rows on the board: {len(self.pairs):,} pairs, {len(self.holes):,} of them not "
            "judged",
        ]
        found += [str(each) for each in agreements(self.target.labels)]
        return found + [line for line in (disagreement(self.target.labels),) if line]


def open_work(
    dataset: str,
    out: str | Path | None = None,
    depth: int = DEPTH,
    results: str | Path = RESULTS,
    context: Context | None = None,
) -> Work:
    """A collection with its pool.

    Args:
        dataset: as `source/name[/split]` or a path.
        out: folder of a copy with the new labels; None for a collection with labels, as `harness testset` makes.
        depth: documents of each row for each query.
        results: folder of the records and runs.
        context: data folders, cache, seed.

    Raises:
        SettingError: a folder for the copy is needed.
        DatasetError: there is nothing to judge; says what to run.
    """
    target = open_target(dataset, Path(out) if out else None, context or open_context())
    rankings = board_rankings(Path(results), target.dataset.name, depth)
    pairs = pooled_pairs(rankings.values(), target.texts)
    if not pairs and not any(label.kind == "machine" for label in target.labels):
        command = shlex.join(["harness", "run", "-d", dataset, "--results", str(results)])
        raise DatasetError(
            f"{results} has no run on {target.dataset.name}, so there is no pool to judge: `{command}` makes runs."
        )
    return Work(target, tuple(rankings), tuple(pairs))


def by_machine(work: Work, judge: str, most: int | None, context: Context, tell: Tell) -> int:
    """Judges holes by a model, and returns how many got a label.

    Args:
        work: the collection.
        judge: a row that scores pairs, or an expression of `harness.judges`.
        most: pairs to judge; None for all.
        context: seed, cache, device, progress.
        tell: called with the price before anything is sent.

    Raises:
        HarnessError: the judge fails, or another process writes labels.
    """
    one = parse_judge(judge)
    with locked(work.target):
        pairs = work.holes[:most]
        if not pairs:
            return 0
        words = [len(work.target.document(document).text.split()) for _, document in pairs[:100]]
        price = one.estimate(len(pairs), sum(words) / len(words))
        if price is not None:
            tell(f"if no answer is cached: {price}")
        labels, grades = judged(one, work.target, pairs, work.pairs, context)
        work.target.add(labels)
        if grades.unusable:
            tell(f"{grades.unusable:,} pairs got no usable answer and have no label")
        again = grades.facts.get("asked_again")
        if again:
            kappa = grades.facts.get("kappa")
            tell(
                f"asked again about {again:,} pairs, the judge gave the same grade to "
                f"{grades.facts['same_grade']:.0%}" + ("" if kappa is None else f" (Cohen's kappa {kappa:.2f})")
            )
        return len(labels)


def to_table(work: Work, path: Path, person: str, most: int | None, context: Context) -> int:
    """Writes the pairs that a person has not judged as a table; returns how many.

    Raises:
        SettingError: there is a file already, which is no such table or has grades that were not imported.
    """
    if path.exists():
        _check_replaceable(path, work.target)
    pairs = for_a_person(work.pairs, work.target.labels, person, context)[:most]
    export(work.target, pairs, path)
    return len(pairs)


def from_table(work: Work, path: Path, person: str) -> int:
    """Adds the grades of a table; returns how many.

    Raises:
        DatasetError: a faulty line, or labels of another collection.
    """
    if not person.strip():
        raise SettingError("name the person who filled the table with --annotator.")
    labels = labels_in(path, person)
    with locked(work.target):
        if any(label.judge == person and label.kind != "person" for label in work.target.labels):
            raise SettingError(f"{person} is the name of another judge of this collection; take another name.")
        work.target.add(labels)
    return len(labels)


def from_log(work: Work, path: Path) -> Clicked:
    """Adds labels from a log of clicks (`harness.judging.clicks`).

    Raises:
        DatasetError: a faulty line, or a log of another collection.
    """
    return from_clicks(work.target, path)


def _check_replaceable(path: Path, target: Target) -> None:
    """Refuses to write over what somebody made."""
    try:
        grades = {label[:3] for label in labels_in(path, "")}
    except DatasetError as error:
        raise SettingError(f"{path} exists and is not a table of this kind; name another file.") from error
    lost = len(grades - {label[:3] for label in target.labels if label.kind == "person"})
    if lost:
        raise SettingError(
            f"{path} has {lost:,} grades that are not among the labels; add them with --import, or name another file."
        )


def page_server(work: Work, context: Context, port: int = 0) -> ThreadingHTTPServer:
    """A server of the page for people; hold the lock of the target meanwhile.

    Raises:
        SettingError: the port is taken.
    """
    try:
        return open_server(Session(work.target, work.pairs, context), port)
    except OSError as error:
        raise SettingError(f"port {port} cannot be used ({error.strerror}); name another with --port.") from error


def _who(kind: str) -> str:
    return {"machine": "machines", "person": "people", "given": "judgements of its own"}[kind]
