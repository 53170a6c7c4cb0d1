import logging
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.base.errors import SettingError
from harness.endpoints.meter import Bound, Meter, dollars, estimated_tokens, most_tokens, reported_tokens
from harness.endpoints.prices import Price

CHEAP = Price(1.0, 10.0, "a page (2026-01)")


def test_four_ascii_characters_are_a_token_and_each_other_character_is_one() -> None:
    assert [estimated_tokens(t) for t in ("", "a", "abcd", "abcde", "日本語", "naïve")] == [0, 1, 1, 2, 3, 2]


@pytest.mark.parametrize("told", [None, "12", True, -5, -1e9, float("nan"), float("inf"), [3]])
def test_a_count_that_is_none_counts_as_not_told(told: object) -> None:
    assert reported_tokens(told) == 0
    assert reported_tokens(7) == reported_tokens(7.0) == 7


@given(st.text())
def test_no_text_has_more_tokens_than_bytes(text: str) -> None:
    assert estimated_tokens(text) <= most_tokens(text) == len(text.encode("utf-8", "surrogatepass")) + 8


def test_an_estimate_says_what_it_costs_where_that_is_known() -> None:
    known = Meter("m", CHEAP, None).estimate(3, 20, 1000, 50)
    assert known.dollars == pytest.approx((1000 * 1 + 50 * 10) / 1e6)
    assert str(known) == "20 texts in 3 requests, about 1,000 tokens in, at most 50 out: at most $0.0015"
    assert str(Meter("m", None, None).estimate(3, 0, 1000)) == "3 requests, about 1,000 tokens in: price unknown"


def test_the_estimate_is_told_and_held_against_the_caps(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        meter = Meter("api m", CHEAP, 0.01, 5000)
        meter.admit(meter.estimate(1, 1, 5000))
    assert "api m: 1 texts in 1 requests" in caplog.text
    assert "a page (2026-01)" in caplog.text
    with pytest.raises(SettingError, match=r"cap of 5,000 tokens\. Nothing was sent\. Raise cap and cap_tokens"):
        meter.admit(meter.estimate(1, 1, 5001))
    with pytest.raises(SettingError, match=r"exceeds the cap of \$0\.01\. Nothing was sent\. Raise cap"):
        meter.admit(meter.estimate(1, 1, 0, 1001))


def test_what_was_counted_before_counts(caplog: pytest.LogCaptureFixture) -> None:
    meter = Meter("m", None, None, 100)
    assert meter.reserve(Bound(90))
    meter.settle(Bound(90), 60)
    meter.admit(meter.estimate(1, 1, 40))
    with pytest.raises(SettingError, match="after 60 tokens used before"):
        meter.admit(meter.estimate(1, 1, 41))


def test_no_request_is_let_through_that_could_pass_a_cap() -> None:
    meter = Meter("m", None, None, 100)
    assert meter.reserve(Bound(50, 10))
    assert not meter.reserve(Bound(41))
    assert meter.reserve(Bound(40))
    meter.settle(Bound(50, 10), 20, 5)
    assert meter.reserve(Bound(35))
    assert not meter.reserve(Bound(1))
    meter.settle(Bound(35), 0)  # it came to nothing
    assert meter.reserve(Bound(35))
    assert "has used 25 tokens" in str(meter.refusal())


def test_a_server_that_counts_more_than_there_are_bytes_is_told() -> None:
    meter = Meter("m", CHEAP, 1.0)
    assert meter.exceeded() is None
    assert meter.reserve(Bound(10))
    meter.settle(Bound(10), 1_500_000)
    assert r"m: the run has used $1.50 by the server's count, exceeds the cap of $1.00" in str(meter.exceeded())


def test_threads_pass_no_cap_together() -> None:
    meter, let = Meter("m", None, None, 1000), []

    def ask() -> None:
        let.extend(3 for _ in range(200) if meter.reserve(Bound(3)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(let) == 999


def test_dollars_need_a_price() -> None:
    with pytest.raises(SettingError, match="cap is in dollars, but the price is unknown"):
        Meter("m", None, 1.0)


def test_amounts_as_they_are_told() -> None:
    assert [dollars(a) for a in (0.0, 0.00123456, 0.5, 1.0, 1234.5)] == [
        "$0.00",
        "$0.001235",
        "$0.5",
        "$1.00",
        "$1,234.50",
    ]


def test_estimates_add_up_and_one_without_a_price_leaves_none() -> None:
    known, unknown = Meter("m", CHEAP, None).estimate(1, 2, 30, 4), Meter("m", None, None).estimate(5, 6, 70, 8)
    both = known + known
    assert (both.requests, both.texts, both.tokens_in, both.tokens_out) == (2, 4, 60, 8)
    assert both.dollars == pytest.approx(2 * (30 + 40) / 1e6)
    assert (known + unknown).dollars is None


def test_a_request_without_an_answer_counts_at_its_most_and_may_leave_no_room_for_another() -> None:
    meter = Meter("m", None, None, 100)
    assert meter.reserve(Bound(30, 10))
    assert meter.count_lost(Bound(30, 10)) is None  # 40 counted, 40 under way
    refused = meter.count_lost(Bound(30, 10))  # 80 counted, 40 under way
    assert "used 80 tokens by the server's count (2 requests without an answer counted at their most)" in str(refused)
    meter.settle(Bound(30, 10), 0, 0)
    assert (meter.counted_in, meter.counted_out) == (60, 20)
