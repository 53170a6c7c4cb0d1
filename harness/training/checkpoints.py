"""What a run leaves on disk while it trains: its checkpoints, seconds spent, dev before training."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from harness.files import write_text

STATE = "harness.json"


class State:
    """What the trainer's own state does not hold: seconds spent, and dev before training; kept beside the checkpoints."""

    def __init__(self, file: Path, seconds: float, before: float | None) -> None:
        self._file, self.seconds, self.before = file, seconds, before
        self._since: float | None = None

    @classmethod
    def at(cls, folder: Path) -> State:
        """The state in a folder, or a new one."""
        folder.mkdir(parents=True, exist_ok=True)
        try:
            held = json.loads((folder / STATE).read_text(encoding="utf-8"))
            return cls(folder / STATE, float(held["seconds"]), held["before"])
        except (OSError, ValueError, KeyError, TypeError):
            return cls(folder / STATE, 0.0, None)

    def start(self) -> None:
        """The clock runs from now on."""
        self._since = time.perf_counter()

    def stop(self) -> None:
        """What has run is added to `seconds`."""
        if self._since is not None:
            self.seconds += time.perf_counter() - self._since
            self._since = None

    def save(self) -> None:
        """Writes it."""
        write_text(self._file, json.dumps({"seconds": self.seconds, "before": self.before}))


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint; one that was being written when the process died is removed."""
    for place in sorted(folder.glob("checkpoint-*"), key=lambda p: -int(p.name.rpartition("-")[2])):
        if (place / "trainer_state.json").is_file():  # the trainer writes it last
            return place
        shutil.rmtree(place, ignore_errors=True)
    return None
