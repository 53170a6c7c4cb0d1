import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.base.errors import CacheError
from harness.training import checkpoints
from harness.training.checkpoints import SEEN, STATE, State, last_checkpoint, readable_checkpoint


def whole(folder: Path, step: int) -> Path:
    place = folder / f"checkpoint-{step}"
    place.mkdir(parents=True)
    (place / "trainer_state.json").write_text("{}")
    return place


def test_the_newest_whole_checkpoint_is_found_by_its_number_not_its_name(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    assert last_checkpoint(tmp_path / "missing") is None
    for step in (9, 100, 20):
        whole(tmp_path, step)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-100"


def test_what_was_being_written_when_the_process_died_is_removed(tmp_path: Path) -> None:
    kept = whole(tmp_path, 20)
    older = whole(tmp_path, 10)
    half = tmp_path / "checkpoint-30"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    assert last_checkpoint(tmp_path) == kept
    assert not half.exists()
    assert older.exists()


def test_the_clock_adds_up_over_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(checkpoints.time, "perf_counter", lambda: now[0])
    state = State.at(tmp_path / "new")
    assert (state.seconds, state.before) == (0.0, None)
    state.start()
    now[0] += 5
    state.stop()
    now[0] += 50
    state.stop()
    assert state.seconds == 5.0, "what runs between stop and start is not counted"
    state.before = 0.25
    state.save()
    again = State.at(tmp_path / "new")
    assert (again.seconds, again.before) == (5.0, 0.25)
    again.start()
    now[0] += 2
    again.stop()
    assert again.seconds == 7.0


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "[]", '{"seconds": "x", "before": null}', '{"seconds": null, "before": 1}']
)
def test_a_damaged_state_begins_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / STATE).write_text(text)
    state = State.at(tmp_path)
    assert (state.seconds, state.before) == (0.0, None)


class Payload:
    """What a stranger would put into a checkpoint: reading it as a pickle makes a folder."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._place),)


def readable(folder: Path, step: int) -> Path:
    """A checkpoint with the states that the trainer writes: those of Python, NumPy and torch, and the optimizer's."""
    import torch

    place = whole(folder, step)
    (place / SEEN).write_text(json.dumps(3))
    states = {"python": random.getstate(), "numpy": np.random.get_state(), "cpu": torch.random.get_rng_state()}  # noqa: NPY002
    torch.save(states, place / "rng_state.pth")
    weight = torch.nn.Parameter(torch.ones(2))
    torch.save(torch.optim.AdamW([weight]).state_dict(), place / "optimizer.pt")
    return place


def test_a_checkpoint_of_the_trainer_is_readable(tmp_path: Path) -> None:
    newest = readable(tmp_path, 20)
    assert readable_checkpoint(tmp_path) == newest


@pytest.mark.parametrize(
    "name", ["rng_state.pth", "rng_state_0.pth", "optimizer.pt", "scheduler.pt", "loss.pt", "scaler.pt"]
)
@pytest.mark.parametrize("old_form", [False, True], ids=["zip", "plain pickle"])
def test_no_code_in_a_checkpoint_is_run(tmp_path: Path, name: str, old_form: bool) -> None:
    import torch

    before, newest = readable(tmp_path, 10), readable(tmp_path, 20)
    place = newest / name
    torch.save({"numpy": Payload(tmp_path / "ran")}, place, _use_new_zipfile_serialization=not old_form)
    assert readable_checkpoint(tmp_path) == before
    assert not (tmp_path / "ran").exists()
    assert not newest.exists()


def test_a_damaged_checkpoint_that_cannot_be_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (readable(tmp_path, 10) / SEEN).write_text("{")

    def refuse(place: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(checkpoints.shutil, "rmtree", refuse)
    with pytest.raises(CacheError, match=r"cannot be removed \(Permission denied\); remove it and run again"):
        readable_checkpoint(tmp_path)


def test_folders_that_only_look_like_checkpoints_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-best").mkdir()
    assert last_checkpoint(tmp_path) is None
    assert (tmp_path / "checkpoint-best").exists()
