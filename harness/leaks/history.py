"""The training history of a model: the queries that it was trained on or chosen by, stored with it.

Two files. Next to the model's folder, the texts and their documents, so that near copies can be found; inside the
folder, hashes of the texts, which are copied with it and disclose no query. Texts of the corpus are not stored: every
method may read those.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.base.errors import ModelError
from harness.base.files import replacing
from harness.leaks.overlap import normalised

Kind = Literal["gold", "dev", "generated", "silver", "other"]
"""`gold`: judged training queries; `dev`: those that chose the checkpoint; `generated`: made from the corpus; `silver`:
training queries with documents that a teacher judged; `other`: of a recipe that does not declare it.
"""
BESIDE, INSIDE = "taught.jsonl.gz", "taught.json.gz"
"""Their suffix is left out of the hash of a model folder, so that models trained without such files keep their hash."""
MADE = "Made by retrieval-harness."
"""In the card of every model that was trained here."""
_CARD = "README.md"
_REPORT = "training.json"


@dataclass(frozen=True)
class TrainedQuery:
    """A query that a model was trained on.

    Args:
        kind: where it comes from.
        text: without a prompt.
        documents: ids of its relevant documents in training, or of those with a teacher's score; empty if unknown.
    """

    kind: Kind
    text: str
    documents: tuple[str, ...] = ()


@dataclass(frozen=True)
class History:
    """All that a model was trained on, including earlier stages and the models that helped, e.g. teachers.

    Args:
        queries: each (kind, text) once; empty if only hashes are available.
        hashes: kind → hashes of the normalised texts.
        whole: False if something is missing, because the history of a model that it was trained from is unknown.
        texts: False if the folder came without the texts, so that only exact copies can be found.
    """

    queries: tuple[TrainedQuery, ...]
    hashes: Mapping[str, frozenset[str]]
    whole: bool = True
    texts: bool = True


def history(queries: Iterable[TrainedQuery], *, whole: bool = True) -> History:
    """Each (kind, text) once, in a fixed order, with all its documents."""
    documents: dict[tuple[Kind, str], set[str]] = {}
    for query in queries:
        documents.setdefault((query.kind, query.text), set()).update(query.documents)
    entries = tuple(TrainedQuery(kind, text, tuple(sorted(ids))) for (kind, text), ids in sorted(documents.items()))
    return History(entries, _hashes(entries), whole)


def together(own: History | None, models: Iterable[Path]) -> History:
    """The history of a model with those of the models that it was trained from; not whole if one of them is unknown.

    Args:
        own: of its own training; None if unknown.
        models: the folders it was trained from or with.
    """
    every = [own, *(read_history(model) for model in dict.fromkeys(models) if trained_here(model))]
    known = [each for each in every if each is not None]
    return History(
        queries=history(query for each in known for query in each.queries).queries,
        hashes=_united(each.hashes for each in known),
        whole=len(known) == len(every) and all(each.whole for each in known),
        texts=all(each.texts for each in known if each is not own),
    )


def _united(parts: Iterable[Mapping[str, frozenset[str]]]) -> dict[str, frozenset[str]]:
    united: dict[str, frozenset[str]] = {}
    for hashes in parts:
        for kind, own in hashes.items():
            united[kind] = united.get(kind, frozenset()) | own
    return united


def write_texts(folder: Path, history: History) -> None:
    """Writes the file next to a model's folder, into the folder that contains both."""
    with replacing(folder / BESIDE) as part:
        _write(part, _lines(history))


def read_texts(folder: Path) -> History | None:
    """Reads the file next to a model's folder; None without one.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        head, *lines = _read(folder / BESIDE).splitlines()
        queries = [TrainedQuery(kind, text, tuple(documents)) for kind, text, documents in map(json.loads, lines)]
        facts = json.loads(head)
        without_text = {kind: frozenset(hashes) for kind, hashes in facts["more"].items()}
        hashes = _united((without_text, _hashes(queries)))
        return History(tuple(queries), hashes, bool(facts["whole"]), bool(facts["texts"]))
    except FileNotFoundError:
        return None
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError) as error:
        raise _damaged(folder / BESIDE, error) from error


def write_history(model: Path, history: History) -> None:
    """Writes both files of a model's folder."""
    write_texts(model.parent, history)
    hashes = {kind: sorted(own) for kind, own in sorted(history.hashes.items())}
    facts = {"whole": history.whole, "beside": _digest(_lines(history)), "hashes": hashes}
    with replacing(model / INSIDE) as part:
        _write(part, json.dumps(facts, sort_keys=True))


def read_history(model: Path) -> History | None:
    """The history of a model: with the texts if they are next to it, else with hashes; None if unknown.

    Raises:
        ModelError: a file cannot be read.
    """
    try:
        facts = json.loads(_read(model / INSIDE))
        hashes = {str(kind): frozenset(own) for kind, own in facts["hashes"].items()}
        whole, digest = bool(facts["whole"]), facts["beside"]
    except FileNotFoundError:
        return None
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(model / INSIDE, error) from error
    full = read_texts(model.parent)
    if full is None or _digest(_lines(full)) != digest:  # a copied folder may be next to the texts of another
        return History((), hashes, whole, texts=False)
    return full


def trained_here(model: Path) -> bool:
    """Whether the harness trained the model, also with a version that stored no history."""
    if (model / INSIDE).is_file() or (model.name == "model" and (model.parent / _REPORT).is_file()):
        return True
    try:
        return MADE in (model / _CARD).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


def text_hash(text: str) -> str:
    """16 hexadecimal digits of a normalised text; of the text itself if nothing is left of it."""
    return hashlib.blake2b((normalised(text) or text).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _hashes(queries: Sequence[TrainedQuery]) -> dict[str, frozenset[str]]:
    hashes: dict[str, set[str]] = {}
    for query in queries:
        hashes.setdefault(query.kind, set()).add(text_hash(query.text))
    return {kind: frozenset(hashes[kind]) for kind in sorted(hashes)}


def _lines(history: History) -> str:
    """A line of facts, with the hashes without a text, and a line for each query."""
    own = _hashes(history.queries)
    without_text: dict[str, list[str]] = {}
    for kind, hashes in sorted(history.hashes.items()):
        if more := sorted(hashes - own.get(kind, frozenset())):
            without_text[kind] = more
    head = {"whole": history.whole, "texts": history.texts, "more": without_text}
    lines = [json.dumps(head, sort_keys=True)]
    lines += [json.dumps([query.kind, query.text, list(query.documents)]) for query in history.queries]
    return "\n".join(lines)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _write(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))  # without the time, the same training leaves the same bytes


def _read(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


def _damaged(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path}, the training history of the model, cannot be read ({error}); train the model again.")
