"""What a run leaves on disk while it trains: its checkpoints, seconds spent, examples seen, dev before training."""

from __future__ import annotations

import json
import logging
import shutil
import time
from pathlib import Path

from harness.base.errors import CacheError
from harness.base.files import write_text

STATE = "harness.json"
SEEN = "seen.json"
log = logging.getLogger("harness.training")


class State:
    """What the trainer's own state does not hold.

    Seconds spent and dev before training are kept beside the checkpoints, the number of examples seen in each.
    """

    def __init__(self, file: Path, seconds: float, before: float | None) -> None:
        self._file, self.seconds, self.before = file, seconds, before
        self.seen = 0
        self.saving = 0.0
        self._since: float | None = None
        self._stopped = self._saved = time.perf_counter()

    @classmethod
    def at(cls, folder: Path) -> State:
        """The state in a folder, or a new one."""
        folder.mkdir(parents=True, exist_ok=True)
        try:
            held = json.loads((folder / STATE).read_text(encoding="utf-8"))
            return cls(folder / STATE, float(held["seconds"]), held["before"])
        except (OSError, ValueError, KeyError, TypeError):
            return cls(folder / STATE, 0.0, None)

    def start(self, *, saved: bool = False) -> None:
        """The clock runs from now on; after a checkpoint was written, how long that took is kept as `saving`."""
        self._since = time.perf_counter()
        if saved:
            self.saving = self._since - self._stopped
        self._saved = self._since

    def stop(self) -> None:
        """What has run is added to `seconds`."""
        self._stopped = time.perf_counter()
        if self._since is not None:
            self.seconds += self._stopped - self._since
            self._since = None

    def unsaved(self) -> float:
        """Seconds since the last checkpoint, or since the run began."""
        return time.perf_counter() - self._saved

    def save(self, checkpoint: Path | None = None) -> None:
        """Writes it; what belongs to a checkpoint goes into that."""
        write_text(self._file, json.dumps({"seconds": self.seconds, "before": self.before}))
        if checkpoint is not None:
            write_text(checkpoint / SEEN, json.dumps(self.seen))

    def go_on(self, checkpoint: Path) -> None:
        """Takes from a checkpoint what was seen up to it."""
        self.seen = int(json.loads((checkpoint / SEEN).read_text(encoding="utf-8")))


def last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint; one that was being written when the process died is removed."""
    found = [place for place in folder.glob("checkpoint-*") if place.name.removeprefix("checkpoint-").isdecimal()]
    for place in sorted(found, key=lambda p: -int(p.name.rpartition("-")[2])):
        if (place / "trainer_state.json").is_file():  # the trainer writes it last
            return place
        shutil.rmtree(place, ignore_errors=True)
    return None


def readable_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that can be gone on from; damaged ones are removed, with a warning.

    Where the best checkpoint so far is among the damaged, all go: the run could not end with it.
    """
    damaged = False
    while (place := last_checkpoint(folder)) is not None:
        try:
            held = json.loads((place / "trainer_state.json").read_text(encoding="utf-8"))
            _read(place)
            best = held.get("best_global_step")
            if best and not damaged:
                _read(folder / f"checkpoint-{best}")
            if best and not (folder / f"checkpoint-{best}").is_dir():
                raise OSError("the best checkpoint before it is gone")
        except Exception as error:  # noqa: BLE001 - whatever a reader of damaged bytes raises
            log.warning("the checkpoint %s cannot be read (%s): training goes on from an earlier one", place, error)
            _remove(place, error)
            damaged = True
            continue
        return place
    return None


def _remove(place: Path, why: Exception) -> None:
    try:
        shutil.rmtree(place)
    except OSError as error:
        told = f"the checkpoint {place} cannot be read ({why}) and cannot be removed ({error.strerror or error})"
        raise CacheError(f"{told}; remove it and run again.") from error


def _read(place: Path) -> None:
    """Raises what its readers raise where a file of the checkpoint is damaged, or holds more than numbers and names.

    A checkpoint lies in a folder that others may write to: nothing in it is run. The trainer reads the random states of
    NumPy with the same list of types.
    """
    import torch
    from safetensors import safe_open
    from transformers.trainer_pt_utils import safe_globals

    for file in place.rglob("*.safetensors"):
        with safe_open(file, framework="pt") as held:
            for name in held.keys():  # noqa: SIM118 - it is no mapping
                held.get_slice(name)
    with safe_globals():  # type: ignore[no-untyped-call]
        for file in [*place.glob("*.pt"), *place.glob("*.pth")]:
            torch.load(file, map_location="cpu", weights_only=True)
    json.loads((place / SEEN).read_text(encoding="utf-8"))
