"""A test set as a folder: corpus, queries, qrels, labels with their judge, and a manifest of what made them."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import harness
from harness.base.errors import SettingError
from harness.base.files import replacing, write_text
from harness.base.owned import check_owned, move_owned
from harness.collection.files import CORPUS, QUERIES, Collection
from harness.collection.labels import Label, write_labels
from harness.collection.self_retrieval import MANIFEST, PARTS
from harness.data.corpus import Corpus
from harness.endpoints.meter import Estimate
from harness.judges import NO_GRADE
from harness.runtime.context import Context
from harness.testset.make import TestSet
from harness.testset.request import Request

FILES: Final = (CORPUS, QUERIES, "qrels/test.tsv", "qrels/test.labels.jsonl", MANIFEST)
_PACKAGES: Final = ("numpy", "scikit-learn", "semchunk", "sentence-transformers", "torch", "transformers")


@contextlib.contextmanager
def workplace(out: Path, *, plan: bool = False) -> Iterator[Path]:
    """A folder next to `out` to write the set into; its files replace those in `out` when the block succeeds.

    Args:
        out: the folder of the set.
        plan: nothing is put into `out`.

    Raises:
        RecordError: `out` has a file of such a name that was not written here or was changed since, for example by
            people's judgements.
        SettingError: `out` is a file.
    """
    if out.exists() and not out.is_dir():
        raise SettingError(f"{out} is a file; name a folder with --out.")
    check_owned(out, FILES)
    part = out.absolute().parent / f".{out.name}.part"
    shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
    (part / "qrels").mkdir(parents=True)
    try:
        yield part
        if plan:
            return
        move_owned(part, out, FILES)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_corpus(request: Request, part: Path, context: Context) -> Corpus:
    """Writes `corpus.jsonl` and opens it.

    Raises:
        DatasetError: the source cannot be read, or has two documents of one id.
    """
    with replacing(part / CORPUS) as path, open(path, "w", encoding="utf-8", newline="\n") as file:
        for document in request.source.documents():
            record = {"_id": document.id, "title": document.title, "text": document.text}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return Collection(part, part / CORPUS, part / QUERIES, {}).open_corpus(f"folder/{request.out}", context)


def write_set(request: Request, made: TestSet, corpus: Corpus, price: Estimate | None, part: Path, seed: int) -> None:
    """Writes the other files.

    Args:
        request: the settings.
        made: queries, pools, grades.
        corpus: all documents.
        price: of the hosted models, if no answer was cached.
        part: the folder.
        seed: of the run.
    """
    judge = request.judge.label()
    lines, labels = [], []
    for query, rows, grades in zip(made.queries, made.pairs, made.grades.values, strict=True):
        origin = {"kind": query.kind, "generator": query.generator}
        if query.row >= 0:
            origin["document"] = corpus[query.row].id
        name = query.id(corpus)
        lines.append(json.dumps({"_id": name, "text": query.text, "metadata": origin}, ensure_ascii=False))
        for document, grade in zip(corpus.ids(rows), grades.tolist(), strict=True):
            if grade != NO_GRADE:
                labels.append(Label(name, document, grade, judge, "machine"))
    write_text(part / QUERIES, "\n".join(lines) + "\n")
    write_labels(part, labels)
    text = json.dumps(manifest(request, made, corpus, price, seed), indent=1, ensure_ascii=False)
    write_text(part / MANIFEST, text + "\n")


def manifest(request: Request, made: TestSet, corpus: Corpus, price: Estimate | None, seed: int) -> dict[str, Any]:
    """JSON-safe: what made the set. It has no time and no path, so that the same command gives the same bytes."""
    grades = Counter(int(grade) for values in made.grades.values for grade in values)
    return {
        "made_by": f"harness testset, retrieval-harness {harness.__version__}",
        "seed": seed,
        "corpus": {
            "name": request.source.path.name,
            "documents": len(corpus),
            "revision": corpus.revision,
            **request.source.facts,
        },
        "queries": {
            "number": len(made.queries),
            "real": request.log is not None,
            "wanted": request.queries,
            "documents_asked_about": 0 if request.log else min(made.asked, request.documents),
            "generators": [] if request.log else [generator.full() for generator in request.generators],
            "kinds": dict(sorted(Counter(query.kind for query in made.queries).items())),
            "dropped": made.drops,
            "copied_words": made.copied,
            PARTS: any(query.is_part for query in made.queries),
        },
        "pool": {
            "rows": [method.full() for method in request.rows(len(corpus))],
            "depth": request.depth,
            "pairs": sum(map(len, made.pairs)),
        },
        "judge": {
            "judge": request.judge.full(),
            "models": sorted(request.judge.models()),
            "grades": {("none" if g == NO_GRADE else str(g)): grades[g] for g in sorted(grades)},
            **made.grades.facts,
        },
        "cost": None if price is None else {
            "requests": price.requests,
            "tokens_in": price.tokens_in,
            "tokens_out_at_most": price.tokens_out,
            "dollars_at_most": price.dollars,
        },
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
