"""What `harness export` writes for other tools and `harness import` takes from them; each says line by line what was
done.
"""

from __future__ import annotations

import gzip
import shlex
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.base.errors import HarnessError, RecordError, SettingError
from harness.base.files import replacing, sha256, slug, there
from harness.base.json_files import read_json
from harness.bench.published import Published, published, write
from harness.bench.record import Record
from harness.bench.runner import Bench, Result
from harness.bench.store import Store
from harness.choices.value import RECIPES, Value
from harness.data.dataset import Dataset
from harness.data.measures import DEFAULT
from harness.data.trec import write_qrels, write_topics
from harness.datasets import load_dataset
from harness.datasets.beir import DEFAULT_SPLIT
from harness.exchange.beir import write_collection
from harness.exchange.mteb_results import read_results, write_results
from harness.leaks.history import trained_here
from harness.methods import Method, fit
from harness.rows import RERANKERS, SHORT_NAMES, methods_of, row_name
from harness.runtime.context import Context
from harness.training.card import Reported, add_reported

FORMS = ("tsv", "xml", "sgml")
EXPORTABLE = (
    "Rows with one trained model can be exported: a model and its recipe, as dense+supervised (`harness list "
    "recipes`), or "
    f"one of the names {', '.join(name if name not in RERANKERS else f'bm25>>{name}' for name in SHORT_NAMES)}."
)


def export_beir(name: str, folder: Path, context: Context) -> list[str]:
    """A dataset as a folder in BEIR's form.

    Raises:
        HarnessError: the dataset cannot be had, or BEIR's form cannot hold it.
    """
    dataset = load_dataset(name, context)
    source = dataset.name.removeprefix("folder/").rpartition("/")[0]
    if dataset.name.startswith("folder/") and folder.exists() and folder.samefile(source):
        raise SettingError(
            f"{folder} is the dataset's own folder, which would be written over; name another one with --to."
        )
    splits = write_collection(dataset, folder)
    told = ", ".join(f"{split} {n}" for split, n in splits.items())
    return [f"{dataset.name}: {len(dataset.corpus)} documents; queries: {told}; in {folder}"]


def export_trec(
    name: str, rows: Sequence[str], folder: Path, form: str, seed: int, results: Path, context: Context
) -> list[str]:
    """Topics, qrels and the runs of rows, as trec_eval takes them.

    Args:
        name: the dataset; its reported split is written.
        rows: whose runs; they must have been run.
        folder: where to: `topics.<form>`, `qrels.txt`, `<row>.run`.
        form: one of `FORMS`.
        seed: of the runs.
        results: folder of the records.
        context: data folders and cache.

    Raises:
        SettingError: no such form.
        RecordError: a row has no run of this content of the dataset.
        HarnessError: the dataset cannot be had, or an id has white space.
    """
    if form not in FORMS:
        raise SettingError(f"topics have no form {form!r}; {', '.join(FORMS)} are there.")
    dataset = load_dataset(name, context)
    runs = {
        slug(row_name(method)): _run(Store(results), dataset, method, seed)
        for method in (methods_of(rows) if rows else ())
    }
    write_topics(folder / f"topics.{form}", dataset.test.queries)
    write_qrels(folder / "qrels.txt", dataset.test.qrels)
    for row, path in runs.items():
        with gzip.open(path, "rb") as held, replacing(folder / f"{row}.run") as part, open(part, "wb") as file:
            shutil.copyfileobj(held, file)
    written = [f"topics.{form}", "qrels.txt", *(f"{row}.run" for row in runs)]
    lines = [f"{dataset.name}: {', '.join(written)} in {folder}"]
    return [*lines, *(f"trec_eval -c -m ndcg_cut.10 {folder / 'qrels.txt'} {folder / row}.run" for row in runs)]


def export_mteb(names: Sequence[str], rows: Sequence[str], folder: Path, results: Path) -> list[str]:
    """Records as MTEB's result files.

    Args:
        names: full names of the datasets, with the split; none takes all.
        rows: names on the board; none takes all.
        folder: where to; `mteb.ResultCache(folder)` loads it.
        results: folder of the records.

    Raises:
        Unavailable: mteb is not installed.
        RecordError: no record fits, or one lacks MTEB's main score.
    """
    held, _ = Store(results).all()
    wanted = {row_name(method) for method in methods_of(rows)} if rows else None
    chosen = [r for r in held if (not names or r.dataset["name"] in names) and (wanted is None or r.row in wanted)]
    if held and not chosen:
        there = ", ".join(sorted({r.dataset["name"] for r in held}))
        raise RecordError(f"{results} has no record of that row and dataset; its datasets are {there}, split and all.")
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
    """The trained model of a row as a folder of its own, its card with the row's reported figures.

    The row is run where its record is not up to date, so that model and figures belong together.

    Args:
        row: with one model that was trained here, as `dense+supervised`.
        name: the dataset.
        seed: of the record; the context's too.
        folder: where to; must not exist, or be empty.
        results: folder of the records.
        context: seed, device and cache.
        tell: called after the row was run.

    Raises:
        SettingError: the row has no such model (told before anything is run), or several; or the folder holds
            something.
        HarnessError: the row cannot be run.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingError(f"{folder} holds something already; name a folder that is empty or not there.")
    methods = methods_of([row])
    if len(methods) > 1:
        raise SettingError(f"{row} stands for {len(methods)} rows; name one that trains a model. {EXPORTABLE}")
    (method,) = methods
    if not any(_trains(part) for part in _every(method)):
        raise SettingError(f"{row_name(method)} trains no model, so that none can be exported. {EXPORTABLE}")
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
    return [f"the model of {record.row} (seed {seed}) is in {folder}; its card says what {record.dataset['name']} gave"]


def import_published(paths: Sequence[Path], results: Path) -> list[str]:
    """Figures of others, put beside the records: MTEB's result files or folders, or JSON of figures as in
    `suites/published`.

    Raises:
        Unavailable: a result of MTEB's, and mteb is not installed.
        RecordError: a file of neither form.
    """
    absent = [path for path in paths if not there(path.exists)]
    if absent:
        raise RecordError(f"there is no {', '.join(map(str, absent))}.")
    of_mteb = [path for path in paths if path.is_dir() or not _figures(path)]
    found, told = read_results(of_mteb) if of_mteb else ([], [])
    found += [each for path in paths if path not in of_mteb for each in _figures(path)]
    for each in found:
        place = write(results, each)
        told.append(f"{each.row}: {', '.join(sorted(each.figures))}; in {place}")
    measured = {record.dataset["name"] for record in Store(results).all()[0]}
    alone = sorted({dataset for each in found for dataset in each.figures} - measured)
    if alone:
        told.append(f"shown once a row is measured there: {', '.join(alone)}")
    return told


def _every(value: Value) -> Iterator[Value]:
    """A value and all that it is made of, without the recipes: a teacher in one of them is no model of the row."""
    yield value
    for part in value.parts():
        if part not in getattr(value, RECIPES, ()):
            yield from _every(part)


def _trains(value: Value) -> bool:
    """Whether a part of a row has a model that is trained here, now or before."""
    model = getattr(value, "model", None)
    return bool(getattr(value, RECIPES, ())) or (isinstance(model, str) and trained_here(Path(model).expanduser()))


def _run(store: Store, dataset: Dataset, method: Method, seed: int) -> Path:
    """The stored run of a row, whole and of this content of the dataset."""
    place, row = store.place(dataset.name, method, seed), row_name(method)
    record: Record | None = store.load(place)
    words = (
        "harness",
        "run",
        "--dataset",
        dataset.name,
        "--method",
        row,
        "--seed",
        str(seed),
        "--results",
        str(store.root),
    )
    command = shlex.join(words)
    if record is None or not place.run.is_file() or sha256(place.run) != record.run_sha256:
        raise RecordError(
            f"{store.root} has no whole run of {row} on {dataset.name} with seed {seed}; `{command}` makes one."
        )
    if record.dataset["revision"] != dataset.revision:
        raise RecordError(f"the run of {row} is of another content of {dataset.name}; `{command}` makes one of this.")
    return place.run


def _figures(path: Path) -> list[Published]:
    """What a JSON of figures holds, one method's (`figures`) or several models' (`models`); empty where it is of
    another form.
    """
    try:
        held = read_json(path)
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} is not JSON ({error}).") from error
    if not isinstance(held, dict):
        return []
    if isinstance(held.get("figures"), dict):
        return [published({**held, "figures": {_full(d): of for d, of in held["figures"].items()}}, str(path))]
    if not isinstance(held.get("models"), dict):
        return []
    source = str(held.get("source") or path.name)
    return [
        published(
            {"title": model, "source": source, "figures": {_full(d): _measures(f) for d, f in of.items()}}, str(path)
        )
        for model, of in held["models"].items()
    ]


def _full(dataset: str) -> str:
    """A dataset's full name; one of BEIR's collections may be called by its own."""
    if dataset.startswith(("beir/", "mteb/", "ir_datasets/", "stdlib/", "folder/")):
        return dataset
    return f"beir/{dataset}/{DEFAULT_SPLIT.get(dataset, 'test')}"


def _measures(of: Any) -> dict[str, Any]:
    """Figures among other facts, as versions."""
    return {
        name: value for name, value in of.items() if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
