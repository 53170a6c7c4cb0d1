"""A worker process asked in JSON lines: started when needed, killed when it does not answer as it should."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import IO, Any

from harness.base.errors import EngineError

PATIENCE = 1800.0
"""Seconds to wait for one answer. The longest is the end of an index, whose parts are merged then."""
TAIL = 2000
"""Characters of what the worker said last that an error shows."""


class Process:
    """Questions to a worker, one at a time.

    A question that kills the worker, or to which it says nothing or something that is no answer, is an error, and the
    next question starts another worker.

    Args:
        command: starts the worker; it says `{"id": 0, "answer": …}` first and then answers as `worker.py` does.
        environment: of the worker; None for this process's own.
        patience: seconds to wait for one answer.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, patience: float = PATIENCE
    ) -> None:
        self._command, self._environment, self._patience = list(command), environment, patience
        self._running: _Running | None = None

    def start(self) -> Any:
        """Starts the worker where none runs; returns what it said first.

        Raises:
            EngineError: it cannot be started.
        """
        if self._running is None or self._running.process.poll() is not None:
            self.close()
            self._running = _Running(self._command, self._environment)
            weakref.finalize(self, self._running.end)
            self._running.first = self._answer(self._running, 0, "start")
        return self._running.first

    def ask(self, do: str, **given: Any) -> Any:
        """The answer to one question.

        Raises:
            EngineError: the worker says that it cannot, dies, keeps silent or says something else; with the last it
                said.
        """
        self.start()
        running = self._running
        assert running is not None
        running.asked += 1
        try:
            running.questions.write(json.dumps({"id": running.asked, "do": do, **given}) + "\n")
            running.questions.flush()
        except OSError:  # it is dead or dying: told below, where its last words are read
            pass
        return self._answer(running, running.asked, do)

    def close(self) -> None:
        """Ends the worker."""
        running, self._running = self._running, None
        if running is not None:
            running.end()

    def _answer(self, running: _Running, number: int, do: str) -> Any:
        try:
            line = running.lines.get(timeout=self._patience)
        except queue.Empty:
            self.close()
            raise EngineError(
                f"lucene: no answer to {do!r} within {self._patience:g} s.{running.last_words()}"
            ) from None
        except BaseException:
            self.close()  # its answer would be taken for that to the next question
            raise
        if line is None:
            self.close()
            status = running.process.wait()
            raise EngineError(f"lucene: Java's process ended at {do!r} (exit status {status}).{running.last_words()}")
        try:
            said = json.loads(line)
            fault, answer = said.get("fault"), said["answer"] if "fault" not in said else None
            known = said["id"] == number
        except (ValueError, KeyError, AttributeError, TypeError):
            known = False
        if not known:
            self.close()
            raise EngineError(
                f"lucene: what Java's process says to {do!r} is no answer to it: {line[:200]!r}.{running.last_words()}"
            )
        if fault is not None:
            raise EngineError(f"lucene: Java's process cannot do {do!r}: {fault}.{running.last_words()}")
        return answer


class _Running:
    """A started worker: a thread reads its lines, so that waiting for one can end; a file takes what it says
    besides.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None) -> None:
        self.asked, self.first = 0, None
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env=environment,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # Ctrl-C is for the harness, which ends its worker
            )
        except OSError as error:
            raise EngineError(f"lucene: {command[0]} cannot be started: {error}.") from error
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.questions: IO[str] = self.process.stdin
        threading.Thread(
            target=_read, args=(self.process.stdout, self.lines), name="harness-lucene", daemon=True
        ).start()

    def last_words(self) -> str:
        """The end of what the worker said on stderr, to be put behind a message."""
        size = self._said.seek(0, 2)
        self._said.seek(max(0, size - TAIL))
        said = self._said.read().decode("utf-8", "replace").strip()
        return f" The last it said:\n{said}" if said else ""

    def end(self) -> None:
        """Kills the worker: it writes nothing that a kill could damage, since an index counts once it is whole."""
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self.questions.close()


def _read(answers: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    with contextlib.suppress(ValueError, OSError), answers:
        for line in answers:
            lines.put(line)
    lines.put(None)
