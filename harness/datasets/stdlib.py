"""Code search in Python's own standard library, built on the spot: the default that needs no download."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.base.errors import UnknownName
from harness.cache.code import code_of
from harness.collection.files import Collection
from harness.collection.splits import Parts, build_dataset
from harness.data.dataset import Dataset
from harness.datasets import Source
from harness.datasets._code_search import write_collection
from harness.datasets._functions import Library
from harness.runtime.context import Context

NAME = "code"
LICENCE = "PSF-2.0"


@dataclass(frozen=True)
class Stdlib(Source):
    """`stdlib/code[/split]`. The content depends on the version of Python, and so does `Dataset.revision`."""

    may_be_passed_on: ClassVar[bool] = True

    def load(self, rest: str, context: Context) -> Dataset:
        """The collection of the running Python; it is built the first time.

        Raises:
            UnknownName: no such collection or split.
            Unavailable: this Python is installed without the sources of its library.
        """
        collection = Collection.find(self.folder(rest, context))
        full = f"stdlib/{NAME}"
        note = f"built from the standard library of {_python()}: scores are comparable only between equal revisions"
        parts = Parts(
            full,
            collection.open_corpus(full, context),
            collection.read_queries(),
            collection.readers(),
            LICENCE,
            (note,),
        )
        return build_dataset(parts, rest.partition("/")[2] or "test")

    def check(self, rest: str, context: Context) -> None:
        """See `Source.check`."""
        if (name := rest.partition("/")[0]) != NAME:
            raise UnknownName("stdlib collection", name, [NAME])

    def available(self, context: Context) -> list[str]:
        """`code`."""
        return [NAME]

    def folder(self, rest: str, context: Context) -> Path:
        """Where the collection is built.

        Raises:
            UnknownName: no such collection.
            Unavailable: this Python is installed without the sources of its library.
        """
        self.check(rest, context)
        return build(context)


def build(context: Context) -> Path:
    """The folder of the collection, in the format of any other.

    Raises:
        Unavailable: this Python is installed without the sources of its library.
    """
    library = Library.running()
    code = code_of("harness.datasets._code_search", "harness.datasets._functions")
    key = hashlib.sha256(":".join([code, _python(), library.revision]).encode()).hexdigest()[:32]

    def fill(part: Path) -> None:
        write_collection(library.functions(), part)

    return context.cache.folder("stdlib", key, {"collection": f"stdlib/{NAME}", "python": _python()}, fill)


def _python() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}"
