"""The settings of a context for another process, JSON-safe: seed, device, cache, data, environment."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.memory import Memory
from harness.base.threads import THREADS
from harness.cache.folders import Cache
from harness.executors._plugins import carried_plugins, use_carried_plugins
from harness.runtime.context import Context

CARRIED = ("HARNESS_", "HF_", "TRANSFORMERS_", "SENTENCE_TRANSFORMERS_", "TOKENIZERS_")
SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD")
OWN = ("cache", "data_dirs", "memory", "progress", "search_depth", "guard", "ledger")
"""Fields of a context that are no plain setting, or belong to what one process is doing."""


@dataclass(frozen=True)
class Setup:
    """The settings of a context, for another process.

    Args:
        settings: seed, device and the other settings that are a number, a text or None.
        cache: folder of the cache; workers on other machines share it, or have their own at this path.
        data_dirs: folders that may hold collections.
        folder: where relative paths start.
        memory: bytes that the steps of one process may take for what grows with a collection.
        environment: variables that change what is done; none that looks like a secret, which each machine must have
            itself.
        plugins: path and source of each plug-in, for a machine without the file.
    """

    settings: Mapping[str, Any]
    cache: str
    data_dirs: tuple[str, ...]
    folder: str
    memory: int
    environment: Mapping[str, str]
    plugins: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, context: Context, more: Mapping[str, str] | None = None) -> Setup:
        """That of a context in this process; `more` are further variables."""
        carried = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(CARRIED) and not any(word in name for word in SECRET)
        }
        folders = tuple(str(folder.expanduser().resolve()) for folder in context.data_dirs)
        root = str(context.cache.root.expanduser().resolve())
        names = set(inspect.signature(Context.__init__).parameters) - {"self", *OWN}
        settings = {name: getattr(context, name) for name in sorted(names)}
        environment = {**carried, **(more or {})}
        return cls(settings, root, folders, str(Path.cwd()), context.memory.total, environment, carried_plugins())

    def to_json(self) -> str:
        """As text."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Setup:
        """Reads it back."""
        fields = json.loads(text)
        plugins = tuple((path, source) for path, source in fields["plugins"])
        return cls(**{**fields, "data_dirs": tuple(fields["data_dirs"]), "plugins": plugins})

    def context(self) -> Context:
        """A new context, quiet. It also sets the environment and the working folder of this process: called once.

        Raises:
            CacheError: the cache folder cannot be written here.
        """
        os.environ.update(self.environment)
        use_carried_plugins(self.plugins, Path(self.cache))
        with contextlib.suppress(OSError):  # on another machine; absolute paths do not need it
            os.chdir(self.folder)
        folders = tuple(map(Path, self.data_dirs))
        return Context(**self.settings, cache=Cache(Path(self.cache)), data_dirs=folders, memory=Memory(self.memory))


@contextlib.contextmanager
def environment(more: Mapping[str, str]) -> Iterator[None]:
    """Sets variables of this process's environment while the block runs, for the processes that it starts."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def threads(count: int) -> dict[str, str]:
    """Variables that give a process so many threads to compute with, unless the user has set how many."""
    return {} if any(name in os.environ for name in THREADS) else {THREADS[0]: str(count)}
