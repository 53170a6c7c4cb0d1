from typing import Any

import pytest

from harness.base.errors import SettingError
from harness.endpoints.service import Service

GOOD: dict[str, Any] = {"who": "x", "model": "m", "url": "http://localhost/v1", "key_variable": "KEY"}


def test_what_is_in_range_passes() -> None:
    Service(**GOOD, price_in=1.0, price_out=2.0, cap=0.0, cap_tokens=0, retries=0, requests_per_minute=1).check()


@pytest.mark.parametrize(
    "setting",
    [
        {"model": ""},
        {"url": "localhost"},
        {"key_variable": "sk-oops"},
        {"key_variable": "aB3dE5gH7jK9"},
        {"concurrency": 0},
        {"requests_per_minute": 0},
        {"tokens_per_minute": 0},
        {"price_in": -1.0},
        {"price_out": float("inf")},
        {"cap": float("nan")},
        {"cap": 1.0},
        {"cap_tokens": -1},
        {"retries": -1},
        {"timeout": 0.0},
    ],
)
def test_what_is_not_is_named(setting: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=f"^x: .*{next(iter(setting))}"):
        Service(**{**GOOD, **setting}).check()


def test_each_meter_counts_for_itself_at_the_same_price() -> None:
    service = Service(**GOOD, price_in=2.0, price_out=4.0)
    assert service.meter() is not service.meter()
    assert service.meter().dollars(1_000_000, 1_000_000) == 6.0


def test_the_pace_is_that_of_the_settings() -> None:
    assert [Service(**GOOD, requests_per_minute=60).rate_limit().turn(1, 0.0) for _ in range(1)] == [0.0]
    pace = Service(**GOOD, requests_per_minute=60).rate_limit()
    assert [pace.turn(1, 0.0), pace.turn(1, 0.0)] == [0.0, 1.0]
