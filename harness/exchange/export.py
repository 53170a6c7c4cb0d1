"""What `harness export` writes for other tools; each function returns messages about what it wrote."""

from __future__ import annotations

import gzip
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from harness.base.errors import HarnessError, RecordError, SettingError
from harness.base.files import replacing, sha256, slug, write_text
from harness.base.owned import check_owned, move_owned, note_owned
from harness.bench.judged_by import labels_of
from harness.bench.record import Record
from harness.bench.runner import Bench, Result
from harness.bench.store import Store
from harness.choices.value import RECIPES, Value
from harness.collection.copied_rule import copy_rule
from harness.collection.files import CORPUS, QUERIES
from harness.collection.labels import digest, labels_file, line_of
from harness.collection.self_retrieval import MANIFEST
from harness.data.dataset import Dataset
from harness.data.measures import DEFAULT
from harness.data.trec import write_qrels, write_topics
from harness.datasets import load_dataset, made_folder
from harness.exchange.beir import write_collection
from harness.exchange.mteb_results import write_results
from harness.leaks.history import trained_here
from harness.methods import Method, fit
from harness.rows import RERANKERS, SHORT_NAMES, methods_of, row_name
from harness.runtime.context import Context
from harness.training.card import Reported, add_reported

PART = ".harness-export"
"""Folder in that of an export where it is written until it is complete."""
FORMS = ("tsv", "xml", "sgml")
EXPORTABLE = (
    "Only rows with one trained model can be exported: model and recipe, as dense+supervised (`harness list recipes`), "
    f"or one of the names {', '.join(name if name not in RERANKERS else f'bm25>>{name}' for name in SHORT_NAMES)}."
)


def export_beir(name: str, folder: Path, context: Context) -> list[str]:
    """A dataset as a folder in BEIR's format; a later export into the folder replaces the files of an earlier one.

    Raises:
        RecordError: the folder has files of a collection that were not written here, or were changed since.
        HarnessError: the dataset is not available, or BEIR's format cannot represent it.
    """
    dataset = load_dataset(name, context)
    source = dataset.name.removeprefix("folder/").rpartition("/")[0]
    if dataset.name.startswith("folder/") and folder.exists() and folder.samefile(source):
        raise SettingError(
            f"{folder} is the dataset's own folder, which would be overwritten; name another one with --to."
        )
    earlier = _files_of_collection(folder)
    check_owned(folder, earlier)
    part = folder / PART
    shutil.rmtree(part, ignore_errors=True)  # of a process that was killed
    new = not folder.exists()
    try:
        splits = write_collection(dataset, part, context)
        for file in earlier:  # what this dataset has not, as another split, must not stay
            (folder / file).unlink()
        move_owned(part, folder, _files_of_collection(part))
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if new and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    queries = ", ".join(f"{split} {n}" for split, n in splits.items())
    return [f"{dataset.name}: {len(dataset.corpus)} documents; queries: {queries}; in {folder}"]


def _files_of_collection(folder: Path) -> list[str]:
    """Names of the files in a folder that a collection is read from."""
    named = [name + end for name in (CORPUS, QUERIES) for end in ("", ".gz")]
    named += [MANIFEST, *(f"qrels{end}" for end in (".txt", ".tsv", ".trec"))]
    paths = [path for name in named if (path := folder / name).exists()]
    paths += [path for path in sorted((folder / "qrels").glob("*")) if not path.name.startswith(".")]
    return [path.relative_to(folder).as_posix() for path in paths]


def export_trec(
    name: str, rows: Sequence[str], folder: Path, form: str, seed: int, results: Path, context: Context
) -> list[str]:
    """Topics, qrels and the stored runs of rows, for trec_eval.

    Args:
        name: the dataset; its reported split is written.
        rows: whose runs are written; each must have been run.
        folder: where to: `topics.<form>`, `qrels.txt`, `<row>.run`.
        form: one of `FORMS`.
        seed: of the runs.
        results: folder of the records.
        context: data folders and cache.

    Raises:
        SettingError: unknown format.
        RecordError: a row has no run of this version of the dataset, or the folder has a file of such a name that was
            not written here.
        HarnessError: the dataset is not available, or an id contains white space.
    """
    if form not in FORMS:
        raise SettingError(f"topics have no format {form!r}; the formats are {', '.join(FORMS)}.")
    dataset = load_dataset(name, context)
    methods = methods_of(rows) if rows else ()
    runs = {slug(row_name(method)): _run(Store(results), dataset, method, seed) for method in methods}
    written = [f"topics.{form}", "qrels.txt", *(f"{row}.run" for row in runs)]
    judges = labels_file(Path()).as_posix()  # `qrels.txt` is read as the split test
    check_owned(folder, [*written, MANIFEST, judges])
    for stale in (MANIFEST, judges):
        (folder / stale).unlink(missing_ok=True)
    copy_rule(dataset.name, [dataset.test], dataset.corpus, made_folder(dataset.name, context), folder)
    labels = labels_of(dataset.name, digest(dataset.test.qrels), context)
    if labels is not None:
        write_text(folder / judges, "".join(map(line_of, labels.every)))
    written += [name for name in (MANIFEST, judges) if (folder / name).exists()]
    write_topics(folder / f"topics.{form}", dataset.test.queries)
    write_qrels(folder / "qrels.txt", dataset.test.qrels)
    for row, path in runs.items():
        with gzip.open(path, "rb") as run, replacing(folder / f"{row}.run") as part, open(part, "wb") as file:
            shutil.copyfileobj(run, file)
    note_owned(folder, written)
    lines = [f"{dataset.name}: {', '.join(written)} in {folder}"]
    return [*lines, *(f"trec_eval -c -m ndcg_cut.10 {folder / 'qrels.txt'} {folder / row}.run" for row in runs)]


def export_mteb(names: Sequence[str], rows: Sequence[str], folder: Path, results: Path) -> list[str]:
    """Records as MTEB's result files.

    Args:
        names: full names of the datasets, with the split; all if empty.
        rows: names on the board; all if empty.
        folder: where to; `mteb.ResultCache(folder)` loads it.
        results: folder of the records.

    Raises:
        Unavailable: mteb is not installed.
        RecordError: no record matches, or one lacks MTEB's main score.
    """
    records, _ = Store(results).all()
    wanted = {row_name(method) for method in methods_of(rows)} if rows else None
    chosen = [r for r in records if (not names or r.dataset["name"] in names) and (wanted is None or r.row in wanted)]
    if records and not chosen:
        datasets = ", ".join(sorted({r.dataset["name"] for r in records}))
        raise RecordError(
            f"{results} has no record of that row and dataset; give a full name with the split; it has {datasets}."
        )
    return [str(path) for path in write_results(chosen, folder)]


def export_model(
    row: str,
    name: str,
    seed: int,
    folder: Path,
    results: Path,
    context: Context,
    tell: Callable[[Result], None] | None = None,
) -> list[str]:
    """Copies the trained model of a row into a folder, with the row's reported scores in the model card.

    The row is run if its record is not up to date, so that model and scores belong together.

    Args:
        row: with one model that was trained here, as `dense+supervised`.
        name: the dataset.
        seed: of the record; the context's too.
        folder: where to; must not exist, or be empty.
        results: folder of the records.
        context: seed, device and cache.
        tell: called after the row was run.

    Raises:
        SettingError: the row trains no model (checked before anything is run), or several; or the folder is not empty.
        HarnessError: the row cannot be run.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingError(f"{folder} is not empty; name an empty folder or one that does not exist.")
    methods = methods_of([row])
    if len(methods) > 1:
        raise SettingError(f"{row} names {len(methods)} rows; name one that trains a model. {EXPORTABLE}")
    (method,) = methods
    if not any(_trains(part) for part in _every(method)):
        raise SettingError(f"{row_name(method)} trains no model, so there is none to export. {EXPORTABLE}")
    result = Bench([method], [name], context, Store(results), list(DEFAULT)).run(name, method)
    if tell is not None:
        tell(result)
    record = result.record
    if record.status != "ok":
        raise HarnessError(
            f"{record.row} on {record.dataset['name']}: {(record.problem or {}).get('reason', record.status)}"
        )
    models = [model for model in fit(method, load_dataset(name, context).train, context).models if trained_here(model)]
    if len(models) != 1:
        raise SettingError(
            f"{record.row} has {len(models)} models that were trained here; name a row with one, as dense+supervised."
        )
    dataset, _, split = record.dataset["name"].rpartition("/")
    shutil.copytree(models[0], folder, dirs_exist_ok=True)
    add_reported(folder, Reported(record.row, dataset, split, record.dataset["revision"], record.measures))
    return [
        f"the model of {record.row} (seed {seed}) is in {folder}; its card has the scores on {record.dataset['name']}"
    ]


def _every(value: Value) -> Iterator[Value]:
    """A value and all its parts, without recipes: a teacher of a recipe is not a model of the row."""
    yield value
    for part in value.parts():
        if part not in getattr(value, RECIPES, ()):
            yield from _every(part)


def _trains(value: Value) -> bool:
    """Whether a part of a row has a model that the harness trains or has trained."""
    model = getattr(value, "model", None)
    return bool(getattr(value, RECIPES, ())) or (isinstance(model, str) and trained_here(Path(model).expanduser()))


def _run(store: Store, dataset: Dataset, method: Method, seed: int) -> Path:
    """The stored run of a row, complete and of this version of the dataset."""
    place, row = store.place(dataset.name, method, seed), row_name(method)
    record: Record | None = store.load(place)
    options = ["--dataset", dataset.name, "--method", row, "--seed", str(seed), "--results", str(store.root)]
    command = shlex.join(["harness", "run", *options])
    if record is None or not place.run.is_file() or sha256(place.run) != record.run_sha256:
        raise RecordError(
            f"{store.root} has no complete run of {row} on {dataset.name} with seed {seed}; `{command}` makes one."
        )
    if record.dataset["revision"] != dataset.revision:
        raise RecordError(
            f"the run of {row} is of another version of {dataset.name}; `{command}` makes one of this version."
        )
    return place.run
