"""The state of a training run on disk: checkpoints, seconds spent, examples seen, score on dev before training."""

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
    """State that the trainer itself does not store.

    Seconds spent and the score before training are stored next to the checkpoints, the number of examples in each.
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
            stored = json.loads((folder / STATE).read_text(encoding="utf-8"))
            return cls(folder / STATE, float(stored["seconds"]), stored["before"])
        except (OSError, ValueError, KeyError, TypeError):
            return cls(folder / STATE, 0.0, None)

    def start(self, *, saved: bool = False) -> None:
        """Starts the clock; after a checkpoint was written, `saving` is set to the seconds that took."""
        self._since = time.perf_counter()
        if saved:
            self.saving = self._since - self._stopped
        self._saved = self._since

    def stop(self) -> None:
        """Stops the clock and adds its time to `seconds`."""
        self._stopped = time.perf_counter()
        if self._since is not None:
            self.seconds += self._stopped - self._since
            self._since = None

    def unsaved(self) -> float:
        """Seconds since the last checkpoint, or since the run began."""
        return time.perf_counter() - self._saved

    def save(self, checkpoint: Path | None = None) -> None:
        """Writes it; the number of examples seen goes into the checkpoint."""
        write_text(self._file, json.dumps({"seconds": self.seconds, "before": self.before}))
        if checkpoint is not None:
            write_text(checkpoint / SEEN, json.dumps(self.seen))

    def go_on(self, checkpoint: Path) -> None:
        """Reads from a checkpoint how many examples were seen up to it."""
        self.seen = int(json.loads((checkpoint / SEEN).read_text(encoding="utf-8")))


def last_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint; incomplete ones of a killed process are removed."""
    places = [place for place in folder.glob("checkpoint-*") if place.name.removeprefix("checkpoint-").isdecimal()]
    for place in sorted(places, key=lambda p: -int(p.name.rpartition("-")[2])):
        if (place / "trainer_state.json").is_file():  # the trainer writes it last
            return place
        shutil.rmtree(place, ignore_errors=True)
    return None


def readable_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that training can resume from; damaged ones are removed, with a warning.

    If the best checkpoint so far is damaged, all are removed: the run could not end with it.
    """
    damaged = False
    while (place := last_checkpoint(folder)) is not None:
        try:
            state = json.loads((place / "trainer_state.json").read_text(encoding="utf-8"))
            _read(place)
            best = state.get("best_global_step")
            if best and not damaged:
                _read(folder / f"checkpoint-{best}")
            if best and not (folder / f"checkpoint-{best}").is_dir():
                raise OSError("the best checkpoint before it is missing")
        except Exception as error:  # noqa: BLE001 - readers of damaged bytes raise anything
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
        message = f"the checkpoint {place} cannot be read ({why}) and cannot be removed ({error.strerror or error})"
        raise CacheError(f"{message}; remove it and run again.") from error


def _read(place: Path) -> None:
    """Reads the checkpoint; raises any error of its readers if a file is damaged or contains more than plain data.

    Others may be able to write to the folder: no code in a checkpoint is run. The trainer reads the random states of
    NumPy with the same list of types.
    """
    import torch
    from safetensors import safe_open
    from transformers.trainer_pt_utils import safe_globals

    for file in place.rglob("*.safetensors"):
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - it is not a mapping
                tensors.get_slice(name)
    with safe_globals():  # type: ignore[no-untyped-call]
        for file in [*place.glob("*.pt"), *place.glob("*.pth")]:
            torch.load(file, map_location="cpu", weights_only=True)
    json.loads((place / SEEN).read_text(encoding="utf-8"))
