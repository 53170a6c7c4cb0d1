"""A worker process that answers JSON lines: started when needed, killed if it does not answer as specified."""

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
"""Seconds to wait for one answer. Ending an index takes longest, since its parts are merged."""
TAIL = 2000
"""Characters of the worker's last output that an error shows."""


class Process:
    """Questions to a worker, one at a time.

    A question that kills the worker or gets no valid answer is an error, and the next question starts another worker.

    Args:
        command: starts the worker; its first line is `{"id": 0, "answer": …}`, then it answers as `worker.py` does.
        environment: of the worker; None for this process's own.
        patience: seconds to wait for one answer.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, patience: float = PATIENCE
    ) -> None:
        self._command, self._environment, self._patience = list(command), environment, patience
        self._running: _Running | None = None

    def start(self) -> Any:
        """Starts the worker if none runs; returns its first answer.

        Raises:
            EngineError: it cannot be started.
        """
        if self._running is None or self._running.process.poll() is not None:
            self.close()
            self._running = _Running(self._command, self._environment)
            weakref.finalize(self, self._running.end)
            self._running.first = self._answer(self._running, 0, "start")
        return self._running.first

    def ask(self, do: str, **arguments: Any) -> Any:
        """The answer to one question.

        Raises:
            EngineError: the worker reports an error, dies, does not answer or answers something else; shows its last
                output.
        """
        self.start()
        running = self._running
        assert running is not None
        running.last_id += 1
        try:
            running.questions.write(json.dumps({"id": running.last_id, "do": do, **arguments}) + "\n")
            running.questions.flush()
        except OSError:  # it is dead or dying, which `_answer` reports
            pass
        return self._answer(running, running.last_id, do)

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
            message = f"lucene: no answer to {do!r} within {self._patience:g} s.{running.last_output()}"
            raise EngineError(message) from None
        except BaseException:
            self.close()  # its answer would be taken for the answer to the next question
            raise
        if line is None:
            self.close()
            status = running.process.wait()
            raise EngineError(f"lucene: Java's process ended at {do!r} (exit status {status}).{running.last_output()}")
        try:
            reply = json.loads(line)
            fault = reply.get("fault")
            answer = None if "fault" in reply else reply["answer"]
            is_valid = reply["id"] == number
        except (ValueError, KeyError, AttributeError, TypeError):
            is_valid = False
        if not is_valid:
            self.close()
            shown = f"{line[:200]!r}.{running.last_output()}"
            raise EngineError(f"lucene: Java's process gave no valid answer to {do!r}: {shown}")
        if fault is not None:
            raise EngineError(f"lucene: Java's process failed at {do!r}: {fault}.{running.last_output()}")
        return answer


class _Running:
    """A started worker: a thread reads its answers, so that waiting can time out; a file takes its other output."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None) -> None:
        self.last_id, self.first = 0, None
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env=environment,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # Ctrl-C goes to the harness, which ends its worker
            )
        except OSError as error:
            raise EngineError(f"lucene: {command[0]} cannot be started: {error}.") from error
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.questions: IO[str] = self.process.stdin
        arguments = (self.process.stdout, self.lines)
        threading.Thread(target=_read, args=arguments, name="harness-lucene", daemon=True).start()

    def last_output(self) -> str:
        """The end of the worker's stderr, to be appended to a message."""
        size = self._stderr.seek(0, 2)
        self._stderr.seek(max(0, size - TAIL))
        output = self._stderr.read().decode("utf-8", "replace").strip()
        return f" Its last output:\n{output}" if output else ""

    def end(self) -> None:
        """Kills the worker, which damages nothing: an index is used only once it is complete."""
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self.questions.close()


def _read(answers: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    with contextlib.suppress(ValueError, OSError), answers:
        for line in answers:
            lines.put(line)
    lines.put(None)
