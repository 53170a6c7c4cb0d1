from pathlib import Path

import pytest

from harness.training import checkpoints
from harness.training.checkpoints import STATE, State, last_checkpoint


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


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"seconds": "x", "before": null}', '{"seconds": null, "before": 1}'])
def test_a_damaged_state_begins_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / STATE).write_text(text)
    state = State.at(tmp_path)
    assert (state.seconds, state.before) == (0.0, None)
