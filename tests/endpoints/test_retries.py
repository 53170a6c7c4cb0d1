import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from harness.base.errors import ModelError, SettingError, Unavailable
from harness.endpoints.keys import Key
from harness.endpoints.retries import RateLimit, Retrier, Retryable, pause, seconds_of


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(
        "harness.endpoints.retries.pause", lambda stopped, seconds: found.append(seconds) or stopped.is_set()
    )
    return found


def patience(retries: int = 4, pace: RateLimit | None = None) -> Retrier:
    return Retrier("api", "http://localhost/v1", Key("api", "http://localhost/v1", "NO_SUCH_KEY"), retries, pace)


def failing(*faults: Exception) -> Callable[[], str]:
    left = list(faults)

    def once() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return once


def test_waits_double_with_jitter_of_half(waits: list[float]) -> None:
    assert patience().call(failing(*[Retryable("busy")] * 4)) == "answer"
    for wait, middle in zip(waits, (1, 2, 4, 8), strict=True):
        assert 0.5 * middle <= wait <= 1.5 * middle


def test_waits_are_no_longer_than_a_minute(waits: list[float]) -> None:
    patience(retries=12).call(failing(*[Retryable("busy")] * 12))
    assert max(waits) == 60


def test_a_wait_that_is_asked_for_is_the_least(waits: list[float]) -> None:
    patience().call(failing(Retryable("busy", 30.0)))
    assert waits[0] == 30.0


def test_a_wait_that_is_too_long_ends_it(waits: list[float]) -> None:
    with pytest.raises(ModelError, match="after 1 try; the last error: busy"):
        patience().call(failing(Retryable("busy", 301.0)))
    assert waits == []


def test_retries_end(waits: list[float]) -> None:
    with pytest.raises(ModelError, match="after 3 tries; the last error: second"):
        patience(retries=2).call(failing(Retryable("first"), Retryable("second"), Retryable("second")))
    assert len(waits) == 2


def test_a_refusal_is_not_repeated(waits: list[float]) -> None:
    with pytest.raises(ModelError, match="wrong key"):
        patience().call(failing(ModelError("wrong key")))
    assert waits == []


def test_told_to_stop_it_waits_no_longer() -> None:
    one = patience()
    one.stop()
    with pytest.raises(ModelError, match="after 1 try"):
        one.call(failing(Retryable("busy", 200.0)))
    stopped = threading.Event()
    assert not pause(stopped, 0.0)
    stopped.set()
    assert pause(stopped, 1000.0)


def test_turns_are_spread_over_the_minute() -> None:
    pace = RateLimit(requests=30)
    assert [pace.turn(1, 100.0) for _ in range(3)] == [0.0, 2.0, 4.0]
    assert pace.turn(1, 200.0) == 0.0
    tokens = RateLimit(tokens=600)
    assert [tokens.turn(n, 0.0) for n in (10, 300, 10)] == [0.0, 1.0, 31.0]
    assert [RateLimit().turn(10**9, 0.0) for _ in range(2)] == [0.0, 0.0]


def test_a_wait_that_one_is_asked_for_holds_for_all() -> None:
    pace = RateLimit()
    pace.delay(50.0)
    assert pace.turn(1, 45.0) == 5.0
    pace.delay(40.0)
    assert pace.turn(1, 45.0) == 5.0


def test_the_forms_of_retry_after() -> None:
    assert seconds_of("2") == 2.0
    assert seconds_of(None) is None
    assert seconds_of("soon") is None
    assert seconds_of("-3") == seconds_of("nan") == 0.0
    assert seconds_of("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


@pytest.mark.parametrize("code", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_passes_is_asked_again(code: int) -> None:
    again = patience().error_of(code, "", "m", "4")
    assert isinstance(again, Retryable)
    assert (str(again), again.wait) == (f"HTTP {code}: no message (the server asks for a wait of 4 s)", 4.0)


@pytest.mark.parametrize(
    ("code", "match"),
    [(401, "NO_SUCH_KEY"), (403, "NO_SUCH_KEY"), (404, "no model 'm'.*why not"), (400, "HTTP 400: why not")],
)
def test_what_must_be_mended_is_told(code: int, match: str) -> None:
    with pytest.raises(ModelError, match=f"^api: http://localhost/v1 .*{match}"):
        raise patience().error_of(code, "  why\nnot ", "m")


def chained(cause: BaseException) -> BaseException:
    try:
        try:
            raise cause
        except BaseException as error:
            raise RuntimeError("Connection error.") from error
    except RuntimeError as outer:
        return outer


def test_no_server_is_told_from_a_broken_answer() -> None:
    for cause in (ConnectionRefusedError(111, "refused"), socket.gaierror(-2, "unknown")):
        assert isinstance(patience().no_answer(chained(cause), 1.0), Unavailable)
    broken: Any = patience().no_answer(chained(ConnectionResetError("reset")), 1.5)
    assert isinstance(broken, Retryable)
    assert "within 1.5 s" in str(broken)


def test_what_the_server_may_count_is_told_and_may_end_it(waits: list[float]) -> None:
    lost: list[None] = []
    busy, broken = Retryable("HTTP 429"), Retryable("cut", done=True)
    assert patience().call(failing(busy, broken), lost=lambda: lost.append(None)) == "answer"
    assert len(lost) == 1
    with pytest.raises(SettingError, match="no room"):
        patience().call(failing(busy, broken), lost=lambda: SettingError("no room"))
    with pytest.raises(ModelError, match="the last error: cut"):  # not what another try would have cost
        patience(retries=0).call(failing(broken), lost=lambda: SettingError("no room"))


def test_a_time_out_may_be_counted_and_a_busy_server_counts_nothing() -> None:
    timed_out, refused = patience().no_answer(TimeoutError(), 1.0), patience().error_of(503, "", "m")
    assert isinstance(timed_out, Retryable)
    assert isinstance(refused, Retryable)
    assert (timed_out.done, refused.done) == (True, False)
