"""The benchmark of the board on a few records: its records can be read, and both numbers are there."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from harness.bench.store import Store


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    import leaderboard

    return leaderboard


def test_records_are_whole_and_the_board_of_them_is_timed(benchmark: ModuleType, tmp_path: Path) -> None:
    benchmark.write(tmp_path / "results", datasets=2, rows=3, queries=5, documents=2)
    store = Store(tmp_path / "results")
    held, faults = store.stored()
    assert (len(held), faults) == (6, [])
    assert all(store.whole(stored.place, stored.record) for stored in held)
    assert len(store.values(held[0])["nDCG@10"]) == 5
    spent, memory = benchmark.measured(tmp_path / "results", tmp_path / "cache")
    assert spent["wall"] > 0
    assert spent["CPU"] > 0
    assert memory > 0
    assert all((tmp_path / "results" / name).is_file() for name in benchmark.FILES)
    sys.modules.pop("leaderboard")
