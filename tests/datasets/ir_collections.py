"""Small collections that tests add to the catalogue of ir_datasets, which has to be installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ir_datasets as catalogue

DOCUMENTS = {"d1": "lift of a wing", "d2": "drag of a body", "d3": "heat transfer"}
Put = Callable[..., None]


@contextmanager
def registering(folder: Path) -> Iterator[Put]:
    """Gives `put("mine/test", {"q1": "lift"}, "q1 0 d1 2", docs=…)`, which registers a collection until the block ends.

    All have the same documents, unless `docs` gives others.
    """
    docs = tsv_docs(folder / "docs.tsv", DOCUMENTS)
    registered = dict(catalogue.registry._registered)

    def one(name: str, queries: dict[str, str] | None = None, qrels: str = "", docs: Any = docs) -> None:
        parts = [docs]
        if queries is not None:
            path = folder / f"{name.replace('/', '-')}.tsv"
            path.write_text("".join(f"{q}\t{text}\n" for q, text in queries.items()), encoding="utf-8")
            parts.append(catalogue.formats.TsvQueries(catalogue.util.LocalDownload(path)))
        if qrels:
            path = folder / f"{name.replace('/', '-')}.qrels"
            path.write_text(qrels, encoding="utf-8")
            parts.append(catalogue.formats.TrecQrels(catalogue.util.LocalDownload(path), {}))
        catalogue.registry.register(name, catalogue.Dataset(*parts))

    try:
        yield one
    finally:
        catalogue.registry._registered.clear()
        catalogue.registry._registered.update(registered)


def tsv_docs(path: Path, texts: dict[str, str]) -> Any:
    path.write_text("".join(f"{d}\t{text}\n" for d, text in texts.items()), encoding="utf-8")
    return catalogue.formats.TsvDocs(catalogue.util.LocalDownload(path))
