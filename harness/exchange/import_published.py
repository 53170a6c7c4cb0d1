"""Published scores of others, stored next to the records: MTEB's result files, or JSON as in
`harness/suites/published`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.base.errors import RecordError
from harness.base.files import there
from harness.base.json_files import read_json
from harness.bench.published import Published, published, write
from harness.bench.store import Store
from harness.datasets.beir import DEFAULT_SPLIT
from harness.exchange.mteb_published import read_results

SOURCES = ("beir/", "mteb/", "ir_datasets/", "stdlib/", "folder/")


def import_published(paths: Sequence[Path], results: str | Path) -> list[str]:
    """Stores published scores of others in the results folder; the board shows them, marked as published.

    Args:
        paths: MTEB's result files or folders, or JSON as in `harness/suites/published`.
        results: folder of the records.

    Returns:
        Messages, one for each method and one for each file that is left out.

    Raises:
        Unavailable: a result of MTEB, and mteb is not installed.
        RecordError: a file that does not exist, or has neither form.
    """
    absent = [path for path in paths if not there(path.exists)]
    if absent:
        raise RecordError(f"there is no file or folder {', '.join(map(str, absent))}.")
    of_json = {path: [] if path.is_dir() else _from_json(path) for path in paths}
    of_mteb = [path for path, scores in of_json.items() if not scores]
    imported, messages = read_results(of_mteb) if of_mteb else ([], [])
    imported += itertools.chain.from_iterable(of_json.values())
    for scores in imported:
        place = write(Path(results), scores)
        messages.append(f"{scores.row}: {', '.join(sorted(scores.figures))}; in {place}")
    measured = {record.dataset["name"] for record in Store(Path(results)).all()[0]}
    unmeasured = sorted({*itertools.chain.from_iterable(scores.figures for scores in imported)} - measured)
    if unmeasured:
        messages.append(f"shown once a row is measured there: {', '.join(unmeasured)}")
    return messages


def _from_json(path: Path) -> list[Published]:
    """Scores of one method (`figures`) or of several models (`models`); empty if the JSON is of another form."""
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} is not JSON ({error}).") from error
    if not isinstance(content, dict):
        return []
    if isinstance(content.get("figures"), dict):
        figures = {_full_name(dataset): scores for dataset, scores in content["figures"].items()}
        return [published({**content, "figures": figures}, str(path))]
    if not isinstance(content.get("models"), dict):
        return []
    source = str(content.get("source") or path.name)
    models = []
    for model, by_dataset in content["models"].items():
        figures = {_full_name(dataset): _numbers(facts) for dataset, facts in by_dataset.items()}
        models.append(published({"title": model, "source": source, "figures": figures}, str(path)))
    return models


def _full_name(dataset: str) -> str:
    """A dataset's full name; a name without a source is one of BEIR's collections."""
    if dataset.startswith(SOURCES):
        return dataset
    return f"beir/{dataset}/{DEFAULT_SPLIT.get(dataset, 'test')}"


def _numbers(facts: Mapping[str, object]) -> dict[str, float]:
    """The scores among other facts, e.g. versions."""
    numbers = {name: value for name, value in facts.items() if isinstance(value, (int, float))}
    return {name: value for name, value in numbers.items() if not isinstance(value, bool)}
