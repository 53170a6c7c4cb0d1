"""What a model was taught: the queries that it learnt from or was chosen on, kept with it.

Two files. Beside the model's folder, the texts and their documents, so that near copies are found; inside the folder,
hashes of the texts, which go wherever it is copied and give no query away. Texts of the corpus are not kept: every
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
training queries with documents that a teacher judged; `other`: of a recipe that does not say.
"""
BESIDE, INSIDE = "taught.jsonl.gz", "taught.json.gz"
"""Of a suffix that has no part in the hash of a model folder: a model that was trained before these files is the same
model.
"""
MADE = "Made by retrieval-harness."
"""Stands in the card of every model that was trained here."""
_CARD = "README.md"
_REPORT = "training.json"


@dataclass(frozen=True)
class Taught:
    """A query that was learnt from.

    Args:
        kind: where it comes from.
        text: as it is, without a prompt.
        documents: ids of those it was learnt with as relevant, or with a teacher's score; empty where not known.
    """

    kind: Kind
    text: str
    documents: tuple[str, ...] = ()


@dataclass(frozen=True)
class History:
    """All that a model was taught, also in the stages before the last and by the models that helped.

    Args:
        taught: each (kind, text) once; the texts are empty where only hashes are at hand.
        hashes: kind → hashes of the normalised texts.
        whole: False where something is missing: it stands on a model of which this is not known.
        texts: False where the folder came without the texts, and only exact copies can be found.
    """

    taught: tuple[Taught, ...]
    hashes: Mapping[str, frozenset[str]]
    whole: bool = True
    texts: bool = True


def history(taught: Iterable[Taught], *, whole: bool = True) -> History:
    """Each (kind, text) once, in a fixed order, with all its documents."""
    held: dict[tuple[Kind, str], dict[str, None]] = {}
    for one in taught:
        held.setdefault((one.kind, one.text), {}).update(dict.fromkeys(one.documents))
    entries = tuple(Taught(kind, text, tuple(sorted(documents))) for (kind, text), documents in sorted(held.items()))
    return History(entries, _hashes(entries), whole)


def together(own: History | None, models: Iterable[Path]) -> History:
    """What a model was taught and what the models were that it stands on; not whole where one of them does not say.

    Args:
        own: of its own training; None where that is not known.
        models: the folders it was trained from or with.
    """
    taught, hashes, whole, texts = (
        list(own.taught if own else ()),
        dict(own.hashes if own else {}),
        own is not None,
        True,
    )
    for model in dict.fromkeys(models):
        if not trained_here(model):
            continue
        before = recall(model)
        whole &= before is not None and before.whole
        if before is not None:
            taught += before.taught
            texts &= before.texts
            hashes = {
                k: hashes.get(k, frozenset()) | before.hashes.get(k, frozenset()) for k in {*hashes, *before.hashes}
            }
    return History(history(taught).taught, hashes, whole, texts)


def note(folder: Path, held: History) -> None:
    """Writes the file beside a model, to the folder that holds the model's."""
    with replacing(folder / BESIDE) as part:
        _write(part, _lines(held))


def noted(folder: Path) -> History | None:
    """Reads it back; None where there is none.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        head, *lines = _read(folder / BESIDE).splitlines()
        taught = [Taught(kind, text, tuple(documents)) for kind, text, documents in map(json.loads, lines)]
        told = json.loads(head)
        hashes = {kind: frozenset(held) for kind, held in told["more"].items()}
        for kind, held in _hashes(taught).items():
            hashes[kind] = hashes.get(kind, frozenset()) | held
        return History(tuple(taught), hashes, bool(told["whole"]), bool(told["texts"]))
    except FileNotFoundError:
        return None
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError) as error:
        raise _damaged(folder / BESIDE, error) from error


def keep(model: Path, held: History) -> None:
    """Writes both files of a model's folder."""
    note(model.parent, held)
    hashes = {kind: sorted(own) for kind, own in sorted(held.hashes.items())}
    told = {"whole": held.whole, "beside": _digest(_lines(held)), "hashes": hashes}
    with replacing(model / INSIDE) as part:
        _write(part, json.dumps(told, sort_keys=True))


def recall(model: Path) -> History | None:
    """What a model was taught: with its texts where they lie beside it, else by hashes; None where that is not known.

    Raises:
        ModelError: a file cannot be read.
    """
    try:
        told = json.loads(_read(model / INSIDE))
        hashes = {str(kind): frozenset(held) for kind, held in told["hashes"].items()}
        whole, digest = bool(told["whole"]), told["beside"]
    except FileNotFoundError:
        return None
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(model / INSIDE, error) from error
    beside = noted(model.parent)
    if beside is None or _digest(_lines(beside)) != digest:  # a folder that was copied may lie beside another's texts
        return History((), hashes, whole, texts=False)
    return beside


def trained_here(model: Path) -> bool:
    """Whether the harness trained the model, also before it kept what models were taught."""
    if (model / INSIDE).is_file() or (model.name == "model" and (model.parent / _REPORT).is_file()):
        return True
    try:
        return MADE in (model / _CARD).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


def text_hash(text: str) -> str:
    """16 hexadecimal digits of a text without differences of case and signs; of the text itself where nothing else is
    left.
    """
    return hashlib.blake2b((normalised(text) or text).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _hashes(taught: Sequence[Taught]) -> dict[str, frozenset[str]]:
    return {
        kind: frozenset(text_hash(t.text) for t in taught if t.kind == kind)
        for kind in sorted({t.kind for t in taught})
    }


def _lines(held: History) -> str:
    own = _hashes(held.taught)
    more = {kind: sorted(hashes - own.get(kind, frozenset())) for kind, hashes in sorted(held.hashes.items())}
    head = {"whole": held.whole, "texts": held.texts, "more": {kind: left for kind, left in more.items() if left}}
    return "\n".join(
        [json.dumps(head, sort_keys=True), *(json.dumps([t.kind, t.text, list(t.documents)]) for t in held.taught)]
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _write(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))  # without the time, the same training leaves the same bytes


def _read(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


def _damaged(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path}, which says what the model was taught, cannot be read ({error}); train the model again.")
